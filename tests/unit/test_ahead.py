"""What waits for its turn: any order in, the line's order out, what is missing told, and never more than fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming import ahead
from streaming.ahead import MAX_HOLES, MAX_TICKS, Ahead, Piece
from streaming.types import Tick

pytestmark = pytest.mark.unit

OPUS_20_MS = bytes([0x48])
"""A table of contents alone: 20 ms, mono."""
TICKS = 320


def piece(number: int, *, call: int = 1) -> Piece:
    return Piece(Tick(number * TICKS), OPUS_20_MS, call=call, number=number & 0xFFFF)


def popped(waiting: Ahead, received: int = 0) -> list[Piece]:
    found: list[Piece] = []
    while (one := waiting.pop(Tick(found[-1].end if found else received))) is not None:
        found.append(one)
    return found


@given(
    order=st.permutations(range(30)),
    lost=st.sets(st.integers(0, 28), max_size=12),
    again=st.lists(st.integers(0, 29), max_size=10),
)
def test_whatever_the_order_each_piece_comes_once_in_its_turn_and_all_that_is_missing_is_told(
    order: list[int], lost: set[int], again: list[int]
) -> None:
    waiting = Ahead()
    for number in [one for one in (*order, *again) if one not in lost]:
        assert waiting.put(piece(number), Tick(0))
    missing = {start // TICKS for at, end in waiting.holes(Tick(0)) for start in range(at, end, TICKS)}
    assert missing == lost
    assert waiting.end(Tick(0)) == 30 * TICKS
    for number in lost:
        assert waiting.put(piece(number, call=0), Tick(0))
    assert waiting.holes(Tick(0)) == []
    assert [one.start for one in popped(waiting)] == [number * TICKS for number in range(30)]
    assert waiting.first is None


@given(
    starts=st.lists(st.tuples(st.integers(0, 4_000), st.integers(1, 900)), max_size=40), received=st.integers(0, 900)
)
def test_what_overlaps_is_passed_on_without_a_hole_that_is_none(starts: list[tuple[int, int]], received: int) -> None:
    """Frames of the numbered path may be of any length and lie anywhere."""
    waiting = Ahead()
    covered: set[int] = set(range(received))
    for start, ticks in starts:
        assert waiting.put(Piece(Tick(start), b"\0\0" * ticks, "pcm16"), Tick(received))
        covered |= set(range(start, start + ticks))
    last = max(covered, default=-1)
    missing = {tick for at, end in waiting.holes(Tick(received)) for tick in range(at, end)}
    assert missing == {tick for tick in range(received, last) if tick not in covered}
    first_hole = min(tick for tick in range(received, last + 2) if tick not in covered)
    reached = received
    while (one := waiting.pop(Tick(reached))) is not None:
        assert one.start <= reached < one.end
        reached = one.end
    assert reached == first_hole


def test_a_time_stamp_that_jumps_without_a_number_that_does_is_a_pause_of_the_sender() -> None:
    waiting = Ahead()
    waiting.put(Piece(Tick(0), OPUS_20_MS, call=1, number=65_535), Tick(0))
    waiting.put(Piece(Tick(5 * TICKS), OPUS_20_MS, call=1, number=0), Tick(0))
    waiting.put(Piece(Tick(9 * TICKS), OPUS_20_MS, call=1, number=2), Tick(0))
    assert waiting.holes(Tick(0)) == [(6 * TICKS, 9 * TICKS)], "what a number is missing for was sent, and is lost"
    assert [(one.start, one.end, one.codec) for one in popped(waiting)] == [
        (0, TICKS, "opus"),
        (TICKS, 5 * TICKS, "pause"),
        (5 * TICKS, 6 * TICKS, "opus"),
    ]


def test_another_connection_pauses_nothing() -> None:
    waiting = Ahead()
    waiting.put(Piece(Tick(0), OPUS_20_MS, call=1, number=4), Tick(0))
    waiting.put(Piece(Tick(5 * TICKS), OPUS_20_MS, call=2, number=5), Tick(0))
    assert waiting.holes(Tick(0)) == [(TICKS, 5 * TICKS)]


def test_what_finds_no_room_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Ahead()
    assert not waiting.put(Piece(Tick(MAX_TICKS - 319), OPUS_20_MS), Tick(0)), "over a minute ahead"
    assert waiting.put(Piece(Tick(MAX_TICKS - 319), OPUS_20_MS), Tick(1))
    monkeypatch.setattr(ahead, "MAX_PIECES", 3)
    assert [waiting.put(piece(number), Tick(1)) for number in (5, 6, 7)] == [True, True, False]
    assert waiting.put(Piece(Tick(5 * TICKS), b"\0\0" * 400, "pcm16"), Tick(1)), "longer, in the place of another"
    monkeypatch.setattr(ahead, "MAX_BYTES", 900)
    assert not waiting.put(Piece(Tick(6 * TICKS), b"\0\0" * 400, "pcm16"), Tick(1))
    waiting.clear()
    assert waiting.put(Piece(Tick(6 * TICKS), b"\0\0" * 400, "pcm16"), Tick(1))


def test_no_more_holes_are_told_than_fit_a_message() -> None:
    waiting = Ahead()
    for number in range(1, 400, 2):
        waiting.put(piece(number), Tick(0))
    assert len(waiting.holes(Tick(0))) == MAX_HOLES
