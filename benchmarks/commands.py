"""What `sameday bench` runs: one live session, the accuracy over recordings, the difference of two reports."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks import kept
from benchmarks.accuracy import Scores, as_json, cells, pooled, table
from benchmarks.difference import differences, said
from benchmarks.figure import Figure, figure
from benchmarks.figure import table as figure_table
from benchmarks.live import Transport
from benchmarks.manifest import read_manifest
from benchmarks.measure_accuracy import heard, side_by_side
from benchmarks.measure_live import Progress as SessionProgress
from benchmarks.measure_live import bundled_or_refused
from benchmarks.measure_live import side_by_side as live_side_by_side
from benchmarks.parts import SESSION, Part
from benchmarks.parts_live import NAMES, details, live_figures, over_time
from benchmarks.progress import Progress
from streaming.errors import BadTranscript
from streaming.settings import Settings


def live(
    folder: Path | None,
    transport: Literal["webrtc", "websocket", "both"],
    *,
    as_object: bool,
    save: Path | None = None,
) -> int:
    """Stream a session of the speech generator (the bundled one without a folder) at real-time pace."""
    material = bundled_or_refused(folder or SESSION)
    wanted: list[Transport] = ["webrtc", "websocket"] if transport == "both" else [transport]
    head = kept.head("live")
    length_s = max((turn.end for turn in material.spoken), default=0) / 16_000
    with Progress(length_s + 12.0) as progress:
        lives = live_side_by_side([(material, one) for one in wanted], SessionProgress(progress.say))
        head["took_s"] = round(progress.elapsed_s, 1)
    figures: list[Figure] = []
    for one in lives:
        name = NAMES[one.result.transport]  # type: ignore[index]
        figures += live_figures(f"Live over {name}", [one.result])
        figures += over_time(f"Live over {name}", one, material.reference)
    print(json.dumps([one.as_json() for one in figures]) if as_object else figure_table(figures), end="")
    _keep(Part(figures, details([one.result for one in lives])), head, save)
    return 0


def accuracy(
    manifest: Path,
    speakers: int | None,
    settings: Settings,
    *,
    as_object: bool,
    offline: bool = True,
    save: Path | None = None,
) -> int:
    """Transcribe each recording of a manifest or folder as a whole session and score it.

    As many people are expected as the reference or `speakers` says, else 2. `offline` adds what the same engines
    reach when each utterance is decoded whole, and the turns as they came live beside the settled ones.
    """
    try:
        items = read_manifest(manifest)
    except OSError as error:
        raise BadTranscript(f"The manifest cannot be read: {error.strerror or 'unknown'}.") from None
    if not items:
        raise BadTranscript("There is no recording in it.", mend="Give a manifest, or a folder with audio files.")
    head = kept.head("accuracy")
    scores: list[Scores] = []
    recognizer, model = _engines() if offline else (None, None)
    with Progress(20.0 * len(items)) as progress:
        for number, item in enumerate(items, 1):
            progress.say(f"{number} of {len(items)}: {item.name}")
            expected = speakers or item.reference.speakers or 2
            found = heard(item.name, item.audio, item.reference, expected, settings).scores
            if recognizer is not None and model is not None:
                found = side_by_side(item, found, expected, recognizer, model)
            scores.append(found)
        head["took_s"] = round(progress.elapsed_s, 1)
    rows = [*scores, pooled("all", scores)] if len(scores) > 1 else list(scores)
    print(json.dumps([as_json(one) for one in rows]) + "\n" if as_object else table(rows), end="")
    part = Part(
        [one for row in rows for one in _accuracy_figures(row)],
        {"recordings": [{"cells": cells(row)} for row in rows]},
    )
    _keep(part, head, save)
    return 0


def _engines() -> tuple[Any, Any]:
    from diarization.embedded import EmbeddedSpeakerModel
    from streaming.embedded_recognizer import EmbeddedRecognizer

    return EmbeddedRecognizer(1), EmbeddedSpeakerModel()


def _accuracy_figures(one: Scores) -> list[Figure]:
    parts = (
        ("WER, streaming", one.words), ("WER, decoded whole", one.whole), ("cpWER", one.words_by_speaker),
        ("DER, settled", one.diarization), ("DER, online", one.online),
    )  # fmt: skip
    rows = [
        figure(one.name, name, "%", 100 * errors.rate, exact=True) for name, errors in parts if errors is not None
    ]
    if one.stray is not None:
        rows.append(figure(one.name, "words heard where nobody spoke", "count", one.stray, exact=True))
    if one.times is not None and one.times.words:
        rows.append(figure(one.name, "word start, median error", "ms", 1000 * one.times.start_median_s, exact=True))
        rows.append(figure(one.name, "word end, median error", "ms", 1000 * one.times.end_median_s, exact=True))
    rows += [
        figure(one.name, f"errors on {name}", "%", 100 * found.rate, note=f"{found.words} words", exact=True)
        for name, found in (one.terms or {}).items()
        if found.words
    ]
    return rows


def diff(before: Path, after: Path, *, everything: bool, as_object: bool) -> int:
    """What changed between two reports beyond noise."""
    bodies = []
    for path in (before, after):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            rows: Sequence[Any] = body["figures"]
            assert isinstance(rows, list)
        except OSError as error:
            raise BadTranscript(f"A report cannot be read: {error.strerror or 'unknown'}.") from None
        except (ValueError, KeyError, TypeError, AssertionError):
            raise BadTranscript("This is no report.", mend="Give the JSON that a bench command keeps.") from None
        bodies.append(body)
    found = differences(*bodies)
    print(json.dumps(found) + "\n" if as_object else said(found, everything=everything), end="")
    return 0


def _keep(part: Part, head: dict[str, Any], save: Path | None) -> None:
    """The report, where it is asked for."""
    if save is not None:
        page = kept.save(kept.assembled([part], head), save)
        print(f"{save} and {page}", file=sys.stderr)
