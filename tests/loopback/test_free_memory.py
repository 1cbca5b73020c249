"""Memory that is free within the process goes back to the machine."""

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest

from streaming import free_memory

pytestmark = pytest.mark.loopback


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_holes_go_back_and_what_is_held_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    # Pieces too small to be given back by themselves, each second one of which stays: 60 MB of holes.
    pieces = [np.ones(60_000, np.uint8) for _ in range(2000)]
    del pieces[::2]
    holey = _resident()
    monkeypatch.setattr(free_memory, "_EVERY_S", 0.01)
    tidying = asyncio.create_task(free_memory.now_and_then())
    for _ in range(500):
        await asyncio.sleep(0.01)
        if given := max(0, holey - _resident() - 40_000_000):
            break
    tidying.cancel()
    await asyncio.gather(tidying, return_exceptions=True)
    assert given
    assert all(piece.all() for piece in pieces)
