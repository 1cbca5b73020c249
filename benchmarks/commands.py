"""What `sameday bench` runs: a live session against a server of its own, or the accuracy over recordings."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from benchmarks.accuracy import Scores, as_json, pooled, table
from benchmarks.figure import Figure
from benchmarks.figure import table as figure_table
from benchmarks.live import Transport
from benchmarks.manifest import read_manifest
from benchmarks.measure_accuracy import heard
from benchmarks.measure_live import Progress, bundled, side_by_side
from benchmarks.parts import SESSION
from benchmarks.parts_live import NAMES, live_figures
from streaming.errors import BadTranscript
from streaming.settings import Settings


def live(folder: Path | None, transport: Literal["webrtc", "websocket", "both"], *, as_object: bool) -> int:
    """Stream a session of the speech generator (the bundled one without a folder) at real-time pace."""
    try:
        material = bundled(folder or SESSION)
    except OSError as error:
        raise BadTranscript(
            f"This is no session's folder: {error.strerror or 'it cannot be read'}.",
            mend="It needs mix.opus, reference.json and session.rttm, as benchmarks.speech_generator writes them.",
        ) from None
    wanted: list[Transport] = ["webrtc", "websocket"] if transport == "both" else [transport]
    lives = side_by_side([(material, one) for one in wanted], Progress(_say))
    figures: list[Figure] = []
    for one in lives:
        name = NAMES[one.result.transport]  # type: ignore[index]
        figures += live_figures(f"Live over {name}", [one.result])
    print(json.dumps([one.as_json() for one in figures]) if as_object else figure_table(figures), end="")
    return 0


def accuracy(manifest: Path, speakers: int | None, settings: Settings, *, as_object: bool) -> int:
    """Transcribe each recording of a manifest or folder as a whole session and score it.

    As many people are expected as the reference or `speakers` says, else 2.
    """
    try:
        items = read_manifest(manifest)
    except OSError as error:
        raise BadTranscript(f"The manifest cannot be read: {error.strerror or 'unknown'}.") from None
    if not items:
        raise BadTranscript("There is no recording in it.", mend="Give a manifest, or a folder with audio files.")
    scores: list[Scores] = []
    for number, item in enumerate(items, 1):
        _say(f"{number} of {len(items)}: {item.name}")
        expected = speakers or item.reference.speakers or 2
        scores.append(heard(item.name, item.audio, item.reference, expected, settings).scores)
    print(_printed(scores, as_object=as_object), end="")
    return 0


def _printed(scores: Sequence[Scores], *, as_object: bool) -> str:
    rows = [*scores, pooled("all", scores)] if len(scores) > 1 else list(scores)
    return json.dumps([as_json(one) for one in rows]) + "\n" if as_object else table(rows)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
