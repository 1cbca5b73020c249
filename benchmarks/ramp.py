"""How many sessions at once: what a step of a ramp is judged by, when it is given up early, which step comes next.

Pure. A step runs so many sessions against one server; its figures come from what their clients saw.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.figure import Figure, at_least, at_most, figure, shown
from benchmarks.scoring import quantile

Judge = Literal["past_silence_s", "past_endpoint_s", "final_s"]
JUDGES: dict[Judge, str] = {
    "past_silence_s": "past the endpoint silence, where that silence follows",
    "past_endpoint_s": "past the endpoint silence, all utterances",
    "final_s": "last sample to final words, all utterances",
}
SHARES = (0.5, 0.95, 0.99)
_QUIET_CORES = 0.15
_ENOUGH_S = 240.0
"""Of audio: in less, a word more or less is half a point."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a number of sessions must keep: 95 % of the finals within `final_p95_s` by `judge`, and lag that stays."""

    final_p95_s: float = 1.5
    judge: Judge = "past_endpoint_s"
    lag_growth_s: float = 6.0
    """Mean lag this far above that of the step's first seconds: the server falls behind, and will not catch up."""


@dataclass(slots=True)
class LagWatch:
    """Says while a step runs whether it is broken: then nothing is won by waiting for its end."""

    growth_s: float
    settle_s: float = 12.0
    """A session's first window is cut after up to 12 s: lag before then says nothing of the machine."""
    _points: list[tuple[float, float]] = field(default_factory=list)

    def broken(self, at_s: float, mean_lag_s: float) -> bool:
        """Whether lag has grown: the mean of the last 5 s against that of the 5 s after settling."""
        if at_s >= self.settle_s:
            self._points.append((at_s, mean_lag_s))
        first = [lag for at, lag in self._points if at < self.settle_s + 5.0]
        last = [lag for at, lag in self._points if at >= at_s - 5.0]
        if at_s < self.settle_s + 10.0 or not first or not last:
            return mean_lag_s > 5 * self.growth_s
        return sum(last) / len(last) > sum(first) / len(first) + self.growth_s


@dataclass(slots=True)
class Search:
    """Which numbers of sessions to try: up by `step`, then halving between what held and what did not."""

    start: int
    step: int
    most: int
    held: int = 0
    broken: int | None = None

    def following(self) -> int | None:
        """The next number, or None where the greatest that holds is known."""
        if self.broken is None:
            following = self.start if not self.held else self.held + self.step
            return min(following, self.most) if self.held < self.most else None
        middle = (self.held + self.broken) // 2
        return middle if middle > self.held else None

    def tell(self, sessions: int, holds: bool) -> None:
        """What came of a number."""
        if holds:
            self.held = max(self.held, sessions)
        else:
            self.broken = sessions if self.broken is None else min(self.broken, sessions)


@dataclass(frozen=True, slots=True)
class Step:
    """What so many sessions at once came to. Distributions are over all sessions together."""

    sessions: int
    transport: str
    seconds: float
    given_up: str = ""
    """Why it was ended early, if it was."""
    errors: tuple[str, ...] = ()
    """What ended sessions early, one entry each."""
    distributions: Mapping[str, Sequence[float]] = field(default_factory=dict)
    wer: float = math.nan
    wer_alone: float = math.nan
    """The same pieces, each transcribed by itself."""
    der: float = math.nan
    der_alone: float = math.nan
    lag_s: tuple[float, float] = (math.nan, math.nan)
    """Mean and greatest."""
    cores: Mapping[str, float] = field(default_factory=dict)
    """Cores of the server's process while the step ran, by stage."""
    audio_s: float = 0.0
    wall_s: float = 0.0
    memory_mb: float = 0.0
    complete: int = 0
    """Sessions of which all that was sent is transcribed or named as a gap."""
    gaps_s: Mapping[str, float] = field(default_factory=dict)
    sender_cores: float = math.nan
    other_cores: float = math.nan
    """What neither the server nor the senders used of the machine, or its host kept: not quiet where it is much."""
    sender_late_ms: float = math.nan
    """How much later than its place in the audio a frame left, 99 % of them."""
    line: Mapping[str, Any] = field(default_factory=dict)
    """The first session on a time line, for a drawing."""

    def p95(self, name: str) -> float:
        """The 95th percentile of a distribution; NaN where it is empty."""
        return quantile(self.distributions.get(name, ()), 0.95)

    @property
    def cpu_per_s(self) -> float:
        """Core-seconds of the server per second of one session's audio."""
        return sum(self.cores.values()) * self.wall_s / self.audio_s if self.audio_s else math.nan

    def fault(self, limits: Limits, judge: Judge | None = None) -> str:
        """The first limit that it broke, in words; empty where it kept all."""
        judge = judge or limits.judge
        if self.given_up:
            return self.given_up
        if self.errors:
            return f"{len(self.errors)} of {self.sessions} sessions ended early ({self.errors[0]})"
        if self.complete < self.sessions:
            return f"{self.sessions - self.complete} of {self.sessions} sessions not accounted for"
        p95 = self.p95(judge)
        if not p95 <= limits.final_p95_s:
            return f"final p95 {shown(p95, 's')} above {shown(limits.final_p95_s, 's')}"
        return ""

    def as_json(self, limits: Limits) -> dict[str, Any]:
        """For the report's file; NaN is null."""
        return {
            "sessions": self.sessions,
            "transport": self.transport,
            "seconds": self.seconds,
            "fault": self.fault(limits),
            "errors": list(self.errors),
            "latency": {
                name: {f"p{round(100 * share)}": _known(quantile(values, share)) for share in SHARES}
                | {"count": len(values)}
                for name, values in self.distributions.items()
            },
            "wer": _known(self.wer),
            "wer_alone": _known(self.wer_alone),
            "der": _known(self.der),
            "der_alone": _known(self.der_alone),
            "lag_mean_s": _known(self.lag_s[0]),
            "lag_most_s": _known(self.lag_s[1]),
            "cores": {name: round(used, 4) for name, used in self.cores.items()},
            "core_s_per_s": _known(self.cpu_per_s),
            "memory_mb": round(self.memory_mb, 1),
            "complete": self.complete,
            "gaps_s": {cause: round(length, 2) for cause, length in self.gaps_s.items()},
            "sender_cores": _known(self.sender_cores),
            "other_cores": _known(self.other_cores),
            "sender_late_ms": _known(self.sender_late_ms),
        }


