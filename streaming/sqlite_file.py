"""The SQLite file of the log: made for its owner alone, opened so that commits are durable, its failures named."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streaming.errors import StoreFailed


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection whose commits are durable, and which overwrites what it deletes."""
    database = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        # Deleted audio is overwritten, not only unlinked from the tables.
        database.execute("PRAGMA secure_delete = ON")
    except BaseException:
        database.close()
        raise
    return database


def make_private(path: Path) -> None:
    """The folder for its owner only, and the file; SQLite gives its side files the file's mode."""
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)  # SQLite syncs the folder of its file, but not that folder's own entry
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_MENDS = {
    "SQLITE_FULL": "Free disk space.",
    "SQLITE_BUSY": "Another process holds the log: end it.",
    "SQLITE_NOTADB": "The file is not a log: move it away or choose another data_dir.",
    "SQLITE_CORRUPT": "The log is damaged: stop, keep a copy, and recover it with sqlite3's .recover.",
    "SQLITE_READONLY": "Make the file writable.",
    "SQLITE_CANTOPEN": "Make the folder writable.",
}


@contextmanager
def failures() -> Iterator[None]:
    """SQLite's and the file system's errors as StoreFailed, by code: their texts may quote what was stored."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
        primary = "_".join(code.split("_")[:2])
        raise StoreFailed(f"The log could not be used ({code}).", mend=_MENDS.get(primary, "")) from None
    except OSError as error:
        raise StoreFailed(f"The log could not be opened: {os.strerror(error.errno or 0)}.") from None
