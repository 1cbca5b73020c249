"""Who is let in, and who has to go, whatever comes in whatever order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.crowd import Crowd

pytestmark = pytest.mark.unit


def test_the_one_that_has_waited_longest_goes() -> None:
    crowd: Crowd[int] = Crowd(waiting=2, of_an_address=None)
    assert [crowd.enter(one) for one in (1, 2, 3)] == [None, None, 1]
    crowd.ask(2, "a")
    assert [crowd.enter(one) for one in (4, 5)] == [None, 3]
    assert len(crowd) == 3


def test_an_address_has_its_share_and_others_have_theirs() -> None:
    crowd: Crowd[int] = Crowd(waiting=9, of_an_address=2)
    for one in (1, 2):
        crowd.enter(one)
        assert crowd.has_room(one, "a")
        crowd.ask(one, "a")
    assert not crowd.has_room(3, "a")
    assert crowd.has_room(1, "a"), "who is in may go on asking"
    assert crowd.has_room(3, "b")
    crowd.leave(2)
    crowd.leave(2)
    assert crowd.has_room(3, "a")


@given(st.lists(st.tuples(st.sampled_from(["enter", "ask", "leave"]), st.integers(0, 12)), max_size=80))
def test_whatever_happens_the_bounds_hold_and_nobody_is_counted_who_has_left(steps: list[tuple[str, int]]) -> None:
    crowd: Crowd[int] = Crowd(waiting=3, of_an_address=4)
    here: set[int] = set()
    asking: set[int] = set()
    for what, one in steps:
        if what == "enter" and one not in here:
            gone = crowd.enter(one)
            here = (here | {one}) - {gone}
        elif what == "ask" and one in here and crowd.has_room(one, "a"):
            crowd.ask(one, "a")
            asking.add(one)
        elif what == "leave":
            crowd.leave(one)
            here.discard(one)
            asking.discard(one)
        asking &= here
        assert len(crowd) == len(here)
        assert len(here - asking) <= 3
        assert len(asking) <= 4
        assert crowd.has_room(99, "a") == (len(asking) < 4)
