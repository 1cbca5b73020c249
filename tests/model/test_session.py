"""A session with real voice activity and scripted models behind it: what it does when a part fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from scripted_speakers import ScriptedSpeakers

from benchmarks.audio_files import read_audio
from drafting.embedded import EmbeddedWriter
from streaming import session_log, vad
from streaming.consents import Agreement
from streaming.errors import SessionOver, StoreFailed
from streaming.events import (
    AudioSpan,
    ContextGiven,
    Event,
    NoteDrafted,
    RolesAssigned,
    SessionEnded,
    TurnsSettled,
    UtteranceClosed,
)
from streaming.memory_store import MemoryStore
from streaming.ports import Hypothesis, SpeakerModel, Store, Window
from streaming.scheduler import RecognitionScheduler
from streaming.segmenting import SegmentSettings
from streaming.session import Session
from streaming.session_engines import Engines
from streaming.session_log import SessionLog
from streaming.types import SAMPLE_RATE, Float32, Int16Mono, Section, Tick, TrackId, TrackPlan, Transcript, Word
from streaming.vad import VoiceDetector

pytestmark = pytest.mark.model

AUDIO = Path(__file__).parents[2] / "benchmarks" / "data" / "session" / "mix.opus"


class Counting:
    """Hears one word a second; fails on final windows that cover a tick of `deaf`."""

    name = "counting"
    max_window_ticks = 20 * SAMPLE_RATE
    max_batch = 8

    def __init__(self, deaf: Sequence[int] = ()) -> None:
        self.deaf = deaf

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        if any(w.start <= tick < w.start + len(w.pcm) for w in windows for tick in self.deaf):
            raise RuntimeError("out of memory")
        return [Hypothesis(tuple(self._words(window))) for window in windows]

    def _words(self, window: Window) -> list[Word]:
        seconds = range(window.start // SAMPLE_RATE + 1, (window.start + len(window.pcm)) // SAMPLE_RATE)
        return [Word(Tick(n * SAMPLE_RATE), Tick(n * SAMPLE_RATE + 8000), f"w{n}.", 0.9) for n in seconds]


class Breaking:
    """A speaker model that cannot be run."""

    window_ticks = 160_000
    window_frames = 589
    frame_ticks = 270
    lead_ticks = 0
    local_speakers = 3
    dimension = 8
    voices = "scripted"

    def follow(self) -> "Breaking":
        return self

    def segment(self, begin: int, window: Float32) -> Float32:
        raise RuntimeError("broken")

    def embed(self, clips: Sequence[Float32]) -> Float32:
        raise RuntimeError("broken")


class Unable:
    """A writer whose section is none: what breaks then is ours."""

    name = "unable"

    async def write(self, transcript: Transcript, format: str) -> AsyncIterator[Section]:
        yield Section("Subjective", cast(Any, None))


class Full(MemoryStore):
    """A store that takes `room` appends."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
        self.room -= 1
        if self.room < 0:
            raise StoreFailed("The disk is full.")
        return await super().append(session, events, on=on)


class Failing(MemoryStore):
    """A store whose append number `number` fails, or the first that holds an event of `kind`."""

    def __init__(self, numbers: set[int] | None = None, kind: type | None = None) -> None:
        super().__init__(audio_ticks=None)
        self.numbers = numbers or set()
        self.kind = kind
        self.count = 0

    async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
        self.count += 1
        if self.count in self.numbers:
            raise StoreFailed("The disk is full.")
        if self.kind and any(isinstance(event, self.kind) for event in events):
            self.kind = None
            raise StoreFailed("The disk is full.")
        return await super().append(session, events, on=on)


