"""One recognizer for all sessions: gathers their windows into batches and runs these on a thread of its own."""

import asyncio
import time
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field

from streaming.errors import RecognizerFailed
from streaming.fairness import FairQueue
from streaming.ports import Recognizer, Window
from streaming.types import Tick, Word, seconds


@dataclass(eq=False, slots=True)
class Job:
    """A window on its way. `result` gives its words, or RecognizerFailed."""

    window: Window
    final: bool
    owner: str = ""
    """The session, among which the recognizer is shared."""
    result: asyncio.Future[tuple[Word, ...]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    started: bool = False
    tried: bool = False
    """Whether the recognizer has failed on it once."""

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
    """What has gone through since the start: windows by kind, batches, and windows that failed."""

    final: int = 0
    tentative: int = 0
    batches: int = 0
    failed: int = 0
    final_audio_s: float = 0.0
    """Audio of the final windows that were recognized."""
    final_busy_s: float = 0.0
    """What these took; of a batch that held tentative ones too, the share of their audio."""


class RecognitionScheduler:
    """Windows in, words out: final windows before tentative ones, sessions in turn (`fairness.py`).

    A track has at most one window here at a time. A tentative one that is overtaken is withdrawn by its track. A
    batch that fails is tried again window by window: a window fails alone, and the second time.
    """

    def __init__(self, recognizer: Recognizer, thread: Executor) -> None:
        self.recognizer = recognizer
        self._thread = thread
        self._queue: FairQueue[Job] = FairQueue()
        self._news = asyncio.Event()
        self.counts = Counts()

    @property
    def waiting(self) -> tuple[int, int]:
        """Windows that have not begun, final and tentative."""
        return self._queue.waiting

    def submit(self, window: Window, *, final: bool, owner: str = "") -> Job:
        """Queue a window of a session; await the job's `result`."""
        job = Job(window, final, owner)
        self._queue.put(job, time.monotonic())
        self._news.set()
        return job

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._queue.rest_s(time.monotonic())):
                    await self._news.wait()
            self._news.clear()
            while batch := self._next_batch():
                began = time.monotonic()
                await self._recognize(batch)
                self._account(batch, time.monotonic() - began)

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
        loop = asyncio.get_running_loop()
        try:
            windows = [job.window for job in batch]
            heard = await loop.run_in_executor(self._thread, self.recognizer.recognize, windows)
            answers = [hypothesis.words for _, hypothesis in zip(batch, heard, strict=True)]
        except Exception:
            # Whatever an engine raises, its text may hold content: it goes no further.
            for job in batch:
                if len(batch) == 1 and job.tried:
                    self.counts.failed += 1
                    _fail(job)
                    return
                job.tried = True
                await self._recognize([job])
            return
        for job, words in zip(batch, answers, strict=True):
            if not job.result.done():
                job.result.set_result(words)


def _fail(job: Job) -> None:
    if not job.result.done():
        job.result.set_exception(RecognizerFailed("The recognizer failed on a window of audio."))
