"""What the windows of a track heard, kept until its end: some 60 bytes a window, since speech begins and ends seldom.

They stand one after the other in one growing buffer. An hour has 3600 of them: as objects with arrays they took ten
times as much.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diarization.windows import Bools

_HEAD = struct.Struct("<iiHH")  # first frame, newest stretch, how many edges and how many stretches follow


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What a window that begins at frame `begin` heard: activity (frames, local speakers).

    `stretches` lie in the window; it took each for the local speaker of the same place in `speakers`.
    """

    begin: int
    active: Bools
    stretches: NDArray[np.int32]
    speakers: NDArray[np.int8]


class HeardWindows:
    """All windows of a track, in order. What is taken out is what was put in."""

    def __init__(self, frames: int, local_speakers: int) -> None:
        self._shape = (frames, local_speakers)
        self._rows = (frames + 1) * local_speakers
        # A place where activity changes, counted over all local speakers, one after the other.
        self._edge = np.dtype(np.uint16 if self._rows <= 0xFFFF else np.uint32)
        self._kept = bytearray()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, begin: int, active: Bools, stretches: Sequence[int], speakers: Sequence[int]) -> None:
        """Keep one more window."""
        edges = self._edges(active)
        newest = max(stretches, default=0)
        self._kept += _HEAD.pack(begin, newest, len(edges), len(stretches))
        self._kept += edges.tobytes()
        self._kept += (newest - np.asarray(stretches, np.int64)).astype(np.uint16).tobytes()
        self._kept += np.asarray(speakers, np.int8).tobytes()
        self._count += 1

    def __iter__(self) -> Iterator[Heard]:
        kept, at = bytes(self._kept), 0
        while at < len(kept):
            begin, newest, edges, stretches = _HEAD.unpack_from(kept, at)
            at += _HEAD.size
            changes = np.frombuffer(kept, self._edge, edges, at)
            at += changes.nbytes
            back = np.frombuffer(kept, np.uint16, stretches, at)
            at += back.nbytes
            speakers = np.frombuffer(kept, np.int8, stretches, at)
            at += speakers.nbytes
            yield Heard(begin, self._active(changes), (newest - back.astype(np.int64)).astype(np.int32), speakers)

    def _edges(self, active: Bools) -> NDArray[np.unsignedinteger]:
        # A row of silence after each local speaker's frames keeps what one says apart from what the next does.
        line = np.zeros((self._shape[1], self._shape[0] + 1), np.bool_)
        line[:, :-1] = active.T
        flat = line.reshape(-1)
        return np.flatnonzero(np.concatenate([flat[:1], flat[1:] != flat[:-1]])).astype(self._edge)

    def _active(self, edges: NDArray[np.unsignedinteger]) -> Bools:
        changes = np.zeros(self._rows, np.bool_)
        changes[edges] = True
        line = np.logical_xor.accumulate(changes).reshape(self._shape[1], self._shape[0] + 1)
        return np.ascontiguousarray(line[:, :-1].T)
