"""Windows of many sessions in batches, finals first; a window fails alone."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from streaming.errors import RecognizerFailed
from streaming.ports import Hypothesis, Window
from streaming.scheduler import RecognitionScheduler
from streaming.types import Tick, Word

pytestmark = pytest.mark.unit


class Scripted:
    """Says each window's start; fails on those whose start is in `bad`."""

    name = "scripted"
    max_window_ticks = 16_000
    max_batch = 4

    def __init__(self, bad: set[int] | None = None) -> None:
        self.bad = bad or set()
        self.batches: list[list[int]] = []

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        self.batches.append([window.start for window in windows])
        if any(window.start in self.bad for window in windows):
            raise RuntimeError("what an engine says may hold content")
        return [
            Hypothesis((Word(window.start, Tick(window.start + 1), str(window.start), 1.0),)) for window in windows
        ]


def window(start: int) -> Window:
    return Window(Tick(start), np.zeros(16, np.int16))


async def served(recognizer: Scripted, wanted: list[tuple[int, bool]]) -> list[str]:
    """What each (start, final) window gave: its words, or the error's code."""
    with ThreadPoolExecutor(1) as thread:
        scheduler = RecognitionScheduler(recognizer, thread)
        jobs = [scheduler.submit(window(start), final=final) for start, final in wanted]
        serving = asyncio.create_task(scheduler.run())
        outcomes = await asyncio.gather(*(job.result for job in jobs), return_exceptions=True)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    return [
        outcome.code if isinstance(outcome, RecognizerFailed) else outcome[0].text  # type: ignore[index]
        for outcome in outcomes
    ]


async def test_each_window_gets_its_own_words() -> None:
    assert await served(Scripted(), [(n, True) for n in range(10)]) == [str(n) for n in range(10)]


async def test_windows_go_in_batches_of_at_most_the_engines_size() -> None:
    recognizer = Scripted()
    await served(recognizer, [(n, True) for n in range(10)])
    assert [len(batch) for batch in recognizer.batches] == [4, 4, 2]


async def test_final_windows_go_before_tentative_ones() -> None:
    recognizer = Scripted()
    await served(recognizer, [(1, False), (2, True), (3, False), (4, True), (5, True), (6, True)])
    assert recognizer.batches == [[2, 4, 5, 6], [1, 3]]


async def test_a_window_fails_alone_and_without_the_engines_text() -> None:
    assert await served(Scripted(bad={2}), [(1, True), (2, True), (3, True)]) == ["1", "recognizer_failed", "3"]
    with ThreadPoolExecutor(1) as thread:
        scheduler = RecognitionScheduler(Scripted(bad={2}), thread)
        job = scheduler.submit(window(2), final=True)
        serving = asyncio.create_task(scheduler.run())
        with pytest.raises(RecognizerFailed) as failed:
            await job.result
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert "content" not in str(failed.value)
    assert failed.value.__cause__ is None


async def test_an_engine_that_answers_too_little_fails_its_windows_and_serves_on() -> None:
    class Short(Scripted):
        def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
            return super().recognize(windows)[1:]

    assert await served(Short(), [(1, True), (2, True)]) == ["recognizer_failed", "recognizer_failed"]


async def test_a_window_nobody_waits_for_is_not_recognized() -> None:
    recognizer = Scripted()
    with ThreadPoolExecutor(1) as thread:
        scheduler = RecognitionScheduler(recognizer, thread)
        stale, wanted = scheduler.submit(window(1), final=False), scheduler.submit(window(2), final=False)
        assert stale.withdraw()
        serving = asyncio.create_task(scheduler.run())
        await wanted.result
        assert not wanted.withdraw()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert recognizer.batches == [[2]]
