"""Audio that several stages follow, from memory and from the log."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from streaming import track_audio
from streaming.errors import StoreFailed
from streaming.events import AudioSpan, Stored
from streaming.memory_store import MemoryStore
from streaming.track_audio import TrackAudio
from streaming.types import Int16Mono, Tick, TrackId

pytestmark = pytest.mark.unit

MIC = TrackId("mic")


def ramp(start: int, count: int) -> Int16Mono:
    return np.arange(start, start + count, dtype=np.int16)


async def followed(audio: TrackAudio, step: int) -> list[Int16Mono]:
    return [block async for block in audio.follow(step)]


async def test_followers_get_all_audio_each_in_its_own_steps() -> None:
    audio = TrackAudio("s", MIC, MemoryStore())
    small, large = asyncio.create_task(followed(audio, 10)), asyncio.create_task(followed(audio, 300))
    for start in range(0, 1000, 50):
        await audio.append(ramp(start, 50))
        await asyncio.sleep(0)
    await audio.close()
    for blocks, step in ((await small, 10), (await large, 300)):
        assert np.array_equal(np.concatenate(blocks), ramp(0, 1000))
        assert all(len(block) >= step for block in blocks[:-1])


async def test_a_closed_empty_track_gives_nothing() -> None:
    audio = TrackAudio("s", MIC, MemoryStore())
    await audio.close()
    assert await followed(audio, 100) == []


async def test_what_left_memory_is_read_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track_audio, "_IN_MEMORY_TICKS", 200)
    store = MemoryStore(audio_ticks=None)
    audio = TrackAudio("s", MIC, store)
    for start in range(0, 1000, 100):
        pcm = ramp(start, 100)
        # Another track's audio lies in the same log.
        await store.append("s", [AudioSpan(TrackId("other"), Tick(start), pcm * 0)])
        await audio.append(pcm)
        audio.stored(Tick(start), await store.append("s", [AudioSpan(MIC, Tick(start), pcm)]))
        audio.saved(audio.end)
    assert np.array_equal(await audio.read(Tick(150), Tick(470)), ramp(150, 320))
    assert np.array_equal(await audio.read(Tick(650), Tick(1000)), ramp(650, 350))
    await audio.close()
    assert np.array_equal(np.concatenate(await followed(audio, 64)), ramp(0, 1000))


async def test_audio_that_is_not_in_the_log_yet_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track_audio, "_IN_MEMORY_TICKS", 200)
    audio = TrackAudio("s", MIC, MemoryStore(audio_ticks=0))
    for start in range(0, 1000, 100):
        await audio.append(ramp(start, 100))
    assert np.array_equal(await audio.read(Tick(0), Tick(1000)), ramp(0, 1000))


async def test_audio_that_comes_while_the_log_is_read_displaces_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track_audio, "_IN_MEMORY_TICKS", 200)

    class Slow(MemoryStore):
        async def replay(self, session: str, after: int = 0, *, audio: bool = False) -> AsyncIterator[Stored]:
            async for stored in super().replay(session, after, audio=audio):
                await asyncio.sleep(0)
                yield stored

    store = Slow(audio_ticks=None)
    audio = TrackAudio("s", MIC, store)

    async def grow(start: int) -> None:
        await audio.append(ramp(start, 100))
        audio.stored(Tick(start), await store.append("s", [AudioSpan(MIC, Tick(start), ramp(start, 100))]))
        audio.saved(audio.end)

    for start in range(0, 600, 100):
        await grow(start)
    reading = asyncio.create_task(audio.read(Tick(100), Tick(600)))
    await asyncio.sleep(0)
    for start in range(600, 1200, 100):
        await grow(start)
    assert np.array_equal(await reading, ramp(100, 500))


async def test_what_was_never_received_reads_as_silence_and_what_was_lost_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(track_audio, "_IN_MEMORY_TICKS", 200)
    store = MemoryStore(audio_ticks=None)
    audio = TrackAudio("s", MIC, store)
    audio.silent(Tick(0), Tick(300))
    await audio.append(np.zeros(300, np.int16))
    await audio.append(ramp(300, 300))  # never stored
    audio.saved(Tick(600))
    await audio.append(ramp(600, 300))
    assert np.array_equal(await audio.read(Tick(0), Tick(300)), np.zeros(300, np.int16))
    with pytest.raises(StoreFailed):
        await audio.read(Tick(200), Tick(500))


async def test_worked_off_audio_is_let_go() -> None:
    audio = TrackAudio("s", MIC, MemoryStore())
    for start in range(0, 1000, 100):
        await audio.append(ramp(start, 100))
    audio.forget(Tick(750))
    assert audio.moved.is_set()
    assert np.array_equal(await audio.read(Tick(700), Tick(1000)), ramp(700, 300))
