"""Records in the log's SQLite file: its threads, its durability, its way of deleting for good."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from streaming import envelope, record_json
from streaming.ports import Record
from streaming.sqlite_keys import SqliteKeys
from streaming.sqlite_steps import Step
from streaming.sqlite_store import SqliteStore


class SqliteRecords:
    """Implements `ports.Records` in a store's file; opens and closes with it. Any process may use it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def put(self, kind: str, key: str, body: dict[str, Any], *, version: int | None = None) -> int:
        text = record_json.encode(body)
        stored = await self._store.change(_putting(self._store.keys, _whole(kind), _whole(key), text, version))
        if stored < 0:
            raise record_json.conflict(~stored)
        return stored

    async def get(self, kind: str, key: str) -> Record:
        rows = await self._store.records(_whole(kind), _whole(key))
        if not rows:
            raise record_json.unknown()
        return rows[0]

    async def all(self, kind: str) -> list[Record]:
        return await self._store.records(_whole(kind))

    async def remove(self, kind: str, key: str, *, version: int | None = None) -> None:
        stored = await self._store.change(_removing(_whole(kind), _whole(key), version), wipes=True)
        if stored == 0:
            raise record_json.unknown()
        if stored < 0:
            raise record_json.conflict(~stored)

    async def remove_all(self, kind: str, keys: Sequence[str]) -> int:
        return await self._store.change(_removing_all(_whole(kind), [_whole(key) for key in keys]), wipes=True)


def _whole(name: str) -> str:
    """The name, where it can be stored: one that cannot must fail before it joins others' transaction."""
    name.encode()
    return name


def _version(database: sqlite3.Connection, kind: str, key: str) -> int:
    row = database.execute("SELECT version FROM record WHERE kind = ? AND key = ?", (kind, key)).fetchone()
    return int(row[0]) if row else 0


def _putting(keys: SqliteKeys, kind: str, key: str, text: str, version: int | None) -> Step:
    """The new version; the bitwise complement of the stored one, which is negative, where that is not `version`."""

    def step(database: sqlite3.Connection) -> int:
        stored = _version(database, kind, key)
        if version is not None and version != stored:
            return ~stored
        sealed = envelope.seal_record(keys.of(database, envelope.records_scope(kind), make=True), kind, key, text)
        database.execute(
            "INSERT INTO record (kind, key, version, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET version = excluded.version, body = excluded.body",
            (kind, key, stored + 1, sealed),
        )
        return stored + 1

    return step


def _removing(kind: str, key: str, version: int | None) -> Step:
    """The version removed, 0 for none; the complement of the stored one where that is not `version`."""

    def step(database: sqlite3.Connection) -> int:
        stored = _version(database, kind, key)
        if stored and version is not None and version != stored:
            return ~stored
        database.execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, key))
        return stored

    return step


def _removing_all(kind: str, keys: Sequence[str]) -> Step:
    """How many there were."""

    def step(database: sqlite3.Connection) -> int:
        places = [(kind, key) for key in keys]
        return database.executemany("DELETE FROM record WHERE kind = ? AND key = ?", places).rowcount

    return step
