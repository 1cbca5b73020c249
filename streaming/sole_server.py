"""One server for a data folder: two would take up each other's sessions and write them twice."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streaming.errors import StoreFailed


@contextmanager
def of(database: Path) -> Iterator[None]:
    """Hold the folder of this log until the block ends; the kernel lets go of it when the process is killed.

    Raises StoreFailed where another server holds it, or the folder cannot be written.
    """
    try:
        handle = os.open(database.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreFailed(
            f"The data folder cannot be used: {os.strerror(error.errno or 0)}.", mend="Make it writable."
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if not isinstance(error, BlockingIOError):
            raise StoreFailed("The data folder cannot be locked.", mend="Keep it on a local disk.") from None
        raise StoreFailed(
            "Another server uses this data folder.", mend="Stop it, or choose another with SAMEDAY_DATA_DIR."
        ) from None
    try:
        yield
    finally:
        os.close(handle)
