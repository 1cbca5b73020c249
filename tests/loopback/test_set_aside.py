"""Bytes put aside on a real disk: sealed there, given back whole, and gone with the object."""

import gc
import os
from contextlib import suppress
from pathlib import Path

import pytest

from streaming.errors import StoreFailed
from streaming.set_aside import SealedFile

pytestmark = pytest.mark.loopback
PIECES = [b"", b"marked words", bytes(range(256)) * 300]


def _open_files() -> dict[int, str]:
    held = {}
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself is closed by now
            held[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return held


def _made(folder: Path, aside: SealedFile) -> int:
    return next(number for number, path in _open_files().items() if path.startswith(f"{folder}/"))


def test_pieces_come_back_and_nobody_else_can_read_them(tmp_path: Path) -> None:
    aside = SealedFile(tmp_path)
    for piece in PIECES:
        aside.put(piece)
    assert list(aside.all()) == PIECES
    assert list(tmp_path.iterdir()) == []
    file = _made(tmp_path, aside)
    kept = os.pread(file, 1 << 20, 0)
    assert len(kept) > len(PIECES[2])
    assert b"marked" not in kept
    assert bytes(range(256)) not in kept
    os.pwrite(file, b"x", 40)
    with pytest.raises(StoreFailed):
        aside.all()


def test_the_file_goes_with_the_object(tmp_path: Path) -> None:
    aside = SealedFile(tmp_path)
    assert not any(path.startswith(f"{tmp_path}/") for path in _open_files().values())
    aside.put(b"one")
    assert any(path.startswith(f"{tmp_path}/") for path in _open_files().values())
    del aside
    gc.collect()
    assert not any(path.startswith(f"{tmp_path}/") for path in _open_files().values())


def test_what_the_disk_does_not_take_stays_in_memory(tmp_path: Path) -> None:
    aside = SealedFile(tmp_path / "missing")
    for piece in PIECES:
        aside.put(piece)
    assert list(aside.all()) == PIECES
    (tmp_path / "missing").mkdir()
    aside.put(b"then there is room")
    assert list(aside.all()) == [*PIECES, b"then there is room"]
