"""RTP packets without a network: pauses, new streams, hostile time stamps, a busy machine, a full queue."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import pytest
from fake_sink import FakeSink

from streaming import rtp_track
from streaming.jitter import Packet
from streaming.media import OpusDecoder, OpusEncoder
from streaming.rtp_track import RtpTrack
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


class Line:
    """A track whose session clock is moved by hand, and a sender of packets."""

    def __init__(self, sink: FakeSink | None = None, no_rtp_timeout_s: float = 3.0) -> None:
        self.sink = sink or FakeSink()
        self.now = 0
        self.track = RtpTrack(
            self.sink, lambda: Tick(self.now), no_rtp_timeout_s=no_rtp_timeout_s, connect_timeout_s=3.0
        )

    async def run(self, feed: Callable[[], Awaitable[None]]) -> str:
        """Feed it, stop it, and say why it ended."""

        async def nothing() -> None:
            return None

        running = asyncio.create_task(self.track.run(nothing))
        await feed()
        self.track.stop("requested")
        return await running

    def take(self, payload: bytes, sequence: int, timestamp: int, *, ssrc: int = 7) -> None:
        self.now += TICKS
        self.track.take(Packet(sequence % 65_536, timestamp % 2**32, ssrc, payload))

    def gaps(self) -> list[tuple[int, int, GapCause]]:
        return [(gap.start, gap.end, gap.cause) for gap in self.sink.gaps]


async def test_a_stream_that_wraps_around_is_whole() -> None:
    packets, line = encoded(30), Line()

    async def feed() -> None:
        for number, packet in enumerate(packets):
            line.take(packet, 65_520 + number, 2**32 - 10 * STEP + number * STEP)

    assert await line.run(feed) == "requested"
    assert np.array_equal(line.sink.pcm, decoded(packets))
    assert line.gaps() == []


async def test_discontinuous_transmission_becomes_zeros() -> None:
    packets, line = encoded(20), Line()

    async def feed() -> None:
        for number, packet in enumerate(packets):
            line.take(packet, number, (number + (10 if number >= 10 else 0)) * STEP)

    await line.run(feed)
    assert line.gaps() == []
    assert line.sink.received == 30 * TICKS
    assert not line.sink.pcm[10 * TICKS : 20 * TICKS].any()
    assert line.sink.pcm[20 * TICKS :].any()


async def test_a_pause_of_the_capture_is_no_audio() -> None:
    packets, line = encoded(20), Line()

    async def feed() -> None:
        for number, packet in enumerate(packets):
            if number == 10:
                line.now += 50 * TICKS
            line.take(packet, number, (number + (50 if number >= 10 else 0)) * STEP)

    await line.run(feed)
    assert line.gaps() == [(10 * TICKS, 60 * TICKS, "no_audio")]


async def test_a_new_ssrc_goes_on_where_the_old_one_ended() -> None:
    packets, line = encoded(20), Line()

    async def feed() -> None:
        for number, packet in enumerate(packets):
            if number < 10:
                line.take(packet, number, number * STEP)
            else:
                line.take(packet, 40_000 + number, 123_456_789 + number * STEP, ssrc=8)

    await line.run(feed)
    assert line.gaps() == []
    assert line.sink.received == 20 * TICKS
    assert line.track.info().counts.restarts == 1


async def test_a_time_stamp_far_off_makes_no_gap_of_hours() -> None:
    packets, line = encoded(20), Line()

    async def feed() -> None:
        for number, packet in enumerate(packets):
            line.take(packet, number, number * STEP + (2**31 - 5 if number >= 10 else 0))

    await line.run(feed)
    assert line.gaps() == []
    assert line.sink.received == 20 * TICKS


async def test_padding_packets_cost_nothing() -> None:
    packets, line = encoded(10), Line()

    async def feed() -> None:
        for number, packet in enumerate(packets):
            line.take(packet, 2 * number, number * STEP)
            line.now -= TICKS
            line.take(b"", 2 * number + 1, number * STEP)

    await line.run(feed)
    assert line.gaps() == []
    assert np.array_equal(line.sink.pcm, decoded(packets))
    assert line.track.info().unusable == 0


async def test_a_packet_that_lies_in_the_socket_when_the_machine_was_busy_is_not_taken_for_lost() -> None:
    packets, line = encoded(12), Line()
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    inner: asyncio.Queue[bytes] = asyncio.Queue()

    class Receiving(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            inner.put_nowait(data)

    async def decrypt() -> None:
        await inner.get()
        await asyncio.sleep(0)
        line.take(packets[10], 10, 10 * STEP)

    # As in aiortc, a datagram reaches the tap some turns of the event loop after it was read.
    decrypting = asyncio.create_task(decrypt())
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Receiving, sock=mine)

    async def feed() -> None:
        for number in range(10):
            line.take(packets[number], number, number * STEP)
        line.take(packets[11], 11, 11 * STEP)
        await asyncio.sleep(0.02)
        # The missing packet comes in time, but the event loop is held up far beyond the deadline.
        theirs.send(b"x")
        time.sleep(0.1)  # noqa: ASYNC251
        await asyncio.sleep(0.02)

    await line.run(feed)
    await decrypting
    transport.close()
    theirs.close()
    assert line.gaps() == []
    assert np.array_equal(line.sink.pcm, decoded(packets))


async def test_past_the_bound_of_the_queue_the_newest_are_a_named_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtp_track, "MAX_ARRIVED", 10)
    packets, line = encoded(40), Line(FakeSink(write_s=0.05))

    async def feed() -> None:
        for number in range(30):
            line.take(packets[number], number, number * STEP)
        await asyncio.sleep(0.2)
        for number in range(30, 40):
            line.take(packets[number], number, number * STEP)

    await line.run(feed)
    assert line.gaps() == [(10 * TICKS, 30 * TICKS, "packet_loss")]
    assert line.track.info().overrun == 20
    assert line.sink.received == 40 * TICKS


async def test_a_sink_that_is_slower_than_the_timeout_is_not_a_silent_peer() -> None:
    packets, line = encoded(40), Line(FakeSink(write_s=0.4), no_rtp_timeout_s=0.2)

    async def feed() -> None:
        for number, packet in enumerate(packets):
            line.take(packet, number, number * STEP)
            await asyncio.sleep(0.02)

    assert await line.run(feed) == "requested"
    assert np.array_equal(line.sink.pcm, decoded(packets))


async def test_the_other_writer_leaves_before_the_first_write() -> None:
    packets, line = encoded(5), Line()
    seen: list[int] = []

    async def before_first() -> None:
        await asyncio.sleep(0.05)
        seen.append(len(line.sink.writes))

    running = asyncio.create_task(line.track.run(before_first))
    for number, packet in enumerate(packets):
        line.take(packet, number, number * STEP)
    await asyncio.sleep(0.1)
    line.track.stop("requested")
    await running
    assert seen == [0]
    assert np.array_equal(line.sink.pcm, decoded(packets))


async def test_packets_that_come_in_late_are_waited_for_before_a_stop() -> None:
    packets, line = encoded(20), Line()

    async def feed() -> None:
        async def behind() -> None:
            for number, packet in enumerate(packets):
                await asyncio.sleep(0.02)
                line.take(packet, number, number * STEP)

        line.now = 20 * TICKS
        arriving = asyncio.create_task(behind())
        await asyncio.sleep(0.05)
        await line.track.linger(0.06, limit_s=5.0)
        await arriving

    assert await line.run(feed) == "requested"
    assert np.array_equal(line.sink.audio, decoded(packets))


async def test_what_is_unread_at_a_stop_is_named() -> None:
    packets, line = encoded(40), Line()

    async def send() -> None:
        for number, packet in enumerate(packets):
            line.track.take(Packet(number, number * STEP, 7, packet))
            await asyncio.sleep(0.01)

    async def feed() -> None:
        line.now = TICKS
        sending = asyncio.create_task(send())
        await asyncio.sleep(0.05)
        # A second has passed since, and the packets of it are still coming in when the wait is over.
        line.now = 50 * TICKS
        await line.track.linger(0.05, limit_s=0.15)
        sending.cancel()

    await line.run(feed)
    assert line.sink.received == 50 * TICKS
    assert [gap.cause for gap in line.sink.gaps] == ["packet_loss"]
    assert len(line.sink.audio) >= 5 * TICKS
