"""The data keys of a store in Redis: each wrapped by the master key, in one hash by scope; and the first sealing.

One is remembered unwrapped, with the bytes that it came from: another node may have put another in its place.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from streaming import envelope, redis_scripts
from streaming.errors import KeyRefused
from streaming.redis_door import RedisDoor
from streaming.redis_names import Names
from streaming.vault import DataKey, Vault

_BATCH = 256
_SEALING_S = 3600
"""After so long a node that was encrypting the log is taken for dead."""

_Entries = list[tuple[bytes, dict[bytes, bytes]]]


class RedisKeys:
    """Of one store; without a vault there are none, and nothing is sealed. All raise StoreFailed."""

    def __init__(self, door: RedisDoor, names: Names, vault: Vault | None) -> None:
        self._redis, self._ask = door.redis, door.ask
        self._compact = door.compact
        self._names = names
        self._vault = vault
        self._known: dict[str, tuple[bytes, DataKey]] = {}

    async def of(self, scope: str, *, make: bool = False) -> DataKey | None:
        """The data key of a scope, made where there is none yet. Raises KeyRefused."""
        if self._vault is None:
            return None
        if scope not in self._known:
            kept = await self._kept(scope)
            if kept is None and make:
                _, wrapped = self._vault.new_key(scope)
                await self._ask(self._redis.hsetnx(self._names.data_keys, scope, wrapped))
                kept = await self._kept(scope)
            if kept is None:
                return None
            return await self._remember(scope, kept)
        return self._known[scope][1]

    async def to_read(self, scope: str) -> DataKey | None:
        """The data key of what was found. Raises StoreFailed where it should be sealed and there is none."""
        key = await self.of(scope)
        if key is None and self._vault is not None:
            raise envelope.no_key()
        return key

    async def opened(self, scope: str, wrapped: bytes | None) -> DataKey | None:
        """The data key of what was found, as it was kept in the same moment: a purge gives a session another one.

        Raises as `to_read`.
        """
        if self._vault is None:
            return None
        if wrapped is None:
            raise envelope.no_key()
        known = self._known.get(scope)
        return known[1] if known is not None and known[0] == wrapped else await self._remember(scope, wrapped)

    async def _remember(self, scope: str, wrapped: bytes) -> DataKey:
        assert self._vault is not None
        key = await asyncio.to_thread(self._vault.key, scope, wrapped)
        self._known[scope] = (wrapped, key)
        return key

    def fresh(self, scope: str) -> tuple[DataKey | None, bytes]:
        """Another data key for a scope, and as it is kept: what was sealed with the old one is for nobody."""
        self._known.pop(scope, None)
        return (None, b"") if self._vault is None else self._vault.new_key(scope)

    async def rewrap(self) -> int:
        """Wrap every data key under the master key that counts now; how many. Raises KeyRefused."""
        if self._vault is None:
            raise KeyRefused("Encryption is switched off.", mend="Set encryption = true.")
        kept = await self._ask(cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(self._names.data_keys)))
        fresh: dict[Any, Any] = {
            scope: self._vault.rewrapped(scope.decode(), wrapped) for scope, wrapped in kept.items()
        }
        if fresh:
            await self._ask(self._redis.hset(self._names.data_keys, mapping=fresh))
        return len(fresh)

    async def open(self) -> None:
        """Check that the key fits; where nothing is encrypted yet, make one and begin. Raises KeyRefused."""
        encrypted = await self._ask(self._redis.exists(self._names.data_keys))
        if self._vault is None:
            if encrypted:
                raise KeyRefused("The log is encrypted.", mend="Set encryption = true.")
            return
        await asyncio.to_thread(self._vault.load, make=not encrypted)
        if not encrypted:
            sessions = await self._ask(self._redis.llen(self._names.sessions))
            kinds = await self._ask(self._kinds())
            if sessions or kinds:
                await self._seal_all()
        await self.of(envelope.CHECK, make=True)

    async def _kept(self, scope: str) -> bytes | None:
        return await self._ask(cast("Awaitable[bytes | None]", self._redis.hget(self._names.data_keys, scope)))

    async def _kinds(self) -> list[bytes]:
        return [one async for one in self._redis.scan_iter(f"{self._names.kind('')}*")]

    async def _seal_all(self) -> None:
        """Seal what was written before there was a key. Raises KeyRefused while another node does it."""
        mine = await self._ask(self._redis.set(self._names.sealing, "1", nx=True, ex=_SEALING_S))
        if not mine:
            raise KeyRefused("Another node is encrypting the log.", mend="Try again in a minute.")
        found = await self._ask(cast("Awaitable[list[bytes]]", self._redis.lrange(self._names.sessions, 0, -1)))
        for name in found:
            _, events, audio, _ = self._names.parts(name.decode())
            for stream in (events, audio):
                await self._seal_stream(name.decode(), stream)
        for hash_key in await self._ask(self._kinds()):
            await self._seal_records(hash_key)
        await self._compact()

    async def _seal_records(self, hash_key: bytes) -> None:
        kind = hash_key.decode().removeprefix(self._names.kind(""))
        found = await self._ask(cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(hash_key)))
        key = await self.of(envelope.records_scope(kind), make=True)
        for name, kept in found.items():
            version, _, plain = kept.partition(b"\n")
            sealed = envelope.seal_record(key, kind, name.decode(), plain.decode())
            await self._ask(self._redis.hset(hash_key, name, version + b"\n" + sealed))

    async def _seal_stream(self, session: str, stream: str) -> None:
        """Written anew beside the old one, which it then replaces."""
        key, at = await self.of(envelope.session_scope(session), make=True), "-"
        sealed = f"{stream}:sealed"
        await self._ask(self._redis.delete(sealed))
        while entries := cast("_Entries", await self._ask(self._redis.xrange(stream, at, "+", _BATCH))):
            pipeline = self._redis.pipeline(transaction=False)
            for name, fields in entries:
                kind, plain = redis_scripts.content(fields)
                number = int(name.partition(b"-")[0])
                whole: dict[Any, Any] = {"k": kind, "s": envelope.seal_event(key, session, number, plain)}
                pipeline.xadd(sealed, whole, id=name)
                at = f"({number}-0"
            await self._ask(pipeline.execute())
        if await self._ask(self._redis.exists(sealed)):
            await self._ask(self._redis.rename(sealed, stream))
