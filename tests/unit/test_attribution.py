"""Words and turns in, utterances out: the same in every order of arrival."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.attribution import Attribution
from streaming.types import SAMPLE_RATE, SpeakerId, Tick, TrackId, Turn, Turns, Utterance, Word, Words

pytestmark = pytest.mark.unit

MIC = TrackId("mic")
A, B = SpeakerId("S1"), SpeakerId("S2")


def tick(time_s: float) -> Tick:
    return Tick(round(time_s * SAMPLE_RATE))


def words(text: str, start_s: float, each_s: float = 0.3) -> list[Word]:
    return [
        Word(tick(start_s + index * each_s), tick(start_s + (index + 1) * each_s), piece, 0.9)
        for index, piece in enumerate(text.split())
    ]


def turn(start_s: float, end_s: float, speaker: SpeakerId) -> Turn:
    return Turn(tick(start_s), tick(end_s), speaker)


def joined(said: Sequence[Words], turns: Sequence[Turns]) -> list[Utterance]:
    attribution, closed = Attribution(MIC), []
    for message in said:
        closed += attribution.words(message)
    for told in turns:
        closed += attribution.turns(told)
    return closed + attribution.flush()


def spoken(utterances: list[Utterance]) -> list[tuple[SpeakerId, str]]:
    return [(utterance.speaker, utterance.text) for utterance in utterances]


def final(committed: list[Word], through_s: float, *, pause: bool = False, ends: bool = False) -> Words:
    at = tick(through_s)
    return Words(MIC, tuple(committed), (), at, (at,) if pause or ends else (), (at,) if ends else ())


def test_words_go_to_the_speaker_whose_turn_they_lie_in() -> None:
    said = [final(words("how are you", 1.0), 2.5, pause=True), final(words("not so well", 3.0), 5.0, ends=True)]
    told = [Turns(MIC, (turn(0.9, 2.0, A), turn(2.9, 4.0, B)), tick(6.0))]
    assert spoken(joined(said, told)) == [(A, "how are you"), (B, "not so well")]


def test_a_change_without_a_pause_moves_to_the_sentence_end() -> None:
    said = [final(words("you see. No I do not", 1.0), 4.0, ends=True)]
    # The turns put the change one word late.
    told = [Turns(MIC, (turn(1.0, 1.85, A), turn(1.85, 3.0, B)), tick(6.0))]
    assert spoken(joined(said, told)) == [(A, "you see."), (B, "No I do not")]


def test_in_an_overlap_the_one_who_has_the_floor_keeps_it() -> None:
    said = [final(words("I went twice this month", 1.0), 4.0, ends=True)]
    told = [Turns(MIC, (turn(1.0, 2.5, A), turn(1.6, 1.9, B)), tick(6.0))]
    assert spoken(joined(said, told)) == [(A, "I went twice this month")]


def test_a_listeners_sound_does_not_take_the_last_word_of_a_sentence_along() -> None:
    said = [final(words("I put off calling customers.", 1.0), 4.0, ends=True)]
    told = [Turns(MIC, (turn(1.0, 2.15, A), turn(2.15, 2.8, B)), tick(6.0))]
    assert spoken(joined(said, told)) == [(A, "I put off calling customers.")]


def test_a_listeners_word_after_a_comma_is_the_listeners() -> None:
    said = [final(words("four nights a week, right.", 1.0), 4.0, ends=True)]
    told = [Turns(MIC, (turn(1.0, 2.2, A), turn(2.2, 2.8, B)), tick(6.0))]
    assert spoken(joined(said, told)) == [(A, "four nights a week,"), (B, "right.")]


def test_words_outside_all_turns_stay_with_whoever_spoke_before() -> None:
    said = [final(words("I was there", 1.0), 2.5, pause=True), final(words("then", 4.0), 6.0, ends=True)]
    told = [Turns(MIC, (turn(1.0, 1.9, B),), tick(9.0))]
    assert spoken(joined(said, told)) == [(B, "I was there then")]


def test_words_before_anyone_was_told_apart_are_kept() -> None:
    assert spoken(joined([final(words("hello", 1.0), 3.0, ends=True)], [Turns(MIC, (), tick(9.0))])) == [(A, "hello")]


def test_ids_count_per_track_from_one_and_times_span_the_words() -> None:
    closed = joined(
        [final(words("yes", 1.0), 2.5, ends=True), final(words("no", 3.0), 5.0, ends=True)],
        [Turns(MIC, (turn(0.9, 4.0, A),), tick(6.0))],
    )
    assert [utterance.id for utterance in closed] == ["mic.1", "mic.2"]
    assert (closed[1].start, closed[1].end) == (tick(3.0), tick(3.3))


def test_an_utterance_closes_at_its_break_without_waiting_for_more() -> None:
    attribution = Attribution(MIC)
    assert attribution.turns(Turns(MIC, (turn(0.9, 1.5, A),), tick(3.0))) == []
    assert spoken(attribution.words(final(words("yes", 1.0), 2.0, ends=True))) == [(A, "yes")]


def test_an_utterance_closes_once_another_has_answered() -> None:
    attribution = Attribution(MIC)
    attribution.words(final(words("how are you", 1.0), 2.2, pause=True))
    assert attribution.turns(Turns(MIC, (turn(0.9, 2.0, A),), tick(2.4))) == []
    assert spoken(attribution.turns(Turns(MIC, (turn(2.5, 3.2, B),), tick(3.2)))) == [(A, "how are you")]


def test_a_pause_within_one_speakers_talk_does_not_split_it() -> None:
    said = [final(words("I was", 1.0), 2.0, pause=True), final(words("so tired", 2.1), 4.0, ends=True)]
    told = [Turns(MIC, (turn(0.9, 1.7, A), turn(2.0, 2.8, A)), tick(6.0))]
    assert spoken(joined(said, told)) == [(A, "I was so tired")]


def test_flush_closes_what_has_no_break() -> None:
    assert spoken(joined([final(words("and then", 1.0), 2.0)], [])) == [(A, "and then")]


@st.composite
def sessions(draw: st.DrawFn) -> tuple[list[Words], list[Turns]]:
    """A talk of two speakers as both branches tell it, with jittered turn edges and odd message sizes."""
    said: list[Words] = []
    turns: list[Turn] = []
    at = 0.5
    for index in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from([0.0, 0.1, 0.4, 0.9, 2.0]))
        speaker = draw(st.sampled_from([A, B]))
        run = words(" ".join(f"w{index}-{n}" for n in range(draw(st.integers(1, 8)))), at, 0.3)
        end = run[-1].end / SAMPLE_RATE
        if draw(st.booleans()):
            jitter = st.floats(-0.25, 0.25)
            turns.append(turn(max(0.0, at + draw(jitter)), end + 0.3 + draw(jitter), speaker))
        kind = draw(st.sampled_from(["pause", "ends", "cut"]))
        at = end + 0.05
        said.append(final(run, at, pause=kind == "pause", ends=kind == "ends"))
        if draw(st.booleans()):
            # A cough, or a window that could not be recognized: a pause without words.
            at += draw(st.sampled_from([0.3, 1.0, 2.6]))
            said.append(final([], at, pause=True))
    said.append(final([], at + 3.0, ends=True))
    turns.sort(key=lambda one: one.start)
    told, through = [], 0.0
    while through < at + 6.0:
        step = draw(st.floats(0.1, 3.0))
        pieces = tuple(
            Turn(max(one.start, tick(through)), min(one.end, tick(through + step)), one.speaker)
            for one in turns
            if one.start < tick(through + step) and one.end > tick(through)
        )
        through += step
        told.append(Turns(MIC, pieces, tick(through)))
    return said, told


@given(sessions(), st.data())
def test_every_interleaving_of_words_and_turns_gives_one_transcript(
    session: tuple[list[Words], list[Turns]], data: st.DataObject
) -> None:
    said, told = session
    expected = joined(said, told)
    assert [word for one in expected for word in one.words] == [word for part in said for word in part.committed]

    attribution, closed = Attribution(MIC), []
    left, right = list(said), list(told)
    while left or right:
        take_words = bool(left) and (not right or data.draw(st.booleans()))
        closed += attribution.words(left.pop(0)) if take_words else attribution.turns(right.pop(0))
    assert closed + attribution.flush() == expected
