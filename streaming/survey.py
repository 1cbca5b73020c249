"""What a store holds, found out without changing anything, for the doctor: opening a store migrates and seals."""

import asyncio
import sqlite3
from collections.abc import Awaitable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from streaming import envelope
from streaming.errors import KeyRefused, StoreFailed
from streaming.redis_door import RedisDoor
from streaming.sqlite_file import failures
from streaming.sqlite_schema import MIGRATIONS
from streaming.vault import Vault

ACCOUNTS = "@access:account"
REDIS_SCHEMA = 1
"""How the log lies on Redis: counted up with a change that an older version would misread."""


@dataclass(frozen=True, slots=True)
class Survey:
    """How many sessions and accounts, and whether they are encrypted."""

    sessions: int
    accounts: int
    encrypted: bool


def of_sqlite(path: Path, vault: Vault | None) -> Survey:
    """A file's. Raises StoreFailed for one that is no log, or a newer version's, KeyRefused for another key."""
    with failures(), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        version = int(database.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise StoreFailed("The log was written by a newer version.", mend="Start the newer version.")
        sessions = int(database.execute("SELECT count(*) FROM session").fetchone()[0])
        accounts = int(database.execute("SELECT count(*) FROM record WHERE kind = ?", (ACCOUNTS,)).fetchone()[0])
        tables = {str(row[0]) for row in database.execute("SELECT name FROM sqlite_master")}
        row = None
        if "data_key" in tables:
            row = database.execute("SELECT wrapped FROM data_key WHERE scope = ?", (envelope.CHECK,)).fetchone()
    check_key(vault, None if row is None else bytes(row[0]))
    return Survey(sessions, accounts, row is not None)


async def of_redis(url: str, vault: Vault | None, *, prefix: str = "sameday", timeout_s: float = 5.0) -> Survey:
    """A server's. Raises StoreFailed where it would lose what it acknowledges, KeyRefused."""
    door = RedisDoor(url, timeout_s)
    try:
        await check_durable(door)
        await check_schema(door, prefix)
        sessions = await door.ask(door.redis.llen(f"{prefix}:sessions"))
        accounts = await door.ask(door.redis.hlen(f"{prefix}:records:{ACCOUNTS}"))
        wrapped = await door.ask(cast("Awaitable[bytes | None]", door.redis.hget(f"{prefix}:keys", envelope.CHECK)))
    finally:
        await door.close()
    await asyncio.to_thread(check_key, vault, wrapped)
    return Survey(sessions, accounts, wrapped is not None)


async def check_durable(door: RedisDoor) -> None:
    """Whether a server keeps what it acknowledges. Raises StoreFailed."""
    found = await door.ask(door.redis.config_get("append*"))
    memory = await door.ask(door.redis.config_get("maxmemory*"))
    if found.get("appendonly") != "yes" or found.get("appendfsync") != "always":
        raise StoreFailed(
            "Redis would lose acknowledged audio if it stopped.",
            mend="Set `appendonly yes` and `appendfsync always` in its configuration.",
        )
    if memory.get("maxmemory", "0") != "0" and memory.get("maxmemory-policy") != "noeviction":
        raise StoreFailed("Redis may evict sessions.", mend="Set `maxmemory-policy noeviction`.")


async def check_schema(door: RedisDoor, prefix: str) -> None:
    """Whether this version can read what lies there. Raises StoreFailed."""
    if int(await door.ask(door.redis.get(f"{prefix}:schema")) or 0) > REDIS_SCHEMA:
        raise StoreFailed("The log was written by a newer version.", mend="Start the newer version.")


def check_key(vault: Vault | None, wrapped: bytes | None) -> None:
    """Whether the key opens what it should. Raises KeyRefused."""
    if wrapped is None:
        return
    if vault is None:
        raise KeyRefused("The log is encrypted.", mend="Set encryption = true.")
    vault.load(make=False)
    vault.key(envelope.CHECK, wrapped)
