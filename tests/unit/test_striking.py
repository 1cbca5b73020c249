"""What a strike takes out of a log, and what it leaves."""

import numpy as np
import pytest

from streaming import striking
from streaming.errors import PeerError, UnknownUtterance
from streaming.events import (
    AudioSpan,
    Carried,
    Event,
    GapMarked,
    Heard,
    MomentMarked,
    NoteDrafted,
    NoteReviewed,
    RolesAssigned,
    SessionStarted,
    Stored,
    Struck,
    UtteranceClosed,
    UtteranceCorrected,
)
from streaming.state import SessionState
from streaming.striking import Asked
from streaming.types import SAMPLE_RATE, Gap, RoleGuess, SpeakerId, Tick, TrackId, TrackPlan, Utterance, UtteranceId

pytestmark = pytest.mark.unit
MIC, CALL = TrackId("mic"), TrackId("call")


def ticks(seconds: float) -> Tick:
    return Tick(round(seconds * SAMPLE_RATE))


def said(number: int, start_s: float, end_s: float, track: TrackId = MIC) -> UtteranceClosed:
    name = UtteranceId(f"{track}.{number}")
    return UtteranceClosed(
        Utterance(name, track, ticks(start_s), ticks(end_s), SpeakerId("S1"), f"words {number}", 0.9, ())
    )


def state_of(*events: Event) -> SessionState:
    state = SessionState()
    plans = (TrackPlan(MIC, 1), TrackPlan(CALL, 1))
    for event in (SessionStarted("2026-01-31T10:00:00+01:00", plans, ("client",)), *events):
        state.apply(event)
    return state


TALK = (said(1, 1, 4), said(2, 5, 9), said(3, 40, 44), said(4, 44.1, 50), said(1, 41, 43, CALL))


def within(start_s: float, end_s: float) -> Asked:
    return Asked({MIC: (ticks(start_s), ticks(end_s))})


def spans(found: tuple[Gap, ...]) -> list[tuple[str, float, float]]:
    return [(one.track, one.start / SAMPLE_RATE, one.end / SAMPLE_RATE) for one in found]


def test_whole_utterances_go_with_a_little_around_up_to_their_neighbours() -> None:
    state = state_of(*TALK)
    assert spans(striking.stretches(state, within(8, 8.5))) == [("mic", 4.75, 9.25)]
    assert spans(striking.stretches(state, within(45, 60))) == [("mic", 44.0, 60.25)]
    assert spans(striking.stretches(state, Asked({}, (UtteranceId("mic.1"), UtteranceId("call.1"))))) == [
        ("mic", 0.75, 4.25), ("call", 40.75, 43.25),
    ]  # fmt: skip
    assert spans(striking.stretches(state, Asked({}, (UtteranceId("mic.3"), UtteranceId("mic.4"))))) == [
        ("mic", 39.75, 50.25)
    ]


def test_nothing_and_what_is_not_there_cannot_be_struck() -> None:
    state = state_of(*TALK)
    with pytest.raises(UnknownUtterance):
        striking.stretches(state, Asked({}, (UtteranceId("mic.9"),)))
    with pytest.raises(PeerError):
        striking.stretches(state, Asked({}))


def test_a_live_session_is_heard_anew_from_half_a_minute_before_on_that_track_alone() -> None:
    state = state_of(*TALK)
    gone = striking.stretches(state, within(45, 60))
    assert striking.struck_in(state, gone) == ("mic.4",)
    assert striking.heard_anew(state, gone) == ("mic.3", "mic.4")


def corrected(number: int, text: str) -> UtteranceCorrected:
    return UtteranceCorrected(UtteranceId(f"mic.{number}"), text)


def struck_live(log: list[Event], asked: Asked) -> list[Event]:
    """The log after a strike, as a store has it."""
    state = state_of(*log)
    gone = striking.stretches(state, asked)
    anew, struck = striking.heard_anew(state, gone), striking.struck_in(state, gone)
    made = striking.changes([Stored(at, event) for at, event in enumerate(log)], gone, anew, struck)
    left = [made.get(at, event) for at, event in enumerate(log)]
    told = Struck(gone, anew, {}, "", "", striking.carried(state, gone, anew))
    return [*(event for event in left if event is not None), told]


def test_corrections_of_what_is_heard_anew_wait_in_the_log_and_of_what_goes_are_not_there() -> None:
    log: list[Event] = [*TALK, corrected(3, "mended"), corrected(4, "gone")]
    log = struck_live(log, within(45, 60))
    state = state_of(*log)  # as a server that starts anew reads it
    assert sorted(state.utterances) == ["call.1", "mic.1", "mic.2"]
    assert state.carried == (Carried(MIC, ticks(40), ticks(44), "words 3", "mended"),)
    assert "gone" not in str(log)
    heard = said(3, 40, 44).utterance
    assert state.correction_of(heard) == "mended"
    assert state.correction_of(said(9, 40, 44).utterance) is None  # not what was heard before
    state = state_of(*log, UtteranceClosed(heard), corrected(3, "mended"))
    assert (state.carried, state.utterances[heard.id].text) == ((), "mended")


