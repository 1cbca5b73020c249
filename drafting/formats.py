"""Note formats as data: sections, what goes where, order. Eight come along; a practice adds its own as a TOML file.

A format file has `key`, `title`, a `service` where it is for one kind of session only (intake), and `[[section]]`s
with a `name` and `[[section.part]]`s. A part's `kind` is one of

    facts          `of` kinds of facts, at most `limit`
    interventions  techniques with their targets; `responses = false` leaves the answers to them for a later part
    responses      the client's answers to techniques
    progress       progress goal by goal, with the chart's goals and objectives
    session        date, times, procedure code, modality and place
    chart          `of` diagnosis, goals, objectives, usual_interventions, medications, plan_terms
    observed       what the clinician entered of appearance, affect and mental status
    risk           the risk ledger; every format has one
    prompt         `text` for the clinician; with `unless`, chart items or `observations`, only where one lacks
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

from drafting.data import load, names
from drafting.facts import FactKind
from streaming.errors import PeerError
from streaming.types import NoteContext, Service

PART_KINDS = ("facts", "interventions", "responses", "progress", "session", "chart", "observed", "risk", "prompt")
CHART_ITEMS = ("diagnosis", "goals", "objectives", "usual_interventions", "medications", "plan_terms")
UNLESS_ITEMS = (*CHART_ITEMS, "observations")
MAX_SECTIONS = 30
FACT_KINDS: tuple[FactKind, ...] = get_args(FactKind)


class BadFormat(PeerError):
    """A note format that is not known, or whose file does not say what a format must."""

    code = "bad_format"


@dataclass(frozen=True, slots=True)
class Part:
    """What fills a stretch of a section."""

    kind: str
    of: tuple[str, ...] = ()
    limit: int = 5
    responses: bool = True
    text: str = ""
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """A section's name and parts, in order."""

    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class NoteFormat:
    """A format: its sections in order."""

    key: str
    title: str
    sections: tuple[SectionPlan, ...]
    service: Service | None = None
    """The one kind of session that it is for, if any."""

    def service_of(self, context: NoteContext) -> Service:
        """The kind of session whose codes and rules count: the context's, unless it is the usual one."""
        return self.service if self.service and context.service == "psychotherapy" else context.service

    def as_json(self) -> dict[str, Any]:
        """For a page that lists the formats."""
        return {"key": self.key, "title": self.title, "sections": [one.name for one in self.sections]}

    def home(self, *kinds: str) -> str:
        """The first section that holds one of these fact or part kinds, or "" where none does."""
        for section in self.sections:
            for part in section.parts:
                if part.kind in kinds or set(part.of) & set(kinds):
                    return section.name
        return ""


_OWN: dict[str, NoteFormat] = {}


def use(own: Mapping[str, NoteFormat]) -> None:
    """Take a practice's formats for this process, beside those that come along or in the place of one."""
    _OWN.clear()
    _OWN.update(own)


def keys() -> tuple[str, ...]:
    """The formats that come along, then the practice's own."""
    return tuple(dict.fromkeys((*names("formats"), *_OWN)))


def named(key: str) -> NoteFormat:
    """A format of the practice's, or one that comes along. Raises BadFormat for one that is neither."""
    if key in _OWN:
        return _OWN[key]
    if key not in names("formats"):
        raise BadFormat("The note format is not known.", mend=f"Use one of {', '.join(keys())}.")
    return _built_in(key)


@lru_cache(maxsize=32)
def _built_in(key: str) -> NoteFormat:
    return read(load(f"formats/{key}.toml"))


def parse(text: str) -> NoteFormat:
    """A practice's own format, from the text of its TOML file. Raises BadFormat."""
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFormat("The format file is not TOML.", mend=str(error)) from error
    return read(body)


def read(body: dict[str, Any]) -> NoteFormat:
    """A format from its decoded file. Raises BadFormat with the place that is wrong."""
    _no_more(body, ("key", "title", "service", "section"), "the format")
    sections, key = body.get("section"), body.get("key")
    if not isinstance(key, str) or not re.fullmatch(r"[a-z0-9_-]{1,32}", key):
        raise BadFormat("key is missing or is no key.", mend="Use up to 32 small letters, digits, dashes.")
    if not isinstance(sections, list) or not 1 <= len(sections) <= MAX_SECTIONS:
        raise BadFormat(f"A format needs from one to {MAX_SECTIONS} [[section]]s.")
    service = body.get("service")
    if service is not None and service not in get_args(Service):
        raise BadFormat("service is not known.", mend=f"Use one of {', '.join(get_args(Service))}.")
    plans = tuple(_section(row, at) for at, row in enumerate(sections))
    if len({plan.name for plan in plans}) != len(plans):
        raise BadFormat("Two sections of the format have the same name.")
    made = NoteFormat(key, str(body.get("title", key)), plans, service)
    if not made.home("risk"):
        raise BadFormat("The format has no part of kind risk.", mend="Every note says what was assessed.")
    return made


def _section(row: Any, at: int) -> SectionPlan:
    name = row.get("name") if isinstance(row, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise BadFormat(f"section[{at}] has no name.")
    _no_more(row, ("name", "part"), f"section[{at}]")
    parts = row.get("part", [])
    if not isinstance(parts, list):
        raise BadFormat(f"section[{at}].part is not a list of parts.", mend="Write [[section.part]].")
    return SectionPlan(name, tuple(_part(part, f"section[{at}].part[{n}]") for n, part in enumerate(parts)))


def _part(row: Any, place: str) -> Part:
    kind = row.get("kind") if isinstance(row, dict) else None
    if kind not in PART_KINDS:
        raise BadFormat(f"{place}.kind is not known.", mend=f"Use one of {', '.join(PART_KINDS)}.")
    _no_more(row, ("kind", "of", "limit", "responses", "text", "unless"), place)
    of = _of(row.get("of", []), {"facts": FACT_KINDS, "chart": CHART_ITEMS}.get(kind, ()), f"{place}.of")
    if kind in ("facts", "chart") and not of:
        raise BadFormat(f"{place}.of is missing.", mend="Name what the part takes.")
    unless = _of(row.get("unless", []), UNLESS_ITEMS if kind == "prompt" else (), f"{place}.unless")
    limit = row.get("limit", 5)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise BadFormat(f"{place}.limit is not a whole number above 0.")
    text = row.get("text", "")
    if not isinstance(text, str) or (kind == "prompt" and not text.strip()):
        raise BadFormat(f"{place}.text is missing.")
    responses = row.get("responses", True)
    if not isinstance(responses, bool):
        raise BadFormat(f"{place}.responses is neither true nor false.")
    return Part(kind, of, limit, responses, text, unless)


def _of(value: object, allowed: tuple[str, ...], place: str) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or not all(isinstance(one, str) for one in value)
        or not set(value) <= set(allowed)
    ):
        mend = f"Name some of {', '.join(allowed)}." if allowed else "Leave it out."
        raise BadFormat(f"{place} is wrong.", mend=mend)
    return tuple(value)


def _no_more(row: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for key in row:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            mend = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
            raise BadFormat(f"{place} has the unknown key {key}.", mend=mend)
