"""A track's audio while it is still needed: the newest in memory, what a slow machine left behind from the log."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator

import numpy as np

from streaming.events import AudioSpan
from streaming.ports import Store
from streaming.types import SAMPLE_RATE, Int16Mono, Tick, TrackId

_IN_MEMORY_TICKS = 120 * SAMPLE_RATE
"""2 minutes are 3.8 MB a track; what is older and not worked off yet lies in the log."""


class TrackAudio:
    """Contiguous audio from tick 0 on. Appended by one, followed by several, each at its own pace."""

    def __init__(self, session: str, track: TrackId, store: Store) -> None:
        self._session = session
        self._track = track
        self._store = store
        self._blocks: deque[tuple[int, Int16Mono]] = deque()
        self._stored_starts: list[int] = []  # of the spans in the log, with their sequence numbers beside
        self._stored_sequences: list[int] = []
        self._needed_from = 0
        self._news = asyncio.Condition()
        self.end = Tick(0)
        self.closed = False
        self.moved = asyncio.Event()
        """Set whenever audio has been worked off."""

    async def append(self, pcm: Int16Mono) -> None:
        """Add audio at the end; followers hear of it at once."""
        self._blocks.append((self.end, pcm))
        self.end = Tick(self.end + len(pcm))
        self._trim()
        async with self._news:
            self._news.notify_all()

    def stored(self, start: Tick, sequence: int) -> None:
        """Audio from `start` on is in the log under `sequence`."""
        self._stored_starts.append(start)
        self._stored_sequences.append(sequence)

    async def close(self) -> None:
        """No more audio comes."""
        self.closed = True
        async with self._news:
            self._news.notify_all()

    def forget(self, before: Tick) -> None:
        """Nobody will read audio before this tick again."""
        self._needed_from = max(self._needed_from, before)
        self._trim()
        self.moved.set()

    async def follow(self, step: int) -> AsyncIterator[Int16Mono]:
        """All audio from tick 0 in blocks of at least `step` ticks, but for the last."""
        at = Tick(0)
        while True:
            async with self._news:
                while not self.closed and self.end - at < step:
                    await self._news.wait()
            if at == self.end:
                return
            # At most a few steps at a time, so that a follower that lags does not hold its thread for long.
            end = Tick(min(self.end, at + max(step, SAMPLE_RATE)))
            yield await self.read(at, end)
            at = end

    async def read(self, start: Tick, end: Tick) -> Int16Mono:
        """Audio of `[start, end)`. Raises StoreFailed where it has to come from the log and does not."""
        held_from = self._blocks[0][0] if self._blocks else self.end
        pieces = [] if start >= held_from else [await self._from_log(start, Tick(min(end, held_from)))]
        for at, pcm in self._blocks:
            if at < end and at + len(pcm) > start:
                pieces.append(pcm[max(0, start - at) : end - at])
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)

    async def _from_log(self, start: Tick, end: Tick) -> Int16Mono:
        # Stretches that are in no span were never received: they stay silent, as they were when they came.
        audio = np.zeros(end - start, dtype=np.int16)
        first = max(0, bisect_right(self._stored_starts, start) - 1)
        after = self._stored_sequences[first] - 1 if self._stored_sequences else 0
        async for stored in self._store.replay(self._session, after, audio=True):
            span = stored.event
            if not isinstance(span, AudioSpan) or span.track != self._track:
                continue
            if span.start >= end:
                break
            low, high = max(start, span.start), min(end, span.start + len(span.pcm))
            if low < high:
                audio[low - start : high - start] = span.pcm[low - span.start : high - span.start]
        return audio

    def _trim(self) -> None:
        # Only what the log has may leave memory while it is still needed.
        durable = self._stored_starts[-1] if self._stored_starts else 0
        keep = max(self._needed_from, min(self.end - _IN_MEMORY_TICKS, durable))
        while self._blocks and self._blocks[0][0] + len(self._blocks[0][1]) <= keep:
            self._blocks.popleft()
