"""One live session against a running server: streams a recording at real-time pace and notes when what came."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
from websockets.asyncio.client import connect

from benchmarks.websocket_peer import WebSocketPeer, frames_of
from benchmarks.whip_peer import WhipPeer, opus_packets, read_audio
from streaming.types import Tick

Transport = Literal["webrtc", "websocket"]
Message = dict[str, Any]

_NOTE_TIMEOUT_S = 60.0


@dataclass(slots=True)
class Recording:
    """What a client saw. Times are `time.monotonic` seconds; `sent_at` says when a tick left the sender."""

    session: str = ""
    messages: list[tuple[float, Message]] = field(default_factory=list)
    sent_at: Callable[[Tick], float] = lambda _: 0.0
    end_asked: float = 0.0
    transcript: Message = field(default_factory=dict)

    def first(self, kind: str) -> tuple[float, Message]:
        """The first message of a kind, and when it came. Raises LookupError."""
        for at, message in self.messages:
            if message["type"] == kind:
                return at, message
        raise LookupError(f"no message of type {kind} came")

    @property
    def draft_s(self) -> float:
        """Seconds from asking for the end to the draft note."""
        return self.first("draft")[0] - self.end_asked


async def run_live(
    url: str,
    audio: Path,
    *,
    transport: Transport = "webrtc",
    speakers: int = 2,
    shown: Callable[[Message], None] | None = None,
) -> Recording:
    """A whole session: start, stream, end, note. Raises httpx.HTTPStatusError, TimeoutError, websockets' errors."""
    recording = Recording()
    stream = await asyncio.to_thread(_prepared, audio, transport, recording)
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        body = {"consent": ["clinician", "client"], "tracks": [{"id": "mic", "speakers": speakers}]}
        started = await client.post("/api/sessions", json=body)
        started.raise_for_status()
        recording.session = started.json()["id"]
        following = asyncio.create_task(_follow(url, recording, shown))
        try:
            await stream(client, url)
            recording.end_asked = time.monotonic()
            (await client.post(f"/api/sessions/{recording.session}/end")).raise_for_status()
            await asyncio.wait_for(following, _NOTE_TIMEOUT_S)
        finally:
            following.cancel()
        recording.transcript = (await client.get(f"/api/sessions/{recording.session}/transcript")).json()
    return recording


def _prepared(
    audio: Path, transport: Transport, recording: Recording
) -> Callable[[httpx.AsyncClient, str], Awaitable[None]]:
    """All that takes time is done before the session starts: its clock must not run while a file is encoded."""
    pcm = read_audio(audio)
    if transport == "websocket":
        sender = WebSocketPeer(frames_of(pcm, "pcm16"))
        recording.sent_at = sender.sent_at

        async def over_websocket(_: httpx.AsyncClient, url: str) -> None:
            await sender.run(f"{url.replace('http', 'ws', 1)}/api/sessions/{recording.session}/audio?track=mic")

        return over_websocket
    packets = opus_packets(pcm)

    async def over_webrtc(client: httpx.AsyncClient, _: str) -> None:
        peer = WhipPeer(packets)
        recording.sent_at = peer.sent_at
        try:
            await peer.connect(client, f"/api/sessions/{recording.session}/whip?track=mic")
            await peer.finish()
        except BaseException:
            await peer.close()
            raise
        await peer.hang_up(client)

    return over_webrtc


async def _follow(url: str, recording: Recording, shown: Callable[[Message], None] | None) -> None:
    address = f"{url.replace('http', 'ws', 1)}/api/sessions/{recording.session}/events"
    async with connect(address, max_size=None) as socket:
        async for text in socket:
            message: Message = json.loads(text)
            recording.messages.append((time.monotonic(), message))
            if shown is not None:
                shown(message)


def word_times(recording: Recording, track: str = "mic") -> list[tuple[str, float]]:
    """Each final word of the track in order, and when the client knew it to be final.

    A word is final with the first message that holds it as committed or in an utterance.
    """
    closed: list[str] = []
    known: list[float] = []
    for at, message in recording.messages:
        if message.get("track") != track:
            continue
        if message["type"] == "utterance":
            closed += [word["text"] for word in message["words"]]
            known += [at] * (len(closed) - len(known))
        elif message["type"] == "partial":
            count = len(closed) + len(message["committed"].split())
            known += [at] * (count - len(known))
    return list(zip(closed, known, strict=False))
