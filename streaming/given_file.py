"""A file that a command was given, or standard input."""

import sys
from pathlib import Path

from streaming.errors import PeerError


def read_given(path: Path, what: str, error: type[PeerError]) -> bytes:
    """All of it; `-` is standard input. Raises `error`, which calls the file `what`."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as failure:
        why = failure.strerror or "it cannot be read"
        raise error(f"The {what} cannot be read: {why}.", mend="Check the path.") from None
