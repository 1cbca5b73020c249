"""Writes an ended session into a server's log, with a draft to review: quicker than talking to it for two minutes."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from live_server import open_log

from drafting.core import draft
from streaming import context_json
from streaming.events import (
    ContextGiven,
    Event,
    NoteDrafted,
    RolesAssigned,
    SessionEnded,
    SessionStarted,
    TrackTotals,
    UtteranceClosed,
)
from streaming.transcript_json import parse
from streaming.types import NoteContext, RoleGuess, TrackPlan, Transcript, Utterance

BUNDLED = Path(__file__).resolve().parents[1] / "benchmarks" / "data" / "session" / "reference.json"
INVENTED = "Client appeared relaxed and smiled."
CONTEXT = NoteContext(
    modality="in_person",
    client="Dana Example",
    client_id="17",
    diagnosis="F41.1 Generalized anxiety disorder",
    goals=("go to the team lunch",),
    provider="Pat Doe",
    credentials="LCSW",
    place="office",
)


def write_session(folder: Path, *, context: NoteContext | None = CONTEXT, days_ago: int = 0) -> str:
    """Append the bundled session to the log in a server's data folder; returns its id.

    The draft has one sentence that nobody said, and the client's "six" was heard with doubt. `days_ago` is when the
    session was; without `context` nothing is known beside the talk.
    """
    name = uuid.uuid4().hex
    writing = _append(folder, name, _events(context, days_ago))
    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop of its own in this one
        thread.submit(asyncio.run, writing).result()
    return name


async def _append(folder: Path, name: str, events: list[Event]) -> None:
    store = open_log(folder)
    try:
        await store.append(name, events)
    finally:
        await store.close()


def _events(context: NoteContext | None, days_ago: int) -> list[Event]:
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
    started_at, ended_at = (ended - timedelta(minutes=51)).isoformat(), ended.isoformat()
    read = parse(BUNDLED.read_bytes())
    known = replace(context or NoteContext(), started_at=started_at, ended_at=ended_at)
    transcript = replace(read, utterances=tuple(map(_doubtful, read.utterances)), context=known)
    return [
        SessionStarted(started_at, (TrackPlan(read.utterances[0].track, 2),), ("clinician", "client"), "soap"),
        *([ContextGiven(None, {}, context_json.write(context))] if context else []),
        *map(UtteranceClosed, transcript.utterances),
        RolesAssigned(RoleGuess(dict(read.roles), "clinician", 1.0)),
        SessionEnded(ended_at, "requested", _totals(transcript)),
        NoteDrafted(_with_invention(transcript), ended_at),
    ]


def _totals(transcript: Transcript) -> tuple[TrackTotals, ...]:
    length = max(one.end for one in transcript.utterances)
    return (TrackTotals(transcript.utterances[0].track, length, length, 0, length),)


def _doubtful(one: Utterance) -> Utterance:
    words = tuple(
        replace(word, confidence=0.3) if word.text.strip(".,").lower() == "six" else word for word in one.words
    )
    return replace(one, words=words)


def _with_invention(transcript: Transcript) -> dict[str, Any]:
    body = draft(transcript).as_json()
    invented = {
        "text": INVENTED,
        "provenance": "transcript",
        "evidence": [transcript.utterances[1].id],
        "supported": False,
    }
    objective = next(one for one in body["sections"] if one["name"] == "Objective")
    objective["statements"].append(invented)
    return body
