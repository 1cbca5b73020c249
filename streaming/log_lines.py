"""What a line of the log looks like, as text or as JSON: the message, the session it is about, and never content.

The text of an exception may quote what was said, and so may the source lines of a traceback: of an exception a line
has the kind and the places it passed alone.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

LogFormat = Literal["text", "json"]

_QUIET = ("aioice", "aiortc", "httpx")
"""What they say of connections holds addresses and session ids."""


def set_up(level: str, log_format: LogFormat) -> None:
    """Everything that is logged goes to standard error, one line an entry, in this format from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class TextLines(logging.Formatter):
    """For people: time, level, who says it, what, and the session in brackets."""

    def format(self, record: logging.LogRecord) -> str:
        about = f" [{session}]" if (session := _session(record)) else ""
        fault = f" ({_fault(record)})" if record.exc_info else ""
        return f"{_time(record)} {record.levelname} {record.name} {_message(record)}{about}{fault}"


class JsonLines(logging.Formatter):
    """For programs: an object a line, with `time` (UTC), `level`, `logger`, `message`, and `session` and `fault`
    where there are any.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        if session := _session(record):
            line["session"] = session
        if record.exc_info:
            line["fault"] = _fault(record)
        return json.dumps(line)


def _message(record: logging.LogRecord) -> str:
    """In one line, whatever is in it: a line break would let one entry pass for two."""
    return " ".join(record.getMessage().split())


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _session(record: logging.LogRecord) -> str:
    """The session that the entry was bound to with `extra`, or nothing."""
    session = getattr(record, "session", "")
    return session if isinstance(session, str) else ""


def _fault(record: logging.LogRecord) -> str:
    """The kind of the exception, and the files and lines it passed, innermost first."""
    assert record.exc_info is not None
    kind, _, trace = record.exc_info
    places = [] if trace is None else _places(trace)
    return " ".join([kind.__name__ if kind else "unknown", *places])


def _places(trace: TracebackType) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename}:{frame.lineno}" for frame in reversed(frames)]
