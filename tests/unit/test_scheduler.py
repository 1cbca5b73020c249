"""Windows of many sessions in batches, finals first; a window fails alone, and a call that hangs is asked anew."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest

from streaming.errors import RecognizerFailed
from streaming.ports import Hypothesis, Window
from streaming.scheduler import RecognitionScheduler, SchedulerSettings
from streaming.types import Tick, Word

pytestmark = pytest.mark.unit

FOREVER_S = 3600.0


class Scripted:
    """Says each window's start; fails on those whose start is in `bad`, and hangs on those in `stuck` once each."""

    name = "scripted"
    max_window_ticks = 16_000
    max_batch = 4

    def __init__(self, bad: set[int] | None = None, stuck: Sequence[int] = ()) -> None:
        self.bad = bad or set()
        self.stuck = list(stuck)
        self.begun = threading.Event()
        self.freed = threading.Event()
        self.batches: list[list[int]] = []

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        self.batches.append([window.start for window in windows])
        self.begun.set()
        for window in windows:
            if window.start in self.stuck:
                self.stuck.remove(window.start)
                self.freed.wait()
        if any(window.start in self.bad for window in windows):
            raise RuntimeError("what an engine says may hold content")
        return [
            Hypothesis((Word(window.start, Tick(window.start + 1), str(window.start), 1.0),)) for window in windows
        ]


def window(start: int, *, final: bool = True) -> Window:
    return Window(Tick(start), np.zeros(16, np.int16), final=final)


@asynccontextmanager
async def serving(
    recognizer: Scripted, settings: SchedulerSettings | None = None
) -> AsyncIterator[RecognitionScheduler]:
    """A scheduler that begins to serve once the block waits for the first time."""
    scheduler = RecognitionScheduler(recognizer, settings)
    running = asyncio.create_task(scheduler.run())
    try:
        yield scheduler
    finally:
        recognizer.freed.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def served(
    recognizer: Scripted, wanted: list[tuple[int, bool]], settings: SchedulerSettings | None = None
) -> list[str]:
    """What each (start, final) window gave: its words, or the error's code."""
    async with serving(recognizer, settings) as scheduler:
        jobs = [scheduler.submit(window(start, final=final)) for start, final in wanted]
        outcomes = await asyncio.gather(*(job.result for job in jobs), return_exceptions=True)
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
    async with serving(Scripted(bad={2})) as scheduler:
        job = scheduler.submit(window(2))
        with pytest.raises(RecognizerFailed) as failed:
            await job.result
        assert scheduler.counts.failed == 1
    assert "content" not in str(failed.value)
    assert failed.value.__cause__ is None


async def test_an_engine_that_answers_too_little_fails_its_windows_and_serves_on() -> None:
    class Short(Scripted):
        def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
            return super().recognize(windows)[1:]

    assert await served(Short(), [(1, True), (2, True)]) == ["recognizer_failed", "recognizer_failed"]


async def test_a_window_nobody_waits_for_is_not_recognized() -> None:
    recognizer = Scripted()
    async with serving(recognizer) as scheduler:
        stale, wanted = scheduler.submit(window(1, final=False)), scheduler.submit(window(2, final=False))
        assert stale.withdraw()
        await wanted.result
        assert not wanted.withdraw()
    assert recognizer.batches == [[2]]


async def test_windows_of_a_call_that_hangs_are_asked_again_and_get_their_words() -> None:
    recognizer = Scripted(stuck=[2])
    assert await served(recognizer, [(1, True), (2, True)], SchedulerSettings(timeout_s=0.05)) == ["1", "2"]
    assert recognizer.batches == [[1, 2], [1, 2]]


async def test_a_window_that_hangs_twice_has_failed_and_is_no_silence() -> None:
    recognizer = Scripted(stuck=[2, 2])
    settings = SchedulerSettings(timeout_s=0.05)
    assert await served(recognizer, [(2, True)], settings) == ["recognizer_failed"]
    assert await served(recognizer, [(3, True)], settings) == ["3"]


async def test_an_engine_that_raises_a_timeout_of_its_own_has_failed_and_not_hung() -> None:
    class Late(Scripted):
        def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
            raise TimeoutError

    async with serving(Late()) as scheduler:
        with pytest.raises(RecognizerFailed):
            await scheduler.submit(window(1)).result
        assert (scheduler.counts.hung, scheduler.counts.failed) == (0, 1)


async def test_a_batch_waits_for_sessions_that_speak_and_no_longer_than_until_it_is_full() -> None:
    recognizer = Scripted()
    async with serving(recognizer, SchedulerSettings(gather_s=FOREVER_S)) as scheduler:
        first = scheduler.submit(window(0), owner="a")
        await first.result  # nobody else speaks: no reason to wait
        rest = [scheduler.submit(window(1), owner="b")]
        await asyncio.sleep(0)
        assert recognizer.batches == [[0]]  # `a` speaks too and may send its window by now
        rest += [scheduler.submit(window(2), owner="a")]
        await asyncio.gather(*(job.result for job in rest))
        crowd = [scheduler.submit(window(n), owner="c") for n in range(3, 7)]
        await asyncio.gather(*(job.result for job in crowd))  # full, though `a` and `b` have nothing here
    assert recognizer.batches == [[0], [1, 2], [3, 4, 5, 6]]


async def test_a_batch_that_waits_in_vain_goes_on() -> None:
    async with serving(Scripted(), SchedulerSettings(gather_s=0.005)) as scheduler:
        await scheduler.submit(window(0), owner="a").result
        assert (await scheduler.submit(window(1), owner="b").result)[0].text == "1"


async def test_others_on_the_device_can_see_when_it_rests() -> None:
    recognizer, resting = Scripted(stuck=[1]), threading.Event()
    scheduler = RecognitionScheduler(recognizer, resting=resting)
    assert resting.is_set()
    running = asyncio.create_task(scheduler.run())
    job = scheduler.submit(window(1))
    await asyncio.to_thread(recognizer.begun.wait)
    assert not resting.is_set()
    recognizer.freed.set()
    await job.result
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert resting.is_set()
