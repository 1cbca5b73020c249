"""Runs the conditions of `sameday bench load` against real servers, through relays in this process."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from benchmarks.conditions import Condition, Seen
from benchmarks.fallback_peer import FallbackPeer
from benchmarks.host import Host
from benchmarks.live import FallbackStream, Stream, Transport, WebSocketStream, WhipStream, run_stream
from benchmarks.measure_live import server_environment
from benchmarks.network import Network
from benchmarks.relay import TcpRelay, UdpRelay
from benchmarks.server_process import running_server
from benchmarks.step_figures import Judged, judged
from benchmarks.talk_pieces import Piece
from benchmarks.traffic import Outcome, sent_times
from benchmarks.websocket_peer import Refused, frames_of
from benchmarks.whip_peer import PACKET_S, WhipPeer, opus_packets
from streaming.audio_wire import AudioFrame
from streaming.types import FRAME_TICKS, Int16Mono, Tick, seconds

_CUTS = (0.3, 0.6)
"""Where a cut connection breaks, as shares of the audio."""
_OUTAGE_S = 2.0
_OUTAGES_S = (2.0, 4.0)
"""Of a WebRTC sender: one that its connection outlives, and one after which the server has given it up."""
_STORM_S = 4.0
_SLOW_READ_S = 0.5


def run(
    conditions: Sequence[Condition], piece: Piece, *, storm: int, seed: int, say: Callable[[str], None]
) -> list[Seen]:
    """All conditions in order: storms on servers of their own, the others on one, one after another."""
    seen: list[Seen] = []
    calm = [one for one in conditions if one.kind != "storm"]
    if calm:
        with running_server(server_environment()) as server:
            for one in calm:
                say(f"  {one.name}: {one.says}")
                seen.append(_guarded(one, lambda one=one: asyncio.run(_one(one, server.url, piece, seed))))  # type: ignore[misc]
    for one in (one for one in conditions if one.kind == "storm"):
        say(f"  {one.name}: {storm} connections, {one.says}")
        room = max(1, round(storm * one.room))
        environment = server_environment() | {"SAMEDAY_MAX_SESSIONS": str(room), "SAMEDAY_MAX_BACKLOG_S": "80000"}
        with running_server(environment) as server:
            seen.append(_guarded(one, lambda one=one: asyncio.run(_storm(one, server.url, piece, storm))))  # type: ignore[misc]
    return seen


def _guarded(one: Condition, go: Callable[[], Seen]) -> Seen:
    """A condition that breaks the client says so; it does not end the run."""
    try:
        return go()
    except Exception as error:
        return Seen(one, errors=(type(error).__name__,))


async def _one(condition: Condition, url: str, piece: Piece, seed: int) -> Seen:
    limit_s = 2.5 * piece.length_s + 60.0
    async with asyncio.timeout(limit_s):
        if condition.kind in ("cut", "outage"):
            return await _cut(condition, url, piece, seed)
        if condition.kind == "fallback":
            return await _fallback(condition, url, piece, seed)
        if condition.kind == "readers":
            return await _readers(condition, url, piece)
        if condition.transport == "webrtc":
            return await _over_webrtc(condition, url, piece, seed)
        return await _over_websocket(condition, url, piece, seed)


class _RelayedPeer(WhipPeer):
    """A WHIP sender whose media goes through a relay."""

    def __init__(self, packets: Sequence[bytes], relay: UdpRelay) -> None:
        super().__init__(packets)
        self._relay = relay

    async def connect(self, client: httpx.AsyncClient, endpoint: str) -> None:
        headers = {"Content-Type": "application/sdp", "Accept": "application/sdp"}
        offer = await self._relay.outgoing(await self.offer())
        response = await client.post(endpoint, content=offer, headers=headers)
        response.raise_for_status()
        self.resource = str(response.request.url.join(response.headers["Location"]))
        await self.accept(self._relay.incoming(response.text))


async def _over_webrtc(condition: Condition, url: str, piece: Piece, seed: int) -> Seen:
    packets = await asyncio.to_thread(opus_packets, piece.pcm)
    relay = UdpRelay(condition.fault, seed)
    stream = WhipStream(packets, _RelayedPeer(packets, relay))
    try:
        outcome = await _session(url, stream)
    finally:
        relay.close()
    return replace(_seen(condition, [outcome], [piece]), lost_s=round(relay.up.lost * PACKET_S, 2))


async def _over_websocket(condition: Condition, url: str, piece: Piece, seed: int) -> Seen:
    async with TcpRelay(_address(url), condition.fault, seed) as relay:
        outcome = await _session(url, WebSocketStream(frames_of(piece.pcm, "pcm16")), send_to=relay.url)
    return _seen(condition, [outcome], [piece])


class _Stubborn(WebSocketStream):
    """A WebSocket sender that comes back when its connection breaks, and goes on where the server says."""

    def __init__(self, pcm: Int16Mono) -> None:
        super().__init__(frames_of(pcm, "pcm16"))
        self.connections = 0

    async def send(self, client: httpx.AsyncClient, host: Host, session: str) -> None:
        while True:
            self.connections += 1
            try:
                return await super().send(client, host, session)
            except (ConnectionClosed, ConnectionError, InvalidHandshake, InvalidMessage, EOFError):
                await asyncio.sleep(0.5)


async def _cut(condition: Condition, url: str, piece: Piece, seed: int) -> Seen:
    stream = _Stubborn(piece.pcm)
    async with TcpRelay(_address(url), condition.fault, seed) as relay:

        async def cutting() -> None:
            began = time.monotonic()
            for share in _CUTS:
                await asyncio.sleep(max(0.0, began + share * piece.length_s - time.monotonic()))
                relay.down = condition.kind == "outage"
                relay.cut()
                if relay.down:
                    await asyncio.sleep(_OUTAGE_S)
                    relay.down = False

        task = asyncio.create_task(cutting())
        try:
            outcome = await _session(url, stream, send_to=relay.url)
        finally:
            task.cancel()
    seen = _seen(condition, [outcome], [piece])
    return replace(seen, notes=(f"{stream.connections} connections",))


async def _fallback(condition: Condition, url: str, piece: Piece, seed: int) -> Seen:
    packets = await asyncio.to_thread(opus_packets, piece.pcm)
    async with TcpRelay(_address(url), condition.fault, seed) as relay:
        network = Network(condition.fault, seed, relay)
        peer = FallbackPeer(packets, line=network.line)

        async def failing() -> None:
            began = time.monotonic()
            for share, length_s in zip(_CUTS, _OUTAGES_S, strict=True):
                await asyncio.sleep(max(0.0, began + share * piece.length_s - time.monotonic()))
                await network.out(length_s)

        task = asyncio.create_task(failing())
        try:
            outcome = await _session(url, FallbackStream(peer), send_to=relay.url)
        finally:
            task.cancel()
    seen = _seen(condition, [outcome], [piece])
    same = await _heard_alike(url, outcome, peer)
    errors = seen.errors if same or outcome.error else (*seen.errors, "OtherWords")
    heard = 100 * (1 - sum(seen.gaps_s.values()) / (len(packets) * PACKET_S))
    how = f"{heard:.1f} % of the audio transcribed; {peer.calls} WebRTC connections, "
    how += f"{peer.filled} of {len(packets)} packets over the WebSocket"
    alike = "the transcript is that of the same packets on a line without fault" if same else "the transcript differs"
    return replace(seen, errors=errors, lost_s=round(network.lost_s, 2), notes=(how, alike))


async def _heard_alike(url: str, outcome: Outcome, peer: FallbackPeer) -> bool:
    """Whether the same packets from the same tick on, over WebSocket and without fault, give the same utterances."""
    frames = [AudioFrame("opus", n, peer.tick(n), packet) for n, packet in enumerate(peer.packets)]
    clean = await _session(url, WebSocketStream(frames, pace=20.0))
    return not clean.error and _said(clean) == _said(outcome)


def _said(outcome: Outcome) -> list[dict[str, Any]]:
    """The utterances, but for speakers: what those are called hangs on live clustering."""
    found: list[dict[str, Any]] = outcome.recording.transcript.get("utterances", [])
    return [{key: value for key, value in one.items() if key not in ("speaker", "role")} for one in found]


async def _readers(condition: Condition, url: str, piece: Piece) -> Seen:
    """The client's own reader keeps up; beside it one reads slowly, and one never."""
    tasks: list[asyncio.Task[list[int]]] = []
    over = asyncio.Event()

    def begun(session: str) -> None:
        address = f"{url.replace('http', 'ws', 1)}/api/sessions/{session}/events"
        tasks.extend(asyncio.create_task(_read(address, pause, over)) for pause in (_SLOW_READ_S, None))

    outcome = await _session(url, WebSocketStream(frames_of(piece.pcm, "pcm16")), begun=begun)
    seen = _seen(condition, [outcome], [piece])
    slow, never = tasks
    never.cancel()
    over.set()
    numbers: list[int] = []
    with contextlib.suppress(TimeoutError, ConnectionClosed, OSError):
        numbers = await asyncio.wait_for(slow, 45.0)
    await asyncio.gather(*tasks, return_exceptions=True)
    last = max((m["sequence"] or 0 for _, m in outcome.recording.messages), default=0)
    first = min((m["sequence"] for _, m in outcome.recording.messages if m["sequence"] is not None), default=1)
    wanted = [m["sequence"] for _, m in outcome.recording.messages if m["sequence"] is not None]
    if numbers == wanted:
        return replace(seen, notes=(f"the slow reader got all events {first} to {last} in order",))
    return replace(seen, errors=(*seen.errors, "SlowReaderMissedEvents"))


