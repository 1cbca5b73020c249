"""Carries one connection's RTP packets to the sink of its track: in order, decoded, placed, what is lost named.

`jitter` orders the packets, `media` decodes them, `rtp_timeline` places them. Packets are taken as they arrive, on
the event loop, and wait in a bounded queue while the sink writes: ingest never waits for the store.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from streaming.errors import BadAudio, SessionOver, StoreFailed
from streaming.jitter import JitterBuffer, JitterCounts, Packet, Ready
from streaming.media import OpusDecoder
from streaming.opus import packet_ticks
from streaming.ports import TrackSink
from streaming.rtp_timeline import RtpTimeline
from streaming.track_writer import TrackWriter
from streaming.types import Tick

State = Literal["connecting", "receiving", "closed"]
Reason = Literal[
    "requested",
    "peer_closed",
    "no_rtp",
    "never_connected",
    "replaced",
    "session_over",
    "store_failed",
    "bad_anchor",
    "failed",
]

MAX_ARRIVED = 3_000
"""Packets (a minute) that wait for the sink. Past it the newest are not taken: a gap, `packet_loss`."""
_TURNS_PER_PACKET = 4
"""Turns of the event loop in which a datagram gets from the socket through ICE and DTLS to `take`."""
_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """How a connection stands. `unusable` counts packets that were not Opus, `overrun` those without room."""

    track: str
    state: State
    reason: Reason | None
    counts: JitterCounts
    unusable: int
    overrun: int


class RtpTrack:
    """One connection's packets. Use it on one event loop: `take` what arrives, `run` until it ends."""

    def __init__(
        self, sink: TrackSink, clock: Callable[[], Tick], *, no_rtp_timeout_s: float, connect_timeout_s: float
    ) -> None:
        """`clock` gives the session's elapsed ticks."""
        self.sink = sink
        self.anchored = False
        """Whether the sender's time stamps are the session's ticks."""
        self.reason: Reason | None = None
        """Why it ends or has ended."""
        self._clock = clock
        self._no_rtp_timeout_s = no_rtp_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._jitter = JitterBuffer()
        self._timeline = RtpTimeline()
        self._decoder = OpusDecoder()
        self._arrived: deque[tuple[Packet, float, Tick]] = deque()
        self._wake = asyncio.Event()
        self._last_rtp: float | None = None
        self._unusable = 0
        self._overrun = 0
        self._decoder_error = False
        self._cut_off = Tick(0)
        """Where the audio should have reached when it was stopped with packets unread."""
        self.taken = 0
        """Packets that arrived."""
        self._first = True

    @property
    def heard(self) -> bool:
        """Whether any packet came."""
        return self._last_rtp is not None

    def info(self) -> TrackInfo:
        """How it stands now."""
        state: State = "closed" if self.reason else "receiving" if self.heard else "connecting"
        return TrackInfo(self.sink.track, state, self.reason, self._jitter.counts, self._unusable, self._overrun)

    def take(self, packet: Packet) -> None:
        """A packet has arrived now."""
        if self.reason is not None:
            return
        self.taken += 1
        self._last_rtp = asyncio.get_running_loop().time()
        if len(self._arrived) >= MAX_ARRIVED:
            self._overrun += 1
            return
        self._arrived.append((packet, self._last_rtp, self._clock()))
        self._wake.set()

    def stop(self, reason: Reason) -> None:
        """End: `run` writes all that was taken, then returns. The first reason counts."""
        if self.reason is None:
            self.reason = reason
        self._wake.set()

    async def catch_up(self, rounds: int = _ROUNDS) -> bool:
        """Take what lies in the socket by now: it has arrived, and only this process is late in reading it.

        Says whether there may be more. Bounded: a machine that never catches up must go on writing all the same.
        """
        for _ in range(rounds):
            seen = self.taken
            for _ in range(_TURNS_PER_PACKET):
                await asyncio.sleep(0)
            if seen == self.taken:
                return False
        return True

    async def linger(self, linger_s: float, limit_s: float) -> None:
        """Wait for the last packets before a stop.

        At least `linger_s`, for those on the way; up to `limit_s` while they come in late and are from before now.
        What then still lies unread becomes a gap, `packet_loss`.
        """
        asked = self._clock()
        end = asyncio.get_running_loop().time() + limit_s
        seen = -1
        while self.reason is None and self.taken != seen and asyncio.get_running_loop().time() < end:
            seen = self.taken
            await asyncio.sleep(linger_s)
            await self.catch_up()
            if self.sink.received >= asked:
                return
        if self.taken != seen:
            self._cut_off = asked

    async def run(self, before_first: Callable[[], Awaitable[None]]) -> Reason:
        """Write what is taken until stopped, until the peer falls silent, or the sink takes no more; says why.

        `before_first` is awaited before anything is written: another writer of the sink must have left by then.
        """
        try:
            await self._pump(before_first)
        except SessionOver:
            self.stop("session_over")
        except StoreFailed:
            self.stop("store_failed")
        return self.reason or "failed"

    async def _pump(self, before_first: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        silent_at = loop.time() + self._connect_timeout_s
        while True:
            wake_at = min(silent_at, self._jitter.deadline or silent_at)
            await self._wait(wake_at - loop.time())
            more_waiting = False
            if loop.time() >= wake_at:
                more_waiting = await self.catch_up()
            elif self._timeline.behind:
                more_waiting = await self.catch_up(1)
            stopping = self.reason is not None
            await self._work(before_first, more_waiting=more_waiting, stopping=stopping)
            if stopping:
                return
            if self._last_rtp is not None:
                silent_at = self._last_rtp + self._no_rtp_timeout_s
            if wake_at >= silent_at and loop.time() >= silent_at:
                await self._fall_silent()

    async def _work(self, before_first: Callable[[], Awaitable[None]], *, more_waiting: bool, stopping: bool) -> None:
        """Write what has arrived; all of it, and what is known to be missing, where it is `stopping`."""
        ready = self._ordered(asyncio.get_running_loop().time(), everything=stopping)
        if ready:
            await self._go_first(before_first)
        await self._deliver(ready, more_waiting=more_waiting)
        if stopping and self._cut_off > self.sink.received:
            await self.sink.lose(self._cut_off, "packet_loss")

    async def _go_first(self, before_first: Callable[[], Awaitable[None]]) -> None:
        if self._first:
            self._first = False
            await before_first()

    async def _wait(self, timeout_s: float) -> None:
        if timeout_s > 0 and not self._wake.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
        self._wake.clear()

    async def _fall_silent(self) -> None:
        """The peer has vanished, or never came: name the silence until now, and let another connection begin."""
        if self._last_rtp is None:
            self.stop("never_connected")
            return
        now = self._clock()
        if now > self.sink.received:
            await self.sink.lose(now, "disconnected")
        self.stop("no_rtp")

    def _ordered(self, now_s: float, *, everything: bool) -> list[tuple[Ready, Tick]]:
        ready: list[tuple[Ready, Tick]] = []
        while self._arrived:
            packet, arrived_s, tick = self._arrived.popleft()
            ready += [(r, tick) for r in self._jitter.push(packet, arrived_s)]
        late = self._jitter.drain() if everything else self._jitter.poll(now_s)
        return ready + [(r, self._clock()) for r in late]

    async def _deliver(self, ready: list[tuple[Ready, Tick]], *, more_waiting: bool) -> None:
        """Decode, and write what follows on each other at once."""
        writer = TrackWriter(self.sink)
        for packet, now in ready:
            ticks = packet_ticks(packet.payload)
            if not ticks:
                # An empty packet is padding; its number counts, its time does not.
                self._unusable += bool(packet.payload)
                self._decoder_error = self._decoder_error or bool(packet.payload)
                continue
            place = self._timeline.place(
                packet.timestamp,
                ticks,
                lost=packet.lost,
                restart=packet.restart,
                now=now,
                received=writer.end,
                more_waiting=more_waiting,
            )
            if place.before is not None:
                if packet.lost:
                    self._decoder.lose(packet.lost, packet.payload)
                else:
                    self._decoder.skip()
                await writer.pass_over(place.start, "decoder_error" if self._decoder_error else place.before)
            self._decoder_error = False
            try:
                writer.add(place.start, self._decoder.decode(packet.payload))
            except BadAudio:
                self._unusable += 1
                await writer.pass_over(Tick(place.start + ticks), "decoder_error")
        await writer.flush()
