"""A WHIP sender (RFC 9725): streams audio over real WebRTC at real-time pace, and knows when it sent what."""

import asyncio
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

import av
import httpx
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from streaming.media import OpusEncoder, decode_file
from streaming.types import FRAME_TICKS, SAMPLE_RATE, Int16Mono, Tick

PACKET_S = FRAME_TICKS / SAMPLE_RATE
Impair = Callable[[int], Sequence[float]]
"""What the network does to the n-th packet: delays in seconds at which copies of it arrive; none if it is lost."""


def opus_packets(pcm: Int16Mono, *, tail_ms: int = 40) -> list[bytes]:
    """20 ms Opus packets of 16 kHz audio, padded to whole packets and a tail that covers the encoder's look-ahead."""
    padding = -len(pcm) % FRAME_TICKS + tail_ms * SAMPLE_RATE // 1000
    return OpusEncoder().encode(np.pad(pcm, (0, padding)))


def read_audio(source: str | Path | IO[bytes]) -> Int16Mono:
    """A whole file as int16 mono at 16 kHz. Raises BadAudio."""
    return np.concatenate(list(decode_file(source)))


class PacketTrack(MediaStreamTrack):
    """Opus packets, each when its 20 ms are over, as a microphone would give them."""

    kind = "audio"

    def __init__(self, packets: Sequence[bytes], pace: float = 1.0) -> None:
        super().__init__()
        self.sent: list[float] = []
        """`time.monotonic` at which each packet was given out."""
        self.finished = asyncio.Event()
        self._packets = packets
        self._pace = pace
        self._started: float | None = None

    async def recv(self) -> "av.Packet[Any]":
        number = len(self.sent)
        if number == len(self._packets):
            self.finished.set()
            await asyncio.Event().wait()
        now = time.monotonic()
        if self._started is None:
            self._started = now
        wait_s = self._started + (number + 1) * PACKET_S / self._pace - now
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        if self.readyState != "live":
            raise MediaStreamError
        packet: av.Packet[Any] = av.Packet(self._packets[number])
        packet.pts = number * FRAME_TICKS * 3
        packet.time_base = Fraction(1, 48_000)
        self.sent.append(time.monotonic())
        return packet


class RtcPeer:
    """One sending peer connection. Signalling is the caller's: `offer`, then `accept`."""

    def __init__(self, packets: Sequence[bytes], *, pace: float = 1.0, impair: Impair | None = None) -> None:
        self.track = PacketTrack(packets, pace)
        self._impair = impair
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._late: set[asyncio.Task[None]] = set()

    async def offer(self) -> str:
        """The offer, with all candidates."""
        transceiver = self._peer.addTransceiver(self.track, direction="sendonly")
        capabilities = RTCRtpSender.getCapabilities("audio")
        assert capabilities is not None
        transceiver.setCodecPreferences([c for c in capabilities.codecs if c.mimeType == "audio/opus"])
        if self._impair is not None:
            self._impair_sender(transceiver.sender.transport, self._impair)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Take the answer and begin to connect; sending starts once connected."""
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def sent_at(self, tick: Tick) -> float:
        """`time.monotonic` when the packet with this tick of the source went out. Raises IndexError if it has not."""
        return self.track.sent[tick // FRAME_TICKS]

    async def finish(self) -> None:
        """Wait until the last packet was sent."""
        await self.track.finished.wait()

    async def close(self) -> None:
        """Hang up."""
        await self._peer.close()
        for task in self._late:
            task.cancel()

    def _impair_sender(self, transport: Any, impair: Impair) -> None:
        send = transport._send_rtp
        count = 0

        async def later(delay_s: float, data: bytes) -> None:
            await asyncio.sleep(delay_s)
            await send(data)

        async def send_impaired(data: bytes) -> None:
            nonlocal count
            if 192 <= data[1] <= 223:
                await send(data)
                return
            delays = impair(count)
            count += 1
            for delay_s in delays:
                if delay_s <= 0:
                    await send(data)
                else:
                    task = asyncio.create_task(later(delay_s, data))
                    self._late.add(task)
                    task.add_done_callback(self._late.discard)

        transport._send_rtp = send_impaired


class WhipPeer(RtcPeer):
    """An `RtcPeer` that signals over WHIP."""

    resource: str | None = None
    """Address of the WHIP resource, once connected."""

    async def connect(self, client: httpx.AsyncClient, endpoint: str) -> None:
        """POST the offer and take the answer. Raises httpx.HTTPStatusError where the server refuses."""
        headers = {"Content-Type": "application/sdp", "Accept": "application/sdp"}
        response = await client.post(endpoint, content=await self.offer(), headers=headers)
        response.raise_for_status()
        self.resource = urljoin(str(response.request.url), response.headers["Location"])
        await self.accept(response.text)

    async def hang_up(self, client: httpx.AsyncClient) -> None:
        """DELETE the resource, which flushes the track, and close."""
        if self.resource is not None:
            (await client.delete(self.resource)).raise_for_status()
        await self.close()


async def stream_file(base_url: str, session: str, track: str, source: str | Path, *, pace: float = 1.0) -> WhipPeer:
    """Stream a whole file into a session's track and hang up; the peer tells afterwards when each tick was sent."""
    peer = WhipPeer(opus_packets(read_audio(source)), pace=pace)
    async with httpx.AsyncClient(base_url=base_url) as client:
        try:
            await peer.connect(client, f"/api/sessions/{session}/whip?track={track}")
            await peer.finish()
        except BaseException:
            await peer.close()
            raise
        await peer.hang_up(client)
    return peer
