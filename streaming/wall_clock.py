"""The one reading of the wall clock that sessions and notes are dated by."""

from datetime import UTC, datetime, timedelta


def now() -> str:
    """Now in ISO 8601 with milliseconds and the machine's zone."""
    return datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")


def utc() -> str:
    """Now in ISO 8601 with milliseconds in UTC, for what several machines write one after the other."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def after(at: str, elapsed_s: float) -> str:
    """The time `elapsed_s` after an ISO time, in its zone: a measured length, whatever the clock did since."""
    return (datetime.fromisoformat(at) + timedelta(seconds=elapsed_s)).isoformat(timespec="milliseconds")
