"""The client's chart, as far as a note needs it: identity, diagnoses, goals with objectives, usual interventions,
medications and the terms of the treatment plan. Pure.

A chart's JSON has the keys of `Chart`; only `id` must be there. A faulty one is refused with the field's name, and
never with its content. Codes are tested for the shape of ICD-10-CM (a letter, two characters, a point, up to four
more; CDC/NCHS), not against its yearly list.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any

from streaming.errors import PeerError
from streaming.types import Goal, NoteContext, Objective, TreatmentPlan

MAX_TEXT = 2000
MAX_ITEMS = 50
STATUSES = ("", "partly", "met", "stopped")
_CODE = re.compile(r"[A-Z][0-9][0-9AB](?:\.[0-9A-Z]{1,4})?")
_CODE_AND_TEXT = re.compile(r"\s*([A-Za-z][0-9][0-9ABab](?:\.[0-9A-Za-z]{1,4})?)[\s:,-]+(\S.*)", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class BadChart(PeerError):
    """A chart that does not say what a chart must; the message names the field."""

    code = "bad_chart"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An ICD-10-CM code with its words, such as F41.1, Generalized anxiety disorder."""

    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Chart:
    """What is known of a client before a session; the first diagnosis is the one that is treated.

    `usual_interventions` are technique names by modality. `payer` and `setting` choose rule packs.
    """

    id: str
    client: str = ""
    date_of_birth: str = ""
    payer: str = ""
    setting: str = ""
    diagnoses: tuple[Diagnosis, ...] = ()
    goals: tuple[Goal, ...] = ()
    usual_interventions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    medications: tuple[str, ...] = ()
    plan: TreatmentPlan = field(default_factory=TreatmentPlan)


def from_json(body: object) -> Chart:
    """A chart from its decoded JSON; a diagnosis may be one text ("F41.1 Generalized anxiety disorder").

    Goals and objectives without an id are numbered. Raises BadChart.
    """
    row = _row(body, "chart", Chart)
    place = _text(row.get("id"), "chart.id")
    if not _ID.fullmatch(place):
        raise BadChart(
            "chart.id is missing or is no id.", mend="Use up to 64 letters, digits, points, dashes, underscores."
        )
    goals = tuple(_goal(one, n) for n, one in enumerate(_list(row.get("goals"), "chart.goals")))
    _unique((one.id for one in goals), "chart.goals")
    return Chart(
        id=place,
        client=_text(row.get("client"), "chart.client"),
        date_of_birth=_date(row.get("date_of_birth"), "chart.date_of_birth"),
        payer=_text(row.get("payer"), "chart.payer"),
        setting=_text(row.get("setting"), "chart.setting"),
        diagnoses=tuple(
            _diagnosis(one, f"chart.diagnoses[{n}]")
            for n, one in enumerate(_list(row.get("diagnoses"), "chart.diagnoses"))
        ),
        goals=goals,
        usual_interventions=_usual(row.get("usual_interventions")),
        medications=_texts(row.get("medications"), "chart.medications"),
        plan=_plan(row.get("plan")),
    )


def as_json(chart: Chart) -> dict[str, Any]:
    """The chart as JSON that `from_json` takes back."""
    return {
        **{name: getattr(chart, name) for name in ("id", "client", "date_of_birth", "payer", "setting")},
        "diagnoses": [asdict(one) for one in chart.diagnoses],
        "goals": [asdict(one) | {"objectives": [asdict(step) for step in one.objectives]} for one in chart.goals],
        "usual_interventions": {name: list(texts) for name, texts in chart.usual_interventions.items()},
        "medications": list(chart.medications),
        "plan": asdict(chart.plan),
    }


def context_of(chart: Chart, session: NoteContext | None = None) -> NoteContext:
    """What a note of this client knows beside the talk: the chart, and `session`, what is known of this session.

    Where both say something, the session's word counts.
    """
    known = session or NoteContext()
    from_chart: dict[str, Any] = {
        "client": chart.client,
        "client_id": chart.id,
        "date_of_birth": chart.date_of_birth,
        "payer": chart.payer,
        "setting": chart.setting,
        "diagnosis": "; ".join(map(str, chart.diagnoses)),
        "goals": tuple(one.text for one in chart.goals),
        "plan_goals": chart.goals,
        "objectives": tuple(step.text for one in chart.goals for step in one.objectives),
        "usual_interventions": tuple(
            f"{modality}: {', '.join(names)}" for modality, names in chart.usual_interventions.items()
        ),
        "medications": chart.medications,
        "plan": chart.plan if chart.plan != TreatmentPlan() else None,
    }
    given = {name: value for name, value in from_chart.items() if value and not getattr(known, name)}
    if known.goals:  # a session that names goals of its own has none of the chart's objectives
        given.pop("plan_goals", None)
        given.pop("objectives", None)
    return replace(known, **given)


