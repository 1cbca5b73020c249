"""Doing a step again where somebody else was quicker: what nodes share is changed only as it was read."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from streaming.errors import Conflict, Overtaken

_TRIES = 8
"""Of those who change a thing at the same moment one always comes through: so many may be before this one."""
_T = TypeVar("_T")


async def until_through(
    step: Callable[[], Awaitable[_T]], overtaken: tuple[type[Exception], ...] = (Overtaken, Conflict)
) -> _T:
    """Do a step, which reads all that it goes by itself, until it is not overtaken; at last that is raised."""
    for _ in range(_TRIES - 1):
        try:
            return await step()
        except overtaken:
            continue
    return await step()
