"""`sameday bench live --sessions` and `--ramp`: many sessions at once against one server."""

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from benchmarks import kept, ramp
from benchmarks.figure import table
from benchmarks.live import Transport
from benchmarks.measure_live import bundled_or_refused
from benchmarks.measure_ramp import Talk, prepared, run_step
from benchmarks.measure_ramp import ramp as run_ramp
from benchmarks.parts import SESSION, Part
from benchmarks.profiles import Profiler
from benchmarks.progress import Progress
from streaming.settings import Settings

Say = Callable[[str], None]
NAMES: dict[str, str] = {"webrtc": "WebRTC", "websocket": "WebSocket", "both": "WebRTC and WebSocket"}
AIMS: dict[Transport, int] = {"websocket": 12, "webrtc": 6}
"""Sessions at once that two cores are to carry."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be run. `sessions` None: a ramp."""

    transport: Literal["webrtc", "websocket", "both"] = "websocket"
    sessions: int | None = None
    start: int = 1
    step: int = 4
    most: int = 24
    seconds: float = 45.0
    pieces: int = 4
    within_s: float = 1.5
    judge: ramp.Judge = "past_endpoint_s"
    minutes: float = 12.0
    alone: bool = True
    profile: bool = False

    @property
    def limits(self) -> ramp.Limits:
        return ramp.Limits(self.within_s, self.judge)

    @property
    def expected_s(self) -> float:
        """About how long it takes, for the progress bar."""
        alone_s = 0.3 * self.seconds * self.pieces if self.alone else 0.0
        if self.sessions is not None:
            return alone_s + self.seconds + 30.0
        kinds = 2 if self.transport == "both" else 1
        steps = 3 + (self.most - self.start) / self.step
        return min(self.minutes * 60.0, kinds * steps * (self.seconds + 20.0)) + alone_s


def many(
    folder: Path | None, wanted: Wanted, settings: Settings, *, as_object: bool, save: Path | None = None
) -> int:
    """Run it, print the table, keep the report; 0 unless nothing held."""
    material = bundled_or_refused(folder or SESSION)
    head = kept.head("live", seconds=wanted.seconds)
    with tempfile.TemporaryDirectory(prefix="sameday-ramp-") as work, Progress(wanted.expected_s) as progress:
        if not as_object:
            progress.say(f"pieces of {wanted.seconds:.0f} s; the limit: final p95 ≤ {wanted.within_s:g} s, "
                         f"{ramp.JUDGES[wanted.judge]}")  # fmt: skip
        count = wanted.pieces if wanted.sessions is None else min(wanted.pieces, wanted.sessions)
        talk = prepared(material, wanted.seconds, count, Path(work), settings if wanted.alone else None, progress.say)
        profiler = Profiler(Path(work)) if wanted.profile else None
        part = measured(talk, wanted, Path(work), progress.say, profiler)
        if profiler is not None:
            part.details["profile"] = profiler.as_json()
        head["took_s"] = round(progress.elapsed_s, 1)
    body = kept.assembled([part], head)
    path = save or kept.OUT / "live.json"
    page = kept.save(body, path)
    print(json.dumps(body) if as_object else table(part.figures), end="\n" if as_object else "")
    print(f"{path} and {page}", file=sys.stderr)
    return 0


def measured(talk: Talk, wanted: Wanted, work: Path, say: Say, profiler: Profiler | None = None) -> Part:
    """A step or a ramp of each transport. With a fixed number `both` is one step that mixes them."""
    part = Part(details={"ramp": []})
    if wanted.sessions is not None:
        transport: Transport | None = None if wanted.transport == "both" else wanted.transport
        limits = wanted.limits
        # One step takes as long as its audio: `minutes` are a ramp's.
        step = run_step(talk, transport, wanted.sessions, limits, work, until=math.inf, say=say, profiler=profiler)
        _say(say, step, limits)
        part.details["ramp"].append(_details(wanted.transport, [step], limits))
        part.details |= drawn(wanted.transport, [step])
        part.figures += ramp.step_figures(f"{wanted.sessions} sessions over {NAMES[wanted.transport]}", step)
        return part
    until = time.monotonic() + wanted.minutes * 60.0
    kinds: list[Transport] = ["websocket", "webrtc"] if wanted.transport == "both" else [wanted.transport]
    for place, kind in enumerate(kinds):
        # What is left of the time is shared by the transports that are still to come.
        ends = time.monotonic() + (until - time.monotonic()) / (len(kinds) - place)
        part = _joined(part, one_ramp(talk, kind, wanted, work, say, ends))
    if profiler is not None:
        say("  once more, with the profiler")
        held = max(1, min((row["greatest"][wanted.judge] for row in part.details["ramp"]), default=1))
        measured(talk, replace(wanted, sessions=held), work, say, profiler)
    return part


def one_ramp(talk: Talk, kind: Transport, wanted: Wanted, work: Path, say: Say, until: float) -> Part:
    """A ramp over one transport."""
    limits, search = wanted.limits, ramp.Search(wanted.start, wanted.step, wanted.most)
    say(f"ramp over {NAMES[kind]}")
    say(ramp.HEAD)
    steps = run_ramp(
        talk, kind, search, limits, work, until=until, say=lambda _: None,
        done=lambda step: _say(say, step, limits, head=False),
    )  # fmt: skip
    if not steps:
        return Part(details={"ramp": []}, skipped=[f"sessions at once over {NAMES[kind]}: there was no time left"])
    part = Part(details={"ramp": [_details(kind, steps, limits)]} | drawn(kind, steps))
    aim = AIMS[kind] if wanted.most >= AIMS[kind] else None
    part.figures += ramp.figures(f"Sessions at once over {NAMES[kind]}", steps, limits, aim)
    return part


def _joined(one: Part, other: Part) -> Part:
    both = {
        "ramp": [*one.details["ramp"], *other.details["ramp"]],
        "latency": one.details.get("latency", {}) | other.details.get("latency", {}),
    }
    return Part(one.figures + other.figures, other.details | one.details | both, one.skipped + other.skipped)


def drawn(transport: str, steps: Sequence[ramp.Step]) -> dict[str, Any]:
    """All finals of the smallest and of the two greatest steps, and one session on a time line."""
    ordered = sorted((step for step in steps if step.distributions), key=lambda step: step.sessions)
    chosen = [*ordered[:1], *ordered[1:][-2:]]
    found: dict[str, Any] = {
        "latency": {
            f"{NAMES[transport]}, {step.sessions} at once": {
                name: [round(value, 3) for value in step.distributions[name]]
                for name in ("final_s", "past_endpoint_s")
            }
            for step in chosen
        }
    }
    line = next((step.line for step in ordered if step.line), None)
    return found | ({"time_line": dict(line)} if line else {})


def _details(transport: str, steps: list[ramp.Step], limits: ramp.Limits) -> dict[str, Any]:
    return {
        "transport": NAMES[transport],
        "within_s": limits.final_p95_s,
        "judge": ramp.JUDGES[limits.judge],
        "greatest": {judge: ramp.greatest(steps, limits, judge) for judge in ramp.JUDGES},
        "steps": [step.as_json(limits) for step in sorted(steps, key=lambda step: step.sessions)],
    }


def _say(say: Say, step: ramp.Step, limits: ramp.Limits, *, head: bool = True) -> None:
    if head:
        say(ramp.HEAD)
    say(ramp.line(step, limits))
