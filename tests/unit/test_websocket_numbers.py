"""Numbered audio over a scripted WebSocket: what is acknowledged, refused, named, and kept over a lost connection."""

import asyncio
import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from fake_sink import FakeSink
from hypothesis import given
from hypothesis import strategies as st

from streaming import websocket_ingest
from streaming.audio_wire import AudioFrame, pack
from streaming.errors import StoreFailed
from streaming.media import OpusDecoder, OpusEncoder
from streaming.types import SAMPLE_RATE, Gap, Int16Mono, Tick
from streaming.websocket_ingest import (
    AHEAD_TICKS,
    CLOSE_DONE,
    CLOSE_FAILED,
    CLOSE_OVER,
    CLOSE_REPLACED,
    MAX_QUEUED,
    End,
    TrackNumbers,
    ingest,
)

pytestmark = pytest.mark.unit

END = json.dumps({"type": "end"})


class ScriptedSocket:
    """Gives its script's messages, then the peer's silence or its going; keeps the answers."""

    def __init__(self, script: Iterable[bytes | str | None], *, stays: bool = False) -> None:
        self.answers: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.taken = 0
        self._script = list(script)
        self._stays = stays

    async def receive(self) -> bytes | str | None:
        await asyncio.sleep(0)
        if self.taken < len(self._script):
            self.taken += 1
            return self._script[self.taken - 1]
        if self._stays:
            await asyncio.Event().wait()
        return None

    async def send(self, text: str) -> None:
        self.answers.append(json.loads(text))

    async def close(self, code: int) -> None:
        self.closed = code

    def errors(self) -> list[str]:
        return [answer["error"]["code"] for answer in self.answers if "error" in answer]

    def last_ack(self) -> dict[str, Any]:
        return [answer for answer in self.answers if answer.get("type") == "ack"][-1]


def ramp(start: int, ticks: int) -> Int16Mono:
    """Samples that tell their tick."""
    return (np.arange(start, start + ticks) % 30_000).astype(np.int16)


def frame(sequence: int, tick: int | None = None, ticks: int = 100) -> bytes:
    start = sequence * ticks if tick is None else tick
    return pack(AudioFrame("pcm16", sequence, Tick(start), ramp(start, ticks).astype("<i2").tobytes()))


async def serve(
    script: Iterable[bytes | str | None], sink: FakeSink | None = None, numbers: TrackNumbers | None = None
) -> tuple[End, ScriptedSocket, FakeSink]:
    socket, sink = ScriptedSocket(script), sink or FakeSink()
    return await ingest(socket, sink, numbers or TrackNumbers(), OpusDecoder), socket, sink


async def until(true: Callable[[], bool]) -> None:
    """Let the others run until it holds; fails the test if it never does."""
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0)
    pytest.fail("this never came about")


async def test_frames_are_stored_and_acknowledged_and_the_end_is_answered() -> None:
    end, socket, sink = await serve([*(frame(n) for n in range(5)), END])
    assert end == "done"
    assert socket.answers[0] == {"type": "ready", "sequence": 0, "tick": 0}
    assert socket.last_ack() == {"type": "ack", "sequence": 4, "tick": 500}
    assert socket.answers[-1] == {"type": "done", "tick": 500}
    assert socket.closed == CLOSE_DONE
    assert np.array_equal(sink.pcm, ramp(0, 500))


async def test_nothing_is_acknowledged_before_it_is_stored() -> None:
    sink = FakeSink(write_s=0.01)

    class Watching(ScriptedSocket):
        async def send(self, text: str) -> None:
            await super().send(text)
            message = json.loads(text)
            assert message.get("type") != "ack" or message["tick"] <= sink.received

    socket = Watching([*(frame(n) for n in range(10)), END])
    assert await ingest(socket, sink, TrackNumbers(), OpusDecoder) == "done"
    assert socket.last_ack()["sequence"] == 9


async def test_a_repeat_is_acknowledged_again_and_stored_once() -> None:
    _, socket, sink = await serve([frame(0), frame(1), frame(0), frame(1), END])
    assert np.array_equal(sink.pcm, ramp(0, 200))
    assert socket.last_ack() == {"type": "ack", "sequence": 1, "tick": 200}
    assert socket.errors() == []


