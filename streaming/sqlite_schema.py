"""The tables of the log's SQLite file, and how an older file gets to them."""

import sqlite3
from collections.abc import Callable

from streaming.errors import StoreFailed


def _join_audio(database: sqlite3.Connection) -> None:
    """What is said of a span and its samples become one envelope; `body` stays empty."""
    rows = database.execute("SELECT rowid FROM audio").fetchall()
    for (row,) in rows:
        body, samples = database.execute("SELECT body, samples FROM audio WHERE rowid = ?", (row,)).fetchone()
        whole = body.encode() + b"\n" + samples
        database.execute("UPDATE audio SET body = '', samples = ? WHERE rowid = ?", (whole, row))


# Applied in order, each in a transaction of its own with the number that it leads to. Never change one: add one.
# Audio has a table of its own, so that a replay without it reads none of its pages. `head` is kept, not computed,
# since dropped audio must not free its numbers.
MIGRATIONS: tuple[tuple[str | Callable[[sqlite3.Connection], None], ...], ...] = (
    (
        "CREATE TABLE session (key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
        " head INTEGER NOT NULL)",
        "CREATE TABLE event (session INTEGER NOT NULL REFERENCES session, sequence INTEGER NOT NULL,"
        " body TEXT NOT NULL, PRIMARY KEY (session, sequence)) WITHOUT ROWID",
        "CREATE TABLE audio (session INTEGER NOT NULL REFERENCES session, sequence INTEGER NOT NULL,"
        " body TEXT NOT NULL, samples BLOB NOT NULL, PRIMARY KEY (session, sequence))",
    ),
    (
        "CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,"
        " body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID",
    ),
    (
        # Each entry is one envelope (envelope.py); an event's type stands beside it, since queries ask for it.
        "ALTER TABLE session ADD COLUMN purged INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE event ADD COLUMN kind TEXT NOT NULL DEFAULT ''",
        "UPDATE event SET kind = json_extract(body, '$.type'), body = CAST(body || char(10) AS BLOB)",
        "UPDATE record SET body = CAST(body AS BLOB)",
        _join_audio,
        "CREATE TABLE data_key (scope TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
    ),
)


def migrate(database: sqlite3.Connection) -> None:
    """Bring the file to the newest schema, whole or not at all. Raises StoreFailed where it is a newer one's."""
    database.execute("BEGIN IMMEDIATE")
    database.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    version = int(database.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()[0])
    if version > len(MIGRATIONS):
        database.execute("ROLLBACK")
        raise StoreFailed(
            f"The log was written by a newer version (schema {version}, this one knows {len(MIGRATIONS)}).",
            mend="Start the newer version, or choose another data_dir.",
        )
    for number, steps in enumerate(MIGRATIONS[version:], version + 1):
        for step in steps:
            if isinstance(step, str):
                database.execute(step)
            else:
                step(database)
        database.execute("INSERT INTO schema_version VALUES (?)", (number,))
    database.execute("COMMIT")
