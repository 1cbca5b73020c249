"""Scoring against hand-made cases and against the field's own tools."""

import math

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scoring import (
    DiarizationErrors,
    WordErrors,
    align,
    count,
    diarization_errors,
    ordered_text,
    quantile,
    speaker_errors,
    stray_words,
    time_errors,
    transcript_errors,
    word_errors,
)
from streaming.types import (
    SpeakerId,
    TrackId,
    Transcript,
    Turn,
    Utterance,
    UtteranceId,
    Word,
    to_tick,
)

pytestmark = pytest.mark.unit

WORDS = st.lists(st.sampled_from("abcd"), max_size=12)


def word(text: str, start_s: float, end_s: float) -> Word:
    return Word(to_tick(start_s), to_tick(end_s), text, 1.0)


def turn(start_s: float, end_s: float, speaker: str) -> Turn:
    return Turn(to_tick(start_s), to_tick(end_s), SpeakerId(speaker))


def said(*lines: tuple[str, float, str], timed: bool = True) -> Transcript:
    """A transcript of (speaker, start_s, text), a word each 0.4 s."""
    utterances = []
    for number, (speaker, start_s, text) in enumerate(lines):
        spoken = tuple(
            word(part, start_s + 0.4 * index, start_s + 0.4 * index + 0.4) for index, part in enumerate(text.split())
        )
        utterances.append(
            Utterance(
                UtteranceId(f"u{number}"),
                TrackId("mic"),
                to_tick(start_s),
                to_tick(start_s + 0.4 * len(spoken)),
                SpeakerId(speaker),
                text,
                1.0,
                spoken if timed else (),
            )
        )
    return Transcript(tuple(utterances), {})


def test_parts_of_word_errors() -> None:
    found = word_errors("I sleep badly four nights a week", "I slept badly for four nights week")
    assert found == WordErrors(words=7, substitutions=1, deletions=1, insertions=1)
    assert found.rate == pytest.approx(3 / 7)


def test_nothing_said_and_nothing_heard_is_right() -> None:
    assert word_errors("", "um").rate == 0.0
    assert word_errors("um", "thank you").rate == math.inf
    assert word_errors("thank you", "") == WordErrors(words=2, deletions=2)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_number_of_errors_is_that_of_jiwer(reference: list[str], hypothesis: list[str]) -> None:
    found = count(reference, hypothesis)
    if reference:
        theirs = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
        assert found.errors == theirs.substitutions + theirs.deletions + theirs.insertions
        assert found.substitutions <= theirs.substitutions
    assert found.insertions - found.deletions == len(hypothesis) - len(reference)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_alignment_takes_every_word_of_both_sides_in_order(reference: list[str], hypothesis: list[str]) -> None:
    pairs = align(reference, hypothesis)
    assert [one for one, _ in pairs if one is not None] == list(range(len(reference)))
    assert [other for _, other in pairs if other is not None] == list(range(len(hypothesis)))
    assert (None, None) not in pairs


def test_words_of_overlapping_speakers_are_read_in_order_of_time() -> None:
    talk = said(("A", 0.0, "one two three"), ("B", 0.5, "yes"))
    assert ordered_text(talk) == "one two yes three"
    assert ordered_text(talk, SpeakerId("A")) == "one two three"
    assert ordered_text(said(("A", 0.0, "one two three"), ("B", 0.5, "yes"), timed=False)) == "one two three yes"


def test_speakers_are_paired_at_their_best_and_their_names_do_not_count() -> None:
    reference = said(("clinician", 0.0, "how are you"), ("client", 2.0, "quite well thanks"))
    assert speaker_errors(reference, said(("S2", 0.0, "how are you"), ("S1", 2.0, "quite well thanks"))).errors == 0


def test_a_word_given_to_the_wrong_speaker_counts_twice_there_and_not_at_all_without_speakers() -> None:
    reference = said(("clinician", 0.0, "how are you"), ("client", 2.0, "quite well thanks"))
    heard = said(("S1", 0.0, "how are"), ("S2", 0.8, "you"), ("S2", 2.0, "quite well thanks"))
    assert transcript_errors(reference, heard).errors == 0
    assert speaker_errors(reference, heard) == WordErrors(words=6, deletions=1, insertions=1)


def test_speakers_too_many_and_too_few() -> None:
    reference = said(("clinician", 0.0, "how are you"), ("client", 2.0, "well"))
    split = said(("S1", 0.0, "how are"), ("S2", 0.8, "you"), ("S3", 2.0, "well"))
    assert speaker_errors(reference, split) == WordErrors(words=4, deletions=1, insertions=1)
    assert speaker_errors(reference, said(("S1", 0.0, "how are you well"))) == WordErrors(4, 0, 1, 1)
    assert speaker_errors(reference, said()) == WordErrors(4, 0, 4, 0)


