"""How far a run is: lines with the time, and on a terminal a bar below them, against the time it should take."""

import sys
import threading
import time
from types import TracebackType
from typing import Self, TextIO

_WIDTH = 28


class Progress:
    """Use as a context. `expected_s` is a guess: the bar stops short of full until the end. Lines go to `out`."""

    def __init__(self, expected_s: float, out: TextIO | None = None) -> None:
        self._expected_s = expected_s
        self._out = out or sys.stderr
        self._bar = self._out.isatty()
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._redraw, name="bar", daemon=True)
        self._doing = ""

    def __enter__(self) -> Self:
        if self._bar:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._bar:
            self._thread.join()
            self._out.write("\r\x1b[K")
            self._out.flush()

    @property
    def elapsed_s(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._began

    def say(self, line: str) -> None:
        """A line that stays."""
        with self._lock:
            self._doing = line.strip()
            clear = "\r\x1b[K" if self._bar else ""
            self._out.write(f"{clear}[{clock(self.elapsed_s)}] {line}\n")
            self._draw()
            self._out.flush()

    def _redraw(self) -> None:
        while not self._over.wait(1.0):
            with self._lock:
                self._draw()
                self._out.flush()

    def _draw(self) -> None:
        if self._bar and not self._over.is_set():
            self._out.write(f"\r\x1b[K{bar(self.elapsed_s, self._expected_s)} {self._doing[:60]}")


def bar(elapsed_s: float, expected_s: float) -> str:
    """Time passed against time expected; never quite full."""
    share = min(0.99, elapsed_s / expected_s) if expected_s > 0 else 0.0
    full = round(share * _WIDTH)
    return f"[{'#' * full}{'.' * (_WIDTH - full)}] {clock(elapsed_s)} of about {clock(max(expected_s, elapsed_s))}"


def clock(length_s: float) -> str:
    """mm:ss."""
    minutes, seconds = divmod(int(length_s), 60)
    return f"{minutes:02}:{seconds:02}"
