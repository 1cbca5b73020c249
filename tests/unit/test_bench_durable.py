"""What the kill and the soak benchmark make of what they saw."""

import math
from dataclasses import replace
from typing import Any

import pytest

from benchmarks import kill, soak
from benchmarks.kill import Cut
from benchmarks.soak import Sample
from streaming.types import Tick

pytestmark = pytest.mark.unit

SOUND = Cut(1, 0, Tick(100), Tick(120), 0, 0, False, 0, True, 1.5, 4.0)


def said(*words: str) -> dict[str, Any]:
    return {"utterances": [{"text": " ".join(words), "words": [{"text": word} for word in words]}]}


def test_a_tick_is_lost_where_the_next_server_or_the_transcript_lacks_it() -> None:
    assert kill.lost_ticks(Tick(100), Tick(120), 500) == 0
    assert kill.lost_ticks(Tick(100), Tick(90), 500) == 10
    assert kill.lost_ticks(Tick(100), Tick(120), 60) == 40


def test_words_twice_are_counted_and_any_other_transcript_differs() -> None:
    assert kill.twice(said("a", "b"), said("a", "b", "b")) == 1
    assert kill.twice(said("a", "b"), said("a")) == 0
    assert kill.differs(said("a"), said("b"))
    assert not kill.differs(said("a"), said("a"))


def test_what_was_shown_counts_tentative_words_too() -> None:
    utterance = {"type": "utterance", "words": [{}, {}]}
    partial = {"type": "partial", "committed": "one two", "tentative": "three"}
    assert kill.shown([partial]) == 3
    assert kill.shown([partial, utterance]) == 3
    assert kill.shown([utterance, partial]) == 5


def test_a_run_counts_only_where_all_its_sessions_came_through() -> None:
    cuts = [SOUND, replace(SOUND, twice=1), replace(SOUND, run=2), replace(SOUND, run=3, whole=False)]
    by_name = {one.name: one for one in kill.figures(cuts, 3)}
    assert by_name["runs in which every session came through"].value == 1
    assert by_name["runs in which every session came through"].reached is False
    assert by_name["words twice"].value == 1
    assert by_name["acknowledged ticks lost"].reached is True


def test_the_slope_is_that_of_the_warm_server() -> None:
    warm_up = [Sample(n, n / 100, 100.0 * n, 9, 9) for n in range(5)]
    steady = [Sample(5.0 + n, 0.1 + n / 10, 500.0 + n / 10, 9, 9) for n in range(20)]
    assert soak.slope_mb_per_h([*warm_up, *steady]) == pytest.approx(1.0)
    assert math.isnan(soak.slope_mb_per_h(warm_up[:1]))


def test_the_slope_of_sessions_going_on_knows_nothing_of_their_ends() -> None:
    talk = [Sample(n, n / 10, 500.0 + n / 20, 9, 9, live=2) for n in range(20)]
    ends = [Sample(20, 2.0, 560.0, 9, 9, live=2, ending=1), Sample(21, 2.0, 580.0, 9, 9, live=1, ending=1)]
    assert soak.going_on([*talk, *ends]) == talk
    figures = soak.figures([*talk, *ends], (talk[0], talk[0]), 500, 2, 2)
    by_name = {one.name: one for one in figures}
    assert by_name["memory slope, sessions going on"].value == pytest.approx(0.5)
    assert by_name["memory slope, sessions going on"].reached is True
    assert by_name["memory slope, with their ends"].reached is False


def test_what_piles_up_over_connections_is_missed_by_no_figure() -> None:
    calm = (Sample(0, 0, 100, 20, 30), Sample(1, 0, 100, 21, 32))
    by_name = {one.name: one.value for one in soak.figures([calm[0]], calm, 500, 8, 8)}
    assert by_name["threads more after 500 connects"] == 1
    assert by_name["open files more after 500 connects"] == 2
