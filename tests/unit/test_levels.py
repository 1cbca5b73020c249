"""Where a track was quietest."""

import pytest

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
