"""Bounds on decoding: how much can be said in a while, and when it only repeats itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.decoding import before_loop, loop_start, token_limit
from streaming.types import SAMPLE_RATE

pytestmark = pytest.mark.unit


def test_the_limit_follows_the_length() -> None:
    assert token_limit(0) == 4
    assert token_limit(10 * SAMPLE_RATE) == 69


@pytest.mark.parametrize("tokens", [[], [5], [5, 5, 5], [1, 2, 3, 1, 2, 3], [7, 7, 7, 8], [1, 2, 1, 2, 1, 2]])
def test_what_people_repeat_is_no_loop(tokens: list[int]) -> None:
    assert loop_start(tokens) is None


@pytest.mark.parametrize(
    ("said", "turn"), [([], [5]), ([1, 2], [9]), ([4], [1, 2]), ([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])]
)
def test_a_loop_is_cut_to_its_first_turn(said: list[int], turn: list[int]) -> None:
    tokens = said + turn * 4
    assert loop_start(tokens) == len(said) + len(turn)


def test_a_whole_row_is_cut_where_its_loop_begins() -> None:
    assert before_loop([1, 2, 3, 8, 9, 8, 9, 8, 9, 8, 9, 8, 9, 4]) == 5
    assert before_loop([1, 2, 3]) == 3


@given(st.lists(st.integers(0, 3), max_size=60))
def test_what_is_kept_holds_no_loop(tokens: list[int]) -> None:
    kept = tokens[: before_loop(tokens)]
    assert before_loop(kept) == len(kept)
