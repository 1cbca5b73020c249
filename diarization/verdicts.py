"""What the windows say of pairs of stretches, which lie at most 24 apart: that one local speaker said both, or two.

While windows can still hold a stretch its row is added to; after that only what is not zero is kept, which is a
quarter of it.
"""

from array import array

import numpy as np
from numpy.typing import NDArray

from diarization.clustering import Labels, Links
from streaming.types import Float32

BAND = 24
"""A pair further apart than this many stretches is not seen by one window."""
_ROOM = 128


class Verdicts:
    """Rows are stretches; the place in a row says how many stretches further back the other one lies, from 0."""

    def __init__(self) -> None:
        self._first = 0  # the first row that may still change
        self._count = 0
        self._verdicts: Float32 = np.zeros((_ROOM, BAND), np.float32)
        self._seen: Float32 = np.zeros((_ROOM, BAND), np.float32)
        self._closed_rows = array("i")
        self._closed_back = bytearray()
        self._closed_verdicts = array("f")

    def append(self) -> None:
        """One more stretch, of which nothing is said yet."""
        if self._count - self._first == len(self._seen):
            self._verdicts = np.concatenate([self._verdicts, np.zeros_like(self._verdicts)])
            self._seen = np.concatenate([self._seen, np.zeros_like(self._seen)])
        self._count += 1

    def add(self, rows: Labels, back: Labels, verdict: Float32, belief: Float32) -> None:
        """A window's verdict on pairs, each pair once: `verdict` is `belief` for one speaker, and less it for two."""
        self._verdicts[rows - self._first, back] += verdict
        self._seen[rows - self._first, back] += belief

    def close(self, before: int) -> None:
        """Nothing more will be said of stretches before this one. Done now and then, for many at once."""
        done = min(before, self._count) - self._first
        if done < _ROOM // 2:
            return
        rows, back, verdict = self._ratios(slice(0, done))
        self._closed_rows.frombytes((rows + self._first).astype(np.int32).tobytes())
        self._closed_back += back.astype(np.uint8).tobytes()
        self._closed_verdicts.frombytes(verdict.tobytes())
        left = self._count - self._first - done
        for table in (self._verdicts, self._seen):
            table[:left] = table[done : done + left].copy()
            table[left:] = 0.0
        self._first += done

    def of(self, row: int) -> tuple[Labels, Float32]:
        """What is said of a stretch that is not closed: how far back the others lie, and the mean verdicts."""
        _, back, verdict = self._ratios(slice(row - self._first, row - self._first + 1))
        return back, verdict

    def links(self) -> Links:
        """All pairs of which something is said, with their mean verdicts, in order."""
        rows, back, verdict = self._ratios(slice(0, self._count - self._first))
        old = np.frombuffer(self._closed_rows, np.int32).astype(np.intp)
        i = np.concatenate([old, rows + self._first])
        further = np.concatenate([np.frombuffer(self._closed_back, np.uint8).astype(np.intp), back])
        said = np.concatenate([np.frombuffer(self._closed_verdicts, np.float32), verdict])
        return Links(i, i - further - 1, said)

    def _ratios(self, rows: slice) -> tuple[NDArray[np.intp], NDArray[np.intp], Float32]:
        at, back = np.nonzero(self._seen[rows])
        verdict = self._verdicts[rows][at, back] / self._seen[rows][at, back]
        return at, back, verdict
