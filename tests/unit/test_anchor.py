"""Where a packet lies by its sender's anchor, and which anchors cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.anchor import AHEAD_TICKS, BEHIND_TICKS, Anchor, Reach, read_anchor
from streaming.errors import BadAnchor
from streaming.types import Tick

pytestmark = pytest.mark.unit

HOUR = 3_600 * 16_000
TURN = 2**32
ticks = st.integers(0, 48 * HOUR)
stamps = st.integers(0, TURN - 1)


@given(
    anchored=ticks, rtp=stamps, after=st.integers(-11 * HOUR, 40 * HOUR), late=st.integers(-AHEAD_TICKS, BEHIND_TICKS)
)
def test_a_time_stamp_is_its_tick_over_any_number_of_wraps(anchored: int, rtp: int, after: int, late: int) -> None:
    """By an anchor of long ago too, as long as the packet is of about now."""
    tick = anchored + after
    timestamp = (rtp + 3 * after) % TURN
    reach = Reach(Tick(tick + late), Tick(0))
    assert Anchor(Tick(anchored), rtp).tick_of(timestamp, reach) == tick


@given(rtp=stamps, between=st.integers(0, 2))
def test_a_time_stamp_between_two_ticks_is_rounded_down(rtp: int, between: int) -> None:
    reach = Reach(Tick(5_000), Tick(5_000))
    assert Anchor(Tick(5_000), rtp).tick_of((rtp + 3 * 320 + between) % TURN, reach) == 5_320


@given(now=ticks, received=ticks, far=st.integers(1, 40 * HOUR))
def test_an_anchor_far_from_the_session_is_refused_with_what_to_do(now: int, received: int, far: int) -> None:
    reach = Reach(Tick(now), Tick(received))
    latest, earliest = max(now, received) + AHEAD_TICKS, min(now, received) - BEHIND_TICKS
    for tick in (latest, max(0, earliest)):
        assert read_anchor(tick, 7, reach) == Anchor(Tick(tick), 7)
    with pytest.raises(BadAnchor) as ahead:
        read_anchor(latest + far, 7, reach)
    assert "ahead of" in ahead.value.message
    with pytest.raises(BadAnchor) as behind:
        read_anchor(earliest - far, 7, reach)
    assert "behind" in behind.value.message
    assert ahead.value.mend
    assert behind.value.mend


@given(rtp=stamps, timestamp=stamps)
def test_no_time_stamp_lies_far_off_unseen(rtp: int, timestamp: int) -> None:
    """A packet is placed near the session's now, or refused; there is no third."""
    now = Tick(20 * HOUR)
    reach = Reach(now, now)
    start = Anchor(now, rtp).tick_of(timestamp, reach)
    assert abs(start - now) <= TURN // 6 + 1
    try:
        reach.check(start, start + 320)
    except BadAnchor:
        assert not now - BEHIND_TICKS <= start <= now + AHEAD_TICKS - 320
    else:
        assert now - BEHIND_TICKS <= start <= now + AHEAD_TICKS - 320


def test_an_anchor_is_named_whole_or_not_at_all() -> None:
    reach = Reach(Tick(0), Tick(0))
    assert read_anchor(None, None, reach) is None
    for tick, rtp in ((1, None), (None, 1)):
        with pytest.raises(BadAnchor, match="neither"):
            read_anchor(tick, rtp, reach)
