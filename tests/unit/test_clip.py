"""One utterance's audio out of a session's log: the right samples of the right track, and none where none is kept."""

import io
import wave

import numpy as np
import pytest

from streaming.clip import MAX_S, clip
from streaming.errors import AudioNotKept, UnknownUtterance
from streaming.events import AudioSpan, Event, SessionStarted, UtteranceClosed
from streaming.memory_store import MemoryStore
from streaming.state import SessionState
from streaming.types import SAMPLE_RATE, Int16Mono, SpeakerId, Tick, TrackId, TrackPlan, Utterance, UtteranceId

pytestmark = pytest.mark.unit

BLOCK = 1600
AROUND = SAMPLE_RATE // 5


def talk(track: str, length_s: float) -> Int16Mono:
    """Samples that say where they are; the other track's are below zero."""
    at = np.arange(round(length_s * SAMPLE_RATE)) // 100 + 1
    return ((at if track == "mic" else -at) % 30_000).astype(np.int16)


async def session(
    *,
    length_s: float = 60.0,
    utterance: tuple[float, float] = (30.0, 33.0),
    audio: bool = True,
    hole: range = range(0),
) -> tuple[MemoryStore, SessionState]:
    """A log of two tracks whose blocks take turns; those of the microphone that `hole` numbers never came."""
    store, state = MemoryStore(audio_ticks=None if audio else 0), SessionState()
    plans = (TrackPlan(TrackId("mic"), 1), TrackPlan(TrackId("call"), 1))
    start, end = (Tick(round(one * SAMPLE_RATE)) for one in utterance)
    said = Utterance(UtteranceId("u1"), TrackId("mic"), start, end, SpeakerId("mic"), "Words.", 1.0, ())
    started = SessionStarted("2026-01-31T10:00:00+01:00", plans, ("clinician",), "soap")
    pcm = {name: talk(name, length_s) for name in ("mic", "call")}
    for number in range(len(pcm["mic"]) // BLOCK):
        for name, samples in pcm.items():
            if name == "mic" and number in hole:
                continue
            at = number * BLOCK
            await store.append("s", [AudioSpan(TrackId(name), Tick(at), samples[at : at + BLOCK])])
    events: tuple[Event, ...] = (started, UtteranceClosed(said))
    for event in events:
        state.last_event = await store.append("s", [event])
        state.apply(event)
    return store, state


def heard(made: bytes) -> Int16Mono:
    with wave.open(io.BytesIO(made)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, SAMPLE_RATE, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


@pytest.mark.parametrize("utterance", [(30.0, 33.0), (0.0, 1.0), (0.1, 0.35), (58.5, 60.0), (29.95, 30.05)])
async def test_the_utterance_s_own_samples_with_a_little_around_them(utterance: tuple[float, float]) -> None:
    store, state = await session(utterance=utterance)
    start = max(0, round(utterance[0] * SAMPLE_RATE) - AROUND)
    end = round(utterance[1] * SAMPLE_RATE) + AROUND
    expected = np.zeros(end - start, np.int16)
    there = talk("mic", 60.0)[start:end]
    expected[: len(there)] = there
    assert np.array_equal(heard(await clip(store, "s", state, UtteranceId("u1"))), expected)


async def test_what_never_came_is_silence() -> None:
    store, state = await session(hole=range(310, 320))
    pcm = heard(await clip(store, "s", state, UtteranceId("u1")))
    first = round(31.0 * SAMPLE_RATE) - (round(30.0 * SAMPLE_RATE) - AROUND)
    assert not pcm[first : first + 10 * BLOCK].any()
    assert pcm[first - 1]
    assert pcm[first + 10 * BLOCK]


async def test_a_monologue_is_cut_at_a_minute() -> None:
    store, state = await session(length_s=100.0, utterance=(5.0, 95.0))
    assert len(heard(await clip(store, "s", state, UtteranceId("u1")))) == MAX_S * SAMPLE_RATE


async def test_where_no_audio_is_kept_that_is_said() -> None:
    store, state = await session(audio=False)
    with pytest.raises(AudioNotKept):
        await clip(store, "s", state, UtteranceId("u1"))
    kept, state = await session()
    await kept.drop_audio("s")
    with pytest.raises(AudioNotKept):
        await clip(kept, "s", state, UtteranceId("u1"))


async def test_an_unknown_utterance_has_no_clip() -> None:
    store, state = await session(length_s=1.0)
    with pytest.raises(UnknownUtterance):
        await clip(store, "s", state, UtteranceId("u2"))
