"""The one reading of the wall clock that sessions and notes are dated by."""

from datetime import UTC, datetime


def now() -> str:
    """Now in ISO 8601 with milliseconds and the machine's zone."""
    return datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")
