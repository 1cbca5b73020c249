"""A sender that loses nothing: live over WebRTC with an anchor; what that loses, over the WebSocket beside it.

It keeps each packet until the server says that it is durable. What the server says is missing, and what it has
nothing of half a second after it was sent, goes over the WebSocket: an outage needs no decision, and its end neither.
A WebRTC connection that carries nothing for two seconds is given up and made anew. All goes in the same Opus packets,
so the server's one decoder hears what it would have heard without any loss.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import av
import httpx
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from benchmarks.host import Host
from benchmarks.relay import UdpRelay
from benchmarks.whip_peer import PACKET_S, WhipPeer
from streaming.audio_wire import AudioFrame, pack
from streaming.types import FRAME_TICKS, Tick

_RTP_STEP = FRAME_TICKS * 3
_RTP_BASE = 2**32 - 150 * _RTP_STEP
"""The time stamps wrap around three seconds after the beginning: they may begin anywhere, so where it matters."""
_OVERDUE = 25
"""Packets (half a second) after which what the server has nothing of is sent over the WebSocket."""
_SILENT_S = 2.0
_AGAIN_S = 2.0
_LOOK_S = 0.05
_CLOSE_S = 1.0
_GONE = (OSError, EOFError, ConnectionClosed, InvalidHandshake, InvalidMessage, TimeoutError, httpx.TransportError)


class Outbox:
    """Which packets the server lacks, by what it says. Pure; times are seconds of any clock."""

    def __init__(self, count: int) -> None:
        self.first_tick = 0
        self.durable = 0
        """Packets from the beginning that need not be kept any more."""
        self._count = count
        self._end = 0
        self._missing: list[tuple[int, int]] = []
        self._sent: dict[int, float] = {}

    def told(self, standing: dict[str, Any]) -> None:
        """The server says how the track stands."""
        self.durable = self._number(standing["tick"])
        self._end = self._number(standing["end"])
        self._missing = [(self._number(start), self._number(end - 1) + 1) for start, end in standing["missing"]]

    def connected(self) -> None:
        """A new WebSocket: what went over the one before may not have come."""
        self._sent.clear()

    def take(self, captured: int, now_s: float) -> list[int]:
        """What to send over the WebSocket now, of the first `captured` packets, in order."""
        lacking = [number for start, end in self._missing for number in range(start, min(end, captured))]
        overdue = captured if captured == self._count else captured - _OVERDUE
        lacking += range(self._end, overdue)
        chosen = [number for number in lacking if now_s - self._sent.get(number, -_AGAIN_S) >= _AGAIN_S]
        self._sent.update(dict.fromkeys(chosen, now_s))
        return chosen

    @property
    def carried(self) -> int:
        """How far WebRTC has come at least: to the end of what the server has, unless the WebSocket brought that."""
        return 0 if self._end - 1 in self._sent else self._end

    def _number(self, tick: int) -> int:
        return max(0, (tick - self.first_tick) // FRAME_TICKS)


class FallbackPeer:
    """Sends packets at real-time pace, both ways. `line` makes what stands between the peers of each connection."""

    def __init__(self, packets: Sequence[bytes], *, line: Callable[[], UdpRelay] | None = None) -> None:
        self.packets = packets
        self.calls = 0
        """WebRTC connections that were made."""
        self.filled = 0
        """Packets that went over the WebSocket."""
        self.outbox = Outbox(len(packets))
        self._line = line
        self._started: float | None = None
        self._call: _Call | None = None
        self._whole = asyncio.Event()

    @property
    def captured(self) -> int:
        """How many packets there are by now."""
        if self._started is None:
            return 0
        return min(len(self.packets), int((time.monotonic() - self._started) / PACKET_S))

    def captured_at(self, number: int) -> float:
        """`time.monotonic` when there was a packet. Raises LookupError if there is none yet."""
        if self._started is None or number >= self.captured:
            raise LookupError("this packet was not sent")
        return self._started + (number + 1) * PACKET_S

    def time_stamp(self, number: int) -> int:
        """A packet's RTP time stamp."""
        return (_RTP_BASE + number * _RTP_STEP) % 2**32

    def tick(self, number: int) -> Tick:
        """A packet's tick of the session."""
        return Tick(self.outbox.first_tick + number * FRAME_TICKS)

    async def run(self, client: httpx.AsyncClient, host: Host, session: str, track: str = "mic") -> None:
        """Send all and end the track. Raises httpx.HTTPStatusError where the server refuses."""
        path = f"/api/sessions/{session}"
        calling: asyncio.Task[None] | None = None
        try:
            while not self._whole.is_set():
                with contextlib.suppress(*_GONE):
                    url = host.socket_url(f"{path}/audio?track={track}&beside=true")
                    async with connect(
                        url, additional_headers=host.headers, ssl=host.trusted, close_timeout=_CLOSE_S
                    ) as socket:
                        ready = json.loads(await socket.recv())
                        self._begin(ready)
                        if calling is None:
                            calling = asyncio.create_task(
                                self._keep_calling(client, f"{host.url}{path}/whip?track={track}")
                            )
                        await self._beside(socket, ready["sequence"])
                if calling is not None and calling.done():
                    calling.result()
                await asyncio.sleep(0 if self._whole.is_set() else 0.25)
        finally:
            if calling is not None:
                calling.cancel()
                await asyncio.gather(calling, return_exceptions=True)
            await self._hang_up(client)

    def _begin(self, ready: dict[str, Any]) -> None:
        self.outbox.connected()
        if self._started is None:
            # The session's clock, on the grid of packets: from here on samples count.
            self.outbox.first_tick = -(-ready["clock"] // FRAME_TICKS) * FRAME_TICKS
            self._started = time.monotonic()

    async def _beside(self, socket: ClientConnection, sequence: int) -> None:
        hearing = asyncio.create_task(self._hear(socket))
        try:
            while not hearing.done():
                for number in self.outbox.take(self.captured, time.monotonic()):
                    frame = AudioFrame("opus", sequence, self.tick(number), self.packets[number])
                    await socket.send(pack(frame))
                    sequence += 1
                    self.filled += 1
                if self.outbox.durable >= len(self.packets):
                    await socket.send(json.dumps({"type": "end"}))
                    await hearing
                await asyncio.sleep(_LOOK_S)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _hear(self, socket: ClientConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            if message.get("type") == "standing":
                self.outbox.told(message)
            elif message.get("type") == "done":
                self._whole.set()
                return

    async def _keep_calling(self, client: httpx.AsyncClient, endpoint: str) -> None:
        """Connect over WebRTC, and again whenever that carries nothing."""
        while True:
            # By the first packet that may be missing: on a track without audio the sound begins there.
            number = min(self.captured, self.outbox.durable)
            call = _Call(self, self._line)
            anchored = f"{endpoint}&tick={self.tick(number)}&rtp={self.time_stamp(number)}"
            try:
                await call.connect(client, anchored)
            except BaseException as error:
                await call.close()
                if not isinstance(error, _GONE):
                    raise
                await asyncio.sleep(0.25)
                continue
            self.calls += 1
            older, self._call = self._call, call
            if older is not None:
                await older.close()
            await self._while_it_carries()

    async def _while_it_carries(self) -> None:
        seen, at = self.outbox.carried, time.monotonic()
        while time.monotonic() - at < _SILENT_S or self.captured == len(self.packets):
            await asyncio.sleep(_LOOK_S)
            if self.outbox.carried > seen:
                seen, at = self.outbox.carried, time.monotonic()

    async def _hang_up(self, client: httpx.AsyncClient) -> None:
        if self._call is None:
            return
        with contextlib.suppress(httpx.HTTPStatusError, *_GONE):
            await self._call.hang_up(client)
        await self._call.close()


class _Live(MediaStreamTrack):
    """The packets as they are captured, from the first one that there is once WebRTC is connected."""

    kind = "audio"

    def __init__(self, peer: FallbackPeer) -> None:
        super().__init__()
        self.first: int | None = None
        self._peer = peer
        self._next = 0

    async def recv(self) -> "av.Packet[Any]":
        if self.first is None:
            self.first = self._next = self._peer.captured
        while self._next >= self._peer.captured:
            if self._next >= len(self._peer.packets):
                await asyncio.Event().wait()
            await asyncio.sleep(PACKET_S / 4)
        if self.readyState != "live":
            raise MediaStreamError
        packet: av.Packet[Any] = av.Packet(self._peer.packets[self._next])
        packet.pts = (self._next - self.first) * _RTP_STEP
        packet.time_base = Fraction(1, 48_000)
        self._next += 1
        return packet


class _Call(WhipPeer):
    """One anchored connection. aiortc does not tell at which time stamp it begins: they are written here."""

    def __init__(self, peer: FallbackPeer, line: Callable[[], UdpRelay] | None) -> None:
        super().__init__(())
        self._sender = peer
        self._live = _Live(peer)
        self._relay = None if line is None else line()
        self._origin: int | None = None

    async def connect(self, client: httpx.AsyncClient, endpoint: str) -> None:
        self.track = self._live  # type: ignore[assignment]
        headers = {"Content-Type": "application/sdp", "Accept": "application/sdp"}
        offer = await self.offer()
        self._stamp(self._peer.getTransceivers()[0].sender.transport)
        if self._relay is not None:
            offer = await self._relay.outgoing(offer)
        response = await client.post(endpoint, content=offer, headers=headers)
        response.raise_for_status()
        self.resource = str(response.request.url.join(response.headers["Location"]))
        await self.accept(response.text if self._relay is None else self._relay.incoming(response.text))

    async def close(self) -> None:
        await super().close()
        if self._relay is not None:
            self._relay.close()

    def _stamp(self, transport: Any) -> None:
        send = transport._send_rtp

        async def send_stamped(data: bytes) -> None:
            if not 192 <= data[1] <= 223 and self._live.first is not None:
                given = int.from_bytes(data[4:8], "big")
                self._origin = given if self._origin is None else self._origin
                stamp = (self._sender.time_stamp(self._live.first) + given - self._origin) % 2**32
                data = data[:4] + stamp.to_bytes(4, "big") + data[8:]
            with contextlib.suppress(ConnectionError):
                await send(data)

        transport._send_rtp = send_stamped
