"""The embeddings of a track's stretches, 1 kB each: the newest at hand, older ones in blocks, maybe elsewhere."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from diarization.clustering import Labels
from streaming.types import Float32

BLOCK = 64
"""Embeddings in a block: some two minutes of talk."""


class Aside(Protocol):
    """Keeps bytes that are wanted now and then, wherever there is more room than in memory."""

    def put(self, data: bytes) -> None:
        """Keep one more piece."""
        ...

    def all(self) -> Sequence[bytes]:
        """Every piece, in the order they were put."""
        ...


class InMemory:
    """`Aside` where there is nowhere else."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def put(self, data: bytes) -> None:
        self._pieces.append(data)

    def all(self) -> Sequence[bytes]:
        return self._pieces


class VoiceRows:
    """Embeddings (dimension,), numbered as they come. At least the newest 64 are read without asking `aside`."""

    def __init__(self, dimension: int, aside: Aside | None = None) -> None:
        self._aside = aside or InMemory()
        self._gone = 0
        self._near: Float32 = np.zeros((2 * BLOCK, dimension), np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._gone + self._count

    def append(self, voice: Float32) -> None:
        """Keep one more."""
        if self._count == 2 * BLOCK:
            self._aside.put(self._near[:BLOCK].tobytes())
            self._near[:BLOCK] = self._near[BLOCK:]
            self._gone += BLOCK
            self._count = BLOCK
        self._near[self._count] = voice
        self._count += 1

    def some(self, rows: Labels) -> Float32:
        """These rows, (len(rows), dimension)."""
        if len(rows) and rows.min() < self._gone:
            return np.asarray(self.all()[rows])
        return np.asarray(self._near[rows - self._gone])

    def all(self) -> Float32:
        """All rows, in order, (len, dimension)."""
        pieces = [np.frombuffer(piece, np.float32).reshape(BLOCK, -1) for piece in self._aside.all()]
        return np.concatenate([*pieces, self._near[: self._count]])
