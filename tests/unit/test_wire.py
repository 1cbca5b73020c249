"""Events and sessions as JSON: the fields of docs/protocol.md, times in seconds."""

import json
from typing import Any, get_args

import numpy as np
import pytest

from streaming import wire
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
    Stored,
    Struck,
    TrackTotals,
    TurnsSettled,
    UtteranceClosed,
    UtteranceCorrected,
)
from streaming.state import SessionState
from streaming.types import (
    Gap,
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

MIC = TrackId("mic")
S1 = SpeakerId("S1")
AT = "2026-01-31T10:05:00+01:00"
STARTED = SessionStarted("2026-01-31T10:00:00+01:00", (TrackPlan(MIC, 1, "client"),), ("client",), "dap")
UTTERANCE = Utterance(
    UtteranceId("mic.1"),
    MIC,
    Tick(16_000),
    Tick(40_000),
    S1,
    "I slept.",
    0.87654,
    (Word(Tick(16_000), Tick(20_001), "I", 0.91239), Word(Tick(24_000), Tick(40_000), "slept.", 0.84)),
)
GAP = Gap(MIC, Tick(40_000), Tick(48_000), "packet_loss")
GUESS = RoleGuess({S1: "client"}, "talk", 0.75)
TOTALS = TrackTotals(MIC, 48_000, 40_000, 8_000, 24_000)
EXPECTED: list[tuple[Event, dict[str, Any]]] = [
    (
        STARTED,
        {
            "type": "started",
            "started_at": "2026-01-31T10:00:00+01:00",
            "tracks": [{"id": "mic", "speakers": 1, "role": "client", "language": "en"}],
            "consent": ["client"],
            "participants": ["client"],
            "format": "dap",
        },
    ),
    (PresenceChanged("partner", True, AT), {"type": "participant", "who": "partner", "present": True}),
    (
        ConsentGiven("partner", "written", "May I?", AT),
        {"type": "consent", "who": "partner", "how": "written", "at": AT},
    ),
    (
        RecordingHeld("off_the_record", {MIC: Tick(24_000)}, off_record=True, at=AT, by="dana"),
        {"type": "recording", "recording": "off_the_record", "off_record": True, "since": {"mic": 1.5}},
    ),
    (
        Struck((Gap(MIC, Tick(16_000), Tick(32_000), "struck"),), (UtteranceId("mic.2"),), {}, AT, "dana"),
        {
            "type": "struck",
            "spans": [{"track": "mic", "start": 1.0, "end": 2.0, "cause": "struck"}],
            "removed": ["mic.2"],
            "at": AT,
        },
    ),
    (GapMarked(GAP), {"type": "gap", "track": "mic", "start": 2.5, "end": 3.0, "cause": "packet_loss"}),
    (
        UtteranceClosed(UTTERANCE),
        {
            "type": "utterance",
            "id": "mic.1",
            "track": "mic",
            "start": 1.0,
            "end": 2.5,
            "speaker": "S1",
            "role": "client",
            "text": "I slept.",
            "confidence": 0.877,
            "words": [
                {"text": "I", "start": 1.0, "end": 1.2501, "confidence": 0.912},
                {"text": "slept.", "start": 1.5, "end": 2.5, "confidence": 0.84},
            ],
        },
    ),
    (
        SpeakerRelabelled(UtteranceId("mic.1"), SpeakerId("S2")),
        {"type": "relabel", "id": "mic.1", "speaker": "S2"},
    ),
    (
        UtteranceCorrected(UtteranceId("mic.1"), "I slept well."),
        {"type": "corrected", "id": "mic.1", "text": "I slept well."},
    ),
    (MomentMarked(Tick(24_000)), {"type": "mark", "at": 1.5, "on": True}),
    (
        TurnsSettled(MIC, (Turn(Tick(0), Tick(8_000), S1),)),
        {"type": "turns", "track": "mic", "turns": [{"start": 0.0, "end": 0.5, "speaker": "S1"}]},
    ),
    (RolesAssigned(GUESS), {"type": "roles", "roles": {"S1": "client"}, "source": "talk", "confidence": 0.75}),
    (
        SessionEnded("2026-01-31T10:50:00+01:00", "requested", (TOTALS,)),
        {
            "type": "ended",
            "ended_at": "2026-01-31T10:50:00+01:00",
            "reason": "requested",
            "totals": [
                {
                    "track": "mic",
                    "received_ticks": 48_000,
                    "transcribed_ticks": 40_000,
                    "gap_ticks": 8_000,
                    "speech_ticks": 24_000,
                }
            ],
        },
    ),
    (NoteDrafted({"format": "dap"}), {"type": "draft", "note": {"format": "dap"}}),
    (SkeletonDrafted({"format": "dap"}), {"type": "skeleton", "note": {"format": "dap"}}),
    (
        NoteReviewed({"action": "edit", "at": "2026-01-31T11:00:00+01:00", "sections": {"Plan": []}}),
        {"type": "note", "action": "edit", "at": "2026-01-31T11:00:00+01:00"},
    ),
    (
        ContextGiven("c1", {"place": "Room 2"}, {"place": "Room 2", "client": "A. B."}),
        {"type": "context", "client": "c1", "context": {"place": "Room 2", "client": "A. B."}},
    ),
    (
        ContentDeleted("audio", "2026-02-01T11:00:00+01:00", "expired", "server", "north", {"audio": 3}),
        {
            "type": "deleted",
            "scope": "audio",
            "at": "2026-02-01T11:00:00+01:00",
            "why": "expired",
            "removed": {"audio": 3},
        },
    ),
    (StageFailed("draft", "broken"), {"type": "failed", "stage": "draft", "code": "broken"}),
]


@pytest.mark.parametrize(("event", "body"), EXPECTED, ids=[body["type"] for _, body in EXPECTED])
def test_an_event_on_the_wire(event: Event, body: dict[str, Any]) -> None:
    message = wire.message(Stored(7, event), "client")
    assert message == {"sequence": 7, **body}
    assert json.loads(json.dumps(message)) == message


def test_every_event_but_audio_has_its_message() -> None:
    assert {type(event) for event, _ in EXPECTED} == set(get_args(Event)) - {AudioSpan}
    with pytest.raises(ValueError, match="audio"):
        wire.message(Stored(1, AudioSpan(MIC, Tick(0), np.zeros(1, dtype=np.int16))))


def test_a_role_that_is_not_known_is_null() -> None:
    assert wire.message(Stored(1, UtteranceClosed(UTTERANCE)))["role"] is None


def test_what_only_passes_has_no_number() -> None:
    assert wire.passing({"type": "lag", "tracks": []}) == {"sequence": None, "type": "lag", "tracks": []}


def _state(*events: Event) -> SessionState:
    state = SessionState(last_event=9)
    for event in (STARTED, *events):
        state.apply(event)
    return state


def test_a_live_session() -> None:
    standing = [{"id": "mic", "received_s": 3.0, "transcribed_s": 2.5, "lag_s": 0.5}]
    ice = [{"urls": ["stun:stun.example"]}]
    assert wire.session_object("s", _state(), "live", standing, ice) == {
        "id": "s",
        "state": "live",
        "started_at": "2026-01-31T10:00:00+01:00",
        "ended_at": None,
        "tracks": [
            {
                "id": "mic",
                "speakers": 1,
                "role": "client",
                "language": "en",
                "received_s": 3.0,
                "transcribed_s": 2.5,
                "lag_s": 0.5,
            }
        ],
        "roles": {},
        "roles_source": None,
        "roles_confidence": 0.0,
        "client": None,
        "context": {},
        "marks": [],
        "participants": [{"who": "client", "consent": {"how": "spoken", "at": "2026-01-31T10:00:00+01:00"}}],
        "recording": "on",
        "struck": [],
        "ice_servers": ice,
        "completeness": None,
        "deleted": None,
        "last_event": 9,
    }


def test_an_ended_session_stands_as_its_totals_say() -> None:
    state = _state(RolesAssigned(GUESS), SessionEnded("2026-01-31T10:50:00+01:00", "requested", (TOTALS,)))
    body = wire.session_object("s", state, "ended", [], [])
    assert body["tracks"][0]["received_s"] == 3.0
    assert body["tracks"][0]["transcribed_s"] == 2.5
    assert body["tracks"][0]["lag_s"] == 0.0
    assert (body["roles"], body["roles_source"], body["roles_confidence"]) == ({"S1": "client"}, "talk", 0.75)


def test_a_session_that_was_cut_off_says_nothing_of_what_it_does_not_know() -> None:
    body = wire.session_object("s", _state(), "interrupted", [], [])
    assert body["state"] == "interrupted"
    assert body["tracks"] == [{"id": "mic", "speakers": 1, "role": "client", "language": "en"}]


def test_before_the_end_a_transcript_spans_what_was_said() -> None:
    body = wire.transcript(_state(UtteranceClosed(UTTERANCE)))
    assert (body["audio_s"], body["received_ticks"], body["transcribed_ticks"]) == (2.5, 40_000, 40_000)
    assert wire.transcript(_state())["utterances"] == []


def test_a_transcript_counts_the_ticks_of_all_tracks_and_the_time_of_the_longest() -> None:
    other = TrackTotals(TrackId("client"), 16_000, 16_000, 0, 0)
    state = _state(
        UtteranceClosed(UTTERANCE),
        GapMarked(GAP),
        SessionEnded("2026-01-31T10:50:00+01:00", "requested", (TOTALS, other)),
    )
    body = wire.transcript(state)
    assert (body["audio_s"], body["received_ticks"], body["transcribed_ticks"]) == (3.0, 64_000, 56_000)
    assert body["gaps"] == [{"track": "mic", "start": 2.5, "end": 3.0, "cause": "packet_loss"}]
    assert [one["text"] for one in body["utterances"]] == ["I slept."]