def test_order_of_talk_at_once_does_not_matter_to_speaker_errors() -> None:
    reference = said(("A", 0.0, "one two three"), ("B", 0.5, "yes"))
    heard = said(("S1", 0.0, "one two three"), ("S2", 0.3, "yes"))
    assert transcript_errors(reference, heard).errors == 2
    assert speaker_errors(reference, heard).errors == 0


def test_word_errors_add_up() -> None:
    assert WordErrors(3, 1, 1, 0) + WordErrors(1, 0, 0, 2) == WordErrors(4, 1, 1, 2)


def test_word_times_are_compared_where_both_sides_have_the_word() -> None:
    reference = [word("I", 0.0, 0.2), word("sleep", 0.2, 0.6), word("badly", 1.0, 1.5)]
    heard = [word("badly.", 1.2, 1.4), word("I", 0.1, 0.3), word("slept", 0.3, 0.9)]
    found = time_errors(reference, heard)
    assert found.words == 2
    assert found.start_median_s == pytest.approx(0.15)
    assert found.start_p95_s == pytest.approx(0.195)
    assert found.end_median_s == pytest.approx(0.1)
    assert found.end_shift_s == pytest.approx(0.0)
    assert found.start_shift_s == pytest.approx(0.15)


def test_word_times_of_joined_numbers_and_parted_times() -> None:
    reference = [word("twenty", 0.0, 0.4), word("five", 0.4, 0.8), word("ten", 1.0, 1.3), word("thirty", 1.3, 1.7)]
    found = time_errors(reference, [word("25", 0.0, 0.8), word("10:30", 1.0, 1.7)])
    assert (found.words, found.start_p95_s, found.end_p95_s) == (1, 0.0, 0.0)


def test_word_times_of_nothing() -> None:
    found = time_errors([], [word("hello", 0.0, 0.5)])
    assert found.words == 0
    assert math.isnan(found.start_median_s)


def test_words_where_nobody_spoke_are_stray() -> None:
    heard = [word("hello", 1.0, 1.4), word("thanks", 3.0, 3.2), word("um", 5.0, 5.2), word("you", 1.9, 2.3)]
    assert [one.text for one in stray_words(heard, [turn(1.0, 2.0, "A")])] == ["thanks"]
    assert [one.text for one in stray_words(heard, [turn(1.0, 2.0, "A")], tolerance_s=0.0)] == ["thanks", "you"]
    assert len(stray_words(heard, [])) == 3


def test_parts_of_diarization_errors() -> None:
    reference = [turn(0, 10, "a"), turn(5, 15, "b")]
    found = diarization_errors(reference, [turn(0, 10, "x"), turn(10, 16, "y")], to_tick(20))
    assert found == DiarizationErrors(speech_s=20.0, missed_s=5.0, false_alarm_s=1.0, confused_s=0.0)
    assert found.rate == pytest.approx(6 / 20)


def test_confused_speakers() -> None:
    reference = [turn(0, 10, "a"), turn(10, 16, "b")]
    found = diarization_errors(reference, [turn(0, 16, "x")], to_tick(20))
    assert (found.missed_s, found.false_alarm_s, found.confused_s) == (0.0, 0.0, 6.0)


def test_all_of_the_file_is_scored_not_only_where_the_reference_speaks() -> None:
    found = diarization_errors([turn(5, 6, "a")], [turn(0, 1, "x"), turn(5, 6, "x"), turn(18, 21, "x")], to_tick(20))
    assert found.false_alarm_s == pytest.approx(3.0)


def test_nobody_speaks() -> None:
    assert diarization_errors([], [], to_tick(5)).rate == 0.0
    found = diarization_errors([], [turn(1, 2, "x")], to_tick(5))
    assert (found.false_alarm_s, found.rate) == (1.0, math.inf)


def test_one_speakers_overlapping_turns_count_once() -> None:
    found = diarization_errors([turn(0, 4, "a"), turn(2, 6, "a")], [turn(0, 6, "x")], to_tick(6))
    assert found == DiarizationErrors(6.0, 0.0, 0.0, 0.0)


def test_diarization_errors_add_up() -> None:
    total = DiarizationErrors(10.0, 1.0, 0.0, 0.0) + DiarizationErrors(30.0, 0.0, 2.0, 1.0)
    assert total.rate == pytest.approx(0.1)


def test_quantiles() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert math.isnan(quantile([], 0.5))
