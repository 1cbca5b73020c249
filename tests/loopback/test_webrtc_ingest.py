"""Real WebRTC peers on this machine: what they send lies in the sink, what is lost is named and costs itself only."""

import asyncio
import inspect
import statistics
import time
from collections.abc import AsyncIterator, Callable

import aioice.ice
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver
from fake_sink import FakeSink, session_clock

from benchmarks.whip_peer import Impair, RtcPeer, opus_packets
from streaming import webrtc
from streaming.errors import BadOffer, EngineMissing
from streaming.media import OpusDecoder
from streaming.rtp_track import Reason
from streaming.types import FRAME_TICKS, Int16Mono, Tick
from streaming.webrtc import IceServer, NoNetwork, WebRtcIngest

pytestmark = pytest.mark.loopback


def speechlike(seconds: float) -> Int16Mono:
    at = np.arange(round(16_000 * seconds)) / 16_000
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 1.7 * at)
    return np.rint(12_000 * swell * np.sin(2 * np.pi * (200 + 150 * at) * at)).astype(np.int16)


def decoded(packets: list[bytes]) -> Int16Mono:
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])


class Server:
    """An ingest, one session's clock, and what was closed why."""

    def __init__(self, no_rtp_timeout_s: float = 3.0, connect_timeout_s: float = 15.0) -> None:
        self.closed: list[tuple[str, Reason]] = []
        self.clock = session_clock()
        self.ingest = WebRtcIngest(
            no_rtp_timeout_s=no_rtp_timeout_s,
            connect_timeout_s=connect_timeout_s,
            on_closed=lambda resource, reason: self.closed.append((resource, reason)),
        )

    async def send(self, sink: FakeSink, packets: list[bytes], impair: Impair | None = None) -> tuple[RtcPeer, str]:
        """A peer that begins to send these packets."""
        peer = RtcPeer(packets, impair=impair)
        answer = await self.ingest.answer(sink, await peer.offer(), self.clock)
        await peer.accept(answer.sdp)
        return peer, answer.resource


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    serving = Server()
    yield serving
    await serving.ingest.close_all()
    assert serving.ingest.resources == ()


def lost_packets(sink: FakeSink) -> list[tuple[int, int]]:
    """First packet (counted from the first heard) and number of packets of each gap after the first audio."""
    first = sink.writes[0][1]
    assert all(gap.cause == "packet_loss" for gap in sink.gaps if gap.start >= first)
    return [
        ((gap.start - first) // FRAME_TICKS, (gap.end - gap.start) // FRAME_TICKS)
        for gap in sink.gaps
        if gap.start >= first
    ]


def delays_s(sink: FakeSink, peer: RtcPeer) -> list[float]:
    """Of each packet written: from when it was sent to when the sink was called."""
    first = sink.writes[0][1]
    return [
        at - peer.sent_at(Tick(tick))
        for at, start, ticks in sink.writes
        for tick in range(start - first, start - first + ticks, FRAME_TICKS)
    ]


class LoopWatch:
    """How long this machine let the event loop wait at worst: no fault of what is measured on it."""

    worst_s = 0.0

    async def __aenter__(self) -> "LoopWatch":
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.002)
            self.worst_s = max(self.worst_s, time.monotonic() - begun - 0.002)


