"""Frames of a speaker model on a session's time line, and the audio still needed of it. Pure."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from streaming.types import Float32, Int16Mono, Tick

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """The model's frames counted from the session's start.

    Frame f stands for ticks [f * step + lead, (f + 1) * step + lead); windows begin at multiples of `step`, so
    that frames of different windows fall on each other.
    """

    step: int
    lead: int

    def tick(self, frame: int) -> Tick:
        """Where the frame begins; frame 0 begins at tick 0."""
        return Tick(frame * self.step + self.lead) if frame > 0 else Tick(0)

    def frames(self, time_s: float) -> int:
        """The nearest number of frames to a duration in seconds, at least one."""
        return max(1, round(time_s * 16_000 / self.step))


class AudioRing:
    """The last `capacity` ticks of a track; what lies before tick 0 or after the end reads as silence."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pcm: Int16Mono = np.zeros(0, np.int16)
        self.end = 0

    def push(self, pcm: Int16Mono) -> None:
        """Append audio, forget what is older than the capacity."""
        self._pcm = np.concatenate([self._pcm, pcm])[-self._capacity :]
        self.end += len(pcm)

    def read(self, start: int, end: int) -> Float32:
        """Ticks [start, end) as float32 in [-1, 1). What has been forgotten reads as silence, too."""
        held = self.end - len(self._pcm)
        out = np.zeros(end - start, np.float32)
        low, high = max(start, held), min(end, self.end)
        if low < high:
            out[low - start : high - start] = self._pcm[low - held : high - held].astype(np.float32) / 32768.0
        return out


def runs(active: Bools, bridge: int = 0) -> list[tuple[int, int]]:
    """Half-open runs of True in a row of frames; those at most `bridge` frames apart count as one."""
    padded = np.concatenate([[False], active, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    merged: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if merged and start - merged[-1][1] <= bridge:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def context(count: int, begin: int, enough: int) -> Float32:
    """How far a window that begins at frame `begin` can be believed at each of its frames, in (0, 1].

    Less towards its end, where what follows is unknown, and towards its begin, unless that is the session's; less
    throughout where the session had just begun and the window is not full.
    """
    return _context(count, min(begin, 1), enough)


@lru_cache(maxsize=64)
def _context(count: int, begin: int, enough: int) -> Float32:
    ahead = np.arange(count, 0, -1) / enough
    behind = np.arange(1, count + 1) / enough if begin > 0 else np.ones(count)
    heard = min(1.0, 1.0 + begin / count) ** 2
    belief = np.asarray(np.clip(ahead, 0.1, 1.0) * np.clip(behind, 0.1, 1.0) * max(heard, 1e-3), np.float32)
    belief.flags.writeable = False
    return belief