def _goal(body: object, at: int) -> Goal:
    place = f"chart.goals[{at}]"
    row = {"text": body} if isinstance(body, str) else _row(body, place, Goal)
    own = _text(row.get("id"), f"{place}.id") or f"g{at + 1}"
    steps = tuple(
        _objective(one, f"{place}.objectives[{n}]", f"{own}.{n + 1}")
        for n, one in enumerate(_list(row.get("objectives"), f"{place}.objectives"))
    )
    _unique((one.id for one in steps), f"{place}.objectives")
    return Goal(own, _needed(row.get("text"), f"{place}.text"), steps)


def _objective(body: object, place: str, own: str) -> Objective:
    row = {"text": body} if isinstance(body, str) else _row(body, place, Objective)
    return Objective(
        id=_text(row.get("id"), f"{place}.id") or own,
        text=_needed(row.get("text"), f"{place}.text"),
        baseline=_text(row.get("baseline"), f"{place}.baseline"),
        target=_text(row.get("target"), f"{place}.target"),
        date=_date(row.get("date"), f"{place}.date"),
        measure=_text(row.get("measure"), f"{place}.measure"),
        status=_status(row.get("status"), f"{place}.status"),
    )


def _status(value: object, place: str) -> str:
    status = _text(value, place)
    if status not in STATUSES:
        raise BadChart(
            f"{place} is none of partly, met, stopped.", mend="Leave it empty while the objective is open."
        )
    return status


def _diagnosis(body: object, place: str) -> Diagnosis:
    if isinstance(body, str):
        parts = _CODE_AND_TEXT.fullmatch(body)
        if parts is None:
            raise BadChart(f"{place} does not begin with an ICD-10-CM code.", mend='Write it as "F41.1 Name".')
        body = {"code": parts[1], "text": parts[2]}
    row = _row(body, place, Diagnosis)
    code = _needed(row.get("code"), f"{place}.code").upper()
    if not _CODE.fullmatch(code):
        raise BadChart(
            f"{place}.code has not the shape of an ICD-10-CM code.",
            mend="Write a letter and two digits, then a point and what follows, such as F41.1 or Z63.0.",
        )
    return Diagnosis(code, _needed(row.get("text"), f"{place}.text"))


def _usual(body: object) -> dict[str, tuple[str, ...]]:
    place = "chart.usual_interventions"
    if body is None:
        return {}
    if not isinstance(body, dict) or len(body) > MAX_ITEMS:
        raise BadChart(f"{place} is not an object of lists by modality.", mend='Write {"CBT": ["exposure"]}.')
    return {_needed(name, place): _texts(texts, f"{place} ({n + 1})") for n, (name, texts) in enumerate(body.items())}


def _plan(body: object) -> TreatmentPlan:
    if body is None:
        return TreatmentPlan()
    row = _row(body, "chart.plan", TreatmentPlan)
    dates = ("date", "signed_on")
    return TreatmentPlan(
        **{name: (_date if name in dates else _text)(value, f"chart.plan.{name}") for name, value in row.items()}
    )


def _row(body: object, place: str, shape: type) -> dict[str, Any]:
    """An object that has no keys but those of a dataclass."""
    if not isinstance(body, dict):
        raise BadChart(f"{place} is not an object.")
    known = [one.name for one in fields(shape)]
    for key in body:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            raise BadChart(
                f"{place} has a key that is not known.",
                mend=f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}.",
            )
    return body


def _list(value: object, place: str) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise BadChart(f"{place} is not a list of at most {MAX_ITEMS} entries.")
    return value


def _texts(value: object, place: str) -> tuple[str, ...]:
    return tuple(_needed(one, f"{place}[{n}]") for n, one in enumerate(_list(value, place)))


def _text(value: object, place: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadChart(f"{place} is not text.")
    text = value.strip()
    if len(text) > MAX_TEXT:
        raise BadChart(f"{place} is longer than {MAX_TEXT} characters.")
    if any(not letter.isprintable() and letter not in "\n\t" for letter in text):
        raise BadChart(f"{place} holds control characters.")
    return text


def _needed(value: object, place: str) -> str:
    text = _text(value, place)
    if not text:
        raise BadChart(f"{place} is missing.")
    return text


def _date(value: object, place: str) -> str:
    text = _text(value, place)
    if not text:
        return ""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or text != found.isoformat() or not 1900 <= found.year <= 2200:
        raise BadChart(f"{place} is not a date.", mend="Write year, month and day as 2026-01-31.")
    return text


def _unique(ids: Iterable[str], place: str) -> None:
    known = list(ids)
    if len(set(known)) != len(known):
        raise BadChart(f"{place} has the same id twice.")
