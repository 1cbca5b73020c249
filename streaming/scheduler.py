"""One recognizer for all sessions: gathers their windows into batches and runs these on a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from streaming.errors import RecognizerFailed
from streaming.fairness import FairQueue
from streaming.ports import Hypothesis, Recognizer, Window
from streaming.types import Tick, Word, seconds

_MOST_TRIES = 2


@dataclass(frozen=True, slots=True)
class SchedulerSettings:
    """`gather_s` is how long a batch that is not full waits for sessions that speak; 0 takes what is there.

    A call that has not come back after `timeout_s` is taken for hung.
    """

    gather_s: float = 0.0
    timeout_s: float = 120.0


@dataclass(eq=False, slots=True)
class Job:
    """A window on its way. `result` gives its words, or RecognizerFailed."""

    window: Window
    owner: str = ""
    """The session, among which the recognizer is shared."""
    result: asyncio.Future[tuple[Word, ...]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    started: bool = False
    tries: int = 0
    """How often the recognizer has failed on it, or has not come back."""

    @property
    def final(self) -> bool:
        """Whether its words stay."""
        return self.window.final

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for it."""
        return not self.result.done()

    @property
    def end_s(self) -> float:
        """Stream time of the window's end."""
        return seconds(Tick(self.window.start + len(self.window.pcm)))

    def withdraw(self) -> bool:
        """Take back a window nobody needs any more. Too late once it is being recognized: then False."""
        if self.started or self.result.done():
            return False
        return self.result.cancel()


@dataclass(slots=True)
class Counts:
    """What has gone through since the start: windows by kind, batches, windows that failed, calls that hung."""

    final: int = 0
    tentative: int = 0
    batches: int = 0
    failed: int = 0
    hung: int = 0
    final_audio_s: float = 0.0
    """Audio of the final windows that were recognized."""
    final_busy_s: float = 0.0
    """What these took; of a batch that held tentative ones too, the share of their audio."""


class RecognitionScheduler:
    """Windows in, words out: final windows before tentative ones, sessions in turn (`fairness.py`).

    A track has at most one window here at a time. A tentative one that is overtaken is withdrawn by its track, which
    then asks for a newer one. A batch that fails is tried again window by window: a window fails alone, and the
    second time. The windows of a call that hangs go back into the queue once, and a fresh thread serves them; never
    is one taken for silence.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        settings: SchedulerSettings | None = None,
        resting: threading.Event | None = None,
    ) -> None:
        """`resting` is set while no batch is being recognized, for others that use the same device."""
        self.recognizer = recognizer
        self._settings = settings or SchedulerSettings()
        self._thread = _thread()
        self._queue: FairQueue[Job] = FairQueue()
        self._news = asyncio.Event()
        self.counts = Counts()
        self._resting = resting or threading.Event()
        self._resting.set()

    @property
    def waiting(self) -> tuple[int, int]:
        """Windows that have not begun, final and tentative."""
        return self._queue.waiting

    def submit(self, window: Window, *, owner: str = "") -> Job:
        """Queue a window of a session; await the job's `result`."""
        job = Job(window, owner)
        self._put(job)
        return job

    def _put(self, job: Job) -> None:
        job.started = False
        self._queue.put(job, time.monotonic())
        self._news.set()

    async def run(self) -> None:
        """Serve until cancelled; then a batch that is being recognized is waited for."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._queue.rest_s(time.monotonic())):
                        await self._news.wait()
                await self._gather()
                self._news.clear()
                while batch := self._next_batch():
                    began = time.monotonic()
                    await self._recognize(batch)
                    self._account(batch, time.monotonic() - began)
        finally:
            self._thread.shutdown()

    async def _gather(self) -> None:
        """The recognizer has nothing to do, and a window has come: others that speak may send theirs by now.

        While it works, windows gather of themselves.
        """
        until = time.monotonic() + self._settings.gather_s
        while (left := until - time.monotonic()) > 0:
            full = sum(self._queue.waiting) >= self.recognizer.max_batch
            if full or not self._queue.expects(time.monotonic()):
                return
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()

    def _account(self, batch: list[Job], took_s: float) -> None:
        ticks = {final: sum(len(job.window.pcm) for job in batch if job.final is final) for final in (True, False)}
        share = ticks[True] / max(1, ticks[True] + ticks[False])
        self.counts.final_audio_s += seconds(Tick(ticks[True]))
        self.counts.final_busy_s += took_s * share
        for job in batch:
            self._queue.done(job.owner, took_s, time.monotonic())

    def _next_batch(self) -> list[Job]:
        batch = self._queue.take(self.recognizer.max_batch, time.monotonic())
        for job in batch:
            job.started = True
        self.counts.batches += bool(batch)
        self.counts.final += sum(job.final for job in batch)
        self.counts.tentative += sum(not job.final for job in batch)
        return batch

    async def _recognize(self, batch: list[Job]) -> None:
        try:
            heard = await self._call([job.window for job in batch])
            answers = [hypothesis.words for _, hypothesis in zip(batch, heard, strict=True)]
        except TimeoutError:
            self.counts.hung += 1
            self._thread.shutdown(wait=False)
            self._thread = _thread()
            for job in batch:
                self._try_again(job, self._put)
            return
        except Exception:
            # Whatever an engine raises, its text may hold content: it goes no further.
            alone: list[Job] = []
            for job in batch:
                self._try_again(job, alone.append)
            for job in alone:
                await self._recognize([job])
            return
        for job, words in zip(batch, answers, strict=True):
            if job.wanted:
                job.result.set_result(words)

    async def _call(self, windows: list[Window]) -> list[Hypothesis]:
        """Run the engine on its thread. Raises TimeoutError where it hangs, RuntimeError where it fails."""
        call = asyncio.get_running_loop().run_in_executor(self._thread, self._run, windows)
        call.add_done_callback(_forget)
        done, _ = await asyncio.wait({call}, timeout=self._settings.timeout_s)
        if not done:
            raise TimeoutError
        if (error := call.exception()) is not None:
            raise RuntimeError(type(error).__name__) from None
        return call.result()

    def _run(self, windows: list[Window]) -> list[Hypothesis]:
        self._resting.clear()
        try:
            return self.recognizer.recognize(windows)
        finally:
            self._resting.set()

    def _try_again(self, job: Job, how: Callable[[Job], None]) -> None:
        job.tries += 1
        if job.tries < _MOST_TRIES:
            how(job)
            return
        self.counts.failed += job.wanted
        if job.wanted:
            job.result.set_exception(RecognizerFailed("The recognizer failed on a window of audio."))


def _thread() -> Executor:
    return ThreadPoolExecutor(1, "recognize")


def _forget(call: "asyncio.Future[list[Hypothesis]]") -> None:
    """What a call fails with after it was given up is nobody's news: asyncio complains of what is not read."""
    if not call.cancelled():
        call.exception()
