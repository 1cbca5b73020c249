"""The fold of a session's events."""

import numpy as np
import pytest

from streaming.events import (
    AudioSpan,
    Event,
    GapMarked,
    NoteDrafted,
    RolesAssigned,
    SessionEnded,
    SessionStarted,
    SpeakerRelabelled,
    StageFailed,
    TrackTotals,
    TurnsSettled,
    UtteranceClosed,
    decode,
    encode,
)
from streaming.state import SessionState
from streaming.types import (
    Gap,
    Role,
    RoleGuess,
    SpeakerId,
    Tick,
    TrackId,
    TrackPlan,
    Turn,
    Utterance,
    UtteranceId,
    Word,
)

pytestmark = pytest.mark.unit

MIC = TrackId("mic")
S1, S2 = SpeakerId("S1"), SpeakerId("S2")
STARTED = SessionStarted("2026-01-31T10:00:00+01:00", (TrackPlan(MIC, 2),), ("client",), "dap")
ENDED = SessionEnded("2026-01-31T10:50:00+01:00", "requested", (TrackTotals(MIC, 900, 800, 100, 700),))


def _utterance(number: int, start: int, speaker: SpeakerId = S1) -> Utterance:
    words = (Word(Tick(start), Tick(start + 50), "so", 0.9),)
    return Utterance(
        UtteranceId(f"mic.{number}"), MIC, Tick(start), Tick(start + 50), speaker, f"said {number}", 0.9, words
    )


def _guess(first: Role, second: Role) -> RoleGuess:
    return RoleGuess({S1: first, S2: second}, "talk", 0.8)


def _fold(*events: Event) -> SessionState:
    state = SessionState()
    for event in (STARTED, *events):
        state.apply(event)
    return state


def test_what_the_start_says() -> None:
    state = _fold()
    assert (state.started_at, state.consents.missing, state.note_format) == (STARTED.started_at, [], "dap")
    assert state.tracks == STARTED.tracks
    assert state.ended_at is None


def test_utterances_are_shown_as_they_were_spoken_not_as_they_closed() -> None:
    state = _fold(UtteranceClosed(_utterance(2, 400)), UtteranceClosed(_utterance(1, 100)))
    assert [one.text for one in state.in_order()] == ["said 1", "said 2"]


def test_a_relabel_changes_the_speaker_alone() -> None:
    state = _fold(UtteranceClosed(_utterance(1, 100)), SpeakerRelabelled(UtteranceId("mic.1"), S2))
    (one,) = state.in_order()
    assert (one.speaker, one.text, one.words) == (S2, "said 1", _utterance(1, 100).words)


def test_the_newest_roles_count_for_all_that_was_said() -> None:
    state = _fold(UtteranceClosed(_utterance(1, 100)), RolesAssigned(_guess("clinician", "client")))
    assert state.role_of(S1) == "clinician"
    state.apply(RolesAssigned(_guess("client", "clinician")))
    assert (state.role_of(S1), state.transcript().roles[S1]) == ("client", "client")
    assert state.role_of(SpeakerId("S9")) is None


def test_nobodys_role_is_known_at_first() -> None:
    assert _fold().role_of(S1) is None
    assert _fold().transcript().roles == {}


def test_the_transcript_has_the_gaps_and_the_sessions_own_clock() -> None:
    gap = Gap(MIC, Tick(800), Tick(900), "packet_loss")
    transcript = _fold(GapMarked(gap), ENDED).transcript()
    assert transcript.gaps == (gap,)
    assert (transcript.context.started_at, transcript.context.ended_at) == (STARTED.started_at, ENDED.ended_at)


def test_the_end_turns_failures_and_audio() -> None:
    turns = (Turn(Tick(0), Tick(50), S1),)
    state = _fold(
        AudioSpan(MIC, Tick(0), np.zeros(10, dtype=np.int16)),
        TurnsSettled(MIC, turns),
        StageFailed("diarize", "broken"),
        ENDED,
    )
    assert (state.turns, state.failures, state.totals) == ({MIC: turns}, [("diarize", "broken")], ENDED.totals)


def test_a_note_remembers_the_roles_that_it_was_drafted_with() -> None:
    before = _guess("clinician", "client")
    state = _fold(RolesAssigned(before), NoteDrafted({"format": "dap"}))
    assert state.note == {"format": "dap"}
    assert state.note_roles == state.roles == before
    state.apply(RolesAssigned(_guess("client", "clinician")))
    assert state.note_roles == before != state.roles


def test_a_log_that_was_stored_gives_the_same_state() -> None:
    events: list[Event] = [
        UtteranceClosed(_utterance(1, 100)),
        GapMarked(Gap(MIC, Tick(800), Tick(900), "packet_loss")),
        SpeakerRelabelled(UtteranceId("mic.1"), S2),
        TurnsSettled(MIC, (Turn(Tick(0), Tick(50), S1),)),
        RolesAssigned(_guess("clinician", "client")),
        StageFailed("draft", "broken"),
        ENDED,
        NoteDrafted({"format": "dap"}),
    ]
    assert _fold(*(decode(*encode(event)) for event in events)) == _fold(*events)
