"""Records in Redis, in the log's server: a hash for each kind."""

from collections.abc import Sequence
from typing import Any

from streaming import record_json
from streaming.ports import Record
from streaming.redis_scripts import FORGET_RECORDS
from streaming.redis_store import RedisStore


class RedisRecords:
    """Implements `ports.Records` on a store's server: a hash per kind. Opens and closes with the store."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    async def put(self, kind: str, key: str, body: dict[str, Any], *, version: int | None = None) -> int:
        stored = await self._store.change_record(kind, key, version, record_json.encode(body))
        if stored < 0:
            raise record_json.conflict(~stored)
        return stored

    async def get(self, kind: str, key: str) -> Record:
        found = await self._store.record(kind, key)
        if found is None:
            raise record_json.unknown()
        return found

    async def all(self, kind: str) -> list[Record]:
        return sorted(await self._store.records(kind), key=lambda one: one.key)

    async def remove(self, kind: str, key: str, *, version: int | None = None) -> None:
        stored = await self._store.change_record(kind, key, version, "")
        if stored == 0:
            raise record_json.unknown()
        if stored < 0:
            raise record_json.conflict(~stored)

    async def remove_all(self, kind: str, keys: Sequence[str]) -> int:
        found = int(await self._store.run(FORGET_RECORDS, [f"records:{kind}"], keys)) if keys else 0
        if found:
            await self._store.compact()
        return found
