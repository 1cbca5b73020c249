"""The practice's visits among its records: imported ones, those entered by hand, and the sessions of this server."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from drafting import visits
from drafting.visit_csv import Imported
from drafting.visits import BadVisit, NoteState, Visit
from streaming.again import until_through
from streaming.errors import Conflict, PeerError, UnknownRecord
from streaming.ports import Record, Records
from streaming.session_log import SessionLog
from streaming.session_visit import caught_up, visit_of

KIND = "visit"
_DICTATION = "dictation"
"""Marks a session that is nobody's visit: a dictated recap, or a recap's note."""
_SEEN = "seen"
"""The last event of the session's log that the visit is of."""
_HELD = "held"
"""The session that an appointment became: its visit is the session's then."""
_OURS = ("final", _SEEN, _HELD)
"""What a record holds beside the visit."""


class VisitStays(PeerError):
    """A session of this server is a visit as long as it is in the log."""

    code = "visit_stays"


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import changed: new visits, known ones that it filled, and known ones that it left as they were."""

    new: int
    filled: int
    known: int

    def as_json(self) -> dict[str, int]:
        return {"new": self.new, "filled": self.filled, "known": self.known}


class Logs(Protocol):
    """Sessions as their logs have them."""

    async def names(self) -> list[str]:
        """Ids of all sessions. Raises StoreFailed."""
        ...

    def find(self, name: str) -> object | None:
        """Something where the session goes on here, else None."""
        ...

    async def has_news(self, name: str, after: int) -> bool:
        """Whether a session's log holds anything after a sequence number. Raises StoreFailed."""
        ...

    async def log_of(self, name: str) -> SessionLog:
        """A session's log. Raises UnknownSession, StoreFailed."""
        ...


async def kept(records: Records) -> dict[str, Record]:
    """All visits that are kept, by id. Raises StoreFailed."""
    return {one.key: one for one in await records.all(KIND)}


async def with_sessions(records: Records, sessions: Logs, zone: ZoneInfo) -> list[Visit]:
    """All visits, those of this server's ended sessions as their logs have them now. Raises StoreFailed.

    A session whose note is signed in its log is final and is not read again.
    """
    known = await kept(records)
    names = await sessions.names()
    for name in names:
        stored = known.get(name)
        if stored and not await _may_differ(sessions, name, stored):
            continue
        try:
            state = (await sessions.log_of(name)).state
        except PeerError:
            continue  # a log without a beginning is no session
        goes_on = state.ended_at is None and sessions.find(name) is not None
        now = None if goes_on else visit_of(name, state, zone)
        if now is None:
            continue
        known[name] = await _catch_up(records, stored, now, state.last_event)
        if stored is None and not await _is_there(sessions, name, state.last_event):
            await _forget(records, known.pop(name))
    there = set(names)
    return [_visit(one) for one in known.values() if _DICTATION not in one.body and one.body.get(_HELD) not in there]


async def _may_differ(sessions: Logs, name: str, stored: Record) -> bool:
    """Whether a session's visit can be another than is kept: to read a log takes time, to ask for news none."""
    if stored.body.get("final") or _DICTATION in stored.body:
        return False
    return await sessions.has_news(name, int(stored.body.get(_SEEN, 0)))


async def _is_there(sessions: Logs, name: str, seen: int) -> bool:
    """Whether a session whose visit was just kept is not deleted: its deletion may not have found the visit."""
    try:
        if await sessions.has_news(name, seen):
            await sessions.log_of(name)
    except PeerError:
        return False
    return True


async def _forget(records: Records, stored: Record) -> None:
    with suppress(UnknownRecord, Conflict):
        await records.remove(KIND, stored.key, version=stored.version)


async def no_visit(records: Records, session: str) -> None:
    """Take a session for no visit from now on: it is a dictation, or a recap's note. Raises StoreFailed."""
    await records.put(KIND, session, {_DICTATION: True})


async def _catch_up(records: Records, stored: Record | None, now: Visit, seen: int) -> Record:
    """The record of a session's visit as it is now; written only where it differs."""
    visit = now if stored is None else caught_up(_visit(stored), now)
    body = visit.as_json() | {_SEEN: seen} | ({"final": True} if now.note == "signed" else {})
    if stored is not None and stored.body == body:
        return stored
    version = stored.version if stored else 0
    try:
        return Record(KIND, visit.id, await records.put(KIND, visit.id, body, version=version), body)
    except Conflict:
        return await records.get(KIND, visit.id)  # somebody else was quicker; the next look catches up


def _visit(record: Record) -> Visit:
    return visits.read({name: value for name, value in record.body.items() if name not in _OURS})


def _ours(record: Record) -> dict[str, Any]:
    return {name: record.body[name] for name in _OURS if name in record.body}


async def look(records: Records, key: str) -> Visit:
    """A visit. Raises UnknownRecord, StoreFailed."""
    return _visit(await _look(records, key))


async def _look(records: Records, key: str) -> Record:
    found = await records.get(KIND, key)
    if _DICTATION in found.body:
        raise UnknownRecord("There is no such record.", mend="The session was a dictation.")
    return found


