"""A pool of threads that knows how long they have worked."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class BusyPool(ThreadPoolExecutor):
    """As the standard one; `busy_s` is the time that a thread of it has worked, in the mean over all."""

    def __init__(self, threads: int, name: str) -> None:
        super().__init__(threads, name)
        self._threads_count = threads
        self._threads_s = 0.0
        self._counting = threading.Lock()

    @property
    def busy_s(self) -> float:
        """Seconds since the start in which a thread was at work, waiting for a core included."""
        return self._threads_s / self._threads_count

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As the standard one."""
        return super().submit(self._timed, fn, *args, **kwargs)

    def _timed(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        try:
            return fn(*args, **kwargs)
        finally:
            with self._counting:
                self._threads_s += time.monotonic() - began


def busy_s(pool: Executor) -> float:
    """How long a thread of the pool has worked; 0 for a pool that does not know."""
    return pool.busy_s if isinstance(pool, BusyPool) else 0.0
