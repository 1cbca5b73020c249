"""Gives memory that is free within the process back to the machine: the C library would keep it.

What is needed for a moment (a clustering of all voices, a note, a window's audio) leaves holes of megabytes between
what stays, and the next such moment makes others: eight sessions left 5 MB an hour of a session's audio.
"""

import asyncio
import ctypes

_EVERY_S = 60.0


async def now_and_then() -> None:
    """Until cancelled: give memory back each minute, on a thread of its own."""
    while True:
        await asyncio.sleep(_EVERY_S)
        await asyncio.to_thread(give_back)


def give_back() -> bool:
    """Whether anything could be given back; never where the C library knows no such thing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