async def until(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "this never came about"
        await asyncio.sleep(0.01)


async def test_every_packet_arrives_to_the_last_one_and_sounds_as_over_websocket(server: Server) -> None:
    packets = opus_packets(speechlike(1.5))
    sink = FakeSink()
    peer, resource = await server.send(sink, packets)
    await peer.finish()
    # The request to close overtakes the last packets: none of them may be lost for it.
    assert await server.ingest.close(resource)
    await peer.close()
    assert [gap.cause for gap in sink.gaps] == ["no_audio"], "from the session's start to the first packet"
    assert np.array_equal(sink.audio, decoded(packets))
    assert server.closed == [(resource, "requested")]
    assert statistics.median(delays_s(sink, peer)) < 0.030


async def test_one_lost_packet_delays_nothing_by_more_than_60_ms_and_costs_its_own_20_ms(server: Server) -> None:
    packets = opus_packets(speechlike(2.5))
    lost = {20, 60, 61, 100}
    sink = FakeSink()
    async with LoopWatch() as watch:
        peer, resource = await server.send(sink, packets, lambda n: [] if n in lost else [0.0])
        await peer.finish()
        await server.ingest.close(resource)
    await peer.close()
    assert lost_packets(sink) == [(20, 1), (60, 2), (100, 1)]
    assert len(sink.audio) == (len(packets) - len(lost)) * FRAME_TICKS
    delays = delays_s(sink, peer)
    # tests/unit/test_jitter.py has the same without a clock, exactly.
    assert max(delays) - statistics.median(delays) < 0.060 + watch.worst_s
    assert statistics.median(delays[-15:]) < 0.020 + watch.worst_s, "no delay stays behind"


async def test_reordered_and_repeated_packets_come_out_as_sent(server: Server) -> None:
    packets = opus_packets(speechlike(1.5))

    def shuffle(number: int) -> list[float]:
        if number and number % 7 == 0:
            return [0.028]
        return [0.0, 0.005] if number % 5 == 0 else [0.0]

    sink = FakeSink()
    peer, resource = await server.send(sink, packets, shuffle)
    await peer.finish()
    await server.ingest.close(resource)
    await peer.close()
    assert lost_packets(sink) == []
    assert np.array_equal(sink.audio, decoded(packets))


async def test_a_burst_of_losses_is_one_gap(server: Server) -> None:
    packets = opus_packets(speechlike(1.5))
    sink = FakeSink()
    peer, resource = await server.send(sink, packets, lambda n: [] if 20 <= n < 45 else [0.0])
    await peer.finish()
    await server.ingest.close(resource)
    await peer.close()
    assert lost_packets(sink) == [(20, 25)]


async def test_a_slow_sink_loses_nothing(server: Server) -> None:
    packets = opus_packets(speechlike(1.0))
    sink = FakeSink(write_s=0.3)
    peer, resource = await server.send(sink, packets)
    await peer.finish()
    await server.ingest.close(resource)
    await peer.close()
    assert np.array_equal(sink.audio, decoded(packets))


async def test_a_peer_that_hangs_up_is_flushed_and_forgotten(server: Server) -> None:
    packets = opus_packets(speechlike(0.6))
    sink = FakeSink()
    peer, resource = await server.send(sink, packets)
    await peer.finish()
    await peer.close()
    await until(lambda: bool(server.closed))
    assert server.closed == [(resource, "peer_closed")]
    assert np.array_equal(sink.audio, decoded(packets))
    assert not await server.ingest.close(resource)


async def test_a_peer_that_vanishes_is_noticed_its_silence_named_and_the_track_free(server: Server) -> None:
    packets = opus_packets(speechlike(0.6))
    sink = FakeSink()
    peer, resource = await server.send(sink, packets)
    await peer.finish()
    vanished = time.monotonic()
    await until(lambda: bool(server.closed))
    assert 2.5 < time.monotonic() - vanished < 4.0
    assert server.closed == [(resource, "no_rtp")]
    assert np.array_equal(sink.audio, decoded(packets))
    silence = sink.gaps[-1]
    assert silence.cause == "disconnected"
    assert 2.5 * 16_000 < silence.end - silence.start < 4.0 * 16_000
    again, _ = await server.send(sink, packets)
    await until(lambda: len(sink.audio) > len(decoded(packets)))
    assert {gap.cause for gap in sink.gaps[1:]} == {"disconnected"}
    await peer.close()
    await again.close()


async def test_a_new_connection_takes_its_track_over_from_the_old_one(server: Server) -> None:
    packets = opus_packets(speechlike(3.0))
    sink = FakeSink()
    older, first = await server.send(sink, packets)
    await until(lambda: len(sink.audio) > 8_000)
    newer, second = await server.send(sink, packets)
    await until(lambda: bool(server.closed))
    assert server.closed == [(first, "replaced")]
    before = sink.received
    await until(lambda: sink.received > before + 8_000)
    assert server.ingest.resources == (second,)
    await server.ingest.close(second)
    assert sum(gap.end - gap.start for gap in sink.gaps[1:]) < 3_200, "the change costs at most 200 ms"
    await older.close()
    await newer.close()


async def test_a_track_that_another_transport_takes_is_closed_as_replaced(server: Server) -> None:
    packets = opus_packets(speechlike(0.4))
    sink = FakeSink()
    peer, resource = await server.send(sink, packets)
    await peer.finish()
    await server.ingest.close_track(sink, "replaced")
    await peer.close()
    assert server.closed == [(resource, "replaced")]
    assert np.array_equal(sink.audio, decoded(packets)), "its last words are kept"


async def test_two_tracks_at_once_do_not_disturb_each_other(server: Server) -> None:
    packets = [opus_packets(speechlike(1.0)), opus_packets(speechlike(1.0)[::-1].copy())]
    sinks = [FakeSink("clinician"), FakeSink("client")]
    peers = [await server.send(sink, one) for sink, one in zip(sinks, packets, strict=True)]
    for peer, _ in peers:
        await peer.finish()
    await server.ingest.close_track(sinks[0])
    assert server.ingest.resources == (peers[1][1],)
    await server.ingest.close_all()
    for (peer, _), sink, one in zip(peers, sinks, packets, strict=True):
        await peer.close()
        assert np.array_equal(sink.audio, decoded(one))


async def test_the_end_of_the_session_closes_the_connection(server: Server) -> None:
    sink = FakeSink()
    peer, resource = await server.send(sink, opus_packets(speechlike(2.0)))
    await until(lambda: len(sink.audio) > 4_000)
    sink.over = True
    await until(lambda: bool(server.closed))
    assert server.closed == [(resource, "session_over")]
    await peer.close()


async def test_a_failed_store_closes_the_connection_and_keeps_what_was_stored(server: Server) -> None:
    sink = FakeSink()
    peer, resource = await server.send(sink, opus_packets(speechlike(2.0)))
    await until(lambda: len(sink.audio) > 4_000)
    sink.fails = True
    await until(lambda: bool(server.closed))
    assert server.closed == [(resource, "store_failed")]
    assert len(sink.audio) > 4_000
    await peer.close()


async def test_a_peer_that_never_connects_is_given_up() -> None:
    server = Server(connect_timeout_s=0.5)
    peer = RtcPeer(opus_packets(speechlike(0.1)))
    sink = FakeSink()
    answer = await server.ingest.answer(sink, await peer.offer(), server.clock)
    info = server.ingest.info(answer.resource)
    assert info is not None
    assert (info.track, info.state) == ("mic", "connecting")
    await until(lambda: bool(server.closed))
    assert server.closed == [(answer.resource, "never_connected")]
    assert server.ingest.info(answer.resource) is None
    assert sink.received == 0
    await peer.close()


async def test_of_many_offers_for_a_track_only_the_last_try_stays_open(server: Server) -> None:
    sink = FakeSink()
    peers = [RtcPeer(opus_packets(speechlike(0.1))) for _ in range(4)]
    answers = [await server.ingest.answer(sink, await peer.offer(), server.clock) for peer in peers]
    assert server.ingest.resources == (answers[-1].resource,)
    assert server.closed == [(answer.resource, "replaced") for answer in answers[:-1]]
    for peer in peers:
        await peer.close()


async def test_the_counts_of_a_connection_can_be_asked_for(server: Server) -> None:
    sink = FakeSink()
    peer, resource = await server.send(sink, opus_packets(speechlike(0.6)), lambda n: [] if n == 10 else [0.0])
    await peer.finish()
    await until(lambda: len(sink.audio) > 8_000)
    info = server.ingest.info(resource)
    assert info is not None
    assert info.state == "receiving"
    assert (info.counts.lost, info.unusable, info.overrun) == (1, 0, 0)
    await peer.close()


async def test_packets_that_are_not_opus_are_a_gap_of_the_decoder_and_the_rest_is_kept(server: Server) -> None:
    packets = opus_packets(speechlike(0.8))
    broken = [*packets[:10], b"\xff\xff\xff", *packets[11:20], b"\xfd\x00\x00\x00", *packets[21:]]
    sink = FakeSink()
    peer, resource = await server.send(sink, broken)
    await peer.finish()
    await server.ingest.close(resource)
    await peer.close()
    first = sink.writes[0][1]
    gaps = [gap for gap in sink.gaps if gap.start >= first]
    assert [(gap.start - first) // FRAME_TICKS for gap in gaps] == [10, 20]
    assert {gap.cause for gap in gaps} == {"decoder_error"}
    # The second one claims 40 ms, of which the packet behind it then gets 20.
    assert len(sink.audio) >= (len(packets) - 3) * FRAME_TICKS


async def test_offers_that_cannot_be_answered_leave_nothing_behind(server: Server) -> None:
    peer = RtcPeer(opus_packets(speechlike(0.1)))
    offer = await peer.offer()
    sink = FakeSink()
    for bad in (
        "",
        "v=0",
        offer.replace("sendonly", "recvonly"),
        offer.replace("m=audio", "m=video"),
        offer.replace("opus/48000/2", "PCMU/8000"),
        offer.replace("UDP/TLS/RTP/SAVPF", "udp/x"),
        offer.replace("m=audio ", "m=audio x"),
        offer.replace("a=mid:0", "a=mid:0\r\na=extmap:x y"),
        offer + "a=candidate:nonsense\r\n",
        offer.replace("a=group:BUNDLE 0\r\n", "a=group:BUNDLE 0 0 1\r\na=group:BUNDLE 0\r\n"),
        offer + "x" * 70_000,
    ):
        with pytest.raises(BadOffer) as caught:
            await server.ingest.answer(sink, bad, server.clock)
        assert caught.value.mend
    assert server.ingest.resources == ()
    assert server.closed == []
    await peer.close()


async def test_an_offer_without_candidates_connects_through_the_peer_s_own_checks(server: Server) -> None:
    packets = opus_packets(speechlike(0.5))
    peer = RtcPeer(packets)
    offer = "\r\n".join(line for line in (await peer.offer()).split("\r\n") if "candidate" not in line)
    sink = FakeSink()
    answer = await server.ingest.answer(sink, offer, server.clock)
    await peer.accept(answer.sdp)
    await peer.finish()
    await server.ingest.close(answer.resource)
    assert np.array_equal(sink.audio, decoded(packets))
    await peer.close()


async def test_the_answer_receives_only_and_asks_no_outside_server(server: Server) -> None:
    peer = RtcPeer(opus_packets(speechlike(0.1)))
    answer = await server.ingest.answer(FakeSink(), await peer.offer(), server.clock)
    assert "a=recvonly" in answer.sdp
    assert "opus/48000/2" in answer.sdp
    assert "typ host" in answer.sdp
    assert "a=end-of-candidates" in answer.sdp
    assert "srflx" not in answer.sdp
    assert "typ relay" not in answer.sdp
    assert len(answer.resource) == 32
    await peer.close()


async def test_the_video_of_an_offer_is_answered_as_inactive(server: Server) -> None:
    sending = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sending.addTransceiver("audio", direction="sendonly")
    sending.addTransceiver("video", direction="sendonly")
    await sending.setLocalDescription(await sending.createOffer())
    answer = await server.ingest.answer(FakeSink(), sending.localDescription.sdp, server.clock)
    audio, video = answer.sdp.split("m=audio")[1].split("m=video")
    assert "a=recvonly" in audio
    assert "a=inactive" in video
    await sending.close()


def test_ice_servers_are_those_of_the_settings() -> None:
    ingest = WebRtcIngest([IceServer(("turn:192.0.2.9:3478",), "user", "secret")])
    (server,) = ingest._ice_servers
    assert (server.urls, server.username, server.credential) == (["turn:192.0.2.9:3478"], "user", "secret")
    assert WebRtcIngest()._ice_servers == []


async def test_a_machine_without_a_network_serves_its_own_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])
    server = Server()
    packets = opus_packets(speechlike(0.3))
    sink = FakeSink()
    peer, resource = await server.send(sink, packets)
    await peer.finish()
    await server.ingest.close(resource)
    assert np.array_equal(sink.audio, decoded(packets))
    await peer.close()


async def test_a_machine_without_any_address_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    peer = RtcPeer(opus_packets(speechlike(0.1)))
    offer = await peer.offer()
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])
    with pytest.raises(NoNetwork) as caught:
        await server.ingest.answer(FakeSink(), offer, server.clock)
    assert "WebSocket" in caught.value.mend
    await peer.close()


async def test_the_place_of_aiortc_s_jitter_buffer_is_where_the_pin_has_it() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = peer.addTransceiver("audio", direction="recvonly").receiver
    buffer = getattr(receiver, webrtc._BUFFER)
    assert type(buffer).__name__ == "JitterBuffer"
    # The receiver must call what stands there, with a packet, and take a pair of flag and frame from it.
    assert "__jitter_buffer.add(packet)" in inspect.getsource(RTCRtpReceiver._handle_rtp_packet)
    await peer.close()


async def test_an_aiortc_that_keeps_its_buffer_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc, "_BUFFER", "_moved")
    server = Server()
    peer = RtcPeer(opus_packets(speechlike(0.1)))
    with pytest.raises(EngineMissing, match="pinned"):
        await server.ingest.answer(FakeSink(), await peer.offer(), server.clock)
    await peer.close()
