"""Scores of a recording, pooled and printed."""

import json
from pathlib import Path

import pytest

from benchmarks.accuracy import main, pooled, score, table
from benchmarks.manifest import Reference, read_reference
from streaming import transcript_json
from streaming.types import SpeakerId, Transcript, Turn, to_tick

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parents[2] / "benchmarks" / "data" / "session"


def heard(text: str, speaker: str = "S1") -> Transcript:
    words = [
        {"text": word, "start": 1 + 0.5 * at, "end": 1.4 + 0.5 * at, "confidence": 0.9}
        for at, word in enumerate(text.split())
    ]
    end = words[-1]["end"] if words else 1.0
    row = {"id": "mic-1", "speaker": speaker, "start": 1.0, "end": end, "text": text, "words": words}
    return transcript_json.read({"utterances": [row] if words else []})


def test_only_what_is_known_is_scored() -> None:
    scores = score("x", Reference(text="good morning"), heard("good evening to you"), None, to_tick(4.0))
    assert scores.words is not None
    assert (scores.words.errors, scores.words.words) == (3, 2)
    assert (scores.words_by_speaker, scores.diarization, scores.times, scores.stray) == (None, None, None, None)
    nothing = score("x", Reference(), heard("good evening"), None, to_tick(4.0))
    assert nothing.words is None
    assert table([nothing]).splitlines()[2] == "| x | 4.0 |" + " - |" * 12


def test_a_silent_recording_counts_what_was_made_up() -> None:
    scores = score("noise", Reference(turns=(), text=""), heard("thank you"), (), to_tick(4.0))
    assert scores.stray == 2
    assert scores.words is not None
    assert scores.words.insertions == 2


def test_given_turns_are_scored_and_not_the_utterances() -> None:
    reference = Reference(turns=(Turn(to_tick(1.0), to_tick(2.0), SpeakerId("a")),))
    given = [Turn(to_tick(1.0), to_tick(1.5), SpeakerId("S1"))]
    scores = score("x", reference, heard("good evening to you"), given, to_tick(4.0))
    assert scores.diarization is not None
    assert (scores.diarization.missed_s, scores.diarization.false_alarm_s) == (0.5, 0.0)
    from_utterances = score("x", reference, heard("good evening to you"), None, to_tick(4.0)).diarization
    assert from_utterances is not None
    assert from_utterances.false_alarm_s == pytest.approx(0.9)


def test_pooling_weighs_by_size() -> None:
    short = score("a", Reference(text="no"), heard("yes"), None, to_tick(2.0))
    long = score("b", Reference(text="one two three"), heard("one two three"), None, to_tick(4.0))
    both = pooled("both", [short, long])
    assert both.words is not None
    assert both.words.rate == pytest.approx(0.25)
    assert (both.audio_s, both.diarization, both.stray) == (6.0, None, None)


def test_the_reference_scores_perfectly_against_itself() -> None:
    reference = read_reference([FOLDER / "reference.json", FOLDER / "session.rttm"])
    assert reference.transcript is not None
    scores = score("session", reference, reference.transcript, reference.turns, to_tick(186.02))
    assert scores.words is not None
    assert scores.words_by_speaker is not None
    assert scores.diarization is not None
    assert scores.times is not None
    assert (scores.words.errors, scores.words_by_speaker.errors, scores.diarization.rate, scores.stray) == (
        0,
        0,
        0,
        0,
    )
    assert (scores.times.start_p95_s, scores.times.end_p95_s) == (0.0, 0.0)
    assert scores.times.words > 0.95 * scores.words.words


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    references = ["--reference", str(FOLDER / "reference.json"), "--reference", str(FOLDER / "session.rttm")]
    assert main([str(FOLDER / "reference.json"), "--rttm", str(FOLDER / "session.rttm"), "--json", *references]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["words"]["rate"], body["diarization"]["rate"], body["audio_s"]) == (0.0, 0.0, 186.02)
    assert main([str(FOLDER / "reference.json"), *references]) == 0
    assert "| reference | 186.0 | 0.0 | 0/0/0 of" in capsys.readouterr().out
    (tmp_path / "bad.json").write_text("nothing")
    assert main([str(tmp_path / "bad.json"), *references]) == 1
    assert "JSON" in capsys.readouterr().err
    assert main([str(tmp_path / "missing.json"), *references]) == 1
