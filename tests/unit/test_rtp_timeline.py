"""Where RTP packets lie on the session's time line, and how the stretches between them are named."""

import pytest

from streaming.rtp_timeline import AHEAD_TICKS, BEHIND_PACKETS, DTX_TICKS, Place, RtpTimeline
from streaming.types import SAMPLE_RATE, Tick

pytestmark = pytest.mark.unit

TICKS = 320
STEP = 960


class Line:
    """A timeline fed with 20 ms packets, with what a sink would hold."""

    def __init__(self, received: int = 0) -> None:
        self.received = received
        self._line = RtpTimeline()

    def put(
        self, timestamp: int, now: int, *, lost: int = 0, restart: bool = False, more_waiting: bool = False
    ) -> Place:
        place = self._line.place(
            timestamp,
            TICKS,
            lost=lost,
            restart=restart,
            now=Tick(now),
            received=Tick(self.received),
            more_waiting=more_waiting,
        )
        assert place.start >= self.received
        assert (place.before is not None) == (place.start > self.received)
        self.received = place.start + TICKS
        return place


def test_the_first_packet_is_placed_by_the_clock_and_ends_at_its_arrival() -> None:
    assert Line().put(123_456, now=5_000, restart=True) == Place(Tick(4_680), "no_audio")
    assert Line(received=2_000).put(123_456, now=5_000, restart=True) == Place(Tick(4_680), "disconnected")


def test_the_first_packet_never_lies_before_what_was_received() -> None:
    assert Line(received=9_000).put(0, now=5_000, restart=True) == Place(Tick(9_000), None)


def test_later_packets_follow_their_time_stamps_whatever_their_arrival() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    for number, jitter in enumerate((0, 900, 250, 4_000), start=1):
        assert line.put(number * STEP, now=(number + 1) * TICKS + jitter) == Place(Tick(number * TICKS), None)


def test_a_lost_packet_costs_its_own_20_ms() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    assert line.put(2 * STEP, now=3 * TICKS, lost=1) == Place(Tick(2 * TICKS), "packet_loss")


def test_discontinuous_transmission_is_silence_and_a_longer_pause_is_no_audio() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    short = TICKS + DTX_TICKS
    assert line.put(short * 3, now=short + TICKS) == Place(Tick(short), "silence")
    long = short + TICKS + DTX_TICKS + 320
    assert line.put(long * 3, now=long + TICKS) == Place(Tick(long), "no_audio")


def test_a_time_stamp_in_the_far_future_is_not_believed() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    place = line.put(STEP + 2**31, now=2 * TICKS)
    assert place == Place(Tick(TICKS), None)
    assert line.put(2 * STEP + 2**31, now=3 * TICKS) == Place(Tick(2 * TICKS), None)


def test_a_time_stamp_that_goes_back_is_placed_by_the_clock() -> None:
    line = Line()
    line.put(1_000_000, now=TICKS, restart=True)
    assert line.put(5, now=SAMPLE_RATE) == Place(Tick(SAMPLE_RATE - TICKS), "no_audio")


def test_a_new_stream_close_by_follows_without_a_gap() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    assert line.put(777_777, now=2 * TICKS + 500, restart=True) == Place(Tick(TICKS), None)


def test_a_new_stream_after_a_pause_leaves_a_gap() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    assert line.put(777_777, now=SAMPLE_RATE, restart=True) == Place(Tick(SAMPLE_RATE - TICKS), "no_audio")


def test_a_sender_faster_than_real_time_leaves_no_gap() -> None:
    line = Line()
    places = [line.put(n * STEP, now=TICKS + n * 32, restart=n == 0) for n in range(1_000)]
    assert places[-1].start == 999 * TICKS
    assert all(place.before is None for place in places)
    assert AHEAD_TICKS < 999 * TICKS - 1_000 * 32, "the test must reach beyond what time stamps may say"


def test_a_network_that_stalls_and_catches_up_moves_nothing() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    stall = 3 * SAMPLE_RATE
    places = [line.put(n * STEP, now=max(stall, (n + 1) * TICKS)) for n in range(1, 400)]
    assert [place.start for place in places] == [n * TICKS for n in range(1, 400)]


def test_a_sender_whose_clock_stood_still_is_moved_to_the_session_s_time() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    asleep = 10 * SAMPLE_RATE
    places = [line.put(n * STEP, now=asleep + (n + 1) * TICKS) for n in range(1, BEHIND_PACKETS + 10)]
    moved = [place for place in places if place.before is not None]
    assert [place.before for place in moved] == ["no_audio"]
    assert places[-1].start == asleep + (BEHIND_PACKETS + 9) * TICKS


def test_a_server_that_is_itself_behind_moves_nothing() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    late = 10 * SAMPLE_RATE
    places = [
        line.put(n * STEP, now=late + (n + 1) * TICKS, more_waiting=n % 100 == 99)
        for n in range(1, 3 * BEHIND_PACKETS)
    ]
    assert [place.start for place in places] == [n * TICKS for n in range(1, 3 * BEHIND_PACKETS)]


def test_overlapping_time_stamps_stay_in_order() -> None:
    line = Line()
    line.put(0, now=TICKS, restart=True)
    assert line.put(STEP - 90, now=2 * TICKS) == Place(Tick(TICKS), None)
