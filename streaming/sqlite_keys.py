"""Data keys in the log's SQLite file, each under the master key; what is not sealed yet is sealed at its opening."""

import sqlite3
from collections.abc import Callable

from streaming import envelope
from streaming.errors import KeyRefused
from streaming.vault import DataKey, Vault

_BATCH = 500
_PLAIN = b"{"


class SqliteKeys:
    """The data keys of one file. Without a vault everything is plain, and what is sealed is refused.

    Used on the writing and on the reading thread, each with a connection of its own. A key is remembered with the
    wrapped bytes it came from: one that another process deleted or wrapped anew is not used on.
    """

    def __init__(self, vault: Vault | None) -> None:
        self._vault = vault
        self._known: dict[str, tuple[bytes, DataKey]] = {}

    def open(self, database: sqlite3.Connection) -> None:
        """Check that the key fits, at the first opening make one and seal all there is. Raises KeyRefused."""
        encrypted = database.execute("SELECT count(*) FROM data_key").fetchone()[0] > 0
        if self._vault is None:
            if encrypted:
                raise KeyRefused("The log is encrypted.", mend="Set encryption = true.")
            return
        self._vault.load(make=not encrypted)
        if self._kept(database, envelope.CHECK) is not None:
            self.of(database, envelope.CHECK)
            return
        while _in_transaction(database, self._seal_some):
            pass
        _in_transaction(database, lambda one: int(self.of(one, envelope.CHECK, make=True) is not None))
        # What was plain is overwritten in the file; the log of writes still holds it.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def of(self, database: sqlite3.Connection, scope: str, *, make: bool = False) -> DataKey | None:
        """The data key of a scope, None where nothing is sealed or the key was deleted. Raises KeyRefused.

        With `make` one is made where there is none yet: in a transaction only.
        """
        if self._vault is None:
            return None
        wrapped = self._kept(database, scope)
        if wrapped is None:
            self._known.pop(scope, None)
            if not make:
                return None
            key, wrapped = self._vault.new_key(scope)
            database.execute("INSERT INTO data_key (scope, wrapped) VALUES (?, ?)", (scope, wrapped))
            self._known[scope] = (wrapped, key)
            return key
        known = self._known.get(scope)
        if known is None or known[0] != wrapped:
            known = self._known[scope] = (wrapped, self._vault.key(scope, wrapped))
        return known[1]

    def to_read(self, database: sqlite3.Connection, scope: str) -> DataKey | None:
        """The data key of what was found. Raises StoreFailed where it should be sealed and there is none."""
        key = self.of(database, scope)
        if key is None and self._vault is not None:
            raise envelope.no_key()
        return key

    def forget(self, database: sqlite3.Connection, scope: str) -> None:
        """Delete a data key: what it sealed can be read by nobody any more, wherever a copy of it is."""
        self._known.pop(scope, None)
        database.execute("DELETE FROM data_key WHERE scope = ?", (scope,))

    def rewrap(self, database: sqlite3.Connection) -> int:
        """Wrap every data key under the master key that counts now; returns how many. Raises KeyRefused."""
        if self._vault is None:
            raise KeyRefused("Encryption is switched off.", mend="Set encryption = true.")
        rows = database.execute("SELECT scope, wrapped FROM data_key").fetchall()
        for scope, wrapped in rows:
            fresh = self._vault.rewrapped(scope, wrapped)
            database.execute("UPDATE data_key SET wrapped = ? WHERE scope = ?", (fresh, scope))
        return len(rows)

    @staticmethod
    def _kept(database: sqlite3.Connection, scope: str) -> bytes | None:
        row = database.execute("SELECT wrapped FROM data_key WHERE scope = ?", (scope,)).fetchone()
        return None if row is None else bytes(row[0])

    def _seal_some(self, database: sqlite3.Connection) -> int:
        """Seal a batch of what is plain; returns how many entries that were."""
        done = 0
        for table, column in (("event", "body"), ("audio", "samples")):
            rows = database.execute(
                f"SELECT session.id, session, sequence, {column} FROM {table} JOIN session ON session.key = session"
                f" WHERE substr({column}, 1, 1) = ? LIMIT ?",
                (_PLAIN, _BATCH),
            ).fetchall()
            for name, session, sequence, plain in rows:
                key = self.of(database, envelope.session_scope(name), make=True)
                database.execute(
                    f"UPDATE {table} SET {column} = ? WHERE session = ? AND sequence = ?",
                    (envelope.seal_event(key, name, sequence, plain), session, sequence),
                )
            done += len(rows)
        rows = database.execute(
            "SELECT kind, key, body FROM record WHERE substr(body, 1, 1) = ? LIMIT ?", (_PLAIN, _BATCH)
        ).fetchall()
        for kind, name, plain in rows:
            key = self.of(database, envelope.records_scope(kind), make=True)
            sealed = envelope.seal_record(key, kind, name, plain.decode())
            database.execute("UPDATE record SET body = ? WHERE kind = ? AND key = ?", (sealed, kind, name))
        return done + len(rows)


def _in_transaction(database: sqlite3.Connection, step: Callable[[sqlite3.Connection], int]) -> int:
    database.execute("BEGIN IMMEDIATE")
    try:
        done = step(database)
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    return done
