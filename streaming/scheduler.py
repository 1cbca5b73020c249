"""One recognizer for all sessions: gathers their windows into batches and runs these on a thread of its own."""

import asyncio
from collections import deque
from concurrent.futures import Executor
from dataclasses import dataclass, field

from streaming.errors import RecognizerFailed
from streaming.ports import Recognizer, Window
from streaming.types import Word


@dataclass(eq=False, slots=True)
class Job:
    """A window on its way. `result` gives its words, or RecognizerFailed."""

    window: Window
    final: bool
    result: asyncio.Future[tuple[Word, ...]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    started: bool = False

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


class RecognitionScheduler:
    """Windows in, words out: final windows before tentative ones, each kind in order of arrival.

    A track has at most one window here at a time, so no session can crowd out the others. A batch that fails is
    tried window by window: a window fails alone.
    """

    def __init__(self, recognizer: Recognizer, thread: Executor) -> None:
        self.recognizer = recognizer
        self._thread = thread
        self._finals: deque[Job] = deque()
        self._partials: deque[Job] = deque()
        self._news = asyncio.Event()
        self.counts = Counts()

    @property
    def waiting(self) -> tuple[int, int]:
        """Windows that have not begun, final and tentative."""
        return len(self._finals), len(self._partials)

    def submit(self, window: Window, *, final: bool) -> Job:
        """Queue a window; await the job's `result`."""
        job = Job(window, final)
        (self._finals if final else self._partials).append(job)
        self._news.set()
        return job

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            while batch := self._next_batch():
                await self._recognize(batch)

    def _next_batch(self) -> list[Job]:
        batch: list[Job] = []
        for queue in (self._finals, self._partials):
            while queue and len(batch) < self.recognizer.max_batch:
                job = queue.popleft()
                if not job.result.done():
                    job.started = True
                    batch.append(job)
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
            if len(batch) == 1:
                self.counts.failed += 1
                _fail(batch[0])
                return
            for job in batch:
                await self._recognize([job])
            return
        for job, words in zip(batch, answers, strict=True):
            if not job.result.done():
                job.result.set_result(words)


def _fail(job: Job) -> None:
    if not job.result.done():
        job.result.set_exception(RecognizerFailed("The recognizer failed on a window of audio."))