async def test_a_skipped_number_is_refused_with_the_expected_one_and_nothing_is_lost() -> None:
    _, socket, sink = await serve([frame(0), frame(2), frame(3), frame(1), frame(2), END])
    refused = [answer["error"] for answer in socket.answers if "error" in answer]
    assert [(one["code"], one["expected"]) for one in refused] == [("out_of_order", 1), ("out_of_order", 1)]
    assert np.array_equal(sink.pcm, ramp(0, 300))


async def test_a_tick_that_skips_forward_is_a_gap_of_the_sender_s() -> None:
    _, _, sink = await serve([frame(0), frame(1, tick=700), END])
    assert sink.gaps == [Gap(sink.track, Tick(100), Tick(700), "dropped_by_sender")]
    assert np.array_equal(sink.audio, np.concatenate((ramp(0, 100), ramp(700, 100))))


async def test_a_tick_that_skips_days_is_refused_and_its_number_asked_for_again() -> None:
    sink, far = FakeSink(), Tick(50 * SAMPLE_RATE + AHEAD_TICKS)
    socket = ScriptedSocket([frame(0), frame(1, tick=far + 1), frame(1, tick=100), frame(2, tick=far), END])
    assert await ingest(socket, sink, TrackNumbers(), OpusDecoder, lambda: Tick(50 * SAMPLE_RATE)) == "done"
    assert socket.errors() == ["bad_frame"]
    assert sink.gaps == [Gap(sink.track, Tick(200), far, "dropped_by_sender")]


async def test_a_tick_that_goes_back_is_stored_where_it_is_new() -> None:
    _, _, sink = await serve([frame(0), frame(1, tick=40), frame(2, tick=0, ticks=50), END])
    assert np.array_equal(sink.pcm, ramp(0, 140))