@asynccontextmanager
async def session(
    *,
    store: Store | None = None,
    speakers: int = 1,
    recognizer: Any = None,
    model: Any = None,
    writer: Any = None,
    language: str = "en",
    context: ContextGiven | None = None,
) -> AsyncIterator[tuple[Session, "asyncio.Task[None]"]]:
    with ThreadPoolExecutor(1) as other:
        scheduler = RecognitionScheduler(recognizer or Counting())
        speaker_model: SpeakerModel = model or Breaking()
        engines = Engines(
            scheduler, vad.load_silero(), speaker_model, writer or EmbeddedWriter(), other, other, SegmentSettings()
        )
        serving = asyncio.create_task(scheduler.run())
        made = Session("s", SessionLog("s", store or MemoryStore()), engines)
        await made.start(
            (TrackPlan(TrackId("mic"), speakers, language=language),),
            Agreement(("client",), {"client": "spoken"}),
            "soap",
            context,
        )
        running = asyncio.create_task(made.run())
        yield made, running
        await made.end()
        await running
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@pytest.fixture(scope="module")
def talk() -> Int16Mono:
    return read_audio(AUDIO)[: 30 * SAMPLE_RATE]


async def feed(made: Session, pcm: Int16Mono) -> None:
    sink = made.track("mic")
    for at in range(0, len(pcm), 1600):
        await sink.write(Tick(at), pcm[at : at + 1600])


async def test_everything_received_is_accounted_for(talk: Int16Mono) -> None:
    async with session() as (made, running):
        await feed(made, talk)
        await made.end()
        await running
    (totals,) = made.log.state.totals
    assert totals.received_ticks == len(talk) == totals.transcribed_ticks
    assert totals.gap_ticks == 0
    assert 0 < totals.speech_ticks < len(talk)
    assert made.log.state.note is not None


async def test_what_the_chart_names_and_the_tracks_language_go_with_every_window(talk: Int16Mono) -> None:
    class Noting(Counting):
        def __init__(self) -> None:
            super().__init__()
            self.windows: list[Window] = []

        def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
            self.windows += windows
            return super().recognize(windows)

    noting = Noting()
    known = ContextGiven("c1", {}, {"client": "Maria Lindqvist", "medications": ["sertraline 50 mg"]})
    async with session(recognizer=noting, language="sv", context=known) as (made, running):
        await feed(made, talk)
        await made.end()
        await running
    assert {window.language for window in noting.windows} == {"sv"}
    assert {window.hotwords[:2] for window in noting.windows} == {("Maria Lindqvist", "sertraline")}
    assert any(window.final for window in noting.windows)


async def test_a_window_that_cannot_be_recognized_is_a_named_gap(talk: Int16Mono) -> None:
    async with session(recognizer=Counting(deaf=[10 * SAMPLE_RATE])) as (made, running):
        await feed(made, talk)
        await made.end()
        await running
    (gap,) = made.log.state.gaps
    assert gap.cause == "recognizer_error"
    assert gap.start <= 10 * SAMPLE_RATE < gap.end
    (totals,) = made.log.state.totals
    assert totals.transcribed_ticks + totals.gap_ticks == totals.received_ticks == len(talk)
    words = [word for one in made.log.state.in_order() for word in one.words]
    assert any(word.end <= gap.start for word in words)
    assert any(word.start >= gap.end for word in words)
    assert not any(gap.start <= word.start < gap.end for word in words)


async def test_without_diarization_the_transcript_goes_on_and_says_so(talk: Int16Mono) -> None:
    async with session(speakers=2) as (made, running):
        await feed(made, talk)
        await made.end()
        await running
    assert ("diarize", "diarizer_failed") in made.log.state.failures
    heard = [word.text for one in made.log.state.in_order() for word in one.words]
    assert len(heard) > 10
    assert made.log.state.note is not None


async def test_a_note_that_fails_is_said_and_the_session_ends_whole(talk: Int16Mono) -> None:
    async with session(writer=Unable()) as (made, running):
        await feed(made, talk[: 10 * SAMPLE_RATE])
        await made.end()
        await running
    assert made.log.state.ended_at is not None
    assert ("draft", "draft_failed") in made.log.state.failures
    note = made.log.state.note
    assert note is not None, "a skeleton is there whatever fails"
    assert {entry["state"] for entry in note["risk"].values()} == {"not_asked"}


