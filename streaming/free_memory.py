"""Gives memory that is free within the process back to the machine: the C library would keep it.

What a session's end needs for a second (its note, its clustering) leaves tens of megabytes behind in holes.
"""

import asyncio
import ctypes
from collections.abc import Callable

_LOOK_S = 5.0


async def after_sessions(ended: Callable[[], int]) -> None:
    """Until cancelled: give memory back soon after sessions have ended; `ended` says how many have so far.

    Takes some tens of milliseconds on a thread of its own, in which others seldom wait.
    """
    before = ended()
    while True:
        await asyncio.sleep(_LOOK_S)
        if ended() != before:
            before = ended()
            await asyncio.to_thread(give_back)


def give_back() -> bool:
    """Whether anything could be given back; never where the C library knows no such thing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
