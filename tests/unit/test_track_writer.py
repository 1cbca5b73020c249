"""What follows on itself is one write; what is said to be durable is what the sink says."""

import numpy as np
import pytest
from fake_sink import FakeSink

from streaming.track_writer import TrackWriter
from streaming.types import Int16Mono, Tick

pytestmark = pytest.mark.unit


class LaggingSink(FakeSink):
    """Takes audio in, but says that only what came before `durable` is stored: as after a refused write."""

    durable = Tick(0)

    async def write(self, start: Tick, pcm: Int16Mono) -> Tick:
        await super().write(start, pcm)
        return self.durable


def audio(ticks: int) -> Int16Mono:
    return np.ones(ticks, dtype=np.int16)


async def test_what_follows_on_itself_is_one_write() -> None:
    sink = FakeSink()
    writer = TrackWriter(sink)
    writer.add(Tick(0), audio(100))
    writer.add(Tick(50), audio(100))
    assert await writer.durable() == 150
    assert [(start, ticks) for _, start, ticks in sink.writes] == [(0, 150)]


async def test_with_nothing_added_the_sink_is_asked_what_is_durable() -> None:
    sink = LaggingSink()
    await sink.write(Tick(0), audio(100))
    sink.durable = Tick(40)
    writer = TrackWriter(sink)
    writer.add(Tick(0), audio(100))
    assert writer.end == 100
    assert await writer.durable() == 40


async def test_a_flush_of_nothing_leaves_the_sink_to_whoever_writes_it() -> None:
    sink = FakeSink()
    await TrackWriter(sink).flush()
    assert sink.writes == []
