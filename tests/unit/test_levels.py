"""Where a track was quietest."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.levels import Levels
from streaming.segmenting import CHUNK_TICKS
from streaming.types import Tick

pytestmark = pytest.mark.unit


def _levels(*levels: float) -> Levels:
    made = Levels()
    for level in levels:
        made.append(level)
    return made


def _middle(chunk: int) -> int:
    return chunk * CHUNK_TICKS + CHUNK_TICKS // 2


def test_the_middle_of_the_quietest_chunk() -> None:
    assert _levels(-20, -60, -30, -20).quietest(Tick(0), Tick(4 * CHUNK_TICKS)) == _middle(1)


def test_what_lies_outside_does_not_count() -> None:
    assert _levels(-90, -20, -30, -90).quietest(Tick(CHUNK_TICKS), Tick(3 * CHUNK_TICKS)) == _middle(2)


def test_of_two_alike_the_later_one() -> None:
    assert _levels(-20, -60, -20, -60, -20).quietest(Tick(0), Tick(5 * CHUNK_TICKS)) == _middle(3)


def test_it_stays_inside_the_stretch() -> None:
    levels = _levels(-60, -20, -70)
    start, end = Tick(CHUNK_TICKS // 2 + 9), Tick(2 * CHUNK_TICKS + 5)
    assert start <= levels.quietest(start, end) < end
    assert levels.quietest(start, Tick(CHUNK_TICKS)) == start


def test_a_stretch_that_was_not_heard_yet_is_cut_in_the_middle() -> None:
    assert _levels(-20).quietest(Tick(CHUNK_TICKS * 4), Tick(CHUNK_TICKS * 6)) == 5 * CHUNK_TICKS


def test_a_stretch_that_was_heard_in_part_is_judged_by_that_part() -> None:
    assert _levels(-20, -40, -30).quietest(Tick(0), Tick(90 * CHUNK_TICKS)) == _middle(1)


@given(
    st.lists(st.integers(-60, -20), min_size=1, max_size=6000),
    st.lists(st.integers(0, 6000), max_size=4),
    st.integers(0, 900),
)
def test_what_is_forgotten_changes_nothing_that_is_still_asked(
    levels: list[int], forgotten: list[int], length: int
) -> None:
    whole, lean, before = _levels(*levels), Levels(), 0
    for at, level in enumerate(levels):
        lean.append(level)
        for chunk in forgotten:
            if chunk <= at:
                before = max(before, chunk)
                lean.forget(Tick(chunk * CHUNK_TICKS))
    start, end = Tick(before * CHUNK_TICKS + 7), Tick((before + length) * CHUNK_TICKS + 9)
    assert lean.quietest(start, end) == whole.quietest(start, end)


def test_an_hour_is_not_held() -> None:
    levels = Levels()
    for chunk in range(112_500):
        levels.append(-20.0)
        levels.forget(Tick((chunk - 400) * CHUNK_TICKS))
    assert len(pickle.dumps(levels)) < 16_384
