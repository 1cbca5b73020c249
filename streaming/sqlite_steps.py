"""What is done to the log's SQLite file inside one transaction, which the steps of other sessions share."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from streaming import envelope
from streaming.events import AudioSpan, Event
from streaming.sqlite_keys import SqliteKeys

Step = Callable[[sqlite3.Connection], int]
"""Part of a transaction that other sessions' steps share: only failures of file or key may raise."""

PURGED = -1
"""The result where a session takes nothing more, since it was deleted for good."""
OVERTAKEN = -2
"""The result where a session's last event is another one than was read."""
_DROPPED = 256  # audio spans deleted in one transaction, which other sessions' appends share and wait for


@dataclass(frozen=True, slots=True)
class Entry:
    """An event on its way to the file: encoded before the transaction, sealed within it, its number being known."""

    kind: str
    audio: bool
    plain: bytes


def entry(event: Event) -> Entry:
    """An event as an entry. Raises TypeError, ValueError for what cannot be written."""
    return Entry(envelope.kind_of(event), isinstance(event, AudioSpan), envelope.plain_event(event))


def appending(keys: SqliteKeys, session: str, entries: Sequence[Entry], on: int | None = None) -> Step:
    """The last sequence number, PURGED or OVERTAKEN."""

    def step(database: sqlite3.Connection) -> int:
        row = database.execute("SELECT key, head, purged FROM session WHERE id = ?", (session,)).fetchone()
        if row is not None and row[2]:
            return PURGED
        if on is not None and on != _last(database, row[0] if row else None):
            return OVERTAKEN
        if not entries:
            return int(row[1]) if row else 0
        if row is None:
            key = database.execute("INSERT INTO session (id, head) VALUES (?, 0)", (session,)).lastrowid
            row = (key, 0, 0)
        key, head, _ = row
        _insert(database, keys, session, key, dict(enumerate(entries, head + 1)))
        database.execute("UPDATE session SET head = ? WHERE key = ?", (head + len(entries), key))
        return int(head) + len(entries)

    return step


def rewriting(
    keys: SqliteKeys,
    session: str,
    changes: Mapping[int, Event | None],
    then: Sequence[Event] = (),
    on: int | None = None,
) -> Step:
    """Put other events in the place of some, or nothing, and append `then`; the last number, PURGED or OVERTAKEN.

    Raises TypeError, ValueError for what cannot be written.
    """
    made = {number: entry(event) for number, event in changes.items() if event is not None}
    append = appending(keys, session, [entry(event) for event in then])

    def step(database: sqlite3.Connection) -> int:
        row = database.execute("SELECT key, purged FROM session WHERE id = ?", (session,)).fetchone()
        if row is None or row[1]:
            return PURGED
        key = row[0]
        if on is not None and on != _last(database, key):
            return OVERTAKEN
        gone = {number for number in changes if _taken_out(database, key, number)}
        _insert(database, keys, session, key, {number: one for number, one in made.items() if number in gone})
        return append(database)

    return step


def purging(keys: SqliteKeys, session: str, receipt: Entry, on: int | None = None) -> Step:
    """Delete a session's data key and events, and leave a receipt; audio that nobody can read is dropped after."""

    def step(database: sqlite3.Connection) -> int:
        row = database.execute("SELECT key, head, purged FROM session WHERE id = ?", (session,)).fetchone()
        if row is None or row[2]:
            return PURGED
        key, head, _ = row
        if on is not None and on != _last(database, key):
            return OVERTAKEN
        keys.forget(database, envelope.session_scope(session))
        database.execute("DELETE FROM event WHERE session = ?", (key,))
        _insert(database, keys, session, key, {head + 1: receipt})
        database.execute("UPDATE session SET head = ?, purged = 1 WHERE key = ?", (head + 1, key))
        return int(head) + 1

    return step


def dropping(session: str) -> Step:
    """Delete some of a session's audio; how many spans that was, 0 when none is left."""

    def step(database: sqlite3.Connection) -> int:
        deleted = database.execute(
            "DELETE FROM audio WHERE rowid IN (SELECT audio.rowid FROM audio JOIN session"
            " ON session.key = audio.session WHERE session.id = ? LIMIT ?)",
            (session, _DROPPED),
        )
        return deleted.rowcount

    return step


def _last(database: sqlite3.Connection, key: int | None) -> int:
    """The number of a session's last event, 0 where there is none."""
    row = database.execute("SELECT max(sequence) FROM event WHERE session = ?", (key,)).fetchone()
    return int(row[0] or 0)


def _taken_out(database: sqlite3.Connection, key: int, number: int) -> bool:
    """Delete an entry, and say whether it was there: audio may have been dropped meanwhile."""
    place = (key, number)
    events = database.execute("DELETE FROM event WHERE session = ? AND sequence = ?", place).rowcount
    return events + database.execute("DELETE FROM audio WHERE session = ? AND sequence = ?", place).rowcount > 0


def _insert(
    database: sqlite3.Connection, keys: SqliteKeys, session: str, key: int, entries: Mapping[int, Entry]
) -> None:
    if not entries:
        return
    data_key = keys.of(database, envelope.session_scope(session), make=True)
    sealed = {number: envelope.seal_event(data_key, session, number, one.plain) for number, one in entries.items()}
    database.executemany(
        "INSERT INTO audio (session, sequence, body, samples) VALUES (?, ?, '', ?)",
        [(key, number, sealed[number]) for number, one in entries.items() if one.audio],
    )
    database.executemany(
        "INSERT INTO event (session, sequence, kind, body) VALUES (?, ?, ?, ?)",
        [(key, number, one.kind, sealed[number]) for number, one in entries.items() if not one.audio],
    )
