"""A track sink in memory that keeps the promises of `streaming.ports.TrackSink`."""

import asyncio
import time
from collections.abc import Callable

import numpy as np

from streaming.errors import SessionOver, StoreFailed
from streaming.types import Gap, GapCause, Int16Mono, Tick, TrackId


class FakeSink:
    """Holds what was written, the gaps, and when each write came (`time.monotonic`)."""

    def __init__(self, track: str = "mic", *, write_s: float = 0.0) -> None:
        self.track = TrackId(track)
        self.awaited = False
        self.gaps: list[Gap] = []
        self.writes: list[tuple[float, Tick, int]] = []
        """Time of the call, first tick, ticks."""
        self.over = False
        self.fails = False
        self._write_s = write_s
        self._parts: list[Int16Mono] = []
        self._received = 0
        self._busy = False

    @property
    def received(self) -> Tick:
        return Tick(self._received)

    @property
    def pcm(self) -> Int16Mono:
        """All from tick 0 to `received`, with zeros in the gaps."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, dtype=np.int16)

    @property
    def audio(self) -> Int16Mono:
        """What was written, without the gaps."""
        keep = np.ones(self._received, dtype=bool)
        for gap in self.gaps:
            keep[gap.start : gap.end] = False
        return self.pcm[keep]

    async def write(self, start: Tick, pcm: Int16Mono) -> Tick:
        assert pcm.dtype == np.int16
        assert pcm.ndim == 1
        self.writes.append((time.monotonic(), start, len(pcm)))
        async with self._one_writer():
            if start > self._received:
                self._gap(start, "packet_loss")
            fresh = pcm[max(0, self._received - start) :]
            self._parts.append(fresh.copy())
            self._received += len(fresh)
        return self.received

    async def lose(self, end: Tick, cause: GapCause) -> Tick:
        async with self._one_writer():
            if end > self._received:
                self._gap(end, cause)
        return self.received

    def _gap(self, end: int, cause: GapCause) -> None:
        self.gaps.append(Gap(self.track, self.received, Tick(end), cause))
        self._parts.append(np.zeros(end - self._received, dtype=np.int16))
        self._received = end

    def _one_writer(self) -> "_Turn":
        return _Turn(self)


class _Turn:
    def __init__(self, sink: FakeSink) -> None:
        self._sink = sink

    async def __aenter__(self) -> None:
        if self._sink.over:
            raise SessionOver("The session has ended.")
        if self._sink.fails:
            raise StoreFailed("The log could not be written.")
        assert not self._sink._busy, "a sink has one writer at a time"
        self._sink._busy = True
        if self._sink._write_s:
            await asyncio.sleep(self._sink._write_s)

    async def __aexit__(self, *_: object) -> None:
        self._sink._busy = False


def session_clock() -> Callable[[], Tick]:
    """Ticks since this call."""
    begun = time.monotonic()
    return lambda: Tick(round((time.monotonic() - begun) * 16_000))
