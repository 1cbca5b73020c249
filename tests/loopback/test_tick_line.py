"""The line of a sender that knows its ticks, without a network: loss, order, both ways, and nobody who comes back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fake_sink import FakeSink
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.ahead import MAX_TICKS, Piece
from streaming.anchor import AHEAD_TICKS, Anchor
from streaming.anchored_track import Anchored, AnchoredTrack
from streaming.errors import Fenced, StoreFailed
from streaming.jitter import Packet
from streaming.media import OpusDecoder, OpusEncoder
from streaming.tick_line import TickLine
from streaming.types import GapCause, Int16Mono, Tick

pytestmark = pytest.mark.loopback

TICKS = 320
STEP = 960


def encoded(count: int) -> list[bytes]:
    at = np.arange(count * TICKS) / 16_000
    return OpusEncoder().encode(np.rint(9_000 * np.sin(2 * np.pi * (300 + 200 * at) * at)).astype(np.int16))


def decoded(packets: Sequence[bytes]) -> Int16Mono:
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])


PACKETS = encoded(40)
WHOLE = decoded(PACKETS)


def piece(number: int, *, call: int = 1) -> Piece:
    return Piece(Tick(number * TICKS), PACKETS[number], call=call, number=number)


class Hiccup(FakeSink):
    """Takes what it is given, as a track does, and then cannot store it; or is another node's by now."""

    def __init__(self, error: StoreFailed) -> None:
        super().__init__()
        self.error: StoreFailed | None = None
        self.asked = 0
        self._next = error

    def begin(self) -> None:
        self.error = self._next

    async def write(self, start: Tick, pcm: Int16Mono) -> Tick:
        return self._told(await super().write(start, pcm))

    async def lose(self, end: Tick, cause: GapCause) -> Tick:
        return self._told(await super().lose(end, cause))

    def _told(self, tick: Tick) -> Tick:
        if self.error is not None:
            self.asked += 1
            raise self.error
        return tick


