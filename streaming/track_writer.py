"""Gathers audio that follows on itself, so that a batch of packets or frames is one write into the sink."""

from typing import Literal

import numpy as np

from streaming.ports import TrackSink
from streaming.types import GapCause, Int16Mono, Tick


class TrackWriter:
    """Writes into one sink as long as nobody else does. What was added is in the sink after `flush` and `durable`."""

    def __init__(self, sink: TrackSink) -> None:
        self._sink = sink
        self._parts: list[Int16Mono] = []
        self._start = sink.received
        self.end = sink.received
        """The tick behind all that was added or passed over."""

    def add(self, start: Tick, pcm: Int16Mono) -> None:
        """Add audio that begins at `start`; what lies before `end` is a repeat. Raises ValueError for a hole."""
        if start > self.end:
            raise ValueError("a hole must be named before the audio behind it")
        fresh = pcm[self.end - start :]
        if len(fresh):
            self._parts.append(fresh)
            self.end = Tick(self.end + len(fresh))

    async def pass_over(self, end: Tick, cause: GapCause | Literal["silence"]) -> None:
        """Name all up to `end`, or write zeros where it was silence. Raises SessionOver, StoreFailed."""
        if end <= self.end:
            return
        if cause == "silence":
            self.add(self.end, np.zeros(end - self.end, dtype=np.int16))
            return
        await self.flush()
        await self._sink.lose(end, cause)
        self._start = self.end = end

    async def flush(self) -> None:
        """Write what was added; with nothing added the sink is not touched. Raises SessionOver, StoreFailed."""
        if self._parts:
            await self.durable()

    async def durable(self) -> Tick:
        """Write what was added; returns the tick through which all is durable. Raises SessionOver, StoreFailed.

        With nothing added the sink is asked all the same: what it has received may not be in the log yet.
        """
        parts, self._parts = self._parts, []
        if not parts:
            return await self._sink.write(self._sink.received, np.zeros(0, dtype=np.int16))
        durable = await self._sink.write(self._start, parts[0] if len(parts) == 1 else np.concatenate(parts))
        self._start = self.end
        return durable
