"""Recaps among the practice's records: a typed or dictated one, its answers, and the note that they make."""

import asyncio
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from drafting import recap as recaps
from drafting.formats import named
from drafting.recap import BadRecap, Recap, Spoken
from drafting.visits import Visit
from streaming import charts, context_json, visit_book, withdrawn
from streaming.errors import UnknownRecord
from streaming.ports import Record, Records
from streaming.session_log import SessionLog
from streaming.types import NoteContext, UtteranceId

KIND = "recap"
MAX_LETTERS = 20_000
_STRIKING = "striking"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a recap is made of, as it was sent."""

    text: str = ""
    format: str = "soap"
    context: NoteContext = field(default_factory=NoteContext)
    client: str | None = None
    visit: str | None = None
    session: str | None = None
    """The session that it was dictated in."""
    written_on: str | None = None
    late_reason: str = ""


def spoken(log: SessionLog) -> Spoken:
    """The talk of an ended session as a dictation. Raises BadRecap while it goes on, or where nothing was said."""
    state = log.state
    if state.ended_at is None:
        raise BadRecap("The dictation goes on.", mend="End its session first.")
    said = tuple((one.id, one.text) for one in state.in_order() if one.text.strip())
    if not said:
        raise BadRecap("Nothing was understood in the dictation.", mend="Dictate again, or type the recap.")
    return Spoken(said)


async def create(records: Records, asked: Asked, dictated: Spoken | None, *, at: str) -> Record:
    """A recap with its note, kept under an id of its own; its log and its visit know nothing of it yet.

    `at` is now, in the practice's zone. Raises BadRecap, BadFormat, UnknownRecord for a chart or a visit that is not
    there, StoreFailed.
    """
    if (dictated is None) == (not asked.text.strip()):
        raise BadRecap("Send either `text` or `session`.", mend="A recap is typed or dictated.")
    if len(asked.text) > MAX_LETTERS:
        raise BadRecap(f"The recap has more than {MAX_LETTERS} letters.", mend="Two or three lines are enough.")
    named(asked.format)
    visit = await visit_book.look(records, asked.visit) if asked.visit else None
    client, entered = asked.client, asked.context
    if visit is not None:
        client = client or await charts.there(records, visit.client_id)
        entered = _of_visit(entered, visit, named_by_chart=client is not None)
    known = await charts.context(records, client, entered)
    body: dict[str, Any] = {
        "text": asked.text,
        "spoken": None if dictated is None else [list(one) for one in dictated.utterances],
        "format": asked.format,
        "client": client,
        "visit": asked.visit,
        "session": asked.session,
        "context": known.context,
        "entered": known.entered,
        "service_date": None if visit is None else visit.date.isoformat(),
        "written_on": asked.written_on or at[:10],
        "late_reason": asked.late_reason,
        "answers": [],
        "created_at": at,
    }
    body["recap"] = (await _written(body)).as_json()
    key = uuid.uuid4().hex
    return Record(KIND, key, await records.put(KIND, key, body, version=0), body)


def _of_visit(entered: NoteContext, visit: Visit, *, named_by_chart: bool) -> NoteContext:
    """What was entered, with what the visit says of its day, its client and how one met, where nothing else does."""
    known: dict[str, Any] = {"service_date": visit.date.isoformat()}
    if visit.source == "session" and visit.start and visit.stop:
        # Only a session's own clock is measured: an import may hold what the calendar said.
        known |= {"started_at": visit.start, "ended_at": visit.stop}
    if not named_by_chart:
        known["client"] = visit.label or None
    known["modality"] = visit.modality or None
    return replace(entered, **{name: value for name, value in known.items() if getattr(entered, name) is None})


async def look(records: Records, key: str) -> Record:
    """A recap. Raises UnknownRecord, StoreFailed."""
    return await records.get(KIND, key)


async def answer(records: Records, key: str, answers: dict[str, str], context: NoteContext) -> Record:
    """The recap with more answers folded in, and what is still asked; `context` is what is known beside it now.

    Raises UnknownRecord, BadRecap, Conflict.
    """
    stored = await records.get(KIND, key)
    so_far = tuple((kind, text) for kind, text in stored.body["answers"])
    body = {**stored.body, "answers": [list(one) for one in recaps.answer(so_far, answers)]}
    body["context"] = context_json.write(context)
    body["recap"] = (await _written(body)).as_json()
    return Record(KIND, key, await records.put(KIND, key, body, version=stored.version), body)


async def of(records: Records, session: str) -> list[str]:
    """The ids of recaps that are a session's: its own, those dictated in it or written for it. Raises StoreFailed."""
    return [
        one.key
        for one in await records.all(KIND)
        if session in (one.key, one.body.get("visit"), one.body.get("session"))
    ]


