"""Frames and windows: the grid, the audio ring, runs, belief, and the vote of windows on a frame."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diarization.frames import settle
from diarization.heard import HeardWindows
from diarization.windows import AudioRing, Bools, FrameGrid, context, runs

pytestmark = pytest.mark.unit


def activity(*rows: str) -> Bools:
    return np.array([[mark == "#" for mark in row] for row in rows]).T


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 5))
def test_runs_cover_all_that_is_active_and_bridge_only_short_gaps(marks: list[bool], bridge: int) -> None:
    active = np.array(marks, np.bool_)
    found = runs(active, bridge)
    covered = np.zeros(len(marks), np.bool_)
    for start, end in found:
        covered[start:end] = True
        assert active[start]
        assert active[end - 1]
    assert not (active & ~covered).any()
    assert all(later[0] - sooner[1] > bridge for sooner, later in itertools.pairwise(found))


@given(st.lists(st.integers(0, 50), max_size=10), st.integers(1, 40))
def test_the_ring_gives_back_what_it_still_holds(sizes: list[int], capacity: int) -> None:
    everything = np.arange(1, sum(sizes) + 1, dtype=np.int16)
    ring, at = AudioRing(capacity), 0
    for size in sizes:
        ring.push(everything[at : at + size])
        at += size
    held = min(capacity, at)
    assert (ring.read(at - held, at) * 32768 == everything[at - held :]).all()
    assert not ring.read(-5, 0).any()
    assert not ring.read(at, at + 5).any()


def test_a_frame_begins_where_its_middle_part_does() -> None:
    grid = FrameGrid(step=270, lead=360)
    assert [grid.tick(0), grid.tick(1), grid.tick(100)] == [0, 630, 27_360]
    assert grid.frames(1.0) == 59
    assert grid.frames(0.0) == 1


def test_a_window_is_believed_less_at_its_edges_and_before_it_is_full() -> None:
    full, first, young = context(100, 50, 30), context(100, 0, 30), context(100, -60, 30)
    assert full[50] == 1.0
    assert full[0] < 0.2 > full[99]
    assert first[0] == 1.0
    assert (young < first).all()


def windows(*heard: tuple[Bools, list[int], list[int]]) -> HeardWindows:
    kept = HeardWindows(10, 2)
    for active, stretches, speakers in heard:
        kept.add(0, active, stretches, speakers)
    return kept


def test_later_windows_outvote_the_edge_of_an_earlier_one() -> None:
    heard = windows(
        (activity("##########", ".........."), [0], [0]),
        (activity("######....", "......####"), [0, 1], [0, 1]),
        (activity("......####", "######...."), [0, 1], [1, 0]),
    )
    spans = np.array([(0, 6), (6, 10)])
    labels = settle(heard, spans, np.array([0, 1]), np.ones(2, np.float32), 2, 10, 3)
    assert labels.tolist() == [1] * 6 + [2] * 4


def test_two_speak_where_most_windows_hear_two() -> None:
    heard = windows((activity("######....", "....######"), [0, 1], [0, 1]))
    labels = settle(heard, np.array([(0, 6), (4, 10)]), np.array([0, 1]), np.ones(2, np.float32), 2, 10, 3)
    assert labels.tolist() == [1] * 4 + [3] * 2 + [2] * 4


@given(
    st.lists(
        st.tuples(
            st.integers(-600, 1 << 30),
            st.lists(st.integers(0, 7), min_size=9, max_size=9),
            st.lists(st.tuples(st.integers(1_000_000, 1_000_300), st.integers(0, 2)), max_size=5),
        ),
        max_size=5,
    )
)
def test_what_windows_heard_is_kept_to_the_last_bit(
    heard: list[tuple[int, list[int], list[tuple[int, int]]]],
) -> None:
    kept = HeardWindows(9, 3)
    grids = [np.array([[frame >> speaker & 1 > 0 for speaker in range(3)] for frame in one]) for _, one, _ in heard]
    for (begin, _, members), active in zip(heard, grids, strict=True):
        kept.add(begin, active, [stretch for stretch, _ in members], [speaker for _, speaker in members])
    assert len(kept) == len(heard)
    for one, (begin, _, members), active in zip(kept, heard, grids, strict=True):
        assert (one.begin, list(zip(one.stretches.tolist(), one.speakers.tolist(), strict=True))) == (begin, members)
        assert one.active.dtype == np.bool_
        assert (one.active == active).all()


def test_no_window_no_speaker() -> None:
    nobody = settle([], np.zeros((0, 2), np.int64), np.zeros(0, np.intp), np.zeros(0, np.float32), 0, 5, 3)
    assert nobody.tolist() == [0] * 5