async def _read(address: str, pause_s: float | None, over: asyncio.Event) -> list[int]:
    """A reader's event numbers. It pauses after each until `over`, then reads on; with no pause it never reads."""
    numbers: list[int] = []
    async with connect(address, max_size=None, max_queue=1) as socket:
        if pause_s is None:
            await asyncio.Event().wait()
            return numbers
        async for text in socket:
            message = json.loads(text)
            if message["sequence"] is not None:
                numbers.append(message["sequence"])
            if not over.is_set():
                await asyncio.sleep(pause_s)
    return numbers


async def _storm(condition: Condition, url: str, piece: Piece, count: int) -> Seen:
    """All connect within a second, half over each transport, a few seconds of talk each."""
    pcm = piece.pcm[: int(_STORM_S * 16_000)]
    packets, frames = await asyncio.to_thread(opus_packets, pcm), frames_of(pcm, "pcm16")

    async def one(place: int) -> Outcome:
        await asyncio.sleep(place / count)
        kind: Transport = "webrtc" if place % 2 else "websocket"
        return await _session(url, WhipStream(packets) if kind == "webrtc" else WebSocketStream(frames))

    began = time.monotonic()
    async with asyncio.timeout(180.0):
        outcomes = await asyncio.gather(*(one(place) for place in range(count)))
    took_s = time.monotonic() - began
    # What is cut off in the middle of talk has no reference: only whether all is accounted for, and when.
    seen = _seen(condition, outcomes, [None] * count)
    drafts = [one.recording.draft_s for one in outcomes if drafted(one)]
    note = f"all notes {took_s:.0f} s after the first connection" if drafts else ""
    return replace(seen, draft_s=max(drafts, default=float("nan")), notes=(note,) if note else ())


