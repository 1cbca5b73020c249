"""Fields of JSON that somebody sent: what is there is of the kind that is wanted, or the place is named. Pure."""

from typing import Any

from streaming.errors import BadTranscript


def object_of(value: object, place: str) -> dict[str, Any]:
    """The object at `place`. Raises BadTranscript."""
    if not isinstance(value, dict):
        raise BadTranscript(f"{place} is not an object.")
    return value


def string_of(row: dict[str, Any], key: str, place: str) -> str:
    """The text under `key`, which is there. Raises BadTranscript."""
    value = row[key]
    if not isinstance(value, str):
        raise BadTranscript(f"{place}.{key} is not text.")
    return value
