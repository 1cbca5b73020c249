"""What is known beside the talk, from decoded JSON: the `context` of a transcript file or of a session.

Unknown keys are ignored, wrong values are not: BadTranscript names the place and never the content.
"""

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, get_args

from streaming.errors import BadTranscript
from streaming.json_shape import object_of, string_of
from streaming.types import Goal, NoteContext, Objective, Service, TreatmentPlan

_CHOICES: dict[str, tuple[str, ...]] = {
    "modality": ("in_person", "telehealth_video", "telehealth_audio"),
    "service": get_args(Service),
}
_TUPLES = {"goals", "objectives", "usual_interventions", "medications", "participants", "observations"}
_COUNTS = {"group_size", "em_minutes"}
_INSTANTS = ("started_at", "ended_at", "written_at")


def read(value: object) -> NoteContext:
    """The context in a decoded JSON value; None and {} know nothing. Raises BadTranscript."""
    if value is None:
        return NoteContext()
    row = object_of(value, "context")
    known: dict[str, Any] = {}
    for name in (one.name for one in fields(NoteContext)):
        if row.get(name) is None:
            continue
        place = f"context.{name}"
        if name in _TUPLES:
            known[name] = _texts(row[name], place)
        elif name in _COUNTS:
            known[name] = _count(row[name], place)
        elif name == "plan_goals":
            known[name] = tuple(_goal(one, f"{place}[{n}]", n) for n, one in enumerate(_list(row[name], place)))
        elif name == "plan":
            known[name] = TreatmentPlan(**_strings(row[name], place, TreatmentPlan))
        else:
            known[name] = string_of(row, name, "context")
    for name in _INSTANTS:
        if name in known:
            _instant(known[name], f"context.{name}")
    for name, choices in _CHOICES.items():
        if name in known and known[name] not in choices:
            raise BadTranscript(f"context.{name} is not known.", mend=f"Use one of {', '.join(choices)}.")
    if known.get("plan_goals") and "goals" not in known:
        known["goals"] = tuple(one.text for one in known["plan_goals"])
    return NoteContext(**known)


def recall(value: object) -> NoteContext:
    """The context that a log holds. What this version cannot read is nothing known: a session must stay readable."""
    try:
        return read(value)
    except (BadTranscript, KeyError, TypeError):
        return NoteContext()


def write(context: NoteContext) -> dict[str, Any]:
    """What is known, as JSON that `read` takes back; what is not known is left out."""
    plain = asdict(NoteContext())
    # Tuples become lists here and not only on the way through a file: what is read back must be equal.
    known: dict[str, Any] = json.loads(json.dumps(asdict(context)))
    return {name: value for name, value in known.items() if value not in (None, [], plain[name])}


def _goal(value: object, place: str, at: int) -> Goal:
    row = object_of(value, place)
    own = _strings({name: row[name] for name in ("id", "text") if name in row}, place, Goal)
    own.setdefault("id", f"g{at + 1}")
    steps = []
    for n, one in enumerate(_list(row.get("objectives"), f"{place}.objectives")):
        step = _strings(one, f"{place}.objectives[{n}]", Objective)
        step.setdefault("id", f"{own['id']}.{n + 1}")
        steps.append(Objective(**step))
    return Goal(own["id"], own["text"], tuple(steps))


def _strings(value: object, place: str, shape: type) -> dict[str, Any]:
    """The texts of an object that a dataclass has fields for; `text` must be there where it has one."""
    row = object_of(value, place)
    names = [one.name for one in fields(shape)]
    found = {name: string_of(row, name, place) for name in names if row.get(name) is not None}
    if "text" in names and not found.get("text", "").strip():
        raise BadTranscript(f"{place}.text is missing.")
    return found


def _list(value: object, place: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadTranscript(f"{place} is not a list.")
    return value


def _texts(value: object, place: str) -> tuple[str, ...]:
    rows = [value] if isinstance(value, str) else _list(value, place)
    if not all(isinstance(one, str) for one in rows):
        raise BadTranscript(f"{place} is not a list of texts.")
    return tuple(rows)


def _count(value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1440:
        raise BadTranscript(f"{place} is not a whole number.")
    return value


def _instant(value: str, place: str) -> None:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadTranscript(f"{place} is not an ISO 8601 time.") from error
    if instant.tzinfo is None:
        raise BadTranscript(f"{place} has no time zone.", mend="Give it as 2026-01-31T10:00:00+01:00.")