async def _session(
    url: str, stream: Stream, *, send_to: str | None = None, begun: Callable[[str], None] | None = None
) -> Outcome:
    outcome = Outcome(0)
    try:
        outcome.recording = await run_stream(Host(url), stream, send_to=send_to, begun=begun)
    except httpx.HTTPStatusError as error:
        outcome.error = f"refused with {error.response.status_code}"
    except Refused as error:
        outcome.error = f"refused: {error.error['code']}"
    except Exception as error:
        outcome.error = type(error).__name__
    outcome.sent, outcome.frame_ticks = sent_times(stream)
    return outcome


def _seen(condition: Condition, outcomes: Sequence[Outcome], pieces: Sequence[Piece | None]) -> Seen:
    refused = sum(one.error == "refused with 503" for one in outcomes)
    errors = [one.error for one in outcomes if one.error and one.error != "refused with 503"]
    found: list[Judged] = []
    complete = 0
    for one, piece in zip(outcomes, pieces, strict=True):
        if one.error:
            continue
        complete += accounted(one)
        if not drafted(one):
            errors.append("NoDraft")
        told = judged(one, piece) if piece is not None else None
        if told is not None:
            found.append(told)
    gaps: dict[str, float] = {}
    for one in outcomes:
        for _, message in one.recording.messages:
            if message["type"] == "gap" and (message["start"] > 0 or message["cause"] != "no_audio"):
                gaps[message["cause"]] = gaps.get(message["cause"], 0.0) + message["end"] - message["start"]
    return Seen(
        condition,
        sessions=len(outcomes),
        refused=refused,
        complete=complete,
        errors=tuple(errors),
        final_s=tuple(value for one in found for value in one.live.final_s),
        draft_s=found[0].live.draft_s if found else float("nan"),
        wer=found[0].words.rate if found else float("nan"),
        gaps_s=gaps,
    )


def drafted(one: Outcome) -> bool:
    """Whether its note came."""
    return any(message["type"] == "draft" for _, message in one.recording.messages)


def accounted(one: Outcome) -> bool:
    """Whether the server's account is whole, and no less audio is in it than the client sent before the end."""
    totals: list[dict[str, Any]] = [
        total for _, message in one.recording.messages if message["type"] == "ended" for total in message["totals"]
    ]
    if not totals:
        return False
    whole = all(total["received_ticks"] == total["transcribed_ticks"] + total["gap_ticks"] for total in totals)
    received = sum(total["received_ticks"] for total in totals)
    sent = len(one.sent) * one.frame_ticks
    # A line may lose the last packets, which nobody can know of: half a second, and a frame that is not full.
    slack = 25 * FRAME_TICKS if one.frame_ticks == FRAME_TICKS else one.frame_ticks
    return whole and seconds(Tick(received)) >= seconds(Tick(sent - slack))


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80
