"""What a server that starts does with logs that an earlier one left."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from store_contract import span, started

from streaming.events import NoteDrafted, SessionEnded
from streaming.memory_store import MemoryStore
from streaming.scheduler import Counts
from streaming.session_engines import Engines
from streaming.sessions import Sessions
from streaming.settings import Settings

pytestmark = pytest.mark.unit
ENDED = SessionEnded("2026-01-31T10:50:00+01:00", "requested", ())
NOTED = NoteDrafted({"format": "soap"})


async def taken_up(store: MemoryStore, **settings: Any) -> Sessions:
    """The sessions after a start over this store; none of the logs needs an engine."""
    engines = SimpleNamespace(scheduler=SimpleNamespace(counts=Counts()))
    sessions = Sessions(cast("Engines", engines), store, Settings(**settings))
    ready = asyncio.Event()
    running = asyncio.create_task(sessions.run(ready))
    await ready.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return sessions


async def test_audio_that_was_worked_off_is_deleted_and_no_other() -> None:
    store = MemoryStore(audio_ticks=None)
    await store.append("over", [started(), span(0), ENDED, NOTED])
    await store.append("unreadable", [span(0)])  # a log without its start cannot be taken up
    sessions = await taken_up(store)
    assert await store.with_audio() == ["unreadable"]
    assert sessions.all_live == []


async def test_a_practice_that_keeps_audio_keeps_it() -> None:
    store = MemoryStore(audio_ticks=None)
    await store.append("over", [started(), span(0), ENDED, NOTED])
    await taken_up(store, keep_audio=True)
    assert await store.with_audio() == ["over"]
