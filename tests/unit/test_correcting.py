"""Words put right by the clinician: times stay where words stay, and every word lies within its utterance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.correcting import corrected
from streaming.events import Event, MomentMarked, SessionStarted, UtteranceClosed, UtteranceCorrected, decode, encode
from streaming.state import SessionState
from streaming.types import SpeakerId, Tick, TrackId, TrackPlan, Utterance, UtteranceId, Word

pytestmark = pytest.mark.unit

TEXTS = st.lists(st.sampled_from(["I", "take", "six", "sixty", "milligrams", "daily", "now"]), max_size=8)


def utterance(texts: list[str]) -> Utterance:
    words = tuple(Word(Tick(1000 * at), Tick(1000 * at + 800), text, 0.4) for at, text in enumerate(texts))
    end = Tick(1000 * len(texts) + 500)
    return Utterance(UtteranceId("mic-1"), TrackId("mic"), Tick(0), end, SpeakerId("S1"), " ".join(texts), 0.4, words)


def test_a_word_is_replaced_in_its_place() -> None:
    made = corrected(utterance(["I", "take", "six", "milligrams"]), "I take sixty  milligrams")
    assert made.text == "I take sixty milligrams"
    assert made.words[2] == Word(Tick(2000), Tick(2800), "sixty", 1.0)
    assert made.words[3] == Word(Tick(3000), Tick(3800), "milligrams", 0.4)
    assert made.confidence == pytest.approx((0.4 * 3 + 1.0) / 4)


@given(TEXTS, TEXTS.filter(bool))
def test_words_stay_in_order_and_within_the_utterance(before: list[str], after: list[str]) -> None:
    made = corrected(utterance(before), " ".join(after))
    assert [one.text for one in made.words] == after
    times = [tick for one in made.words for tick in (one.start, one.end)]
    assert times == sorted(times)
    assert made.start <= times[0]
    assert times[-1] <= made.end


def test_a_replay_of_the_log_has_the_corrected_words_and_the_marks() -> None:
    plan = (TrackPlan(TrackId("mic"), 2),)
    events: list[Event] = [
        SessionStarted("2026-01-31T10:00:00+00:00", plan, ("clinician",)),
        UtteranceClosed(utterance(["I", "take", "six"])),
        UtteranceCorrected(UtteranceId("mic-1"), "I take sixty"),
        UtteranceCorrected(UtteranceId("mic-9"), "of one that was struck"),
        MomentMarked(Tick(16000)),
        MomentMarked(Tick(32000)),
        MomentMarked(Tick(16000), on=False),
    ]
    state = SessionState()
    for event in events:
        state.apply(decode(*encode(event)))
    assert [one.text for one in state.in_order()] == ["I take sixty"]
    assert state.marks == {32000}
    assert state.heard == 4, "marks are nothing that a note is made of"
