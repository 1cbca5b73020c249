"""The account of a session's audio, as figures and as a sentence of the record."""

import pytest

from streaming import completeness
from streaming.events import TrackTotals
from streaming.types import SAMPLE_RATE, Gap, GapCause, Tick, TrackId

pytestmark = pytest.mark.unit


def total(received_s: float, gap_s: float = 0.0, lost_s: float = 0.0) -> TrackTotals:
    ticks = [round(value * SAMPLE_RATE) for value in (received_s, received_s - gap_s - lost_s, gap_s)]
    return TrackTotals(TrackId("mic"), ticks[0], ticks[1], ticks[2], 0)


def gap(start_s: float, end_s: float, cause: GapCause) -> Gap:
    return Gap(TrackId("mic"), Tick(round(start_s * SAMPLE_RATE)), Tick(round(end_s * SAMPLE_RATE)), cause)


def test_before_the_end_there_is_no_account() -> None:
    assert completeness.account((), [gap(0, 1, "packet_loss")]) is None
    assert completeness.told((), []) is None


def test_all_of_it_is_said_in_a_word() -> None:
    assert completeness.told([total(3000.0)], []) == "50 min 0 s received, all of it transcribed."


def test_the_wait_for_the_first_sound_is_no_loss_but_is_in_the_figures() -> None:
    lead_in = gap(0, 2, "no_audio")
    assert completeness.told([total(12.0, 2.0)], [lead_in]) == "10.0 s received, all of it transcribed."
    found = completeness.account([total(12.0, 2.0)], [lead_in])
    assert found is not None
    assert (found["received_s"], found["transcribed_s"], found["missing_s"], found["adds_up"]) == (
        12.0,
        10.0,
        2.0,
        True,
    )


def test_gaps_are_told_by_time_and_cause_in_order() -> None:
    gaps = [gap(700, 702, "disconnected"), gap(65, 65.5, "recognizer_error")]
    assert completeness.told([total(3000.0, 2.5)], gaps) == (
        "49 min 58 s transcribed; 2.5 s missing: 1:05 to 1:05 (could not be recognized), "
        "11:40 to 11:42 (the connection was lost)."
    )
    found = completeness.account([total(3000.0, 2.5)], gaps)
    assert found is not None
    assert [(one["start"], one["cause"]) for one in found["gaps"]] == [
        (65.0, "recognizer_error"),
        (700.0, "disconnected"),
    ]


def test_many_gaps_make_no_endless_sentence() -> None:
    gaps = [gap(n, n + 0.1, "packet_loss") for n in range(20)]
    told = completeness.told([total(100.0, 2.0)], gaps)
    assert told is not None
    assert told.count("lost by the network") == 8
    assert told.endswith(", 12 more.")


def test_what_does_not_add_up_says_so() -> None:
    assert (
        completeness.told([total(10.0, lost_s=1.0)], [])
        == "10.0 s received, 9.0 s transcribed; the rest is unaccounted for."
    )
    found = completeness.account([total(10.0, lost_s=1.0)], [])
    assert found is not None
    assert found["adds_up"] is False