async def test_a_full_disk_is_told_to_the_sender_and_ends_the_session(
    talk: Int16Mono, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_log, "_PATIENCE_S", 0.2)
    async with session(store=Full(room=12)) as (made, running):
        with pytest.raises((StoreFailed, SessionOver)):
            await feed(made, talk)
        await made.end()
        await asyncio.wait_for(running, 10.0)
        assert made.progress == "ended"


async def test_a_write_that_failed_is_saved_with_the_next_and_never_acknowledged_before(talk: Int16Mono) -> None:
    store = Failing({3})
    async with session(store=store) as (made, running):
        sink = made.track("mic")
        assert await sink.write(Tick(0), talk[:1600]) == 1600
        with pytest.raises(StoreFailed):
            await sink.write(Tick(1600), talk[1600:3200])
        # The sender sends it again: a repeat, and only now durable.
        assert await sink.write(Tick(1600), talk[1600:3200]) == 3200
        await made.end()
        await running
    kept = [stored.event async for stored in store.replay("s", audio=True) if isinstance(stored.event, AudioSpan)]
    assert np.array_equal(np.concatenate([span.pcm for span in kept]), talk[:3200])


@pytest.mark.parametrize("kind", [UtteranceClosed, RolesAssigned, TurnsSettled, SessionEnded, NoteDrafted])
async def test_a_store_that_fails_once_costs_no_word(kind: type, talk: Int16Mono) -> None:
    store = Failing(kind=kind)
    async with session(store=store, speakers=2, model=ScriptedSpeakers()) as (made, running):
        await feed(made, talk)
        await made.end()
        await running
    state = made.log.state
    assert state.reason == "requested"
    assert len([word for one in state.in_order() for word in one.words]) > 10
    assert state.note is not None


async def test_what_was_understood_before_a_failure_is_kept_and_the_rest_named(
    talk: Int16Mono, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = 0

    def hear(self: VoiceDetector, pcm: Int16Mono) -> list[tuple[float, float]]:
        nonlocal heard
        heard += len(pcm)
        if heard > 20 * SAMPLE_RATE:
            raise RuntimeError("broken")
        return original(self, pcm)

    original = VoiceDetector.hear
    monkeypatch.setattr(VoiceDetector, "hear", hear)
    async with session() as (made, running):
        with contextlib.suppress(SessionOver):
            for at in range(0, len(talk), 1600):
                await made.track("mic").write(Tick(at), talk[at : at + 1600])
                await asyncio.sleep(0.002)
        await running
    state = made.log.state
    assert state.reason == "failed"
    (totals,) = state.totals
    assert totals.received_ticks == totals.transcribed_ticks + totals.gap_ticks
    words = [word for one in state.in_order() for word in one.words]
    assert len(words) > 5
    assert all(word.start < totals.transcribed_ticks for word in words)
    assert state.note is not None


async def test_gaps_repeats_and_bad_audio(talk: Int16Mono) -> None:
    async with session() as (made, running):
        sink = made.track("mic")
        await sink.write(Tick(0), talk[:16_000])
        await sink.write(Tick(8_000), talk[8_000:24_000])  # half of it a repeat
        assert sink.received == 24_000
        await sink.write(Tick(32_000), talk[32_000:48_000])  # half a second is missing
        await sink.lose(Tick(50_000), "disconnected")
        with pytest.raises(Exception, match="int16"):
            await sink.write(Tick(50_000), np.zeros(10, np.float32))
        await made.end()
        await running
        with pytest.raises(SessionOver):
            await sink.write(Tick(50_000), talk[:100])
    gaps = [(gap.start, gap.end, gap.cause) for gap in made.log.state.gaps]
    assert gaps == [(24_000, 32_000, "packet_loss"), (48_000, 50_000, "disconnected")]
    (totals,) = made.log.state.totals
    assert (totals.received_ticks, totals.transcribed_ticks, totals.gap_ticks) == (50_000, 40_000, 10_000)


async def test_ending_twice_and_a_session_without_audio() -> None:
    async with session() as (made, running):
        await made.end()
        await made.end()
        await running
    assert made.log.state.ended_at is not None
    assert made.log.state.note is not None, "there is a skeleton note even when nothing was said"
