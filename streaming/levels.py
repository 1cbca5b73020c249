"""How loud each 32 ms of a track were: enough to find a quiet place to cut."""

from array import array

from streaming.segmenting import CHUNK_TICKS
from streaming.types import Tick

_AT_ONCE = 2048


class Levels:
    """One level (dB of full scale) a chunk, from where a cut can still be looked for."""

    def __init__(self) -> None:
        self._levels = array("f")
        self._gone = 0  # chunks before the first level that is held

    def append(self, level_db: float) -> None:
        """The level of the next chunk."""
        self._levels.append(level_db)

    def forget(self, before: Tick) -> None:
        """Nobody will ask for a stretch that begins before this tick. Done now and then, for a minute at once."""
        done = before // CHUNK_TICKS - self._gone
        if done >= _AT_ONCE:
            del self._levels[:done]
            self._gone += done

    def quietest(self, start: Tick, end: Tick) -> Tick:
        """The middle of the quietest chunk of [start, end), clipped to it; the later one of two that are alike."""
        first = max(self._gone, start // CHUNK_TICKS)
        last = min(self._gone + len(self._levels), max(first + 1, -(-end // CHUNK_TICKS)))
        if first >= last:
            return Tick((start + end) // 2)
        best = min(range(first, last), key=lambda chunk: (self._levels[chunk - self._gone], -chunk))
        return Tick(min(max(start, best * CHUNK_TICKS + CHUNK_TICKS // 2), max(start, end - 1)))
