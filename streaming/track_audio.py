"""A track's audio while it is still needed: the newest in memory, what a slow machine left behind from the log."""

import asyncio
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator

import numpy as np

from streaming.errors import StoreFailed
from streaming.events import AudioSpan
from streaming.ports import Store
from streaming.types import SAMPLE_RATE, Int16Mono, Tick, TrackId

_IN_MEMORY_TICKS = 120 * SAMPLE_RATE
"""2 minutes are 3.8 MB a track; what is older and not worked off yet lies in the log."""

_FROM_LOG_TICKS = 10 * SAMPLE_RATE

_PRUNE_AT = 2000
"""Spans whose place in the log is remembered before those that nobody needs any more are forgotten."""


class TrackAudio:
    """Contiguous audio from tick 0 on. Appended by one, followed by several, each at its own pace."""

    def __init__(self, session: str, track: TrackId, store: Store) -> None:
        self._session = session
        self._track = track
        self._store = store
        self._blocks: deque[tuple[int, Int16Mono]] = deque()
        self._stored_starts = array("q")  # of the spans in the log, with their sequence numbers beside
        self._stored_sequences = array("q")
        self._silences: list[tuple[Tick, Tick]] = []
        self._saved = Tick(0)
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
        """The audio of one span, from `start` on, is in the log under `sequence`."""
        self._stored_starts.append(start)
        self._stored_sequences.append(sequence)

    def saved(self, through: Tick) -> None:
        """All audio before this tick is in the log, or was never received."""
        self._saved = max(self._saved, through)

    def silent(self, start: Tick, end: Tick) -> None:
        """The stages hear silence in `[start, end)`: it was never received, and is in no span."""
        self._silences.append((start, end))

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
            # At most a few steps at a time, so that a follower that lags does not hold its thread for long; what has
            # to come from the log comes in larger pieces, since each is a search.
            most = SAMPLE_RATE if self._blocks and at >= self._blocks[0][0] else _FROM_LOG_TICKS
            end = Tick(min(self.end, at + max(step, most)))
            yield await self.read(at, end)
            at = end

    async def read(self, start: Tick, end: Tick) -> Int16Mono:
        """Audio of `[start, end)`. Raises StoreFailed where it has to come from the log and does not."""
        # Taken before anything is awaited: meanwhile more audio may come, and what is held here be let go.
        held = [(at, pcm) for at, pcm in self._blocks if at < end and at + len(pcm) > start]
        held_from = Tick(held[0][0] if held else end)
        pieces = [] if start >= held_from else [await self._from_log(start, held_from)]
        pieces += [pcm[max(0, start - at) : end - at] for at, pcm in held]
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)

    async def _from_log(self, start: Tick, end: Tick) -> Int16Mono:
        audio, found = np.zeros(end - start, dtype=np.int16), np.zeros(end - start, dtype=bool)
        for silence_start, silence_end in self._silences:
            found[max(0, silence_start - start) : max(0, silence_end - start)] = True
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
                found[low - start : high - start] = True
        if not found.all():
            raise StoreFailed("Audio that was received is missing from the log.")
        return audio

    def _trim(self) -> None:
        # Only what the log has may leave memory while it is still needed.
        keep = max(self._needed_from, min(self.end - _IN_MEMORY_TICKS, self._saved))
        while self._blocks and self._blocks[0][0] + len(self._blocks[0][1]) <= keep:
            self._blocks.popleft()
        if len(self._stored_starts) > _PRUNE_AT and self._stored_starts[_PRUNE_AT // 2] < self._needed_from:
            del self._stored_starts[: _PRUNE_AT // 2], self._stored_sequences[: _PRUNE_AT // 2]