class Line:
    """A line whose session clock is moved by hand."""

    def __init__(self, *, wait_s: float = 30.0, filled: bool = True, sink: FakeSink | None = None) -> None:
        self.sink = sink or FakeSink()
        self.now = 0
        self.line = TickLine(self.sink, lambda: Tick(self.now), wait_s=wait_s)
        self.line.filled = filled
        self.line.call(Anchor(Tick(0), 0))

    async def put(self, *numbers: int, call: int = 1) -> None:
        await self.line.put([piece(number, call=call) for number in numbers])

    async def settled(self) -> None:
        """Wait until nothing is waited for."""
        for _ in range(500):
            await asyncio.sleep(0.01)
            if not self.sink.awaited:
                return
        raise TimeoutError

    def gaps(self) -> list[tuple[int, int, GapCause]]:
        return [(gap.start // TICKS, gap.end // TICKS, gap.cause) for gap in self.sink.gaps]


@settings(max_examples=40, deadline=None)
@given(
    ways=st.lists(st.sampled_from(("webrtc", "lost", "websocket", "both")), min_size=40, max_size=40),
    swaps=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=20),
    places=st.lists(st.integers(0, 80), min_size=40, max_size=40),
)
def test_whatever_is_lost_and_sent_again_the_samples_are_those_of_a_line_without_loss(
    ways: list[str],
    swaps: list[tuple[int, int]],
    places: list[int],
) -> None:
    """To the sample: one decoder hears all packets in the order they were encoded in."""

    async def run() -> FakeSink:
        line = Line()
        arrivals = [piece(number) for number, way in enumerate(ways) if way in ("webrtc", "both")]
        for one, other in swaps:
            if max(one, other) < len(arrivals):
                arrivals[one], arrivals[other] = arrivals[other], arrivals[one]
        for number, way in enumerate(ways):
            if way != "webrtc":
                arrivals.insert(places[number], piece(number, call=0))
        for arrived in arrivals:
            await line.line.put([arrived])
        assert line.line.standing() == {"type": "standing", "tick": 40 * TICKS, "end": 40 * TICKS, "missing": []}
        await line.line.finish()
        return line.sink

    sink = asyncio.run(run())
    assert np.array_equal(sink.pcm, WHOLE)
    assert sink.gaps == []


async def test_what_is_missing_is_told_and_waited_for_and_what_waits_is_not_durable() -> None:
    line = Line()
    await line.put(0, 1, 4, 5, 8)
    missing = [[2 * TICKS, 4 * TICKS], [6 * TICKS, 8 * TICKS]]
    assert line.line.standing() == {"type": "standing", "tick": 2 * TICKS, "end": 9 * TICKS, "missing": missing}
    await asyncio.sleep(0.15)
    assert line.gaps() == []
    assert line.sink.awaited
    await line.put(2, 3, 6, 7, call=0)
    assert line.sink.received == 9 * TICKS
    assert not line.sink.awaited
    assert np.array_equal(line.sink.pcm, WHOLE[: 9 * TICKS])


async def test_where_nobody_is_beside_the_line_a_lost_packet_is_named_like_on_any_other() -> None:
    line = Line(filled=False)
    await line.put(0, 1, 3)
    await line.settled()
    assert line.gaps() == [(2, 3, "packet_loss")]
    assert line.sink.received == 4 * TICKS


async def test_what_lies_between_two_connections_waits_though_nobody_is_beside_the_line_yet() -> None:
    line = Line(filled=False)
    await line.put(0, 1)
    line.line.call(Anchor(Tick(5 * TICKS), 0))
    await line.put(5, 6, call=2)
    await asyncio.sleep(0.15)
    assert line.gaps() == []
    await line.put(2, 3, 4, call=0)
    assert np.array_equal(line.sink.pcm, WHOLE[: 7 * TICKS])


async def test_what_waits_at_the_end_is_the_tracks_though_the_store_fails() -> None:
    sink = Hiccup(StoreFailed("no room"))
    line = Line(sink=sink)
    await line.put(0, 1, 4, 5, 8)
    sink.begin()
    line.now = 20 * TICKS
    line.line.went()
    await line.line.finish()
    assert not line.line.open
    assert line.gaps() == [(2, 4, "packet_loss"), (6, 8, "packet_loss"), (9, 20, "disconnected")]
    assert len(line.sink.audio) == 5 * TICKS


async def test_a_line_whose_session_another_node_has_asks_once_and_no_more() -> None:
    sink = Hiccup(Fenced("Another node has this session.", mend="Connect again."))
    line = Line(sink=sink, wait_s=0.01)
    await line.put(0, 1, 4)
    sink.begin()
    await line.settled()
    assert not line.line.open
    assert sink.asked == 1
    await asyncio.sleep(0.2)
    assert sink.asked == 1
    await line.line.finish()
    assert sink.asked == 1


async def test_what_came_and_was_not_read_is_missing_until_it_is_sent_again() -> None:
    line = Line()
    await line.put(0, 1)
    line.line.unread(Tick(6 * TICKS))
    assert line.sink.awaited
    await line.put(2, 3, call=0)
    line.now = 6 * TICKS
    await line.line.finish()
    assert line.gaps() == [(4, 6, "disconnected")]


async def test_a_sender_that_does_not_come_back_leaves_a_gap_until_now() -> None:
    line = Line(wait_s=1.0)
    await line.put(0, 1)
    line.now = 30 * TICKS
    line.line.went()
    await asyncio.sleep(0.1)
    assert line.sink.awaited
    assert line.gaps() == []
    await line.settled()
    assert line.gaps() == [(2, 30, "disconnected")]
    await line.put(30, 31)
    assert line.gaps() == [(2, 30, "disconnected")]
    assert line.sink.received == 32 * TICKS


async def test_the_end_names_at_once_what_is_missing_and_keeps_what_waited_for_it() -> None:
    line = Line()
    await line.put(0, 1, 4)
    line.line.went()
    line.now = 9 * TICKS
    await line.line.finish()
    assert line.gaps() == [(2, 4, "packet_loss"), (5, 9, "disconnected")]
    assert not line.sink.awaited
    with pytest.raises(Fenced):
        await line.put(5)


async def test_a_line_that_is_left_names_nothing_and_takes_nothing() -> None:
    line = Line()
    await line.put(0, 1, 4)
    line.line.went()
    await line.line.leave()
    line.line.went()
    assert line.gaps() == []
    assert line.sink.received == 2 * TICKS
    assert not line.sink.awaited


async def test_what_the_sender_does_not_have_any_more_is_named_when_it_says_so() -> None:
    line = Line()
    await line.put(0, 3, 6)
    await line.line.skip(Tick(5 * TICKS))
    assert line.gaps() == [(1, 3, "dropped_by_sender"), (4, 5, "dropped_by_sender")]
    assert line.line.standing()["missing"] == [[5 * TICKS, 6 * TICKS]]
    await line.line.skip(Tick(3 * TICKS))
    assert line.sink.received == 5 * TICKS


async def test_a_track_without_audio_begins_with_the_anchor_and_not_with_the_first_packet_that_comes_through() -> (
    None
):
    sink = FakeSink()
    line = TickLine(sink, lambda: Tick(0), wait_s=30.0)
    line.filled = True
    line.call(Anchor(Tick(2 * TICKS), 0))
    await line.put([piece(4)])
    assert [(gap.start, gap.end, gap.cause) for gap in sink.gaps] == [(0, 2 * TICKS, "no_audio")]
    assert line.standing()["missing"] == [[2 * TICKS, 4 * TICKS]]
    await line.finish()


@pytest.mark.parametrize("had", [0, 10])
async def test_who_begins_late_and_alone_is_heard_from_the_first_packet_on(had: int) -> None:
    """However late: what was before is named at once, since nobody is beside the line who could fill it."""
    sink, late = FakeSink(), 3 * MAX_TICKS
    await sink.write(Tick(0), WHOLE[:had])
    line = TickLine(sink, lambda: Tick(late), wait_s=30.0)
    line.call(Anchor(Tick(late), 0))
    await line.put([replace(piece(number), start=Tick(late + number * TICKS)) for number in range(3)])
    assert [(gap.start, gap.end, gap.cause) for gap in sink.gaps] == [
        (had, late, "disconnected" if had else "no_audio")
    ]
    assert sink.received == late + 3 * TICKS


async def test_who_comes_back_so_late_that_nothing_can_wait_is_not_waited_for_in_vain() -> None:
    """Nobody fills the hole: it ends where what does not fit has come to, and not never."""
    line = Line(filled=False)
    await line.put(0, 1)
    line.line.went()
    line.line.call(Anchor(Tick(0), 0))
    late = [replace(piece(number, call=2), start=Tick(2 * MAX_TICKS + number * TICKS)) for number in range(4)]
    await line.line.put(late[:2])
    assert line.sink.awaited
    await line.settled()
    assert line.sink.received == late[1].start
    await line.line.put(late[1:])
    assert line.gaps() == [(2, 2 * MAX_TICKS // TICKS + 1, "disconnected")]
    assert line.sink.received == late[3].end


async def test_a_few_packets_from_before_the_end_bring_a_fresh_decoder_to_where_the_encoder_was() -> None:
    async def behind(lead: int) -> float:
        sink = FakeSink()
        await sink.lose(Tick(20 * TICKS), "no_audio")
        line = TickLine(sink, lambda: Tick(0), wait_s=30.0)
        await line.put([piece(number, call=0) for number in range(20 - lead, 40)])
        assert len(sink.audio) == 20 * TICKS
        return float(np.abs(sink.audio.astype(int) - WHOLE[20 * TICKS :])[: 2 * TICKS].mean())

    assert await behind(8) < 0.1 * await behind(0)


async def test_pcm_in_a_hole_is_what_was_sent_to_the_sample() -> None:
    line = Line()
    await line.put(0, 1, 4)
    pcm = np.arange(2 * TICKS, dtype="<i2")
    await line.line.put([Piece(Tick(2 * TICKS), pcm.tobytes(), "pcm16")])
    assert line.sink.received == 5 * TICKS
    assert np.array_equal(line.sink.pcm[2 * TICKS : 4 * TICKS], pcm)


async def _carried(packets: Sequence[Packet], anchor: Anchor) -> tuple[str, Line]:
    line = Line()
    track = AnchoredTrack(
        Anchored(line.line, anchor), lambda: Tick(line.now), no_rtp_timeout_s=0.1, connect_timeout_s=3.0
    )

    async def nothing() -> None:
        return None

    running = asyncio.create_task(track.run(nothing))
    for packet in packets:
        track.take(packet)
        await asyncio.sleep(0)
    reason = await running
    assert line.gaps() == [], "a silence is not named while its sender may come back"
    return reason, line


async def test_packets_lie_where_their_time_stamps_say_through_the_wrap_and_in_any_order() -> None:
    base = 2**32 - 10 * STEP
    packets = [Packet(number, (base + number * STEP) % 2**32, 7, PACKETS[number]) for number in range(40)]
    packets[3], packets[20] = packets[20], packets[3]
    reason, line = await _carried([*packets, *packets[30:]], Anchor(Tick(0), base))
    assert reason == "no_rtp"
    assert line.sink.awaited
    assert np.array_equal(line.sink.pcm, WHOLE)
    await line.line.leave()


@pytest.mark.parametrize(
    "stray",
    [
        Packet(5, 5 * STEP, 8, PACKETS[5]),
        Packet(5, 3 * (AHEAD_TICKS + 10 * TICKS), 7, PACKETS[5]),
        Packet(5, 2**31, 7, PACKETS[5]),
    ],
    ids=["another stream", "ahead of the session", "hours off"],
)
async def test_a_packet_that_cannot_lie_there_ends_the_connection_and_what_came_before_stays(stray: Packet) -> None:
    good = [Packet(number, number * STEP, 7, PACKETS[number]) for number in range(5)]
    reason, line = await _carried([*good, stray], Anchor(Tick(0), 0))
    assert reason == "bad_anchor"
    assert np.array_equal(line.sink.pcm, WHOLE[: 5 * TICKS])
    await line.line.leave()
