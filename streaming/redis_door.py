"""The connection to Redis: the one door to the library. Its errors come out as ours."""

import asyncio
import logging
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import RedisError, ResponseError

from streaming import lease_scripts
from streaming.errors import Fenced, Overtaken, StoreFailed

log = logging.getLogger("sameday.store")

_T = TypeVar("_T")
_COMPACT_EACH_S = 1.0
_COMPACT_TRIES = 300
_COMPACT_LAST_S = 5.0
"""A command that ends waits for so long, so that `sameday purge` is true to its word."""
_NOT_COMPACTED = "Redis did not write its file anew: what was deleted stands in it until it does"
Script = AsyncScript
"""A script that the server knows; called with `keys` and `args`."""


class RedisDoor:
    """Connects at first use. A command is never sent twice. Raises StoreFailed for an address that is none."""

    def __init__(self, url: str, timeout_s: float) -> None:
        with _failures():
            self.redis = redis.asyncio.Redis.from_url(
                url,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
            )
        self._pending: set[asyncio.Future[Any]] = set()
        self._deletions = 0
        self._compacted = 0
        """How many of the deletions Redis' file no longer holds, or soon will not."""
        self._compacting: asyncio.Task[None] | None = None

    async def ask(self, command: Awaitable[_T]) -> _T:
        """A command's answer. Raises StoreFailed, Fenced, Overtaken.

        Waited for by `close`, and finished even where the caller is cancelled: its connection stays in order.
        """
        task = asyncio.ensure_future(self._sent(command))
        self._pending.add(task)
        task.add_done_callback(self._finished)
        with _failures():
            return await asyncio.shield(task)

    async def _sent(self, command: Awaitable[_T]) -> _T:
        try:
            return await command
        except RedisGone:
            # Those that rest are broken too, and the library does not notice where they were reset: each would cost
            # a command of its own, some of them when Redis has long been back.
            with suppress(RedisError, OSError):
                await self.redis.connection_pool.disconnect(inuse_connections=False)
            raise

    async def compact(self) -> None:
        """Have Redis write its file of writes anew, in which what was deleted stands until then.

        A rewriting that is under way may have begun before the deletion, and Redis refuses a second one beside it:
        then it is asked again, after this has returned. Never raises; what does not come about is logged.
        """
        self._deletions += 1
        await self._begin_anew()
        if self._compacted < self._deletions and (self._compacting is None or self._compacting.done()):
            self._compacting = asyncio.create_task(self._compact_later())

    async def _begin_anew(self) -> None:
        deletions = self._deletions  # those that come while it is asked for may be too late for it
        with suppress(StoreFailed):
            await self.ask(self.redis.bgrewriteaof())
            self._compacted = max(self._compacted, deletions)

    async def _compact_later(self) -> None:
        for _ in range(_COMPACT_TRIES):
            await asyncio.sleep(_COMPACT_EACH_S)
            if self._compacted < self._deletions:
                await self._begin_anew()
            if self._compacted >= self._deletions:
                return
        log.error(_NOT_COMPACTED)

    async def close(self) -> None:
        """Finish what was sent, and disconnect."""
        if self._pending:  # first, since what ends there may have something to compact
            await asyncio.wait(self._pending)
        if self._compacting is not None:
            await asyncio.wait({self._compacting}, timeout=_COMPACT_LAST_S)
            if self._compacting.cancel():
                log.error(_NOT_COMPACTED)
        if self._pending:
            await asyncio.wait(self._pending)
        await self.redis.aclose()

    def _finished(self, task: asyncio.Future[Any]) -> None:
        self._pending.discard(task)
        if not task.cancelled():
            task.exception()  # seen, where the caller was cancelled and nobody else looks at it


@contextmanager
def _failures() -> Iterator[None]:
    """Redis's and the network's errors as StoreFailed, by kind: their texts may quote an address or an argument."""
    try:
        yield
    except (RedisError, OSError, ValueError) as error:
        if isinstance(error, ResponseError) and str(error).startswith(lease_scripts.FENCED):
            raise Fenced("Another node has this session.", mend="Connect again.") from None
        if isinstance(error, ResponseError) and str(error).startswith(lease_scripts.OVERTAKEN):
            raise Overtaken() from None
        raise StoreFailed(
            f"Redis could not be used ({type(error).__name__}).",
            mend="It must run, be reachable, have memory and let this user in; CONFIG GET is among what is used.",
        ) from None