async def dictated_in(records: Records, session: str) -> list[Record]:
    """The recaps that were written from a session's talk. Raises StoreFailed."""
    return [one for one in await records.all(KIND) if one.body.get("session") == session and one.body.get("spoken")]


def rests_on(record: Record) -> frozenset[UtteranceId]:
    """The utterances that a dictated recap holds, and those that are being struck from it."""
    return frozenset(name for name, _ in record.body["spoken"]) | frozenset(record.body.get(_STRIKING, ()))


async def without(record: Record, names: Collection[UtteranceId]) -> Record | None:
    """A dictated recap written anew without these utterances, and not kept yet; None where nothing is left of it.

    It says that they are being struck, until that is `done`: so a strike that is cut off can be asked for again.
    """
    left = [[name, words] for name, words in record.body["spoken"] if name not in names]
    if not left:
        return None
    going = sorted(rests_on(record) & frozenset(names))
    body = {**record.body, "spoken": left, _STRIKING: going}
    body["recap"] = (await _written(body)).as_json()
    return replace(record, body=body)


def done(record: Record) -> Record:
    """A recap of which nothing is being struck any more, not kept yet."""
    return replace(record, body={name: value for name, value in record.body.items() if name != _STRIKING})


async def keep(records: Records, changed: Record) -> Record:
    """Put a recap in the place of what it was made from. Raises Conflict, UnknownRecord, StoreFailed."""
    return replace(changed, version=await records.put(KIND, changed.key, changed.body, version=changed.version))


async def withdraw(records: Records, key: str) -> None:
    """Leave no word in the record of a recap whose note is signed; nothing where there is none.

    Which utterances it rests on stays: a strike of one of them is still refused. Raises Conflict, StoreFailed.
    """
    with suppress(UnknownRecord):
        stored = await records.get(KIND, key)
        body = stored.body
        blank = {"checks": [], "risk": {}, "questions": [], "question_kinds": [], "header": ""}
        said = [[name, ""] for name, _ in body["spoken"]] if body.get("spoken") else None
        emptied: dict[str, Any] = {"text": "", "spoken": said, "answers": [], "late_reason": ""}
        emptied["recap"] = withdrawn.emptied(body.get("recap", {})) | blank
        if body != body | emptied:
            await records.put(KIND, key, body | emptied, version=stored.version)


def told(record: Record) -> dict[str, Any]:
    """What a client sees: the draft object with questions and header, and what the recap was made of.

    Its note is reviewed and signed as that of the session of the same id.
    """
    body = record.body
    kept = ("format", "client", "visit", "written_on", "created_at")
    return {
        "id": record.key,
        "version": record.version,
        **{name: body[name] for name in kept},
        "answers": [{"kind": kind, "text": text} for kind, text in body["answers"]],
        "note": body["recap"],
        "questions": body["recap"]["questions"],
        "question_kinds": body["recap"]["question_kinds"],
        "header": body["recap"]["header"],
    }


async def _written(body: dict[str, Any]) -> Recap:
    said = body["spoken"]
    text = Spoken(tuple((UtteranceId(name), words) for name, words in said)) if said else body["text"]
    return await asyncio.to_thread(
        recaps.recap,
        text,
        context_json.read(body["context"]),
        body["format"],
        written_on=body["written_on"],
        late_reason=body["late_reason"],
        service_date=body["service_date"],
        answers=[(kind, words) for kind, words in body["answers"]],
    )
