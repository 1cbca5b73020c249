"""What `make bench` runs: every figure of this project, measured on this machine, as a table, JSON and a page.

    python -m benchmarks.figures [--quick] [--runs 3] [--only words,live] [--minutes 19] [--save PATH]

Under 20 minutes on two quiet cores. benchmarks/notes.md says what is measured how.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import kept, parts_accuracy, parts_batch, parts_live, parts_ramp
from benchmarks.figure import Figure, at_least, figure, table
from benchmarks.parts import Part, Surroundings
from benchmarks.progress import Progress
from streaming.settings import load


@dataclass(frozen=True, slots=True)
class Kind:
    """A part of the report; `expected_s` of three runs on two quiet cores."""

    title: str
    run: Callable[[Surroundings], Part]
    expected_s: float


PARTS: dict[str, Kind] = {
    "words": Kind("words, word times, noise", parts_accuracy.words, 30),
    "speakers": Kind("diarization, and the peer", parts_accuracy.speakers, 300),
    "speed": Kind("speed of transcribe", parts_batch.speed, 45),
    "live": Kind("live sessions", parts_live.live, 390),
    "long": Kind("long talk, live", parts_live.long_talk, 200),
    "memory": Kind("memory over an hour", parts_batch.memory, 0),
    "sessions": Kind("sessions at once", parts_ramp.sessions, 175),
}
"""In order; `memory` runs beside `long`, and `sessions` takes what is left of the time."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, save; 0 where nothing failed, whether targets were reached or not."""
    options = _arguments(argv)
    runs = options.runs or (1 if options.quick else 3)
    head = kept.head("figures", runs=runs, quick=options.quick, parts=options.only)
    expected_s = sum(PARTS[name].expected_s for name in options.only) / (5 if options.quick else 1)
    with tempfile.TemporaryDirectory(prefix="sameday-bench-") as folder, Progress(expected_s, sys.stdout) as progress:
        until = time.monotonic() + options.minutes * 60.0
        around = Surroundings(runs, options.quick, Path(folder), progress.say, load(), until=until)
        parts = measure(around, options.only)
        head["took_s"] = round(progress.elapsed_s, 1)
    body = assembled(parts, head)
    print()
    print(table([one for part in parts for one in part.figures] + comparison(parts)))
    for reason in body["skipped"]:
        print(f"not measured: {reason}")
    path = options.save or kept.OUT / "figures.json"
    print(f"\n{path} and {kept.save(body, path)}")
    return 1 if any(part.failed for part in parts) else 0


def measure(around: Surroundings, names: Sequence[str]) -> list[Part]:
    """The parts in order. Memory is measured with the time that long talk leaves: it takes no latency from it."""
    done: list[Part] = []
    beside = "long" in names and "memory" in names
    for name in PARTS:
        if name not in names or (name == "memory" and beside):
            continue
        around.say(PARTS[name].title)
        if name == "long" and beside:
            parts_batch.written_hour(around)
            with ThreadPoolExecutor(1) as thread:
                other = thread.submit(_run, "memory", around)
                done += [_run(name, around), other.result()]
        else:
            done.append(_run(name, around))
    return done


def _run(name: str, around: Surroundings) -> Part:
    """A part; one that fails says so in the report and takes nothing from the others."""
    title = PARTS[name].title
    try:
        return PARTS[name].run(around)
    except Exception as error:
        around.say(f"  {title} failed: {type(error).__name__}: {error}")
        return Part(skipped=[f"{title}: it failed with {type(error).__name__}"], failed=True)


def assembled(parts: Sequence[Part], head: dict[str, Any]) -> dict[str, Any]:
    """The report's object, with the comparison that several parts make together."""
    return kept.assembled(parts, head, comparison(parts))


def comparison(parts: Sequence[Part]) -> list[Figure]:
    """Ours beside the peer on the bundled session, where both were measured."""
    found = {one.part + one.name: one for part in parts for one in part.figures}
    peers: dict[str, Any] = {}
    for part in parts:
        peers |= part.details.get("peer", {})
    if not peers:
        return []
    head = "Beside moonshine-voice's own streaming transcriber, same weights, the bundled session's beginning"
    rows = []
    for name, row in peers.items():
        rows.append(figure(head, f"{name}: WER", "%", row["wer"]))
        if "cpu_per_s" in row:
            rows.append(figure(head, f"{name}: core-seconds per second of audio", "core-s/s", row["cpu_per_s"]))
    ours = found.get("Live over WebSocket, bundled sessionserver, core-seconds per second of audio")
    if ours is not None and ours.value > 0 and "peer with speakers" in peers:
        times = peers["peer with speakers"]["cpu_per_s"] / ours.value
        note = "the peer with speakers over a live session of ours with speakers, note and store"
        rows.append(figure(head, "the peer's cost over ours", "x", times, at_least(4), note))
    return rows


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="figures", description="Every figure, measured on this machine.")
    parser.add_argument("--quick", action="store_true", help="one run, a minute of long talk, ten of memory")
    parser.add_argument("--runs", type=int, help="of what is timed (3; with --quick 1)")
    parser.add_argument("--minutes", type=float, default=19.0, help="after which no more sessions are tried (19)")
    parser.add_argument("--only", type=_names, default=list(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--save", type=Path, help="where the JSON goes (out/figures.json)")
    return parser.parse_args(argv)


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"no part {name!r}: {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
