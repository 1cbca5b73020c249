"""RTTM lines: the fields that scorers read, in order of time."""

import pytest

from streaming.events import SessionStarted, TurnsSettled, UtteranceClosed
from streaming.rttm import rttm
from streaming.state import SessionState
from streaming.types import SpeakerId, Tick, TrackId, TrackPlan, Turn, Utterance, UtteranceId

pytestmark = pytest.mark.unit

MIC, CLIENT = TrackId("mic"), TrackId("client")


def _turn(start: int, end: int, speaker: str) -> Turn:
    return Turn(Tick(start), Tick(end), SpeakerId(speaker))


def _utterance(track: TrackId, number: int, start: int, end: int, speaker: str) -> Utterance:
    return Utterance(
        UtteranceId(f"{track}.{number}"), track, Tick(start), Tick(end), SpeakerId(speaker), "so", 1.0, ()
    )


def _state(*events: UtteranceClosed | TurnsSettled) -> SessionState:
    state = SessionState()
    state.apply(SessionStarted("2026-01-31T10:00:00+01:00", (TrackPlan(MIC, 2), TrackPlan(CLIENT, 1)), ("client",)))
    for event in events:
        state.apply(event)
    return state


def test_settled_turns_in_order_of_time() -> None:
    state = _state(TurnsSettled(MIC, (_turn(32_000, 40_000, "S2"), _turn(0, 24_001, "S1"))))
    assert rttm("call", state) == (
        "SPEAKER call 1 0.000 1.500 <NA> <NA> S1 <NA> <NA>\nSPEAKER call 1 2.000 0.500 <NA> <NA> S2 <NA> <NA>\n"
    )


def test_settled_turns_stand_for_the_utterances_of_their_track_and_no_other() -> None:
    state = _state(
        UtteranceClosed(_utterance(MIC, 1, 0, 16_000, "S1")),
        UtteranceClosed(_utterance(CLIENT, 1, 48_000, 64_000, "client")),
        TurnsSettled(MIC, (_turn(0, 8_000, "S1"), _turn(8_000, 16_000, "S2"))),
    )
    speakers = [(line.split()[3], line.split()[4], line.split()[7]) for line in rttm("call", state).splitlines()]
    assert speakers == [("0.000", "0.500", "S1"), ("0.500", "0.500", "S2"), ("3.000", "1.000", "client")]


@pytest.mark.parametrize(
    ("name", "label"), [("my first call", "my_first_call"), ("\ta\nb ", "a_b"), ("  ", "session")]
)
def test_a_name_with_white_space_stays_one_field(name: str, label: str) -> None:
    line = rttm(name, _state(TurnsSettled(MIC, (_turn(0, 16_000, "S1"),))))
    assert line.split()[1] == label
    assert len(line.split()) == 10


def test_nobody_spoke() -> None:
    assert rttm("call", _state(TurnsSettled(MIC, ()))) == ""