@pytest.mark.parametrize(
    "bad, code",
    [
        (b"", "bad_frame"),
        (b"not a frame at all", "bad_frame"),
        (frame(1)[:-1], "bad_frame"),
        (frame(1)[:16], "bad_frame"),
        (frame(1, ticks=16_001), "too_large"),
        (frame(1)[:3] + b"\x09" + frame(1)[4:], "unknown_codec"),
        ("hello", "bad_frame"),
        ('{"type": "other"}', "bad_frame"),
        ("[" * 1_000, "bad_frame"),
        ('{"type": "end"}' + " " * 2_000, "bad_frame"),
        ("7", "bad_frame"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_the_connection_stays(bad: bytes | str, code: str) -> None:
    end, socket, sink = await serve([frame(0), bad, frame(1), END])
    assert end == "done"
    assert socket.errors() == [code]
    assert np.array_equal(sink.pcm, ramp(0, 200))


async def test_the_numbers_survive_a_lost_connection() -> None:
    sink, numbers = FakeSink(), TrackNumbers()
    end, first, _ = await serve([frame(0), frame(1), frame(2)], sink, numbers)
    assert end == "disconnected"
    assert first.closed is None
    _, second, _ = await serve([frame(1), frame(2), frame(3), END], sink, numbers)
    assert second.answers[0] == {"type": "ready", "sequence": 3, "tick": 300}
    assert second.answers[-1] == {"type": "done", "tick": 400}
    assert np.array_equal(sink.pcm, ramp(0, 400))
    assert sink.gaps == []


async def test_a_newer_connection_takes_the_track_over() -> None:
    sink, numbers = FakeSink(), TrackNumbers()
    older = ScriptedSocket([frame(0), frame(1)], stays=True)
    serving = asyncio.create_task(ingest(older, sink, numbers, OpusDecoder))
    await until(lambda: sink.received == 200)
    end, newer, _ = await serve([frame(2), END], sink, numbers)
    assert await serving == "replaced"
    assert older.closed == CLOSE_REPLACED
    assert end == "done"
    assert newer.answers[0]["sequence"] == 2
    assert np.array_equal(sink.pcm, ramp(0, 300))


async def test_a_connection_is_replaced_only_after_its_write_is_through() -> None:
    sink, numbers = FakeSink(write_s=0.02), TrackNumbers()
    older = ScriptedSocket([frame(0)], stays=True)
    serving = asyncio.create_task(ingest(older, sink, numbers, OpusDecoder))
    await until(lambda: any(ticks for _, _, ticks in sink.writes))
    _, newer, _ = await serve([frame(1), END], sink, numbers)
    await serving
    assert newer.answers[0] == {"type": "ready", "sequence": 1, "tick": 100}
    assert np.array_equal(sink.pcm, ramp(0, 200))


async def test_the_end_of_the_session_is_said_and_closes() -> None:
    sink = FakeSink()
    sink.over = True
    end, socket, _ = await serve([frame(0)], sink)
    assert (end, socket.errors(), socket.closed) == ("session_over", ["session_over"], CLOSE_OVER)


async def test_what_could_not_be_stored_is_not_acknowledged_and_can_be_sent_again() -> None:
    sink, numbers = FakeSink(), TrackNumbers()
    await serve([frame(0)], sink, numbers)
    sink.fails = True
    end, socket, _ = await serve([frame(1)], sink, numbers)
    assert (end, socket.errors(), socket.closed) == ("store_failed", ["store_failed"], CLOSE_FAILED)
    assert all(answer.get("type") != "ack" for answer in socket.answers)
    sink.fails = False
    _, again, _ = await serve([frame(1), END], sink, numbers)
    assert again.answers[0]["sequence"] == 1
    assert np.array_equal(sink.pcm, ramp(0, 200))


async def test_a_repeat_of_what_is_not_durable_is_not_acknowledged() -> None:
    class Refused(FakeSink):
        async def write(self, start: Tick, pcm: Int16Mono) -> Tick:
            durable = await super().write(start, pcm)
            if not self.received:
                return durable
            raise StoreFailed("The log could not be written.")

    sink, numbers = Refused(), TrackNumbers()
    for _ in range(2):
        end, socket, _ = await serve([frame(0), END], sink, numbers)
        assert sink.received == 100, "heard, not stored"
        assert all(answer.get("type") not in ("ack", "done") for answer in socket.answers)
        assert (end, socket.closed, numbers.next) == ("store_failed", CLOSE_FAILED, 0)


async def test_at_the_end_what_was_sent_is_written_and_the_connection_closed() -> None:
    sink, numbers = FakeSink(write_s=0.01), TrackNumbers()
    count = 2 * MAX_QUEUED
    socket = ScriptedSocket([frame(n) for n in range(count)], stays=True)
    serving = asyncio.create_task(ingest(socket, sink, numbers, OpusDecoder))
    await until(lambda: any(ticks for _, _, ticks in sink.writes))
    await numbers.finish()
    assert np.array_equal(sink.pcm, ramp(0, count * 100)), "all of it, before the session may end"
    assert await serving == "session_over"
    assert socket.last_ack() == {"type": "ack", "sequence": count - 1, "tick": count * 100}
    assert (socket.errors(), socket.closed) == (["session_over"], CLOSE_OVER)


async def test_a_connection_that_sends_nothing_is_closed_at_the_end_too() -> None:
    numbers = TrackNumbers()
    socket = ScriptedSocket([], stays=True)
    serving = asyncio.create_task(ingest(socket, FakeSink(), numbers, OpusDecoder))
    await until(lambda: bool(socket.answers))
    await numbers.finish()
    assert await serving == "session_over"
    assert socket.closed == CLOSE_OVER


async def test_after_the_end_no_connection_begins() -> None:
    numbers = TrackNumbers()
    await numbers.finish()
    end, socket, sink = await serve([frame(0)], None, numbers)
    assert (end, socket.errors(), socket.closed) == ("session_over", ["session_over"], CLOSE_OVER)
    assert sink.received == 0


async def test_a_sender_that_never_pauses_does_not_keep_the_session_from_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket_ingest, "DRAIN_LIMIT_S", 0.2)

    class Endless(ScriptedSocket):
        async def receive(self) -> bytes | str | None:
            await asyncio.sleep(0)
            self.taken += 1
            return frame(self.taken - 1)

    sink, numbers = FakeSink(), TrackNumbers()
    serving = asyncio.create_task(ingest(Endless([]), sink, numbers, OpusDecoder))
    await until(lambda: any(ticks for _, _, ticks in sink.writes))
    await numbers.finish()
    assert not serving.done()
    sink.over = True
    assert await serving == "session_over"


async def test_opus_and_pcm_may_follow_each_other() -> None:
    packets = OpusEncoder().encode(ramp(0, 640))
    frames = [pack(AudioFrame("opus", n, Tick(320 * n), packet)) for n, packet in enumerate(packets)]
    _, socket, sink = await serve([*frames, frame(2, tick=640), END])
    assert socket.errors() == []
    assert sink.received == 740
    assert np.array_equal(sink.pcm[640:], ramp(640, 100))


async def test_an_opus_packet_that_cannot_be_decoded_is_a_named_gap_and_its_number_is_used_up() -> None:
    packets = OpusEncoder().encode(ramp(0, 960))
    broken = b"\xfd\x00\x00\x00"
    frames = [
        pack(AudioFrame("opus", 0, Tick(0), packets[0])),
        pack(AudioFrame("opus", 1, Tick(320), broken)),
        pack(AudioFrame("opus", 2, Tick(960), packets[1])),
    ]
    _, socket, sink = await serve([*frames, END])
    assert socket.errors() == ["bad_audio"]
    assert sink.gaps == [Gap(sink.track, Tick(320), Tick(960), "decoder_error")]
    assert socket.last_ack() == {"type": "ack", "sequence": 2, "tick": 1_280}


async def test_a_slow_store_stops_the_reader_and_loses_nothing() -> None:
    sink = FakeSink()
    gate = asyncio.Event()
    write = sink.write

    async def gated(start: Tick, pcm: Int16Mono) -> Tick:
        await gate.wait()
        return await write(start, pcm)

    sink.write = gated  # type: ignore[method-assign]
    count = 3 * MAX_QUEUED
    socket = ScriptedSocket([*(frame(n) for n in range(count)), END])
    serving = asyncio.create_task(ingest(socket, sink, TrackNumbers(), OpusDecoder))
    for _ in range(20 * MAX_QUEUED):
        await asyncio.sleep(0)
    assert socket.taken <= 2 * MAX_QUEUED
    gate.set()
    assert await serving == "done"
    assert np.array_equal(sink.pcm, ramp(0, count * 100))


async def test_many_frames_at_once_are_written_in_few_writes() -> None:
    class Burst(ScriptedSocket):
        async def receive(self) -> bytes | str | None:
            if self.taken < len(self._script):
                self.taken += 1
                return self._script[self.taken - 1]
            return None

    sink = FakeSink()
    socket = Burst([*(frame(n) for n in range(50)), END])
    await ingest(socket, sink, TrackNumbers(), OpusDecoder)
    assert np.array_equal(sink.pcm, ramp(0, 5_000))
    assert len(sink.writes) <= 5


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.integers(0, 8).map(frame),
            st.tuples(st.integers(0, 8), st.integers(0, 2_000)).map(lambda pair: frame(pair[0], pair[1])),
            st.text(max_size=10),
        ),
        max_size=40,
    ),
    st.lists(st.integers(0, 40), max_size=3),
)
def test_whatever_comes_in_whatever_order_the_account_is_exact(script: list[bytes | str], breaks: list[int]) -> None:
    async def run() -> tuple[FakeSink, TrackNumbers, list[ScriptedSocket]]:
        sink, numbers, sockets = FakeSink(), TrackNumbers(), []
        cuts = [0, *sorted(min(cut, len(script)) for cut in breaks), len(script)]
        for start, stop in pairwise(cuts):
            _, socket, _ = await serve(script[start:stop], sink, numbers)
            sockets.append(socket)
        return sink, numbers, sockets

    sink, numbers, sockets = asyncio.run(run())
    assert len(sink.pcm) == sink.received
    gap_ticks = sum(gap.end - gap.start for gap in sink.gaps)
    assert len(sink.audio) == sink.received - gap_ticks
    heard = np.ones(sink.received, dtype=bool)
    for gap in sink.gaps:
        heard[gap.start : gap.end] = False
    assert np.array_equal(sink.audio, ramp(0, sink.received)[heard]), "each sample lies at its own tick"
    acks = [answer for socket in sockets for answer in socket.answers if answer.get("type") == "ack"]
    assert all(ack["sequence"] < numbers.next for ack in acks)
    assert [ack["tick"] for ack in acks] == sorted(ack["tick"] for ack in acks)
