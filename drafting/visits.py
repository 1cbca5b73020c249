"""Visits: who was seen when, and how far the note is. Pure; dates are the practice's own, days of its calendar.

A visit comes from a session of this server, from an import or by hand. Its label is what the clinician knows the
client by; it goes into no log and no message.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

from drafting.document import tidy
from streaming.errors import PeerError

NoteState = Literal["unsigned", "skeleton", "draft", "awaiting", "signed"]
Source = Literal["session", "csv", "ics", "manual"]
Kind = Literal["progress", "intake", "plan"]
Modality = Literal["", "in_person", "telehealth_video", "telehealth_audio"]
NOTE_STATES: tuple[NoteState, ...] = get_args(NoteState)
SOURCES: tuple[Source, ...] = get_args(Source)
KINDS: tuple[Kind, ...] = get_args(Kind)
MODALITIES: tuple[Modality, ...] = get_args(Modality)
MAX_TEXT = 200
MAX_MINUTES = 24 * 60
YEARS = range(1900, 2201)
"""Of days and times: at the calendar's ends a time has none in another zone, and one visit would break the list."""


class BadVisit(PeerError):
    """A visit, or a change to one, that does not fit; says which field and why, never its value."""

    code = "bad_visit"


@dataclass(frozen=True, slots=True)
class Visit:
    """One appointment, held or to come. `date` is its day; `start` and `stop` are ISO 8601 with zone, or None.

    `minutes` is given where start and stop are not. `kind` says which note it needs, `modality` how one meets.
    `signed_at` is ISO 8601 with zone; `session` names the session of this server that it was, if it was one.
    """

    id: str
    date: date
    label: str = ""
    client_id: str = ""
    start: str | None = None
    stop: str | None = None
    minutes: int | None = None
    cpt: str = ""
    payer: str = ""
    kind: Kind = "progress"
    audit: bool = False
    risk: bool = False
    note: NoteState = "unsigned"
    signed_at: str | None = None
    drafted_at: str | None = None
    source: Source = "manual"
    session: str = ""
    recap: str = ""
    """The recap that its note was written from, if it was."""
    modality: Modality = ""

    @property
    def length_min(self) -> int | None:
        """Whole minutes, measured ones before given ones."""
        if self.start and self.stop:
            span = datetime.fromisoformat(self.stop) - datetime.fromisoformat(self.start)
            return int(span.total_seconds() // 60)
        return self.minutes

    @property
    def open(self) -> bool:
        """Whether a signed note is still missing."""
        return self.note != "signed"

    def begun(self, now: datetime) -> bool:
        """Whether it has begun at `now` (with zone): what is still to come needs no note yet."""
        return self.start is None or datetime.fromisoformat(self.start) <= now

    def same_as(self, other: "Visit") -> bool:
        """Whether two records tell of one appointment: the same client on the same day at the same hour."""
        return self.identity == other.identity

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it one appointment; the hour where it is known."""
        who = self.client_id or " ".join(self.label.lower().split())
        return (who, self.date.isoformat(), datetime.fromisoformat(self.start).isoformat() if self.start else "")

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"date": self.date.isoformat()}


_TEXTS = ("label", "client_id", "cpt", "payer", "session", "recap")
_CHOICES: dict[str, tuple[str, ...]] = {"note": NOTE_STATES, "source": SOURCES, "kind": KINDS, "modality": MODALITIES}
FIELDS = tuple(one.name for one in fields(Visit))


def read(body: Mapping[str, Any]) -> Visit:
    """The visit of `as_json`; `id` and `date` must be there. Raises BadVisit."""
    unknown = sorted(set(body) - set(FIELDS))
    if unknown:
        raise BadVisit(f"A visit has no field {unknown[0][:40]}.", mend=f"Fields are {', '.join(FIELDS)}.")
    if not isinstance(body.get("id"), str) or not body["id"]:
        raise BadVisit("id is missing.")
    values: dict[str, Any] = {"id": body["id"], "date": _day(body.get("date"))}
    for name in _TEXTS:
        values[name] = _text(body.get(name), name)
    for name, allowed in _CHOICES.items():
        if body.get(name) is not None:
            if body[name] not in allowed:
                raise BadVisit(f"{name} is not known.", mend=f"Use one of {', '.join(allowed)}.")
            values[name] = body[name]
    for name in ("audit", "risk"):
        if body.get(name) is not None:
            if not isinstance(body[name], bool):
                raise BadVisit(f"{name} is neither true nor false.")
            values[name] = body[name]
    for name in ("start", "stop", "signed_at", "drafted_at"):
        values[name] = _instant(body.get(name), name)
    values["minutes"] = _minutes(body.get("minutes"))
    return _consistent(Visit(**values))


def changed(visit: Visit, change: Mapping[str, Any]) -> Visit:
    """The visit with some fields changed, null for none; its id and source stay. Raises BadVisit."""
    fixed = sorted({"id", "source", "session", "recap"} & set(change))
    if fixed:
        raise BadVisit(f"{fixed[0]} cannot be changed.")
    empty = {name: getattr(_EMPTY, name) for name, value in change.items() if value is None and name in FIELDS}
    if "date" in empty:
        raise BadVisit("A visit needs its date.")
    return read(visit.as_json() | dict(change) | empty)


_EMPTY = Visit("-", date(2000, 1, 1))


def _consistent(visit: Visit) -> Visit:
    if visit.start and visit.stop and not fits(visit.start, visit.stop):
        raise BadVisit("stop is not after start.", mend="A visit ends within a day of its start.")
    if visit.start and datetime.fromisoformat(visit.start).date() != visit.date:
        raise BadVisit("start is on another day than date.", mend="Give the day in the zone of start.")
    if visit.signed_at and visit.note != "signed":
        raise BadVisit("signed_at is there, and the note is not signed.")
    return visit


def fits(start: str, stop: str) -> bool:
    """Whether two instants can be a visit's: the one after the other, within a day."""
    length = datetime.fromisoformat(stop) - datetime.fromisoformat(start)
    return timedelta(0) < length <= timedelta(minutes=MAX_MINUTES)


def _day(value: object) -> date:
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is not None and day.year in YEARS:
            return day
    raise BadVisit("date is not a day.", mend="Give it as 2026-01-31.")


def _text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise BadVisit(f"{name} is not a text of at most {MAX_TEXT} letters.")
    return tidy(value)


def _instant(value: object, name: str) -> str | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if isinstance(value, str) and at is not None and at.tzinfo is not None and at.year in YEARS:
        return value
    raise BadVisit(f"{name} is not a time with its zone.", mend="Give it as 2026-01-31T10:00:00+01:00.")


def _minutes(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_MINUTES:
        raise BadVisit("minutes is not a whole number of minutes.")
    return value


def key_of(visit: Visit) -> str:
    """An id made of what the visit is, so that an import that is run twice finds its own again; tells nothing."""
    return hashlib.sha256("\x1f".join(visit.identity).encode()).hexdigest()[:32]


def merged(known: Visit, imported: Visit) -> Visit:
    """A visit that is known with what an import adds: empty fields are filled, and a note never goes back."""
    filled = {
        name: getattr(imported, name)
        for name in ("start", "stop", "minutes", "cpt", "payer", "label", "client_id")
        if not getattr(known, name) and getattr(imported, name)
    }
    if NOTE_STATES.index(imported.note) > NOTE_STATES.index(known.note):
        filled |= {"note": imported.note, "signed_at": imported.signed_at}
    return replace(known, **filled, audit=known.audit or imported.audit, risk=known.risk or imported.risk)


__all__ = ["BadVisit", "Kind", "NoteState", "Source", "Visit", "changed", "key_of", "merged", "read"]
