"""A sender of numbered audio frames over WebSocket (docs/protocol.md) at real-time pace; knows when it sent what."""

import asyncio
import json
import ssl
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.whip_peer import opus_packets, read_audio
from streaming.audio_wire import AudioFrame, Codec, pack
from streaming.types import FRAME_TICKS, SAMPLE_RATE, Int16Mono, Tick

_CLOSE_S = 1.0
"""A server that stands still answers no close; nobody waits for it, as no browser does."""
PCM_FRAME_TICKS = 1_600


class Refused(Exception):
    """The server refused a frame; `error` is the object of its message."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["code"])
        self.error = error


def frames_of(pcm: Int16Mono, codec: Codec, *, first_tick: int = 0) -> list[AudioFrame]:
    """The audio as frames: PCM16 of 100 ms, or Opus packets of 20 ms."""
    if codec == "opus":
        packets = opus_packets(pcm)
        return [
            AudioFrame("opus", number, Tick(first_tick + number * FRAME_TICKS), packet)
            for number, packet in enumerate(packets)
        ]
    starts = range(0, len(pcm), PCM_FRAME_TICKS)
    return [
        AudioFrame(
            "pcm16", number, Tick(first_tick + start), pcm[start : start + PCM_FRAME_TICKS].astype("<i2").tobytes()
        )
        for number, start in enumerate(starts)
    ]


class WebSocketPeer:
    """Sends frames and goes on after a lost connection where the server says."""

    def __init__(self, frames: Sequence[AudioFrame], *, pace: float = 1.0) -> None:
        self.sent: list[tuple[Tick, float]] = []
        """End tick of each frame, and `time.monotonic` when it was first sent."""
        self.acknowledged: Tick = Tick(0)
        self.resumed: list[tuple[Tick, float]] = []
        """For each connection the tick that the server wanted first, and `time.monotonic` when it said so."""
        self._frames = frames
        self._pace = pace
        self._started: float | None = None

    def sent_at(self, tick: Tick) -> float:
        """`time.monotonic` when the frame with this tick went out. Raises LookupError if it has not."""
        place = bisect_right(self.sent, tick, key=lambda frame: frame[0])
        if place == len(self.sent):
            raise LookupError("this tick was not sent")
        return self.sent[place][1]

    def go_on(self) -> None:
        """Pace what follows from what was acknowledged: what an outage has held back does not come at once."""
        if self._started is not None:
            self._started = time.monotonic() - (self.acknowledged - self._frames[0].tick) / SAMPLE_RATE / self._pace

    async def run(
        self, url: str, headers: Mapping[str, str] | None = None, trusted: ssl.SSLContext | None = None
    ) -> Tick:
        """Send all from where the server wants it and end the track; returns its last tick. Raises Refused."""
        async with connect(url, additional_headers=headers, ssl=trusted, close_timeout=_CLOSE_S) as socket:
            ready = json.loads(await socket.recv())
            if "error" in ready:
                raise Refused(ready["error"])
            self.resumed.append((Tick(ready["tick"]), time.monotonic()))
            answers = asyncio.create_task(self._answers(socket))
            try:
                await self._send(socket, ready, answers)
                await socket.send(json.dumps({"type": "end"}))
                return await answers
            finally:
                answers.cancel()

    async def _send(self, socket: ClientConnection, ready: dict[str, Any], answers: "asyncio.Task[Tick]") -> None:
        if self._started is None:
            self._started = time.monotonic()
        # By its tick: a server that was started anew counts frames from 0 again, and knows what it has received.
        first = next((at for at, frame in enumerate(self._frames) if frame.tick + frame.ticks > ready["tick"]), None)
        for number, frame in enumerate(self._frames[first:] if first is not None else [], ready["sequence"]):
            end = frame.tick + frame.ticks - self._frames[0].tick
            wait_s = self._started + end / SAMPLE_RATE / self._pace - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if answers.done():
                return
            if len(self.sent) == frame.sequence:
                self.sent.append((Tick(frame.tick + frame.ticks), time.monotonic()))
            await socket.send(pack(replace(frame, sequence=number)))

    async def _answers(self, socket: ClientConnection) -> Tick:
        async for text in socket:
            message = json.loads(text)
            if "error" in message:
                raise Refused(message["error"])
            if message["type"] == "ack":
                self.acknowledged = Tick(message["tick"])
            elif message["type"] == "done":
                return Tick(message["tick"])
        raise ConnectionError("the server closed before it was done")


async def stream_file(
    base_url: str, session: str, track: str, source: str | Path, *, codec: Codec = "pcm16", pace: float = 1.0
) -> WebSocketPeer:
    """Stream a whole file into a session's track; `base_url` begins with ws or http."""
    peer = WebSocketPeer(frames_of(read_audio(source), codec), pace=pace)
    url = base_url.replace("http", "ws", 1).rstrip("/")
    await peer.run(f"{url}/api/sessions/{session}/audio?track={track}")
    return peer
