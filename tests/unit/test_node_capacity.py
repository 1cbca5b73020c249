"""A node's own measure of how many tracks it can follow."""

import pytest

from streaming.capacity import ENOUGH_S, WINDOW_S, Capacity

pytestmark = pytest.mark.unit


def test_what_is_not_known_refuses_nobody() -> None:
    capacity = Capacity(0.9)
    capacity.observe(0.0, (0.0,), 0.0)
    capacity.observe(10.0, (10.0,), ENOUGH_S - 1)
    assert capacity.cost == 0.0
    assert capacity.has_room(100, 1)


def test_as_many_are_let_in_as_the_recognizer_has_time_for() -> None:
    capacity = Capacity(0.9)
    capacity.observe(0.0, (0.0,), 0.0)
    capacity.observe(60.0, (18.0,), 60.0)
    assert capacity.cost == pytest.approx(0.3)
    assert capacity.has_room(2, 1)
    assert not capacity.has_room(2, 2)
    assert not capacity.has_room(3, 1)


def test_what_is_scarcest_counts() -> None:
    capacity = Capacity(0.9)
    capacity.observe(0.0, (0.0, 0.0, 0.0), 0.0)
    capacity.observe(60.0, (6.0, 18.0, 12.0), 60.0)
    assert capacity.cost == pytest.approx(0.3)


def test_how_fast_the_audio_comes_does_not_change_its_cost() -> None:
    slow, fast = Capacity(0.9), Capacity(0.9)
    for one, took_s in ((slow, 100.0), (fast, 10.0)):
        one.observe(0.0, (0.0,), 0.0)
        one.observe(took_s, (9.0,), 100.0)
    assert slow.cost == fast.cost == pytest.approx(0.09)


def test_a_machine_that_is_slowed_down_is_known_by_what_it_does_now() -> None:
    capacity = Capacity(0.9)
    for at in range(0, 600, 10):
        capacity.observe(float(at), (at * 0.1,), float(at))
    for at in range(600, 600 + int(WINDOW_S) + 20, 10):
        capacity.observe(float(at), (60.0 + (at - 600) * 0.5,), float(at))
    assert capacity.cost == pytest.approx(0.5, rel=0.05)


def test_one_session_is_let_in_however_slow_the_machine() -> None:
    capacity = Capacity(0.9)
    capacity.observe(0.0, (0.0,), 0.0)
    capacity.observe(60.0, (90.0,), 60.0)
    assert capacity.has_room(0, 1)
    assert not capacity.has_room(1, 1)
