"""A record's body as text, and the refusals that every store of records gives alike. Pure."""

import json
from typing import Any

from streaming.errors import Conflict, StoreFailed, UnknownRecord
from streaming.ports import Record


def encode(body: dict[str, Any]) -> str:
    """The body as JSON in ASCII. Raises TypeError, ValueError for what JSON cannot say."""
    return json.dumps(body, allow_nan=False)


def restore(kind: str, key: str, version: int, text: str) -> Record:
    """The record of `encode`. Raises StoreFailed for a text that is no record's."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise StoreFailed("A record cannot be read.", mend="Was it made by a newer version?")
    return Record(kind, key, version, body)


def conflict(current: int) -> Conflict:
    """The stored version is another one than the caller knows."""
    return Conflict("It has been changed meanwhile.", current=current, mend="Read it again, then change it.")


def unknown() -> UnknownRecord:
    """There is no such record."""
    return UnknownRecord("There is no such record.", mend="It may have been deleted.")
