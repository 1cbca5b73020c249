"""Readers of a session's log: all of it, in order, however slow they are."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from streaming import session_log
from streaming.errors import StoreFailed
from streaming.events import AudioSpan, Event, GapMarked, SessionStarted, Stored
from streaming.memory_store import MemoryStore
from streaming.session_log import SessionLog
from streaming.types import Gap, Tick, TrackId

pytestmark = pytest.mark.unit


def gap(number: int) -> GapMarked:
    return GapMarked(Gap(TrackId("mic"), Tick(number), Tick(number + 1), "packet_loss"))


async def everything(log: SessionLog, after: int = 0) -> list[Stored | dict[str, Any]]:
    return [news async for news in log.follow(after)]


def numbers(news: list[Stored | dict[str, Any]]) -> list[int]:
    return [one.sequence for one in news if isinstance(one, Stored)]


async def test_a_reader_from_the_start_and_one_from_the_middle_see_the_same_tail() -> None:
    log = SessionLog("s", MemoryStore())
    early = asyncio.create_task(everything(log))
    for number in range(5):
        await log.append(gap(number))
        await asyncio.sleep(0)
    late = asyncio.create_task(everything(log, after=3))
    await asyncio.sleep(0)
    await log.append(gap(5), gap(6))
    await log.finish()
    assert numbers(await early) == [1, 2, 3, 4, 5, 6, 7]
    assert numbers(await late) == [4, 5, 6, 7]


async def test_what_passes_is_replaced_by_what_is_newer() -> None:
    log = SessionLog("s", MemoryStore())
    for count in range(100):
        await log.pass_on("partial mic", {"type": "partial", "count": count})
    await log.pass_on("lag", {"type": "lag"})
    reader = asyncio.create_task(everything(log))
    await asyncio.sleep(0.01)
    await log.finish()
    news = await reader
    assert [one for one in news if isinstance(one, dict)] == [{"type": "partial", "count": 99}, {"type": "lag"}]


async def test_a_reader_of_a_finished_log_comes_to_its_end() -> None:
    log = SessionLog("s", MemoryStore())
    await log.append(SessionStarted("2026-01-31T10:00:00+00:00", (), ("client",)))
    await log.finish()
    assert numbers(await asyncio.wait_for(everything(log), 1.0)) == [1]


async def test_an_append_that_ends_with_audio_leaves_readers_at_rest() -> None:
    log = SessionLog("s", MemoryStore(audio_ticks=None))
    await log.append(gap(0), AudioSpan(TrackId("mic"), Tick(1), np.zeros(10, np.int16)))
    assert log.state.last_event == 1
    reader = asyncio.create_task(everything(log))
    await asyncio.sleep(0.01)
    await log.finish()
    assert numbers(await asyncio.wait_for(reader, 1.0)) == [1]


async def test_a_store_that_is_away_for_a_moment_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_log, "_FIRST_DELAY_S", 0.001)

    class Hiccup(MemoryStore):
        failures = 3

        async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
            self.failures -= 1
            if self.failures >= 0:
                raise StoreFailed("The log could not be written.")
            return await super().append(session, events, on=on)

    log = SessionLog("s", Hiccup())
    assert await log.append_surely(gap(0)) == 1
    monkeypatch.setattr(session_log, "_PATIENCE_S", 0.0)
    away = Hiccup()
    with pytest.raises(StoreFailed):
        await SessionLog("s", away).append_surely(gap(0))


async def test_the_state_follows_the_log() -> None:
    log = SessionLog("s", MemoryStore())
    await log.append(SessionStarted("2026-01-31T10:00:00+00:00", (), ("client",)), gap(0))
    assert log.state.consents.present == ["client"]
    assert len(log.state.gaps) == 1
    assert log.state.last_event == 2
