"""`sameday bench load`: sessions under bad conditions, and what has come of each."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import conditions, kept, netem
from benchmarks.audio_files import read_audio
from benchmarks.conditions import CONDITIONS, Seen
from benchmarks.figure import table
from benchmarks.measure_live import bundled_or_refused
from benchmarks.measure_load import run
from benchmarks.parts import SESSION, Part
from benchmarks.progress import Progress
from benchmarks.talk_pieces import pieces
from streaming.errors import PeerError


def listed() -> int:
    """Name the conditions."""
    for one in CONDITIONS:
        print(f"{one.name:<18} {one.says}")
    return 0


def load(
    folder: Path | None,
    names: Sequence[str],
    seconds: float,
    storm: int,
    seed: int,
    *,
    as_object: bool,
    save: Path | None = None,
) -> int:
    """Run the conditions; 0 where all that was sent is accounted for under each, else 1."""
    try:
        wanted = conditions.chosen(names)
    except KeyError as error:
        known = ", ".join(one.name for one in CONDITIONS)
        raise PeerError(f"There is no condition {error.args[0]!r}.", mend=f"Choose of {known}.") from None
    material = bundled_or_refused(folder or SESSION)
    piece = pieces(read_audio(material.audio), material.reference, material.spoken, seconds, 1)[0]
    head = kept.head("load", seconds=seconds, storm=storm, seed=seed)
    with Progress(sum(seconds + 8.0 if one.kind != "storm" else 30.0 for one in wanted)) as progress:
        progress.say(f"faults are made by {netem.how()}")
        seen = run(wanted, piece, storm=storm, seed=seed, say=progress.say)
        head["took_s"] = round(progress.elapsed_s, 1)
    body = kept.assembled([part_of(seen)], head)
    path = save or kept.OUT / "load.json"
    page = kept.save(body, path)
    print(json.dumps(body) if as_object else told(seen))
    print(f"{path} and {page}", file=sys.stderr)
    return 0 if all(one.whole for one in seen) else 1


def part_of(seen: Sequence[Seen]) -> Part:
    """The report's part."""
    by_name = {one.condition.name: one for one in seen}
    rows = [one.as_json(by_name.get(one.condition.clean)) for one in seen]
    return Part(conditions.figures(seen), {"load": rows, "faults_by": netem.how()})


def told(seen: Sequence[Seen]) -> str:
    """The figures, then a line per condition that says what has come of it."""
    lines = [f"{one.condition.name:<18} {one.outcome}; gaps: {one.gaps}" for one in seen]
    return table(conditions.figures(seen)) + "\n" + "\n".join(lines)
