"""RTP packets in any order in, in order out: loss, reordering, repeats, wrap-around, new streams."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.jitter import DEADLINE_S, MAX_JUMP, JitterBuffer, Packet, Ready

pytestmark = pytest.mark.unit

STEP = 960
"""RTP time of a 20 ms packet."""


def packet(number: int, *, ssrc: int = 7, first_sequence: int = 0, first_timestamp: int = 0) -> Packet:
    return Packet(
        (first_sequence + number) % 65_536,
        (first_timestamp + number * STEP) % 2**32,
        ssrc,
        number.to_bytes(4, "big"),
    )


def numbers(ready: list[Ready]) -> list[int]:
    return [int.from_bytes(one.payload, "big") for one in ready]


def run(arrivals: list[tuple[float, Packet]]) -> tuple[list[tuple[float, Ready]], JitterBuffer]:
    """Deliver packets at their times, wake at each deadline as the shell does, and drain at the end."""
    buffer = JitterBuffer()
    out: list[tuple[float, Ready]] = []
    for at, one in sorted(arrivals, key=lambda arrival: arrival[0]):
        while (deadline := buffer.deadline) is not None and deadline <= at:
            out += [(deadline, ready) for ready in buffer.poll(deadline)]
        out += [(at, ready) for ready in buffer.push(one, at)]
    end = max((at for at, _ in arrivals), default=0.0)
    out += [(end, ready) for ready in buffer.drain()]
    return out, buffer


def test_packets_in_order_are_passed_on_at_once() -> None:
    out, buffer = run([(number * 0.02, packet(number)) for number in range(50)])
    assert [(at, number) for at, ready in out for number in numbers([ready])] == [(n * 0.02, n) for n in range(50)]
    assert buffer.counts.lost == 0
    assert buffer.deadline is None


def test_one_lost_packet_delays_none_by_more_than_60_ms_and_no_delay_stays() -> None:
    out, buffer = run([(number * 0.02, packet(number)) for number in range(50) if number != 20])
    delays = {number: at - number * 0.02 for at, ready in out for number in numbers([ready])}
    assert sorted(delays) == [number for number in range(50) if number != 20]
    assert max(delays.values()) <= 0.060
    assert delays[21] == pytest.approx(DEADLINE_S)
    assert all(delays[number] == 0 for number in range(25, 50))
    assert [ready.lost for _, ready in out if ready.lost] == [1]
    assert buffer.counts.lost == 1


def test_a_packet_that_is_overtaken_comes_in_its_place() -> None:
    buffer = JitterBuffer()
    assert numbers(buffer.push(packet(0), 0.0)) == [0]
    assert buffer.push(packet(2), 0.020) == []
    assert buffer.push(packet(3), 0.030) == []
    assert numbers(buffer.push(packet(1), 0.035)) == [1, 2, 3]
    assert (buffer.counts.lost, buffer.counts.reordered) == (0, 1)


def test_a_packet_behind_its_deadline_is_dropped_and_counted() -> None:
    buffer = JitterBuffer()
    buffer.push(packet(0), 0.0)
    buffer.push(packet(2), 0.020)
    assert buffer.poll(0.020 + DEADLINE_S - 0.001) == []
    assert numbers(buffer.poll(0.020 + DEADLINE_S)) == [2]
    assert buffer.push(packet(1), 0.080) == []
    assert (buffer.counts.lost, buffer.counts.late, buffer.counts.repeated) == (1, 1, 0)


def test_repeats_are_dropped_and_counted_apart_from_late_packets() -> None:
    buffer = JitterBuffer()
    buffer.push(packet(0), 0.0)
    assert buffer.push(packet(0), 0.001) == []
    buffer.push(packet(2), 0.002)
    assert buffer.push(packet(2), 0.003) == []
    assert (buffer.counts.repeated, buffer.counts.late, buffer.counts.received) == (2, 0, 2)


def test_a_burst_of_losses_waits_once_and_is_counted_whole() -> None:
    out, buffer = run([(number * 0.02, packet(number)) for number in range(100) if not 30 <= number < 55])
    assert [ready.lost for _, ready in out if ready.lost] == [25]
    assert buffer.counts.lost == 25
    assert max(at - number * 0.02 for at, ready in out for number in numbers([ready])) <= 0.060


def test_two_holes_close_together_each_wait_for_their_own_deadline_only() -> None:
    out, _ = run([(number * 0.02, packet(number)) for number in range(30) if number not in (10, 12)])
    delays = {number: at - number * 0.02 for at, ready in out for number in numbers([ready])}
    assert max(delays.values()) <= 0.060
    assert [ready.lost for _, ready in out if ready.lost] == [1, 1]


@pytest.mark.parametrize("first_sequence", [65_530, 65_535, 0])
def test_sequence_numbers_and_time_stamps_wrap(first_sequence: int) -> None:
    arrivals = [
        (n * 0.02, packet(n, first_sequence=first_sequence, first_timestamp=2**32 - 3 * STEP))
        for n in range(20)
        if n != 4
    ]
    out, buffer = run(arrivals)
    assert numbers([ready for _, ready in out]) == [n for n in range(20) if n != 4]
    stamps = [ready.timestamp for _, ready in out]
    assert [stamp - stamps[0] for stamp in stamps] == [n * STEP for n in range(20) if n != 4]
    assert buffer.counts.restarts == 0


def test_reordering_across_the_wrap() -> None:
    buffer = JitterBuffer()
    buffer.push(packet(0, first_sequence=65_534), 0.0)
    assert buffer.push(packet(2, first_sequence=65_534), 0.01) == []
    assert numbers(buffer.push(packet(1, first_sequence=65_534), 0.02)) == [1, 2]


def test_a_new_ssrc_lets_out_what_waits_and_starts_afresh() -> None:
    buffer = JitterBuffer()
    buffer.push(packet(0), 0.0)
    buffer.push(packet(2), 0.01)
    ready = buffer.push(packet(90, ssrc=8, first_sequence=500), 0.02)
    assert numbers(ready) == [2, 90]
    assert [one.restart for one in ready] == [False, True]
    assert buffer.push(packet(3), 0.03) == [], "a straggler of the stream left behind"
    assert numbers(buffer.push(packet(91, ssrc=8, first_sequence=500), 0.04)) == [91]
    assert buffer.counts.restarts == 1


def test_a_far_jump_counts_only_once_the_next_packet_confirms_it() -> None:
    buffer = JitterBuffer()
    buffer.push(packet(0), 0.0)
    assert buffer.push(packet(20_000), 0.01) == []
    assert numbers(buffer.push(packet(1), 0.02)) == [1], "one stray packet changes nothing"
    assert buffer.push(packet(20_001), 0.03) == []
    ready = buffer.push(packet(20_002), 0.04)
    assert numbers(ready) == [20_001, 20_002]
    assert [one.restart for one in ready] == [True, False]


def test_a_jump_within_reach_is_a_loss() -> None:
    buffer = JitterBuffer()
    buffer.push(packet(0), 0.0)
    buffer.push(packet(MAX_JUMP), 0.01)
    (ready,) = buffer.poll(1.0)
    assert ready.lost == MAX_JUMP - 1
    assert not ready.restart


def test_drain_gives_all_that_arrived() -> None:
    buffer = JitterBuffer()
    for number in (0, 2, 3, 7):
        buffer.push(packet(number), 0.0)
    drained = buffer.drain()
    assert numbers(drained) == [2, 3, 7]
    assert [one.lost for one in drained] == [1, 0, 3]
    assert buffer.drain() == []


@given(
    seed=st.integers(0, 2**32 - 1),
    first=st.integers(0, 65_535),
    loss=st.floats(0, 0.4),
    jitter_s=st.floats(0, 0.15),
    repeats=st.floats(0, 0.3),
)
def test_any_network_gives_each_packet_once_in_order_within_the_deadline(
    seed: int, first: int, loss: float, jitter_s: float, repeats: float
) -> None:
    dice = random.Random(seed)
    arrivals: list[tuple[float, Packet]] = []
    for number in range(120):
        one = packet(number, first_sequence=first)
        copies = 1 + (dice.random() < repeats) if number == 0 or dice.random() >= loss else 0
        # The first packet sets the numbering, so that none lies before it.
        arrivals += [(number * 0.02 + (dice.random() * jitter_s if number else 0.0), one) for _ in range(copies)]
    out, buffer = run(arrivals)
    order = numbers([ready for _, ready in out])
    assert order == sorted(set(order))
    arrived = {number: at for at, one in sorted(arrivals, key=lambda a: -a[0]) for number in [number_of(one)]}
    assert all(at - arrived[number_of_ready(ready)] <= DEADLINE_S + 1e-9 for at, ready in out)
    counts = buffer.counts
    assert counts.received == len(order)
    assert counts.received + counts.late + counts.repeated == len(arrivals)
    assert counts.lost == order[-1] - order[0] + 1 - len(order)


def number_of(one: Packet) -> int:
    return int.from_bytes(one.payload, "big")


def number_of_ready(one: Ready) -> int:
    return int.from_bytes(one.payload, "big")
