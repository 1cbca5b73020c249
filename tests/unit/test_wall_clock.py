"""Times of a session's record come from its start and a length that was measured."""

import pytest

from streaming import wall_clock

pytestmark = pytest.mark.unit


def test_an_end_is_the_start_and_the_measured_length_in_the_same_zone() -> None:
    started = "2026-10-25T02:50:00.000+02:00"
    assert wall_clock.after(started, 3000.25) == "2026-10-25T03:40:00.250+02:00"
