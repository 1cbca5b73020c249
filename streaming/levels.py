"""How loud each 32 ms of a track were: enough to find a quiet place to cut."""

from array import array

from streaming.segmenting import CHUNK_TICKS
from streaming.types import Tick


class Levels:
    """One level (dB of full scale) a chunk; an hour is 450 kB."""

    def __init__(self) -> None:
        self._levels = array("f")

    def append(self, level_db: float) -> None:
        """The level of the next chunk."""
        self._levels.append(level_db)

    def quietest(self, start: Tick, end: Tick) -> Tick:
        """The middle of the quietest chunk of [start, end), clipped to it; the later one of two that are alike."""
        first = max(0, start // CHUNK_TICKS)
        last = min(len(self._levels), max(first + 1, -(-end // CHUNK_TICKS)))
        if first >= last:
            return Tick((start + end) // 2)
        best = min(range(first, last), key=lambda chunk: (self._levels[chunk], -chunk))
        return Tick(min(max(start, best * CHUNK_TICKS + CHUNK_TICKS // 2), max(start, end - 1)))
