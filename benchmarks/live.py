"""One live session against a running server: streams a recording at real-time pace and notes when what came."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import httpx

from benchmarks.fallback_peer import FallbackPeer
from benchmarks.host import Host
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from benchmarks.whip_peer import WhipPeer, opus_packets, read_audio
from streaming.audio_wire import AudioFrame
from streaming.types import FRAME_TICKS, Int16Mono, Tick

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


class Stream(Protocol):
    """Audio that is ready to be sent into a session's track `mic` at real-time pace; says when each tick left."""

    def sent_at(self, tick: Tick) -> float:
        """`time.monotonic` when the tick went out. Raises LookupError if it has not."""
        ...

    async def send(self, client: httpx.AsyncClient, host: Host, session: str) -> None:
        """Send all and end the track."""
        ...


class WebSocketStream:
    """PCM16 of 100 ms over WebSocket."""

    def __init__(self, frames: Sequence[AudioFrame], *, pace: float = 1.0) -> None:
        self.peer = WebSocketPeer(frames, pace=pace)
        self.sent_at = self.peer.sent_at

    async def send(self, _: httpx.AsyncClient, host: Host, session: str) -> None:
        url = host.socket_url(f"/api/sessions/{session}/audio?track=mic")
        await self.peer.run(url, host.headers, host.trusted)


class WhipStream:
    """Opus packets of 20 ms over WebRTC."""

    def __init__(self, packets: Sequence[bytes], peer: WhipPeer | None = None) -> None:
        self._packets = packets
        self.peer = peer

    def sent_at(self, tick: Tick) -> float:
        if self.peer is None:
            raise LookupError("this tick was not sent")
        return self.peer.sent_at(tick)

    async def send(self, client: httpx.AsyncClient, host: Host, session: str) -> None:
        # Made here: a peer connection belongs to the loop that it is made on.
        peer = self.peer = self.peer or WhipPeer(self._packets)
        try:
            await peer.connect(client, f"{host.url}/api/sessions/{session}/whip?track=mic")
            await peer.finish()
        except BaseException:
            await peer.close()
            raise
        await peer.hang_up(client)


class FallbackStream:
    """Opus packets of 20 ms over WebRTC, and over the WebSocket beside it what that loses."""

    def __init__(self, peer: FallbackPeer) -> None:
        self.peer = peer

    def sent_at(self, tick: Tick) -> float:
        return self.peer.captured_at(tick // FRAME_TICKS)

    async def send(self, client: httpx.AsyncClient, host: Host, session: str) -> None:
        await self.peer.run(client, host, session)


def stream_of(pcm: Int16Mono, transport: Transport) -> Stream:
    """All that takes time is done before a session starts: its clock must not run while audio is encoded."""
    return WebSocketStream(frames_of(pcm, "pcm16")) if transport == "websocket" else WhipStream(opus_packets(pcm))


async def run_live(
    url: str,
    audio: Path,
    *,
    transport: Transport = "webrtc",
    speakers: int = 2,
    shown: Callable[[Message], None] | None = None,
) -> Recording:
    """A whole session of a file: start, stream, end, note. Raises what `run_stream` raises."""
    stream = await asyncio.to_thread(lambda: stream_of(read_audio(audio), transport))
    return await run_stream(Host(url), stream, speakers=speakers, shown=shown)


async def run_stream(
    host: Host,
    stream: Stream,
    *,
    speakers: int = 2,
    shown: Callable[[Message], None] | None = None,
    begun: Callable[[str], None] | None = None,
    send_to: str | None = None,
) -> Recording:
    """A whole session: start, stream, end, note. `begun` hears its id; `send_to` is where audio goes, if elsewhere.

    Raises httpx.HTTPStatusError, TimeoutError, websockets' errors.
    """
    recording = Recording(sent_at=stream.sent_at)
    async with host.client() as client:
        body = {"consent": ["clinician", "client"], "tracks": [{"id": "mic", "speakers": speakers}], **host.about}
        started = await client.post("/api/sessions", json=body)
        started.raise_for_status()
        recording.session = started.json()["id"]
        if begun is not None:
            begun(recording.session)
        following = asyncio.create_task(_follow(host, recording, shown))
        try:
            await stream.send(client, replace(host, url=send_to or host.url), recording.session)
            recording.end_asked = time.monotonic()
            (await client.post(f"/api/sessions/{recording.session}/end")).raise_for_status()
            await asyncio.wait_for(following, _NOTE_TIMEOUT_S)
        finally:
            following.cancel()
        recording.transcript = (await client.get(f"/api/sessions/{recording.session}/transcript")).json()
    return recording


async def _follow(host: Host, recording: Recording, shown: Callable[[Message], None] | None) -> None:
    async with host.connect(f"/api/sessions/{recording.session}/events") as socket:
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


def shown_times(recording: Recording, track: str = "mic") -> list[float]:
    """When the client first saw as many words as make up each final word's place, tentative or not, in order.

    Words that were shown and then changed count from when their place was first filled.
    """
    closed = 0
    known: list[float] = []
    for at, message in recording.messages:
        if message.get("track") != track:
            continue
        count = closed
        if message["type"] == "utterance":
            closed += len(message["words"])
            count = closed
        elif message["type"] == "partial":
            count = closed + len(message["committed"].split()) + len(message["tentative"].split())
        known += [at] * (count - len(known))
    return known[:closed]
