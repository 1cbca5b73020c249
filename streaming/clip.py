"""What one utterance sounded like, where the practice keeps the audio: a stretch of one track, as a WAV file."""

import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing

import numpy as np

from streaming.errors import AudioNotKept, UnknownUtterance
from streaming.events import AudioSpan
from streaming.ports import Store
from streaming.state import SessionState
from streaming.types import SAMPLE_RATE, Int16Mono, Tick, TrackId, UtteranceId

MAX_S = 60
"""A passage that is longer is cut there: whoever listens wants to hear how a sentence was said."""
_AROUND = SAMPLE_RATE // 5
"""Words begin a little before their measured times."""


async def clip(store: Store, session: str, state: SessionState, utterance: UtteranceId) -> bytes:
    """The utterance's audio as a WAV file, silent where nothing came.

    Raises UnknownUtterance, AudioNotKept where the log holds none of it, StoreFailed.
    """
    found = state.utterances.get(utterance)
    if found is None:
        raise UnknownUtterance("The session has no such utterance.", mend="It may have been struck.")
    start = Tick(max(0, found.start - _AROUND))
    end = Tick(min(found.end + _AROUND, start + MAX_S * SAMPLE_RATE))
    return wav(await _heard(store, session, state.last_event, found.track, start, end))


def wav(pcm: Int16Mono) -> bytes:
    """A WAV file of 16 kHz mono."""
    data = pcm.astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data


async def _heard(store: Store, session: str, last: int, track: TrackId, start: Tick, end: Tick) -> Int16Mono:
    """The track's audio over [start, end)."""
    pcm = np.zeros(end - start, np.int16)
    any_of_it = False
    after = await _before(store, session, last, track, start)
    async with aclosing(_spans(store, session, after)) as spans:
        async for span in spans:
            if span.track != track:
                continue
            if span.start >= end:
                break
            first, behind = max(start, span.start), min(end, span.start + len(span.pcm))
            if first < behind:
                pcm[first - start : behind - start] = span.pcm[first - span.start : behind - span.start]
                any_of_it = True
    if not any_of_it:
        raise AudioNotKept("The audio is not kept.", mend="What was said is in the transcript.")
    return pcm


async def _before(store: Store, session: str, last: int, track: TrackId, start: Tick) -> int:
    """A sequence number after which the track's audio begins at or before `start`, or 0: found by halving, since an
    hour of audio takes seconds to read.
    """
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        first = await _first(store, session, middle, track)
        if first is not None and first.start <= start:
            low = middle
        else:
            high = middle
    return low


async def _first(store: Store, session: str, after: int, track: TrackId) -> AudioSpan | None:
    async with aclosing(_spans(store, session, after)) as spans:
        async for span in spans:
            if span.track == track:
                return span
    return None


async def _spans(store: Store, session: str, after: int) -> AsyncGenerator[AudioSpan, None]:
    async for stored in store.replay(session, after, audio=True):
        if isinstance(stored.event, AudioSpan):
            yield stored.event
