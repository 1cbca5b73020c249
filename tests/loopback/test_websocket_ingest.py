"""The WebSocket sender against a real socket: both codecs, a lost connection, and the WebRTC path beside it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from fake_sink import FakeSink, session_clock
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.websocket_peer import Refused, WebSocketPeer, frames_of
from benchmarks.whip_peer import RtcPeer, opus_packets
from streaming.audio_wire import AudioFrame, pack
from streaming.media import OpusDecoder
from streaming.types import Int16Mono, Tick
from streaming.webrtc import WebRtcIngest
from streaming.websocket_ingest import CLOSE_OVER, CLOSE_REPLACED, End, TrackNumbers, ingest

pytestmark = pytest.mark.loopback


class BoundSocket:
    """A connection of `websockets` as the ingest's socket."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def receive(self) -> bytes | str | None:
        try:
            return await self._connection.recv()
        except ConnectionClosed:
            return None

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed:
            return

    async def close(self, code: int) -> None:
        await self._connection.close(code)


class Track:
    """One track on a server: its sink, its numbers, and how its connections ended."""

    def __init__(self) -> None:
        self.sink = FakeSink()
        self.numbers = TrackNumbers()
        self.ends: list[End] = []
        self.url = ""

    async def handle(self, connection: ServerConnection) -> None:
        self.ends.append(await ingest(BoundSocket(connection), self.sink, self.numbers, OpusDecoder))


@asynccontextmanager
async def serving() -> AsyncIterator[Track]:
    track = Track()
    async with serve(track.handle, "127.0.0.1", 0) as server:
        track.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield track


def speechlike(seconds: float) -> Int16Mono:
    at = np.arange(round(16_000 * seconds)) / 16_000
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 1.7 * at)
    return np.rint(12_000 * swell * np.sin(2 * np.pi * (300 + 250 * at) * at)).astype(np.int16)


def likeness(got: Int16Mono, wanted: Int16Mono) -> float:
    shared = min(len(got), len(wanted))
    return float(np.corrcoef(got[:shared], wanted[:shared])[0, 1])


async def test_pcm_arrives_sample_for_sample() -> None:
    audio = speechlike(1.234)
    async with serving() as track:
        peer = WebSocketPeer(frames_of(audio, "pcm16"), pace=4)
        assert await peer.run(track.url) == len(audio)
    assert np.array_equal(track.sink.pcm, audio)
    assert track.sink.gaps == []
    assert peer.acknowledged == len(audio)
    assert track.ends == ["done"]


async def test_real_time_pace_is_kept_and_the_delay_is_small() -> None:
    audio = speechlike(1.0)
    async with serving() as track:
        peer = WebSocketPeer(frames_of(audio, "pcm16"))
        await peer.run(track.url)
    delays = [at - peer.sent_at(start) for at, start, _ in track.sink.writes]
    assert len(delays) >= 8
    assert sorted(delays)[len(delays) // 2] < 0.030
    assert track.sink.writes[-1][0] - track.sink.writes[0][0] > 0.8


async def test_both_paths_give_the_same_samples_for_the_same_packets_and_nearly_those_of_pcm() -> None:
    audio = speechlike(1.5)
    packets = opus_packets(audio)
    async with serving() as track:
        await WebSocketPeer(frames_of(audio, "opus"), pace=4).run(track.url)
    rtc_sink, rtc = FakeSink(), WebRtcIngest()
    peer = RtcPeer(packets)
    answer = await rtc.answer(rtc_sink, await peer.offer(), session_clock())
    await peer.accept(answer.sdp)
    await peer.finish()
    await rtc.close_all()
    await peer.close()
    assert np.array_equal(rtc_sink.audio, track.sink.pcm)
    late = max(range(100, 160), key=lambda ticks: likeness(rtc_sink.audio[ticks:], audio))
    assert likeness(rtc_sink.audio[late:], audio) > 0.97
    assert np.std(rtc_sink.audio[late : late + len(audio)]) == pytest.approx(np.std(audio), rel=0.05)


async def test_a_lost_connection_is_gone_on_with_where_the_server_says() -> None:
    audio = speechlike(2.0)
    frames = frames_of(audio, "pcm16")
    async with serving() as track:
        async with connect(track.url) as socket:
            assert json.loads(await socket.recv()) == {"type": "ready", "sequence": 0, "tick": 0}
            for frame in frames[:7]:
                await socket.send(pack(frame))
            # Gone without a word: not even all acknowledgements are read.
            await asyncio.wait_for(socket.recv(), 5)
            socket.transport.abort()
        peer = WebSocketPeer(frames, pace=8)
        assert await peer.run(track.url) == len(audio)
    assert np.array_equal(track.sink.pcm, audio)
    assert sorted(track.ends) == ["disconnected", "done"]


async def test_a_refusal_reaches_the_sender() -> None:
    async with serving() as track:
        # The peer numbers its frames as the server wants them: what it cannot mend is a frame that is too long.
        peer = WebSocketPeer([AudioFrame("pcm16", 0, Tick(0), bytes(2 * 16_001))], pace=400)
        with pytest.raises(Refused) as caught:
            await peer.run(track.url)
    assert caught.value.error["code"] == "too_large"


async def test_the_end_of_the_session_closes_with_its_own_code() -> None:
    async with serving() as track, connect(track.url) as socket:
        await socket.recv()
        track.sink.over = True
        await socket.send(pack(AudioFrame("pcm16", 0, Tick(0), b"\0\0")))
        assert json.loads(await socket.recv())["error"]["code"] == "session_over"
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == CLOSE_OVER


async def test_a_webrtc_connection_takes_a_track_over_from_a_websocket() -> None:
    audio = speechlike(1.0)
    rtc = WebRtcIngest()
    async with serving() as track, connect(track.url) as socket:
        await socket.recv()
        await socket.send(pack(frames_of(audio, "pcm16")[0]))
        await socket.recv()
        peer = RtcPeer(opus_packets(audio))
        answer = await rtc.answer(track.sink, await peer.offer(), session_clock(), evict=track.numbers.release)
        await peer.accept(answer.sdp)
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        await peer.finish()
        await rtc.close_all()
        await peer.close()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == CLOSE_REPLACED
    assert track.ends == ["replaced"]
    assert np.array_equal(track.sink.pcm[:1_600], audio[:1_600])
    assert track.sink.received > 1_600 + len(audio)
