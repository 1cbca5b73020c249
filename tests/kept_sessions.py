"""Sessions that were held before a test begins, written into the log of a server that may be running."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from live_server import open_log
from talk import CLIENT, CLINICIAN, ROLES, talk

from drafting.core import draft
from streaming.events import (
    ContextGiven,
    Event,
    NoteDrafted,
    RolesAssigned,
    SessionEnded,
    SessionStarted,
    UtteranceClosed,
)
from streaming.ports import Store
from streaming.types import NoteContext, RoleGuess, SpeakerId, TrackId, TrackPlan

TALK = (
    (CLINICIAN, "How has the worry been since last week?"),
    (CLIENT, "I have been worrying every day and I wake up at three about four nights a week."),
    (CLIENT, "I could not finish my reports at work because of it."),
    (CLINICIAN, "Let us use the thought record on the fear of being fired."),
    (CLIENT, "Okay, writing it down helped, I felt calmer."),
    (CLINICIAN, "Have you had any thoughts of killing yourself?"),
    (CLIENT, "No, no thoughts of suicide."),
    (CLINICIAN, "For homework, could you do one thought record each day?"),
    (CLIENT, "Yes, I will do one every day."),
)


async def keep_session(
    place: Path | Store,
    *,
    lines: Sequence[tuple[SpeakerId, str]] = TALK,
    days_ago: int = 0,
    minutes: int = 51,
    note_format: str = "soap",
    context: ContextGiven | None = None,
    drafted: bool = True,
    ended: bool = True,
) -> str:
    """A session of this talk that ended a moment ago, or days before, in a data folder or a store; returns its id."""
    store = open_log(place) if isinstance(place, Path) else place
    name = uuid.uuid4().hex
    until = datetime.now(UTC).astimezone() - timedelta(days=days_ago, seconds=1)
    began = (until - timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
    transcript = talk(*lines)
    events: list[Event] = [
        SessionStarted(began, (TrackPlan(TrackId("mic"), 2),), ("clinician", "client"), note_format),
        *([context] if context else []),
        *(UtteranceClosed(one) for one in transcript.utterances),
        RolesAssigned(RoleGuess(dict(ROLES), "clinician", 1.0)),
    ]
    if ended:
        stop = until.isoformat(timespec="milliseconds")
        events.append(SessionEnded(stop, "requested", ()))
        known = replace(transcript, context=NoteContext(started_at=began, ended_at=stop))
        if drafted:
            events.append(NoteDrafted(draft(known, note_format).as_json(), stop))
    await store.append(name, events)
    if isinstance(place, Path):
        await store.close()
    return name


def texts(note: dict[str, Any], section: str) -> list[str]:
    """The sentences of a note's section."""
    return [one["text"] for part in note["sections"] if part["name"] == section for one in part["statements"]]


def sections(note: dict[str, Any]) -> list[str]:
    """The names of a note's sections."""
    return [part["name"] for part in note["sections"]]
