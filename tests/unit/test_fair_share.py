"""The fairness figure: what is due to whom, and Jain's index of what they got."""

import pytest

from benchmarks.fair_share import FairShare, due, jain

pytestmark = pytest.mark.unit


def test_jains_index_is_one_for_equals_and_one_over_their_number_for_one_alone() -> None:
    assert jain([0.5, 0.5, 0.5]) == pytest.approx(1)
    assert jain([1, 0, 0, 0]) == pytest.approx(0.25)


def test_nobody_is_due_more_than_asked_and_what_is_left_goes_to_those_who_ask() -> None:
    assert due({"calm": 2, "quiet": 1, "flood": 100}, 12) == {"calm": 2, "quiet": 1, "flood": 9}
    assert due({"a": 100, "b": 100}, 12) == {"a": 6, "b": 6}
    assert due({"a": 1, "b": 100, "c": 100}, 7) == {"a": 1, "b": 3, "c": 3}


def test_more_than_was_due_is_no_better_than_all() -> None:
    share = FairShare({"session 1": 1.0, "flood": 20.0}, {"session 1": 2.0, "flood": 10.0})
    assert (share.least_calm, share.flooding) == (0.5, 1.0)
    assert share.index == pytest.approx(1.5**2 / (2 * 1.25))
