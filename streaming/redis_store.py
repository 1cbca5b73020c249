"""The log in Redis streams, and records in hashes: the store of several nodes. The one door to redis.

A session has two streams, its events and its audio, with the sequence number as the entry's id (`7-0`), and a
counter. An append is one Lua script, so it happens whole or not at all and numbers stay dense whoever else writes.
Durable means: the server runs with `appendonly yes` and `appendfsync always`, where it replies only after fsync
(redis.io/docs/latest/operate/oss_and_stack/management/persistence); a server that does not is refused.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streaming import record_json
from streaming.errors import StoreFailed
from streaming.events import AudioSpan, Event, NoteDrafted, SessionEnded, Stored, encode, restore
from streaming.ports import Record

_BATCH = 256

# KEYS: counter, events, audio, list of sessions. ARGV: the session, then per event its JSON and its samples, which
# are not empty only for audio; an audio span of no samples is marked by the third of each.
_APPEND = """
local count = (#ARGV - 1) / 3
local head = redis.call('INCRBY', KEYS[1], count)
local first = head - count
if first == 0 then redis.call('RPUSH', KEYS[4], ARGV[1]) end
for i = 1, count do
  local id = string.format('%.0f-0', first + i)
  local body, samples, is_audio = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
  if is_audio == '1' then
    redis.call('XADD', KEYS[3], id, 'e', body, 'a', samples)
  else
    redis.call('XADD', KEYS[2], id, 'e', body)
  end
end
return head
"""

# A record is a field of its kind's hash: its version, a line feed, its JSON. KEYS: the hash. ARGV: key, the version
# it must have or "", the JSON or "" to remove it. Gives the version written or removed, and -1 minus the stored one
# where that is another.
_CHANGE_RECORD = """
local found = redis.call('HGET', KEYS[1], ARGV[1])
local stored = found and tonumber(string.match(found, '^%d+')) or 0
if ARGV[2] ~= '' and tonumber(ARGV[2]) ~= stored and (stored > 0 or ARGV[3] ~= '') then return -1 - stored end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return stored
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', stored + 1) .. '\\n' .. ARGV[3])
return stored + 1
"""

_Entries = list[tuple[bytes, dict[bytes, bytes]]]
_T = TypeVar("_T")


class RedisStore:
    """Implements `ports.Store`; connects at first use. For one Redis server, not for a Redis cluster.

    A command is never sent twice, since an append that was applied but whose reply was lost would be applied again:
    where the connection breaks, StoreFailed is raised, and what was sent may or may not be in the log.
    """

    def __init__(self, url: str, *, prefix: str = "sameday", timeout_s: float = 5.0) -> None:
        with _failures():
            self._redis = redis.asyncio.Redis.from_url(
                url,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
            )
        self._prefix = prefix
        self._append_script = self._redis.register_script(_APPEND)
        self._record_script = self._redis.register_script(_CHANGE_RECORD)
        self._checked = False
        self._closed = False
        self._pending: set[asyncio.Future[Any]] = set()

    async def append(self, session: str, events: Sequence[Event]) -> int:
        await self._ready()
        if not events:
            return await self._head(session)
        arguments: list[str | bytes] = [session]
        for event in events:
            body, samples = encode(event)
            arguments += [body, samples, "1" if isinstance(event, AudioSpan) else "0"]
        keys = [self._key(session, "head"), self._key(session, "events"), self._key(session, "audio")]
        return int(await self._ask(self._append_script(keys=[*keys, self._sessions_key], args=arguments)))

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
        await self._ask(cast("Awaitable[Any]", self._redis.delete(self._key(session, "audio"))))

    async def sessions(self) -> list[str]:
        await self._ready()
        found = await self._ask(cast("Awaitable[list[bytes]]", self._redis.lrange(self._sessions_key, 0, -1)))
        return [entry.decode() for entry in found]

    async def left_open(self) -> list[str]:
        found = []
        for name in await self.sessions():
            kinds = {type(stored.event) async for stored in self.replay(name)}
            if not kinds >= {SessionEnded, NoteDrafted}:
                found.append(name)
        return found

    async def with_audio(self) -> list[str]:
        names = await self.sessions()
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.exists(self._key(name, "audio"))
        held = await self._ask(pipeline.execute())
        return [name for name, found in zip(names, held, strict=True) if found]

    async def change_record(self, kind: str, key: str, version: int | None, text: str) -> int:
        """For `RedisRecords`: what `_CHANGE_RECORD` says. Raises StoreFailed."""
        await self._ready()
        arguments = [key, "" if version is None else str(version), text]
        return int(await self._ask(self._record_script(keys=[self._kind_key(kind)], args=arguments)))

    async def record(self, kind: str, key: str) -> bytes | None:
        """For `RedisRecords`: version and JSON of one. Raises StoreFailed."""
        await self._ready()
        return await self._ask(cast("Awaitable[bytes | None]", self._redis.hget(self._kind_key(kind), key)))

    async def records(self, kind: str) -> dict[bytes, bytes]:
        """For `RedisRecords`: versions and JSON of a kind, by key. Raises StoreFailed."""
        await self._ready()
        return await self._ask(cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(self._kind_key(kind))))

    async def close(self) -> None:
        self._closed = True
        if self._pending:
            await asyncio.wait(self._pending)
        await self._redis.aclose()

    async def _window(self, session: str, first: int, last: int, audio: bool) -> list[Stored]:
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xrange(self._key(session, "events"), f"{first}-0", f"{last}-0")
        if audio:
            pipeline.xrange(self._key(session, "audio"), f"{first}-0", f"{last}-0")
        streams: list[_Entries] = await self._ask(pipeline.execute())
        entries = [(int(entry.partition(b"-")[0]), fields) for stream in streams for entry, fields in stream]
        return [
            restore(sequence, fields[b"e"].decode(), fields.get(b"a", b""))
            for sequence, fields in sorted(entries, key=lambda entry: entry[0])
        ]

    async def _head(self, session: str) -> int:
        return int(await self._ask(cast("Awaitable[Any]", self._redis.get(self._key(session, "head")))) or 0)

    async def _ready(self) -> None:
        """Before the first use: what the server would lose must not be called durable."""
        if self._closed:
            raise StoreFailed("The store is closed.")
        if self._checked:
            return
        found = await self._ask(self._redis.config_get("append*"))
        memory = await self._ask(self._redis.config_get("maxmemory*"))
        if found.get("appendonly") != "yes" or found.get("appendfsync") != "always":
            raise StoreFailed(
                "Redis would lose acknowledged audio if it stopped.",
                mend="Set `appendonly yes` and `appendfsync always` in its configuration.",
            )
        if memory.get("maxmemory", "0") != "0" and memory.get("maxmemory-policy") != "noeviction":
            raise StoreFailed("Redis may evict sessions.", mend="Set `maxmemory-policy noeviction`.")
        self._checked = True

    async def _ask(self, command: Awaitable[_T]) -> _T:
        """Waited for by `close`, and finished even where the caller is cancelled: its connection stays in order."""
        task = asyncio.ensure_future(command)
        self._pending.add(task)
        task.add_done_callback(self._finished)
        with _failures():
            return await asyncio.shield(task)

    def _finished(self, task: asyncio.Future[Any]) -> None:
        self._pending.discard(task)
        if not task.cancelled():
            task.exception()  # seen, where the caller was cancelled and nobody else looks at it

    @property
    def _sessions_key(self) -> str:
        return f"{self._prefix}:sessions"

    def _kind_key(self, kind: str) -> str:
        return f"{self._prefix}:records:{kind}"

    def _key(self, session: str, part: str) -> str:
        return f"{self._prefix}:session:{session}:{part}"


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
        return _record(kind, key, found)

    async def all(self, kind: str) -> list[Record]:
        found = await self._store.records(kind)
        return sorted((_record(kind, key.decode(), text) for key, text in found.items()), key=lambda one: one.key)

    async def remove(self, kind: str, key: str, *, version: int | None = None) -> None:
        stored = await self._store.change_record(kind, key, version, "")
        if stored == 0:
            raise record_json.unknown()
        if stored < 0:
            raise record_json.conflict(~stored)


def _record(kind: str, key: str, found: bytes) -> Record:
    version, _, text = found.decode().partition("\n")
    return record_json.restore(kind, key, int(version), text)


@contextmanager
def _failures() -> Iterator[None]:
    """Redis's and the network's errors as StoreFailed, by kind: their texts may quote an address or an argument."""
    try:
        yield
    except (RedisError, OSError, ValueError) as error:
        raise StoreFailed(
            f"Redis could not be used ({type(error).__name__}).",
            mend="It must run, be reachable, have memory and let this user in; CONFIG GET is among what is used.",
        ) from None
