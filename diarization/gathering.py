"""Questions from many threads, answered together: what several sessions ask of a model at once is one call of it."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")

_PATIENCE_S = 0.5
"""The longest wait for a turn: whoever is waited for may never rest, and a window a second a session is due."""


class Gathering(Generic[Asked, Given]):
    """Runs `answer` over at most `most` questions at a time, in order of asking, never twice at once.

    Whoever asks first waits `wait_s` for others, runs the call for all of them, and so on; a thread of its own is not
    needed. With `turn`, a call begins once it is set, or after half a second. A question that fails, fails alone.
    """

    def __init__(
        self,
        answer: Callable[[list[Asked]], list[Given]],
        most: int,
        wait_s: float = 0.01,
        turn: threading.Event | None = None,
    ) -> None:
        self._answer = answer
        self._most = most
        self._wait_s = wait_s
        self._turn = turn
        self._waiting: deque[tuple[Asked, Future[Given]]] = deque()
        self._came = threading.Condition()
        self._leading = threading.Lock()

    def ask(self, question: Asked) -> Given:
        """The answer; raises what answering this question alone raises."""
        given: Future[Given] = Future()
        with self._came:
            self._waiting.append((question, given))
            self._came.notify_all()
        while not given.done():
            with self._leading:
                if not given.done():
                    self._run()
        return given.result()

    def _run(self) -> None:
        with self._came:
            self._came.wait_for(lambda: len(self._waiting) >= self._most, self._wait_s)
        if self._turn is not None:
            self._turn.wait(_PATIENCE_S)
        with self._came:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        self._serve(batch)

    def _serve(self, batch: list[tuple[Asked, Future[Given]]]) -> None:
        try:
            answers = self._answer([question for question, _ in batch])
            pairs = list(zip(batch, answers, strict=True))
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for one in batch:
                self._serve([one])
            return
        for (_, given), answer in pairs:
            given.set_result(answer)
