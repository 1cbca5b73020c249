"""What a server uses as it goes on for long: memory by hours of talk, threads and open files by connections. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from benchmarks.figure import Figure, at_least, at_most, figure

WARM = 0.25
"""The first share of the samples is left out of the slope: pools and caches fill once."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A look at the server: `heard_h` is the audio transcribed by then, over all sessions, in hours."""

    at_s: float
    heard_h: float
    memory_mb: float
    threads: int
    files: int
    live: int = 0
    """Sessions that are not over."""
    ending: int = 0
    """Those of them that take no more audio, and whose note is being written."""

    def as_json(self) -> dict[str, Any]:
        """A row of the report."""
        return {
            "at_s": round(self.at_s, 1), "heard_h": round(self.heard_h, 4), "memory_mb": round(self.memory_mb, 1),
            "threads": self.threads, "files": self.files, "live": self.live, "ending": self.ending,
        }  # fmt: skip


def slope_mb_per_h(samples: Sequence[Sample]) -> float:
    """Memory over hours of audio, by least squares, without the warm-up; NaN where nothing was heard."""
    late = samples[int(len(samples) * WARM) :]
    if len(late) < 2:
        return float("nan")
    mean_h = sum(one.heard_h for one in late) / len(late)
    mean_mb = sum(one.memory_mb for one in late) / len(late)
    spread = sum((one.heard_h - mean_h) ** 2 for one in late)
    if spread == 0:
        return float("nan")
    return sum((one.heard_h - mean_h) * (one.memory_mb - mean_mb) for one in late) / spread


def going_on(samples: Sequence[Sample]) -> list[Sample]:
    """The looks from before the first of the sessions came to its end."""
    return list(takewhile(lambda one: not one.ending and one.live == samples[0].live, samples))


def figures(
    samples: Sequence[Sample], calm: tuple[Sample, Sample], connects: int, sessions: int, whole: int
) -> list[Figure]:
    """`calm` are two looks with no session live and no connection open: before the connections and after them."""
    part = f"soak, {sessions} sessions, {samples[-1].heard_h if samples else 0.0:.2f} h of audio"
    before, after = calm
    live, by_hour = going_on(samples), "by hour of a session's audio"
    return [
        figure(part, "sessions accounted for", "count", whole, at_least(sessions)),
        figure(
            part, "memory, first and last", "MB", [samples[0].memory_mb, samples[-1].memory_mb] if samples else []
        ),
        figure(part, "memory after their ends", "MB", before.memory_mb, note="of the server, with none going on"),
        figure(part, "memory slope, sessions going on", "MB/h", slope_mb_per_h(live), at_most(1.0), by_hour),
        figure(part, "memory slope, with their ends", "MB/h", slope_mb_per_h(samples), at_most(1.0), by_hour),
        figure(part, f"threads more after {connects} connects", "count", after.threads - before.threads, at_most(0)),
        figure(part, f"open files more after {connects} connects", "count", after.files - before.files, at_most(0)),
    ]
