"""Scores transcripts against references and prints them as a table.

    sameday transcribe call.wav --json --rttm call.rttm > call.json
    python -m benchmarks.accuracy call.json --rttm call.rttm --reference truth.json --reference truth.rttm

`score`, `pooled` and `table` are pure: a runner transcribes, they judge.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.manifest import Reference, parse_rttm, read_reference, turns_of
from benchmarks.scoring import (
    DiarizationErrors,
    TimeErrors,
    WordErrors,
    diarization_errors,
    ordered_text,
    speaker_errors,
    stray_words,
    time_errors,
    transcript_errors,
    word_errors,
)
from benchmarks.terms import TermErrors, term_errors, together
from streaming import transcript_json
from streaming.errors import SamedayError
from streaming.types import Tick, Transcript, Turn, seconds, to_tick


@dataclass(frozen=True, slots=True)
class Scores:
    """What one recording's (or several recordings' pooled) transcript is worth; None where there is no reference."""

    name: str
    audio_s: float
    words: WordErrors | None
    words_by_speaker: WordErrors | None
    diarization: DiarizationErrors | None
    times: TimeErrors | None
    stray: int | None
    """Words heard where nobody spoke."""
    terms: dict[str, TermErrors] | None = None
    """Words of harm, numbers, medications."""
    whole: WordErrors | None = None
    """The same engine given each utterance of the reference as one window."""
    online: DiarizationErrors | None = None
    """Turns as they became final live; `diarization` is of those settled at the end."""


def score(name: str, reference: Reference, heard: Transcript, turns: Sequence[Turn] | None, duration: Tick) -> Scores:
    """`heard` and its speaker turns (None: its utterances are the turns) against what is known of the recording."""
    true = reference.transcript
    heard_words = [word for utterance in heard.utterances for word in utterance.words]
    true_words = [word for utterance in true.utterances for word in utterance.words] if true else []
    words = None
    if true is not None:
        words = transcript_errors(true, heard)
    elif reference.text is not None:
        words = word_errors(reference.text, ordered_text(heard))
    spoken = reference.turns
    given = turns_of(heard) if turns is None else turns
    return Scores(
        name=name,
        audio_s=seconds(duration),
        words=words,
        words_by_speaker=speaker_errors(true, heard) if true is not None else None,
        diarization=diarization_errors(spoken, given, duration) if spoken is not None else None,
        times=time_errors(true_words, heard_words) if true_words and heard_words else None,
        stray=len(stray_words(heard_words, spoken)) if spoken is not None else None,
        terms=_terms(reference, heard),
    )


def _terms(reference: Reference, heard: Transcript) -> dict[str, TermErrors] | None:
    if not reference.words_known():
        return None
    true = ordered_text(reference.transcript) if reference.transcript is not None else reference.text or ""
    return term_errors(true, ordered_text(heard))


def pooled(name: str, scores: Sequence[Scores]) -> Scores:
    """All recordings as one: errors and sizes added up, so that long ones count for more. Word times are left out."""
    return Scores(
        name,
        sum(one.audio_s for one in scores),
        _sum([one.words for one in scores], WordErrors()),
        _sum([one.words_by_speaker for one in scores], WordErrors()),
        _sum([one.diarization for one in scores], DiarizationErrors(0.0, 0.0, 0.0, 0.0)),
        None,
        _sum([one.stray for one in scores], 0),
        together([one.terms for one in scores if one.terms is not None]) or None,
        _sum([one.whole for one in scores], WordErrors()),
        _sum([one.online for one in scores], DiarizationErrors(0.0, 0.0, 0.0, 0.0)),
    )


Addable = TypeVar("Addable", WordErrors, DiarizationErrors, int)


def _sum(values: Sequence[Addable | None], zero: Addable) -> Addable | None:
    known = [value for value in values if value is not None]
    total = zero
    for value in known:
        total = total + value
    return total if known else None


_COLUMNS = (
    "recording",
    "audio s",
    "WER %",
    "sub/del/ins",
    "cpWER %",
    "DER %",
    "miss/false/conf s",
    "start/end ms",
    "stray",
    "whole WER %",
    "online DER %",
    "harm %",
    "numbers %",
    "medications %",
)


def table(scores: Sequence[Scores]) -> str:
    """A Markdown table, a recording a row; word times are medians of the absolute error at word start and end."""
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS), *(_row(one) for one in scores)]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _row(one: Scores) -> tuple[str, ...]:
    words, speakers, turns, times = one.words, one.words_by_speaker, one.diarization, one.times
    return (
        one.name,
        f"{one.audio_s:.1f}",
        f"{100 * words.rate:.1f}" if words and words.words else "-",
        f"{words.substitutions}/{words.deletions}/{words.insertions} of {words.words}" if words else "-",
        f"{100 * speakers.rate:.1f}" if speakers else "-",
        f"{100 * turns.rate:.1f}" if turns else "-",
        f"{turns.missed_s:.1f}/{turns.false_alarm_s:.1f}/{turns.confused_s:.1f}" if turns else "-",
        f"{1000 * times.start_median_s:.0f}/{1000 * times.end_median_s:.0f}" if times and times.words else "-",
        "-" if one.stray is None else str(one.stray),
        f"{100 * one.whole.rate:.1f}" if one.whole else "-",
        f"{100 * one.online.rate:.1f}" if one.online else "-",
        *(_term_cell(one, name) for name in ("harm", "numbers", "medications")),
    )


def cells(one: Scores) -> list[str]:
    """A recording's row for the page: name, length, then numbers, DER's parts as shares of the speech."""
    turns, times = one.diarization, one.times

    def rate(errors: WordErrors | DiarizationErrors | None) -> str:
        return f"{100 * errors.rate:.1f}" if errors is not None and math.isfinite(errors.rate) else "-"

    split = (turns.missed_s, turns.false_alarm_s, turns.confused_s) if turns and turns.speech_s else ()
    shares = [f"{100 * length_s / turns.speech_s:.1f}" for length_s in split] if turns else []
    return [
        one.name, f"{one.audio_s:.1f}", rate(one.words), rate(one.whole), rate(one.words_by_speaker), rate(turns),
        *(shares or ["-"] * 3),
        rate(one.online),
        f"{1000 * times.start_median_s:.0f}" if times and times.words else "-",
        f"{1000 * times.end_median_s:.0f}" if times and times.words else "-",
        "-" if one.stray is None else str(one.stray),
        *(_term_cell(one, name) for name in ("harm", "numbers", "medications")),
    ]  # fmt: skip


def _term_cell(one: Scores, name: str) -> str:
    found = (one.terms or {}).get(name)
    return f"{100 * found.rate:.1f} of {found.words}" if found is not None and found.words else "-"


def as_json(one: Scores) -> dict[str, Any]:
    """The scores with their rates, for a report file."""
    body = asdict(one)
    for name in ("words", "words_by_speaker", "diarization", "whole", "online"):
        errors = getattr(one, name)
        if errors is not None:
            body[name]["rate"] = round(errors.rate, 5) if math.isfinite(errors.rate) else None
    for name, found in (one.terms or {}).items():
        body["terms"][name]["rate"] = round(found.rate, 5)
    return body


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0, or 1 with one line that says what is wrong."""
    parser = argparse.ArgumentParser(prog="accuracy", description="A transcript against its reference.")
    parser.add_argument("transcript", type=Path, help="what `sameday transcribe --json` printed")
    parser.add_argument("--rttm", type=Path, help="its speaker turns; without, its utterances are taken")
    parser.add_argument(
        "--reference", type=Path, action="append", required=True, help=".json, .rttm, .stm, .TextGrid, .txt"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(argv)
    try:
        text = options.transcript.read_text(encoding="utf-8")
        heard = transcript_json.parse(text)
        reference = read_reference(options.reference)
        turns = None
        if options.rttm is not None:
            turns = [turn for found in parse_rttm(options.rttm.read_text("utf-8")).values() for turn in found]
        scores = score(options.transcript.stem, reference, heard, turns, _duration(text, heard, reference))
    except (SamedayError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(as_json(scores)) if options.json else table([scores]), end="\n" if options.json else "")
    return 0


def _duration(text: str, heard: Transcript, reference: Reference) -> Tick:
    """The recording's length as the transcript says, else to the end of all that either side holds."""
    stated = json.loads(text).get("audio_s")
    if isinstance(stated, int | float) and stated > 0:
        return to_tick(stated)
    ends = [one.end for one in heard.utterances] + [turn.end for turn in reference.turns or ()]
    return max(ends, default=Tick(0))


if __name__ == "__main__":
    sys.exit(main())