def test_corrections_that_wait_are_carried_by_the_next_strike_and_go_with_what_it_takes() -> None:
    log: list[Event] = [*TALK, corrected(3, "mended"), corrected(4, "put right")]
    log = struck_live(log, Asked({CALL: (ticks(41), ticks(42)), MIC: (ticks(60), ticks(61))}))
    again = struck_live(log, within(70, 71))  # before any of it was heard again
    assert [one.text for one in state_of(*again).carried] == ["mended", "put right"]
    assert str(again).count("put right") == 1
    gone = struck_live(again, within(45, 46))
    assert [one.text for one in state_of(*gone).carried] == ["mended"]
    assert "put right" not in str(gone)


def test_who_is_who_and_marks_outlive_a_strike() -> None:
    swapped = RolesAssigned(RoleGuess({SpeakerId("S1"): "client"}, "clinician", 1.0))
    log = struck_live([*TALK, swapped, MomentMarked(ticks(41))], within(45, 60))
    state = state_of(*log)
    assert (state.roles, state.marks) == (swapped.guess, {ticks(41)})


def test_audio_is_silenced_and_later_answers_forgotten() -> None:
    answer = (Heard("words", 0, 9, b"marked"),)
    before, across, after = (
        AudioSpan(MIC, ticks(at), np.full(ticks(2), 7, np.int16), answer) for at in (0.0, 4.0, 8.0)
    )
    other = AudioSpan(CALL, ticks(8), np.full(ticks(2), 7, np.int16), answer)
    entries = [Stored(number, event) for number, event in enumerate((before, across, after, other), 1)]
    made = striking.changes(entries, (Gap(MIC, ticks(5), ticks(6), "struck"),), (), ())
    assert sorted(made) == [2, 3]
    silenced, kept = made[2], made[3]
    assert isinstance(silenced, AudioSpan)
    assert isinstance(kept, AudioSpan)
    assert [int(value) for value in silenced.pcm[:: ticks(1)]] == [7, 0]
    assert silenced.heard == answer  # of audio before the span, and so before what is struck
    assert (int(kept.pcm.min()), kept.heard) == (7, ())


def test_sentences_that_rest_on_what_is_struck_go_from_drafts_and_edits() -> None:
    gone = {"text": "Marked.", "provenance": "transcript", "evidence": ["mic.2"]}
    stays = {"text": "Kept.", "provenance": "transcript", "evidence": ["mic.1"]}
    finding = {"rule": "r", "message": "Marked.", "evidence": ["mic.2"]}
    note = {
        "sections": [{"name": "Plan", "statements": [gone, stays]}],
        "checks": [finding],
        "risk": {"si": {"state": "asked_denied", "evidence": ["mic.1", "mic.2"]}},
    }
    edit = {"action": "edit", "sections": {"Plan": [stays, gone]}}
    entries = [
        Stored(1, TALK[0]), Stored(2, TALK[1]), Stored(3, UtteranceCorrected(UtteranceId("mic.2"), "Marked")),
        Stored(4, NoteDrafted(note)), Stored(5, NoteReviewed(edit)), Stored(6, NoteDrafted({"sections": []})),
    ]  # fmt: skip
    struck = (UtteranceId("mic.2"),)
    made = striking.changes(entries, (), struck, struck)
    assert (made[2], made[3]) == (None, None)
    assert made[4] == NoteDrafted({
        "sections": [{"name": "Plan", "statements": [stays]}],
        "checks": [],
        "risk": {"si": {"state": "asked_denied", "evidence": ["mic.1"]}},
    })  # fmt: skip
    assert made[5] == NoteReviewed({"action": "edit", "sections": {"Plan": [stays]}})
    assert sorted(made) == [2, 3, 4, 5]


def test_audio_of_a_struck_stretch_that_comes_late_is_not_kept() -> None:
    gone = (Gap(MIC, ticks(5), ticks(9), "struck"),)
    state = state_of(*TALK[:2], Struck(gone, (UtteranceId("mic.2"),), {MIC: (ticks(7), ticks(9))}, "", "dana"))
    assert list(state.utterances) == ["mic.1"]
    assert state.holds[MIC].next(ticks(7), ticks(20)) == (ticks(9), "struck")
    assert state.holds[MIC].next(ticks(9), ticks(20)) == (ticks(20), None)
    assert [one.by for one in state.struck] == ["dana"]


def test_gaps_stay() -> None:
    gap = GapMarked(Gap(MIC, ticks(5), ticks(6), "packet_loss"))
    assert striking.changes([Stored(1, gap)], (Gap(MIC, ticks(5), ticks(9), "struck"),), (), ()) == {}
