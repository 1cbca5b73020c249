"""Bytes put aside in a file without a name, for memory to stay free: sealed, and gone with the process.

The key is made here, is written nowhere, and goes with the object; the file has no name by which anybody could open
it, and its room is free again once it is closed. So nothing of it outlasts the session, whatever becomes of the disk.
"""

import os
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from streaming.vault import KEY_BYTES, DataKey


class SealedFile:
    """`diarization.voice_rows.Aside`. What the disk does not take stays in memory. Opened with the first piece."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = DataKey(os.urandom(KEY_BYTES))
        self._file: int | None = None
        self._end = 0
        self._pieces: list[bytes | tuple[int, int]] = []

    def put(self, data: bytes) -> None:
        """Keep one more piece."""
        sealed = self._key.seal(self._place(len(self._pieces)), data)
        try:
            self._pieces.append(self._write(sealed))
        except OSError:  # a full disk, or a folder that cannot be written
            self._pieces.append(sealed)

    def all(self) -> Sequence[bytes]:
        """Every piece, in the order they were put. Raises OSError, StoreFailed where the disk has another."""
        return [self._key.open(self._place(number), self._read(piece)) for number, piece in enumerate(self._pieces)]

    def _write(self, sealed: bytes) -> tuple[int, int]:
        if self._file is None:
            with tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
                self._file = os.dup(file.fileno())
            weakref.finalize(self, os.close, self._file)
        start, at = self._end, 0
        while at < len(sealed):
            at += os.pwrite(self._file, sealed[at:], start + at)
        self._end += len(sealed)
        return start, len(sealed)

    def _read(self, piece: bytes | tuple[int, int]) -> bytes:
        if isinstance(piece, bytes):
            return piece
        assert self._file is not None, "a piece was written"
        start, length = piece
        return os.pread(self._file, length, start)

    @staticmethod
    def _place(number: int) -> bytes:
        return str(number).encode()