def _known(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def greatest(steps: Iterable[Step], limits: Limits, judge: Judge) -> int:
    """The greatest number of sessions that kept the limits with none smaller that broke them; 0 where none did."""
    best = 0
    for step in sorted(steps, key=lambda step: step.sessions):
        if step.fault(limits, judge):
            break
        best = step.sessions
    return best


def figures(part: str, steps: Sequence[Step], limits: Limits, aim: int | None = None) -> list[Figure]:
    """What a ramp says in short: the greatest number by each way of judging, and the greatest step's own figures."""
    ordered = sorted(steps, key=lambda step: step.sessions)
    rows = [
        figure(part, f"greatest number of sessions, final p95 ≤ {limits.final_p95_s:g} s: {says}", "count",
               greatest(steps, limits, judge), at_least(aim) if aim and judge == limits.judge else None,
               note=_what_broke(ordered, limits, judge))
        for judge, says in JUDGES.items()
    ]  # fmt: skip
    held = greatest(steps, limits, limits.judge)
    chosen = [step for step in ordered if step.sessions == held] or ordered[:1]
    return rows + [row for step in chosen for row in step_figures(part, step)]


def _what_broke(ordered: Sequence[Step], limits: Limits, judge: Judge) -> str:
    for step in ordered:
        if fault := step.fault(limits, judge):
            return f"{step.sessions}: {fault}"
    return f"no limit was broken up to {ordered[-1].sessions}" if ordered else "no step was run"


def step_figures(part: str, step: Step) -> list[Figure]:
    """One step's own figures."""
    head = f"{step.sessions} at once: "
    rows = [
        figure(part, f"{head}{says}, p{round(100 * share)}", "s", quantile(step.distributions.get(name, ()), share))
        for name, says in (
            ("first_s", "first words shown after talk begins"),
            ("partial_s", "a word's last sample to its being shown"),
            ("final_s", "last sample to final words"),
            ("past_endpoint_s", "past the endpoint silence"),
            ("draft_s", "end of session to draft note"),
        )
        for share in SHARES
    ]
    rows += [
        figure(part, f"{head}last sample to final words, p50, {says} five minutes", "s",
               quantile(step.distributions.get(name, ()), 0.5))
        for name, says in (("early_s", "first"), ("late_s", "last"))
    ]  # fmt: skip
    rows += [
        figure(part, f"{head}WER", "%", 100 * step.wer),
        figure(part, f"{head}WER above the same pieces alone", "points", 100 * (step.wer - step.wer_alone),
               at_most(0.5) if step.audio_s >= _ENOUGH_S else None),
        figure(part, f"{head}DER, settled", "%", 100 * step.der),
        figure(part, f"{head}lag, greatest", "s", step.lag_s[1]),
        figure(part, f"{head}server, core-seconds per second of a session", "core-s/s", step.cpu_per_s),
        figure(part, f"{head}server's memory, peak", "MB", step.memory_mb),
        figure(part, f"{head}senders, core-seconds per second of a session", "core-s/s",
               step.sender_cores * step.wall_s / step.audio_s if step.audio_s else math.nan,
               note=f"99 % of frames left within {step.sender_late_ms:.0f} ms of their time"),
    ]  # fmt: skip
    return [row for row in rows if not math.isnan(row.value)]


_COLUMNS = (
    ("at once", 7), ("final p50/p95/p99", 18), ("past end p95", 13), ("first p95", 10), ("shown p95", 10),
    ("draft p95", 10), ("WER", 6), ("alone", 6), ("DER", 6), ("lag", 5), ("cores", 6), ("MB", 5), ("senders", 8),
)  # fmt: skip
HEAD = "".join(f"{name:>{width}}" for name, width in _COLUMNS)


def line(step: Step, limits: Limits) -> str:
    """A step as one line under `HEAD`: seconds, %, cores."""

    def part(name: str, share: float = 0.95) -> str:
        value = quantile(step.distributions.get(name, ()), share)
        return "-" if math.isnan(value) else f"{value:.2f}"

    cells = [
        str(step.sessions), "/".join(part("final_s", share) for share in SHARES), part("past_endpoint_s"),
        part("first_s"), part("partial_s"), part("draft_s"), _percent(step.wer), _percent(step.wer_alone),
        _percent(step.der), f"{step.lag_s[1]:.1f}", f"{sum(step.cores.values()):.2f}", f"{step.memory_mb:.0f}",
        f"{step.sender_cores:.2f}",
    ]  # fmt: skip
    fault = step.fault(limits)
    row = "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
    busy = f"  (others took {others:.1f} cores)" if (others := step.other_cores) > _QUIET_CORES else ""
    return row + (f"  broken: {fault}" if fault else "") + busy


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f}"
