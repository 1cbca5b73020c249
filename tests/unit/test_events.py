"""Events as text and bytes: what goes in comes out, whatever it holds."""

import json
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streaming.errors import StoreFailed
from streaming.events import (
    AudioSpan,
    ConsentGiven,
    ContentDeleted,
    ContextGiven,
    Event,
    GapMarked,
    MomentMarked,
    NoteDrafted,
    NoteReviewed,
    PresenceChanged,
    RecordingHeld,
    RolesAssigned,
    SessionEnded,
    SessionStarted,
    SkeletonDrafted,
    SpeakerRelabelled,
    StageFailed,
    Struck,
    TrackTotals,
    TurnsSettled,
    UtteranceClosed,
    UtteranceCorrected,
    decode,
    encode,
    restore,
)
from streaming.types import (
    Gap,
    GapCause,
    Role,
    RoleGuess,
    SpeakerId,
    Tick,
    TrackId,
    TrackPlan,
    Turn,
    Utterance,
    UtteranceId,
    Word,
)

pytestmark = pytest.mark.unit

TEXT = st.text(st.characters(codec=None), max_size=12)  # lone surrogates too: a client's JSON may hold them
TICKS = st.integers(0, 2**62).map(Tick)
COUNTS = st.integers(0, 2**62)
TRACKS = TEXT.map(TrackId)
SPEAKERS = TEXT.map(SpeakerId)
ROLES = st.sampled_from(get_args(Role))
PROBABILITIES = st.floats(0, 1)
WORDS = st.builds(Word, TICKS, TICKS, TEXT, PROBABILITIES)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def several(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


STRATEGIES: dict[type, st.SearchStrategy[Event]] = {
    SessionStarted: st.builds(
        SessionStarted,
        TEXT,
        several(st.builds(TrackPlan, TRACKS, st.integers(1, 9), st.none() | ROLES)),
        several(TEXT),
        TEXT,
    ),
    GapMarked: st.builds(GapMarked, st.builds(Gap, TRACKS, TICKS, TICKS, st.sampled_from(get_args(GapCause)))),
    UtteranceClosed: st.builds(
        UtteranceClosed,
        st.builds(
            Utterance, TEXT.map(UtteranceId), TRACKS, TICKS, TICKS, SPEAKERS, TEXT, PROBABILITIES, several(WORDS)
        ),
    ),
    UtteranceCorrected: st.builds(UtteranceCorrected, TEXT.map(UtteranceId), TEXT),
    PresenceChanged: st.builds(PresenceChanged, TEXT, st.booleans(), TEXT),
    ConsentGiven: st.builds(ConsentGiven, TEXT, st.sampled_from(["spoken", "written"]), TEXT, TEXT),
    RecordingHeld: st.builds(
        RecordingHeld,
        st.sampled_from([None, "off_the_record", "awaiting_consent"]),
        st.dictionaries(TRACKS, TICKS, max_size=3),
        st.booleans(),
        TEXT,
        TEXT,
    ),
    Struck: st.builds(
        Struck,
        several(st.builds(Gap, TRACKS, TICKS, TICKS, st.just("struck"))),
        several(TEXT.map(UtteranceId)),
        st.dictionaries(TRACKS, st.tuples(TICKS, TICKS), max_size=3),
        TEXT,
        TEXT,
    ),
    MomentMarked: st.builds(MomentMarked, TICKS, st.booleans()),
    SpeakerRelabelled: st.builds(SpeakerRelabelled, TEXT.map(UtteranceId), SPEAKERS),
    TurnsSettled: st.builds(TurnsSettled, TRACKS, several(st.builds(Turn, TICKS, TICKS, SPEAKERS))),
    RolesAssigned: st.builds(
        RolesAssigned,
        st.builds(
            RoleGuess,
            st.dictionaries(SPEAKERS, ROLES, max_size=3),
            st.sampled_from(["track", "enrolled", "talk", "clinician"]),
            PROBABILITIES,
        ),
    ),
    SessionEnded: st.builds(
        SessionEnded,
        TEXT,
        st.sampled_from(["requested", "idle", "failed"]),
        several(st.builds(TrackTotals, TRACKS, COUNTS, COUNTS, COUNTS, COUNTS)),
    ),
    ContextGiven: st.builds(
        ContextGiven,
        st.none() | TEXT,
        st.dictionaries(TEXT, JSON, max_size=3),
        st.dictionaries(TEXT, JSON, max_size=3),
    ),
    SkeletonDrafted: st.builds(SkeletonDrafted, st.dictionaries(TEXT, JSON, max_size=3)),
    NoteDrafted: st.builds(NoteDrafted, st.dictionaries(TEXT, JSON, max_size=3), TEXT, TEXT),
    NoteReviewed: st.builds(NoteReviewed, st.dictionaries(TEXT, JSON, max_size=3)),
    ContentDeleted: st.builds(
        ContentDeleted,
        st.sampled_from(["session", "transcript", "audio"]),
        TEXT,
        TEXT,
        TEXT,
        TEXT,
        st.dictionaries(TEXT, COUNTS, max_size=3),
    ),
    StageFailed: st.builds(StageFailed, st.sampled_from(["recognize", "diarize", "draft", "store"]), TEXT),
}


@settings(deadline=None)
@given(st.one_of(*STRATEGIES.values()))
def test_an_event_comes_back_equal(event: Event) -> None:
    text, blob = encode(event)
    assert blob == b""
    assert decode(text) == event


@settings(deadline=None)
@given(TRACKS, TICKS, arrays(np.int16, st.integers(0, 500)))
def test_audio_comes_back_sample_for_sample(track: TrackId, start: Tick, pcm: np.ndarray) -> None:
    text, blob = encode(AudioSpan(track, start, pcm))
    back = decode(text, blob)
    assert isinstance(back, AudioSpan)
    assert (back.track, back.start, back.pcm.dtype) == (track, start, np.dtype(np.int16))
    assert np.array_equal(back.pcm, pcm)
    assert len(blob) == 2 * len(pcm)


@settings(deadline=None)
@given(st.one_of(*STRATEGIES.values()))
def test_the_text_is_ascii_json_that_names_its_type(event: Event) -> None:
    text, _ = encode(event)
    assert text.isascii()
    assert json.loads(text)["type"] == type(event).__name__


def test_every_kind_of_event_is_tried_here() -> None:
    assert STRATEGIES.keys() | {AudioSpan} == set(get_args(Event))


def test_samples_are_little_endian_whatever_they_were() -> None:
    span = AudioSpan(TrackId("mic"), Tick(0), np.array([1, -2], dtype=">i2"))
    assert encode(span)[1] == b"\x01\x00\xfe\xff"


def test_audio_that_came_back_can_be_written_to() -> None:
    back = decode(*encode(AudioSpan(TrackId("mic"), Tick(0), np.array([1, 2], dtype=np.int16))))
    assert isinstance(back, AudioSpan)
    back.pcm[0] = 7
    assert back.pcm.tolist() == [7, 2]


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "7", '{"type": "Telepathy"}', '{"type": "GapMarked"}', '{"type": "GapMarked", "gap": {"a": 1}}'],
)
def test_an_entry_that_cannot_be_read_is_a_failure_of_the_store(text: str) -> None:
    with pytest.raises(StoreFailed, match="Entry 7"):
        restore(7, text)


def test_audio_cut_in_the_middle_of_a_sample_is_a_failure_of_the_store() -> None:
    text, blob = encode(AudioSpan(TrackId("mic"), Tick(0), np.array([1, 2], dtype=np.int16)))
    with pytest.raises(StoreFailed):
        restore(1, text, blob[:3])
