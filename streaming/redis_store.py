"""The log in Redis streams, and records in hashes: the store of several nodes.

A session has two streams, its events and its audio, with the sequence number as the entry's id (`7-0`), and a
counter. An append is one Lua script, so it happens whole or not at all and numbers stay dense whoever else writes:
it is sealed for the numbers that follow the head as it is known here, and made again where that was another.
Durable means: the server runs with `appendonly yes` and `appendfsync always`, where it replies only after fsync
(redis.io/docs/latest/operate/oss_and_stack/management/persistence); a server that does not is refused.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from streaming import envelope, lease_scripts, redis_scripts
from streaming.errors import Fenced, Overtaken, SessionPurged, StoreFailed
from streaming.events import AudioSpan, Event, NoteDrafted, SessionEnded, Stored
from streaming.ports import Record
from streaming.redis_door import RedisDoor, Script
from streaming.redis_keys import RedisKeys
from streaming.redis_names import Names
from streaming.redis_rewriting import Rewriting
from streaming.redis_scripts import OTHER_HEAD, PURGED
from streaming.survey import REDIS_SCHEMA, check_durable, check_schema
from streaming.vault import DataKey, Vault

_BATCH = 256

_Entries = list[tuple[bytes, dict[bytes, bytes]]]
_T = TypeVar("_T")


class RedisStore:
    """Implements `ports.Store`; connects at first use. For one Redis server, not for a Redis cluster.

    A command is never sent twice, since an append that was applied but whose reply was lost would be applied again:
    where the connection breaks, StoreFailed is raised, and what was sent may or may not be in the log.
    """

    def __init__(
        self, url: str, vault: Vault | None = None, *, prefix: str = "sameday", timeout_s: float = 5.0
    ) -> None:
        self._door = RedisDoor(url, timeout_s)
        self._redis, self._ask = self._door.redis, self._door.ask
        self.compact = self._door.compact
        self._names = Names(prefix)
        self._keys = RedisKeys(self._door, self._names, vault)
        self._heads: dict[str, int] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._append_script = self._redis.register_script(lease_scripts.fenced(redis_scripts.APPEND))
        self._swap_script = self._redis.register_script(lease_scripts.fenced(redis_scripts.SWAP))
        self._purge_script = self._redis.register_script(lease_scripts.fenced(redis_scripts.PURGE))
        self._record_script = self._redis.register_script(redis_scripts.CHANGE_RECORD)
        self._drop_script = self._redis.register_script(lease_scripts.DROP_AUDIO)
        self._epochs: dict[str, int] = {}
        self.on_fenced: Callable[[str], None] = lambda _: None
        """Hears of a session that was to be written here, though another node has it."""
        self._checked = False
        self._checking = asyncio.Lock()
        self._closed = False

    async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
        await self._ready()
        if not events:
            return await self._head(session)
        plain = [
            (envelope.kind_of(event), envelope.plain_event(event), isinstance(event, AudioSpan)) for event in events
        ]
        return await self._ask(self._append(session, plain, on))  # waited for whole, also where it waits for its turn

    async def _append(self, session: str, plain: Sequence[tuple[str, bytes, bool]], on: int | None) -> int:
        async with self._turn(session):
            key = await self._keys.of(envelope.session_scope(session), make=True)
            while True:
                head = await self._known_head(session)
                arguments: list[str | bytes | int] = [session, head]
                for at, (kind, content, audio) in enumerate(plain, head + 1):
                    arguments += [kind, envelope.seal_event(key, session, at, content), "1" if audio else "0"]
                keys = [*self._names.parts(session), self._names.sessions]
                last = self._result(session, await self._fenced(session, self._append_script, keys, arguments, on))
                if last is not None:
                    return last

    async def rewrite(
        self,
        session: str,
        changes: Mapping[int, Event | None],
        then: Sequence[Event] = (),
        *,
        on: int | None = None,
    ) -> int:
        await self._ready()
        if not changes:
            return await self.append(session, then, on=on)
        key = await self._keys.of(envelope.session_scope(session), make=True)
        async with self._turn(session):
            before = await self._rewritten(session)
            while True:
                rewritten, head = await self._rewritten(session), await self._head(session)
                if rewritten != before:  # what is to be put in its place was made of what stands there no more
                    raise Overtaken()
                rewriting = Rewriting(self._door, session, self._names.parts(session)[1:3], key)
                told = rewriting.appended(then, head)
                made = [session, rewritten, head, *await rewriting.make(changes, head), *told]
                if (last := await self._ask(self._swap(session, rewriting, made, on))) is not None:
                    return last

    async def _swap(
        self, session: str, rewriting: Rewriting, arguments: Sequence[str | bytes | int], on: int | None
    ) -> int | None:
        """Waited for whole: what takes its place must not be cleared away before it has it."""
        keys = [*self._names.parts(session), *rewriting.beside, self._names.rewritten]
        try:
            last = self._result(session, await self._fenced(session, self._swap_script, keys, arguments, on))
        finally:
            await rewriting.clear()
        if last is not None:
            await self._door.compact()
        return last

    async def purge(self, session: str, receipt: Event, *, on: int | None = None) -> int:
        await self._ready()
        scope = envelope.session_scope(session)
        async with self._turn(session):
            while True:
                head = await self._head(session)
                key, wrapped = self._keys.fresh(scope)
                sealed = envelope.seal_event(key, session, head + 1, envelope.plain_event(receipt))
                arguments: list[str | bytes | int] = [head, scope, wrapped, envelope.kind_of(receipt), sealed]
                keys = [*self._names.parts(session), self._names.data_keys]
                last = self._result(session, await self._fenced(session, self._purge_script, keys, arguments, on))
                if last is not None:
                    await self._door.compact()
                    return last

    async def rewrap(self) -> int:
        await self._ready()
        return await self._keys.rewrap()

    async def replay(self, session: str, after: int = 0, *, audio: bool = False) -> AsyncIterator[Stored]:
        await self._ready()
        head = await self._head(session)
        while after < head:
            # A window of sequence numbers, so that two streams are merged without looking ahead in either.
            last = min(after + _BATCH, head)
            for stored in await self._window(session, after + 1, last, audio):
                yield stored
            after = last

    async def drop_audio(self, session: str) -> None:
        await self._ready()
        if await self._fenced(session, self._drop_script, [self._names.session(session, "audio")], []):
            await self._door.compact()

    async def sessions(self) -> list[str]:
        await self._ready()
        found = await self._ask(cast("Awaitable[list[bytes]]", self._redis.lrange(self._names.sessions, 0, -1)))
        return [entry.decode() for entry in found]

    async def left_open(self) -> list[str]:
        found = []
        for name in await self.sessions():
            if await self._ask(self._redis.exists(self._names.session(name, "purged"))):
                continue
            kinds = {type(stored.event) async for stored in self.replay(name)}
            if not kinds >= {SessionEnded, NoteDrafted}:
                found.append(name)
        return found

    async def with_audio(self) -> list[str]:
        names = await self.sessions()
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.exists(self._names.session(name, "audio"))
        held = await self._ask(pipeline.execute())
        return [name for name, found in zip(names, held, strict=True) if found]

    async def change_record(self, kind: str, key: str, version: int | None, text: str) -> int:
        """For `RedisRecords`: what `redis_scripts.CHANGE_RECORD` says. Raises StoreFailed."""
        await self._ready()
        sealed = b""
        if text:
            data_key = await self._keys.of(envelope.records_scope(kind), make=True)
            sealed = envelope.seal_record(data_key, kind, key, text)
        arguments: list[str | bytes] = [key, "" if version is None else str(version), sealed]
        return int(await self._ask(self._record_script(keys=[self._names.kind(kind)], args=arguments)))

    async def record(self, kind: str, key: str) -> Record | None:
        """For `RedisRecords`: one of a kind. Raises StoreFailed."""
        await self._ready()
        found = await self._ask(cast("Awaitable[bytes | None]", self._redis.hget(self._names.kind(kind), key)))
        return (
            None
            if found is None
            else _record(await self._keys.to_read(envelope.records_scope(kind)), kind, key, found)
        )

    async def records(self, kind: str) -> list[Record]:
        """For `RedisRecords`: all of a kind. Raises StoreFailed."""
        await self._ready()
        found = await self._ask(cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(self._names.kind(kind))))
        data_key = await self._keys.to_read(envelope.records_scope(kind)) if found else None
        return [_record(data_key, kind, key.decode(), text) for key, text in found.items()]

    def hold(self, session: str, epoch: int | None) -> None:
        """For `nodes.Nodes`: write a session under the epoch of its lease from now on, or without one."""
        if epoch is None:
            self._epochs.pop(session, None)
        else:
            self._epochs[session] = epoch

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        """For `nodes.Nodes`: run a script on keys of the store's own. Raises StoreFailed."""
        await self._ready()
        called = self._redis.register_script(script)
        return await self._ask(called(keys=[f"{self._names.prefix}:{key}" for key in keys], args=list(arguments)))

    async def _fenced(
        self,
        session: str,
        script: Script,
        keys: list[str],
        arguments: Sequence[str | bytes | int],
        on: int | None = None,
    ) -> Any:
        """Run a `lease_scripts.fenced` script. Raises Fenced, Overtaken, StoreFailed."""
        while True:
            epoch = self._epochs.get(session)
            fence = f"{session} {'-' if epoch is None else epoch} {'-' if on is None else on}"
            try:
                return await self._ask(script(keys=[*keys, self._names.leases], args=[*arguments, fence]))
            except Fenced:
                if self._epochs.get(session) == epoch:  # else the lease was taken or dropped meanwhile
                    self.on_fenced(session)
                    raise

    async def close(self) -> None:
        self._closed = True
        await self._door.close()

    async def _window(self, session: str, first: int, last: int, audio: bool) -> list[Stored]:
        scope = envelope.session_scope(session)
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hget(self._names.data_keys, scope)
        pipeline.xrange(self._names.session(session, "events"), f"{first}-0", f"{last}-0")
        if audio:
            pipeline.xrange(self._names.session(session, "audio"), f"{first}-0", f"{last}-0")
        found: list[Any] = await self._ask(pipeline.execute())
        wrapped: bytes | None = found[0]
        streams: list[_Entries] = found[1:]
        entries = [(int(entry.partition(b"-")[0]), fields) for stream in streams for entry, fields in stream]
        key = await self._keys.opened(scope, wrapped) if entries else None
        if audio:
            return await asyncio.to_thread(_opened, key, session, entries)
        return _opened(key, session, entries)

    def _turn(self, session: str) -> asyncio.Lock:
        """Appends of this process are sealed one after another, or each would be sealed for the same numbers."""
        return self._turns.setdefault(session, asyncio.Lock())

    async def _known_head(self, session: str) -> int:
        if session not in self._heads:
            self._heads[session] = await self._head(session)
        return self._heads[session]

    def _result(self, session: str, result: Any) -> int | None:
        """The last number of what was written; None where the head was another. Raises SessionPurged."""
        number = int(result)
        if number == PURGED:
            self._heads.pop(session, None)
            raise _purged()
        self._heads[session] = number if number >= 0 else OTHER_HEAD - number
        return number if number >= 0 else None

    async def _head(self, session: str) -> int:
        return int(
            await self._ask(cast("Awaitable[Any]", self._redis.get(self._names.session(session, "head")))) or 0
        )

    async def _rewritten(self, session: str) -> int:
        """How often a session was rewritten."""
        return int(await self._ask(cast("Awaitable[Any]", self._redis.hget(self._names.rewritten, session))) or 0)

    async def _ready(self) -> None:
        """Before the first use: what the server would lose must not be called durable."""
        if self._closed:
            raise StoreFailed("The store is closed.")
        async with self._checking:
            await self._check()

    async def _check(self) -> None:
        if self._checked:
            return
        await check_durable(self._door)
        await check_schema(self._door, self._names.prefix)
        await self._keys.open()
        await self._ask(self._redis.set(self._names.schema, REDIS_SCHEMA, nx=True))
        self._checked = True


def _opened(key: DataKey | None, session: str, entries: list[tuple[int, dict[bytes, bytes]]]) -> list[Stored]:
    return [
        envelope.open_event(key, session, sequence, redis_scripts.content(fields)[1])
        for sequence, fields in sorted(entries, key=lambda entry: entry[0])
    ]


def _record(data_key: DataKey | None, kind: str, key: str, found: bytes) -> Record:
    version, _, sealed = found.partition(b"\n")
    return envelope.open_record(data_key, kind, key, int(version), sealed)


def _purged() -> SessionPurged:
    return SessionPurged("The session was deleted for good.", mend="Nothing more can be written to it.")