async def add(records: Records, body: Mapping[str, Any]) -> Visit:
    """A visit entered by hand, under an id of its own. Raises BadVisit, StoreFailed."""
    given = sorted({"id", "source", "session"} & set(body))
    if given:
        raise BadVisit(f"{given[0]} is the server's to give.", mend="Leave it out.")
    visit = visits.read({**body, "id": uuid.uuid4().hex, "source": "manual"})
    await records.put(KIND, visit.id, visit.as_json(), version=0)
    return visit


async def change(records: Records, key: str, body: Mapping[str, Any], *, at: str) -> Visit:
    """A visit with some fields changed; signed by hand without a time, it is signed `at` now.

    Raises UnknownRecord, BadVisit, Conflict, StoreFailed.
    """

    def now(visit: Visit) -> Visit:
        given = dict(body)
        if given.get("note") == "signed" and "signed_at" not in given and visit.note != "signed":
            given["signed_at"] = at
        elif given.get("note", "signed") != "signed" and "signed_at" not in given:
            given["signed_at"] = None
        return visits.changed(visit, given)

    return await _changed(records, key, now)


async def _changed(records: Records, key: str, now: Callable[[Visit], Visit]) -> Visit:
    """The visit as `now` makes it of what is kept. Raises UnknownRecord, Conflict, StoreFailed, and as `now` does."""

    async def once() -> Visit:
        stored = await records.get(KIND, key)
        visit = now(_visit(stored))
        await records.put(KIND, key, visit.as_json() | _ours(stored), version=stored.version)
        return visit

    return await until_through(once)


async def begun(records: Records, key: str, session: str) -> None:
    """An appointment has become a session: the session's visit goes on with what the appointment says.

    The appointment stays, unseen, so that its calendar can be brought in again without making it anew. Raises
    UnknownRecord, Conflict, StoreFailed.
    """
    stored = await records.get(KIND, key)
    visit = replace(_visit(stored), id=session, session=session, source="session")
    await records.put(KIND, session, visit.as_json(), version=0)
    await records.put(KIND, key, {**stored.body, _HELD: session}, version=stored.version)


async def free(records: Records, session: str) -> int:
    """A session was deleted: its appointment is in the list again, since it took place.

    Raises Conflict, StoreFailed.
    """
    held = [one for one in await records.all(KIND) if one.body.get(_HELD) == session]
    for one in held:
        free = {name: value for name, value in one.body.items() if name != _HELD}
        await records.put(KIND, one.key, free, version=one.version)
    return len(held)


async def remove(records: Records, key: str) -> None:
    """Forget a visit. Raises UnknownRecord, VisitStays for a session of this server, Conflict, StoreFailed."""
    found = await _look(records, key)
    if _visit(found).session:
        raise VisitStays("This visit is a session of this server.", mend="Mark its note as signed instead.")
    await records.remove(KIND, key, version=found.version)


async def take(records: Records, imported: Imported) -> Taken:
    """Keep what an import read: known visits are filled, never set back. Raises StoreFailed."""
    known: dict[tuple[str, str, str], Visit] = {}
    for record in (await kept(records)).values():
        if _DICTATION in record.body:
            continue
        visit = _visit(record)
        known[visit.identity] = visit
    new = filled = 0
    for visit in imported.visits:
        there = known.get(visit.identity)
        if there is None:
            made = replace(visit, id=uuid.uuid4().hex)
            await records.put(KIND, made.id, made.as_json(), version=0)
            new += 1
            continue
        if visits.merged(there, visit) != there:
            await _changed(records, there.id, partial(visits.merged, imported=visit))
            filled += 1
    return Taken(new, filled, len(imported.visits) - new - filled)


async def recapped(records: Records, key: str, recap: str, *, at: str) -> None:
    """Mark that a visit has a draft from a recap; a note that is further stays. Raises UnknownRecord, StoreFailed."""

    def now(visit: Visit) -> Visit:
        if visit.note in ("unsigned", "skeleton"):
            visit = replace(visit, note="draft", drafted_at=at)
        return replace(visit, recap=recap)

    await _changed(records, key, now)


async def noted(records: Records, key: str, note: NoteState, signed_at: str | None) -> None:
    """How far the note is that was written for a visit from a recap. Raises UnknownRecord, StoreFailed, Conflict."""
    await _changed(records, key, lambda visit: replace(visit, note=note, signed_at=signed_at))


async def unrecapped(records: Records, recap: str) -> None:
    """A recap's note was deleted: the visit that it was written for waits for one again. Raises StoreFailed."""
    for one in await records.all(KIND):
        if one.body.get("recap") == recap:
            await _changed(records, one.key, lambda visit: replace(visit, recap="", note="unsigned", signed_at=None))


__all__ = [
    "KIND", "Taken", "VisitStays", "add", "begun", "change", "free", "kept", "look", "no_visit", "noted", "recapped",
    "remove", "take", "unrecapped", "with_sessions",
]  # fmt: skip
