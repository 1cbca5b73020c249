"""The connection to Redis: the one door to the library. Its errors come out as ours."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError, ResponseError

from streaming import lease_scripts
from streaming.errors import Fenced, StoreFailed

_T = TypeVar("_T")
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

    async def ask(self, command: Awaitable[_T]) -> _T:
        """A command's answer. Raises StoreFailed, Fenced.

        Waited for by `close`, and finished even where the caller is cancelled: its connection stays in order.
        """
        task = asyncio.ensure_future(command)
        self._pending.add(task)
        task.add_done_callback(self._finished)
        with _failures():
            return await asyncio.shield(task)

    async def close(self) -> None:
        """Finish what was sent, and disconnect."""
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
        raise StoreFailed(
            f"Redis could not be used ({type(error).__name__}).",
            mend="It must run, be reachable, have memory and let this user in; CONFIG GET is among what is used.",
        ) from None
