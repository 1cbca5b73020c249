"""What a store writes in the place of events and records: sealed under a data key, or plain where there is none.

Plain is the event's JSON, a line feed and the samples; sealed is the same under `vault.DataKey`, bound to the session
and the sequence number, or to the kind and the key of a record.
"""

import json
from functools import lru_cache

from streaming import record_json
from streaming.errors import StoreFailed
from streaming.events import Event, Stored, encode, restore
from streaming.ports import Record
from streaming.vault import SEALED, DataKey

CHECK = "store"
"""The scope of a data key that seals nothing: it says that the store is encrypted, and shows whether the key fits."""


def session_scope(session: str) -> str:
    """The scope of a session's data key."""
    return f"session:{session}"


def records_scope(kind: str) -> str:
    """The scope of the data key of a kind of records."""
    return f"records:{kind}"


def kind_of(event: Event) -> str:
    """The event's type, which stands beside the envelope: an index of ends and drafts, and no content."""
    return type(event).__name__


def plain_event(event: Event) -> bytes:
    """An event as it is before it is sealed. Raises TypeError, ValueError for what JSON cannot say."""
    text, samples = encode(event)
    return text.encode() + b"\n" + samples


def seal_event(key: DataKey | None, session: str, sequence: int, plain: bytes) -> bytes:
    """An event's plain bytes as they are kept."""
    return plain if key is None else key.seal(_event_place(session, sequence), plain)


def open_event(key: DataKey | None, session: str, sequence: int, kept: bytes) -> Stored:
    """The event of `seal_event`. Raises StoreFailed."""
    if key is None and kept.startswith(SEALED):
        raise no_key()
    plain = kept if key is None else key.open(_event_place(session, sequence), kept)
    text, _, samples = plain.partition(b"\n")
    return restore(sequence, text.decode("utf-8", "replace"), samples)


def seal_record(key: DataKey | None, kind: str, name: str, text: str) -> bytes:
    """A record's JSON as it is kept."""
    return text.encode() if key is None else key.seal(_record_place(kind, name), text.encode())


def open_record(key: DataKey | None, kind: str, name: str, version: int, kept: bytes) -> Record:
    """The record of `seal_record`. Raises StoreFailed."""
    if key is None and kept.startswith(SEALED):
        raise no_key()
    plain = kept if key is None else key.open(_record_place(kind, name), kept)
    return record_json.restore(kind, name, version, plain.decode("utf-8", "replace"))


def no_key() -> StoreFailed:
    """Something is sealed and there is no key for it: it was forgotten on purpose, or encryption is switched off."""
    return StoreFailed("The log is encrypted, and there is no key for it.", mend="Set encryption = true.")


def _event_place(session: str, sequence: int) -> bytes:
    # JSON of the three; a log has ten a second, and is read whole when its session is taken up.
    return b'["event", %b, %d]' % (_quoted(session), sequence)


@lru_cache(maxsize=256)
def _quoted(session: str) -> bytes:
    return json.dumps(session).encode()


def _record_place(kind: str, name: str) -> bytes:
    return json.dumps(["record", kind, name]).encode()
