"""Which utterances the end-of-session clustering gives to somebody else."""

import pytest

from streaming.relabelling import relabelled
from streaming.types import SpeakerId, Tick, TrackId, Turn, Utterance, UtteranceId, Word

pytestmark = pytest.mark.unit

A, B, C = SpeakerId("S1"), SpeakerId("S2"), SpeakerId("S3")


def _utterance(speaker: SpeakerId, *spans: tuple[int, int], number: int = 1) -> Utterance:
    words = tuple(Word(Tick(start), Tick(end), "so", 1.0) for start, end in spans)
    return Utterance(
        UtteranceId(f"mic.{number}"), TrackId("mic"), words[0].start, words[-1].end, speaker, "so", 1.0, words
    )


def _turn(start: int, end: int, speaker: SpeakerId) -> Turn:
    return Turn(Tick(start), Tick(end), speaker)


def test_an_utterance_in_its_speakers_turns_stays() -> None:
    assert relabelled([_utterance(A, (0, 100), (100, 200))], [_turn(0, 200, A)]) == {}


def test_one_that_lies_mostly_in_anothers_goes_to_them() -> None:
    utterance = _utterance(A, (0, 100), (100, 200), (200, 300))
    assert relabelled([utterance], [_turn(0, 100, A), _turn(100, 300, B)]) == {utterance.id: B}


def test_words_count_and_not_the_pauses_between_them() -> None:
    utterance = _utterance(A, (0, 100), (900, 950))
    assert relabelled([utterance], [_turn(0, 100, A), _turn(100, 950, B)]) == {}


def test_a_tie_changes_nothing() -> None:
    assert relabelled([_utterance(A, (0, 100), (100, 200))], [_turn(0, 100, B), _turn(100, 200, A)]) == {}


def test_a_tie_between_others_is_settled_the_same_way_each_time() -> None:
    utterance = _utterance(A, (0, 100), (100, 200))
    turns = [_turn(0, 100, C), _turn(100, 200, B)]
    assert relabelled([utterance], turns) == relabelled([utterance], turns[::-1]) == {utterance.id: B}


def test_one_in_nobodys_turns_keeps_its_speaker() -> None:
    assert relabelled([_utterance(A, (500, 600))], [_turn(0, 500, B), _turn(600, 900, B)]) == {}


def test_only_those_that_change_are_named() -> None:
    first, second = _utterance(A, (0, 100)), _utterance(A, (100, 200), number=2)
    assert relabelled([first, second], [_turn(0, 100, A), _turn(100, 200, B)]) == {second.id: B}
