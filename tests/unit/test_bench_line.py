"""A bad line: what a packet meets, whose addresses peers are told, and what a condition has come to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.conditions import CONDITIONS, Seen, chosen, figures
from benchmarks.fallback_peer import Outbox
from benchmarks.relay import CLEAN, Fault, Line, first_candidate, is_media, with_candidate

pytestmark = pytest.mark.unit

SDP = "\r\n".join(
    [
        "v=0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96",
        "a=candidate:1 1 udp 2130706431 10.0.0.7 5000 typ host",
        "a=candidate:2 1 udp 2130706430 fe80::1 5001 typ host",
        "a=end-of-candidates",
        "",
    ]
)


def arrivals(fault: Fault, count: int = 1000, size: int = 100, seed: int = 1) -> list[float | None]:
    line = Line(fault, seed)
    return [line.deliver(0.02 * number, size) for number in range(count)]


def test_a_clean_line_delivers_at_once() -> None:
    assert arrivals(CLEAN, 3) == [0.0, 0.02, 0.04]


def test_a_line_loses_its_share_and_the_same_packets_with_the_same_seed() -> None:
    line = Line(Fault(loss=0.1), 7)
    found = [line.deliver(0.02 * number, 100) for number in range(2000)]
    assert found.count(None) == line.lost
    assert 150 <= line.lost <= 250
    assert line.passed + line.lost == 2000
    again = Line(Fault(loss=0.1), 7)
    assert found == [again.deliver(0.02 * number, 100) for number in range(2000)]


@given(st.floats(0, 0.3), st.floats(0, 200), st.floats(0, 200), st.integers(0, 99))
def test_without_reordering_order_is_kept(loss: float, delay_ms: float, jitter_ms: float, seed: int) -> None:
    found = [
        at
        for at in arrivals(Fault(loss=loss, delay_ms=delay_ms, jitter_ms=jitter_ms), 200, seed=seed)
        if at is not None
    ]
    assert found == sorted(found)


def test_reordered_packets_come_after_those_sent_later() -> None:
    found = arrivals(Fault(reorder=0.1, reorder_ms=60), 500)
    times = [at for at in found if at is not None]
    assert len(times) == 500
    assert times != sorted(times)


def test_a_narrow_line_holds_back_and_then_drops() -> None:
    line = Line(Fault(rate_kbps=20, queue_s=0.2))
    found = [line.deliver(0.02 * number, 100) for number in range(500)]  # 40 kbit/s into 20
    delivered = [at for at in found if at is not None]
    assert 200 <= len(delivered) <= 270
    assert max(at - 0.02 * number for number, at in enumerate(found) if at is not None) <= 0.3


def test_nothing_comes_through_a_hole() -> None:
    found = arrivals(Fault(hole_s=(1.0, 2.0)), 150)
    assert [at is None for at in found] == [50 <= number < 100 for number in range(150)]


def test_each_peer_is_told_the_relays_address_only() -> None:
    assert first_candidate(SDP) == ("10.0.0.7", 5000)
    changed = with_candidate(SDP, ("10.0.0.7", 6000))
    assert changed.count("a=candidate:") == 1
    assert first_candidate(changed) == ("10.0.0.7", 6000)
    assert changed.endswith("a=end-of-candidates\r\n")
    with pytest.raises(ValueError, match="IPv4"):
        first_candidate(SDP.replace("10.0.0.7", "fe80::2"))


@pytest.mark.parametrize(
    ("first", "second", "media"),
    [(128, 96, True), (128, 224, True), (128, 200, False), (22, 96, False), (0, 1, False)],
)
def test_only_rtp_is_media(first: int, second: int, media: bool) -> None:
    assert is_media(bytes([first, second]) + bytes(20)) is media


def test_a_sender_that_falls_back_sends_what_is_missing_and_what_is_overdue_once_a_while() -> None:
    outbox = Outbox(200)
    outbox.first_tick = 640
    at = [640 + number * 320 for number in range(201)]
    outbox.told({"tick": at[10], "end": at[50], "missing": [[at[10], at[12]], [at[30], at[31]]]})
    assert outbox.durable == 10
    assert outbox.carried == 50
    assert outbox.take(70, 0.0) == [10, 11, 30], "what was sent less than half a second ago may still come"
    assert outbox.take(80, 1.0) == [50, 51, 52, 53, 54]
    assert outbox.take(80, 2.5) == [10, 11, 30], "once more, if it is still missing after two seconds"
    outbox.told({"tick": at[55], "end": at[55], "missing": []})
    assert outbox.carried == 0, "it came over the WebSocket"
    outbox.connected()
    assert outbox.take(85, 2.6) == [55, 56, 57, 58, 59]
    assert outbox.take(200, 2.7) == list(range(60, 200)), "at the end nothing is waited for"


def test_conditions_bring_the_clean_one_that_they_are_compared_with() -> None:
    assert [one.name for one in chosen(["loss-2"])] == ["clean-webrtc", "loss-2"]
    assert [one.name for one in chosen(["storm"])] == ["storm"]
    assert chosen([]) == CONDITIONS
    assert len({one.name for one in CONDITIONS}) == len(CONDITIONS)
    with pytest.raises(KeyError):
        chosen(["flood"])


BY_NAME = {one.name: one for one in CONDITIONS}


def test_what_is_lost_and_named_is_whole_and_what_is_not_accounted_for_is_not() -> None:
    lossy = Seen(BY_NAME["loss-2"], complete=1, gaps_s={"packet_loss": 0.4}, lost_s=0.4, wer=0.1)
    assert lossy.whole
    assert lossy.outcome == "whole; the line lost 0.40 s, 0.40 s are named as gaps"
    assert lossy.gaps == "packet loss 0.40 s"
    assert not replace(lossy, complete=0).whole
    assert replace(lossy, complete=0).outcome == "NOT WHOLE: 1 of 1 not accounted for"
    assert "1 errors (TimeoutError)" in replace(lossy, errors=("TimeoutError",)).outcome


def test_a_refusal_is_a_fault_only_where_there_was_room() -> None:
    full = Seen(BY_NAME["storm-full"], sessions=10, refused=5, complete=5)
    assert full.whole
    assert full.outcome == "whole; 5 of 10 refused, as they should be"
    assert not replace(full, condition=BY_NAME["storm"]).whole


def test_each_condition_is_shown_beside_its_clean_one() -> None:
    clean = Seen(BY_NAME["clean-webrtc"], complete=1, wer=0.05, final_s=(0.4,))
    rows = figures([clean, Seen(BY_NAME["loss-2"], complete=1, wer=0.08, final_s=(0.5,))])
    above = [row for row in rows if row.name == "WER above the clean line's"]
    assert [round(row.value, 6) for row in above] == [3.0]
    assert clean.as_json(clean)["wer_clean"] == 0.05
