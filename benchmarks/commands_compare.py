"""`sameday bench compare`: the same audio through other ways of streaming on the same weights, paired in one run."""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import kept
from benchmarks.comparison import figures, row
from benchmarks.figure import table
from benchmarks.measure_compare import NOT_HERE, OURS, SYSTEMS, WORDS_ONLY
from benchmarks.measure_compare import compare as run
from benchmarks.measure_live import beginning, bundled_or_refused
from benchmarks.parts import SESSION, Part
from benchmarks.progress import Progress
from streaming.errors import PeerError

PART = "Beside other ways of streaming, same weights, same audio"


def compare(
    folder: Path | None,
    names: Sequence[str],
    seconds: float,
    runs: int,
    minutes: float = 30.0,
    *,
    as_object: bool,
    save: Path | None = None,
) -> int:
    """Run all in turn, print the table, keep the report; 0 where all ran, else 1."""
    unknown = [name for name in names if name not in SYSTEMS]
    if unknown:
        raise PeerError(f"There is no system {unknown[0]!r}.", mend=f"Choose of {', '.join(SYSTEMS)}.")
    wanted = [name for name in SYSTEMS if not names or name in names]
    material = bundled_or_refused(folder or SESSION)
    head = kept.head("compare", runs=runs, seconds=seconds)
    each_s = sum(seconds + 10.0 if name in (OURS, WORDS_ONLY) else 0.6 * seconds for name in wanted)
    with tempfile.TemporaryDirectory(prefix="sameday-compare-") as work, Progress(runs * each_s) as progress:
        part = beginning(material, seconds, Path(work))
        found, failed = run(part, wanted, runs, progress.say, time.monotonic() + 60.0 * minutes)
        head["took_s"] = round(progress.elapsed_s, 1)
    systems = found.systems()
    rows = [row(one, part.reference) for one in systems]
    missing = [*NOT_HERE, *(f"{name}: it failed" for name in failed)]
    report = Part(figures(PART, systems, part.reference), {"compare": rows}, list(missing))
    body = kept.assembled([report], head)
    path = save or kept.OUT / "compare.json"
    page = kept.save(body, path)
    print(json.dumps(body) if as_object else table(report.figures))
    for reason in () if as_object else missing:
        print(f"not compared: {reason}")
    print(f"{path} and {page}", file=sys.stderr)
    return 1 if failed else 0
