"""Runs a server for long under sessions at more than the pace of speech, and looks at what it uses."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks.processes import resident_mb
from benchmarks.server_process import Running, running_server
from benchmarks.soak import Sample
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from benchmarks.whip_peer import WhipPeer, opus_packets
from streaming.types import SAMPLE_RATE, Int16Mono

_LOOK_S = 2.0
_CALM_S = 5.0
_CALM_LIMIT_S = 40.0
_WHIP_SHARE = 10
"""Every tenth connection is WebRTC: each takes a second."""
_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """`minutes` of audio a session, at `pace` times real time; no new audio is sent after `limit_s`."""

    sessions: int = 8
    minutes: float = 60.0
    pace: float = 2.0
    connects: int = 500
    limit_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was seen: as the sessions went on, then calm, then after all the connections."""

    samples: tuple[Sample, ...]
    calm: tuple[Sample, Sample]
    whole: int


def run(plan: Plan, pcm: Int16Mono, say: Callable[[str], None]) -> Soaked:
    """All of it against one server."""
    with running_server({"SAMEDAY_MAX_SESSIONS": str(plan.sessions + 1)}) as server:
        return asyncio.run(_soak(server, plan, pcm, say))


async def _soak(server: Running, plan: Plan, pcm: Int16Mono, say: Callable[[str], None]) -> Soaked:
    began = time.monotonic()
    async with httpx.AsyncClient(base_url=server.url, timeout=60.0) as http:
        names = [await _start(http) for _ in range(plan.sessions)]
        watching = asyncio.create_task(_watch(server, http, began, say))
        lengths = await asyncio.gather(
            *(_talk(server, name, pcm, place, plan, began) for place, name in enumerate(names))
        )
        samples = await _ended(http, names, watching)
        whole = sum([await _whole(server, name, length) for name, length in zip(names, lengths, strict=True)])
        say(f"  {samples[-1].heard_h:.2f} h heard in {samples[-1].at_s:.0f} s, {whole} of {plan.sessions} whole")
        name = await _start(http)
        await _connect(server, http, name, _AT_ONCE, pcm)  # what is made once, is made now
        before = await _calm(server, http, began)
        await _connect(server, http, name, plan.connects, pcm)
        after = await _calm(server, http, began, like=before)
        (await http.post(f"/api/sessions/{name}/end")).raise_for_status()
    return Soaked(tuple(samples), (before, after), whole)


async def _start(http: httpx.AsyncClient) -> str:
    body = {"consent": ["clinician", "client"], "tracks": [{"id": "mic", "speakers": 2}]}
    answer = await http.post("/api/sessions", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _talk(server: Running, name: str, pcm: Int16Mono, place: int, plan: Plan, began: float) -> int:
    """Send rounds of the recording, each session from elsewhere, until there was enough of it; returns its ticks."""
    turned = np.roll(pcm, -len(pcm) * place // plan.sessions)
    sent, wanted = 0, round(plan.minutes * 60 * SAMPLE_RATE)
    while sent < wanted and time.monotonic() - began < plan.limit_s:
        piece = turned[: min(len(turned), wanted - sent)]
        await WebSocketPeer(frames_of(piece, "pcm16", first_tick=sent), pace=plan.pace).run(
            _url(server, name, "audio?track=mic")
        )
        sent += len(piece)
    return sent


async def _watch(server: Running, http: httpx.AsyncClient, began: float, say: Callable[[str], None]) -> list[Sample]:
    samples: list[Sample] = []
    while True:
        one = await _look(server, http, began)
        samples.append(one)
        if len(samples) % 15 == 0:
            say(f"  {one.at_s:.0f} s: {one.heard_h:.2f} h heard, {one.memory_mb:.0f} MB, {one.threads} threads")
        if one.live == 0:
            return samples
        await asyncio.sleep(_LOOK_S)


async def _ended(http: httpx.AsyncClient, names: list[str], watching: "asyncio.Task[list[Sample]]") -> list[Sample]:
    """End all, and wait until the last note is there; what was seen until then."""
    for name in names:
        (await http.post(f"/api/sessions/{name}/end")).raise_for_status()
    samples = await watching
    return [one for one in samples if one.live]


async def _whole(server: Running, name: str, length: int) -> bool:
    totals: list[dict[str, int]] = []
    async with connect(_url(server, name, "events"), max_size=None) as socket:
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "ended":
                totals = message["totals"]
    return bool(totals) and totals[0]["received_ticks"] == totals[0]["transcribed_ticks"] == length


async def _connect(server: Running, http: httpx.AsyncClient, name: str, count: int, pcm: Int16Mono) -> None:
    """Connections made and broken off, some at once: of readers, of senders over WebSocket and over WebRTC."""
    packets = opus_packets(pcm[: SAMPLE_RATE // 2])
    for first in range(0, count, _AT_ONCE):
        places = range(first, min(count, first + _AT_ONCE))
        await asyncio.gather(*(_once(server, http, name, place, packets) for place in places))


async def _once(server: Running, http: httpx.AsyncClient, name: str, place: int, packets: list[bytes]) -> None:
    if place % _WHIP_SHARE == 0:
        peer = WhipPeer(packets)
        try:
            await peer.connect(http, f"{server.url}/api/sessions/{name}/whip?track=mic")
        finally:
            await peer.close()
        return
    socket = await connect(_url(server, name, "events" if place % 2 else "audio?track=mic"), max_size=None)
    try:
        await socket.recv()
    except ConnectionClosed:
        pass  # another of these took the track over
    finally:
        socket.transport.abort()


async def _calm(server: Running, http: httpx.AsyncClient, began: float, *, like: Sample | None = None) -> Sample:
    """A look once all that was opened has been let go of, or after a while in which it was not."""
    until = time.monotonic() + _CALM_LIMIT_S
    await asyncio.sleep(_CALM_S)
    while True:
        one = await _look(server, http, began)
        if like is None or time.monotonic() > until or (one.threads <= like.threads and one.files <= like.files):
            return one
        await asyncio.sleep(1.0)


async def _look(server: Running, http: httpx.AsyncClient, began: float) -> Sample:
    numbers = _metrics((await http.get("/metrics")).text)
    process = Path(f"/proc/{server.process.pid}")
    ending = round(numbers['sameday_sessions{state="ending"}'])
    threads = next(line for line in (process / "status").read_text().splitlines() if line.startswith("Threads:"))
    return Sample(
        at_s=time.monotonic() - began,
        heard_h=numbers["sameday_audio_transcribed_seconds_total"] / 3600,
        memory_mb=resident_mb(server.process.pid),
        threads=int(threads.split()[1]),
        files=len(list((process / "fd").iterdir())),
        live=round(numbers['sameday_sessions{state="live"}']) + ending,
        ending=ending,
    )


def _metrics(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def _url(server: Running, name: str, rest: str) -> str:
    return f"{server.url.replace('http', 'ws', 1)}/api/sessions/{name}/{rest}"
