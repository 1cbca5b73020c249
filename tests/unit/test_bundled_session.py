"""The bundled session's files agree with each other."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.audio_files import read_audio
from benchmarks.flite_voice import tokenize
from benchmarks.manifest import parse_rttm
from benchmarks.session_plan import read_script
from streaming import transcript_json
from streaming.types import SAMPLE_RATE, Int16Mono, Transcript, Turn

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parents[2] / "benchmarks" / "data" / "session"
ROLES = ("clinician", "client")


@pytest.fixture(scope="module")
def reference() -> Transcript:
    return transcript_json.parse((FOLDER / "reference.json").read_bytes())


@pytest.fixture(scope="module")
def turns() -> tuple[Turn, ...]:
    return parse_rttm((FOLDER / "session.rttm").read_text())["session"]


@pytest.fixture(scope="module")
def audio() -> dict[str, Int16Mono]:
    return {name: read_audio(FOLDER / f"{name}.opus") for name in ("mix", *ROLES)}


def test_every_word_of_the_script_is_in_the_reference(reference: Transcript) -> None:
    script = read_script(json.loads((FOLDER / "script.json").read_text()))
    ours = sorted((line.role, " ".join(tokenize(line.text))) for line in script.lines)
    assert sorted((reference.roles[one.speaker], one.text) for one in reference.utterances) == ours
    assert all([word.text for word in one.words] == one.text.split() for one in reference.utterances)


def test_words_of_a_speaker_follow_one_another_inside_their_utterance(reference: Transcript) -> None:
    for role in ROLES:
        words = [word for one in reference.utterances if one.speaker == role for word in one.words]
        assert all(one.start < one.end <= other.start for one, other in pairwise(words))
    for one in reference.utterances:
        assert (one.start, one.end) == (one.words[0].start, one.words[-1].end)


def test_all_files_have_the_length_that_the_reference_says(
    reference: Transcript, audio: dict[str, Int16Mono]
) -> None:
    body = json.loads((FOLDER / "reference.json").read_text())
    assert [len(pcm) for pcm in audio.values()] == [body["received_ticks"]] * 3
    assert body["audio_s"] * SAMPLE_RATE == body["received_ticks"] == body["transcribed_ticks"]
    assert reference.utterances[-1].end < body["received_ticks"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000


def test_turns_cover_the_words_and_nothing_else(reference: Transcript, turns: tuple[Turn, ...]) -> None:
    half_ms = SAMPLE_RATE // 2000
    for role in ROLES:
        mine = [turn for turn in turns if turn.speaker == role]
        words = [word for one in reference.utterances if one.speaker == role for word in one.words]
        for word in words:
            assert any(turn.start - half_ms <= word.start and word.end <= turn.end + half_ms for turn in mine)
        edges = [tick for word in words for tick in (word.start, word.end)]
        for turn in mine:
            assert min(abs(turn.start - tick) for tick in edges) <= half_ms
            assert min(abs(turn.end - tick) for tick in edges) <= half_ms + 1


def test_each_track_is_loud_in_its_turns_and_silent_elsewhere(
    turns: tuple[Turn, ...], audio: dict[str, Int16Mono]
) -> None:
    for role in ROLES:
        track = audio[role].astype(np.float64)
        talking = np.zeros(len(track), dtype=bool)
        near = np.zeros(len(track), dtype=bool)
        for turn in turns:
            if turn.speaker == role:
                talking[turn.start : turn.end] = True
                near[max(turn.start - 800, 0) : turn.end + 6400] = True
        speech, rest = np.mean(track[talking] ** 2), np.mean(track[~near] ** 2)
        assert 10 * np.log10(speech / (rest + 1e-9)) > 40


def test_word_times_are_where_the_sound_is(reference: Transcript, audio: dict[str, Int16Mono]) -> None:
    """After a pause, sound sets in at the word's start: within 80 ms, a stop's closure included, mostly at once."""
    late = []
    for role in ROLES:
        track = audio[role].astype(np.float64)
        words = [word for one in reference.utterances if one.speaker == role for word in one.words]
        for before, word in pairwise(words):
            if word.start - before.end > SAMPLE_RATE // 2:
                level = np.convolve(track[word.start - 800 : word.end] ** 2, np.ones(80) / 80, mode="valid")
                late.append((int(np.argmax(level > level.max() / 1000)) - 800) / SAMPLE_RATE)
    assert len(late) > 40
    assert min(late) > -0.02
    assert max(late) < 0.08
    assert abs(float(np.median(late))) < 0.01


def test_the_talk_has_pauses_and_overlaps(turns: tuple[Turn, ...]) -> None:
    ends = np.maximum.accumulate([turn.end for turn in turns])
    gaps = np.array([other.start - end for end, other in zip(ends, turns[1:], strict=False)]) / SAMPLE_RATE
    assert (gaps > 3).sum() == 1
    overlaps = [(int(end), other.start) for end, other in zip(ends, turns[1:], strict=False) if other.start < end]
    assert 6 <= len(overlaps) <= 15
    assert 0.3 < float(np.median(gaps[gaps > 0])) < 1.0
