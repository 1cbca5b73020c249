"""`sameday bench kill` and `sameday bench soak`."""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import kept, measure_kill, measure_soak
from benchmarks import kill as killing
from benchmarks import soak as soaking
from benchmarks.audio_files import read_audio
from benchmarks.figure import table
from benchmarks.measure_live import bundled_or_refused
from benchmarks.parts import SESSION, Part
from benchmarks.progress import Progress
from benchmarks.talk_pieces import pieces

_PIECES = 6
"""Places of the bundled session at which sessions begin."""
_RUN_S = 16.0
"""About what a run takes beside its audio: two servers start, and a note is written."""


def kill(plan: measure_kill.Plan, *, as_object: bool, save: Path | None) -> int:
    """Kill servers; 0 where every session came through, else 1."""
    material = bundled_or_refused(SESSION)
    cut = pieces(read_audio(material.audio), material.reference, material.spoken, plan.seconds, _PIECES)
    head = kept.head(
        "kill", runs=plan.runs, sessions=plan.sessions, seconds=plan.seconds, pace=plan.pace, seed=plan.seed
    )
    with Progress(plan.runs * (_RUN_S + plan.seconds / plan.pace)) as progress:
        cuts = measure_kill.run(plan, cut, progress.say)
        head["took_s"] = round(progress.elapsed_s, 1)
    part = Part(killing.figures(cuts, plan.runs), {"kill": [one.as_json() for one in cuts]})
    _keep(part, head, save, "kill", as_object=as_object)
    return 0 if all(one.sound for one in cuts) else 1


def soak(plan: measure_soak.Plan, *, as_object: bool, save: Path | None) -> int:
    """Run a server for long; 0 where every session is accounted for and nothing piled up, else 1."""
    material = bundled_or_refused(SESSION)
    head = kept.head("soak", sessions=plan.sessions, minutes=plan.minutes, pace=plan.pace, connects=plan.connects)
    with Progress(min(plan.limit_s, plan.minutes * 60 / plan.pace) + plan.connects * 0.2) as progress:
        soaked = measure_soak.run(plan, read_audio(material.audio), progress.say)
        head["took_s"] = round(progress.elapsed_s, 1)
    figures = soaking.figures(soaked.samples, soaked.calm, plan.connects, plan.sessions, soaked.whole)
    part = Part(figures, {"soak": [one.as_json() for one in (*soaked.samples, *soaked.calm)]})
    _keep(part, head, save, "soak", as_object=as_object)
    return 0 if all(one.reached is not False for one in figures) else 1


def _keep(part: Part, head: dict[str, Any], save: Path | None, name: str, *, as_object: bool) -> None:
    body = kept.assembled([part], head)
    path = save or kept.OUT / f"{name}.json"
    page = kept.save(body, path)
    print(json.dumps(body) if as_object else table(part.figures), end="\n" if as_object else "")
    print(f"{path} and {page}", file=sys.stderr)
