"""Note formats as data: sections, what goes where, order. Eight come along; a practice adds its own as a TOML file.

A format file has `key`, `title` and `[[section]]`s with a `name` and `[[section.part]]`s. A part's `kind` is one of
facts (`of` kinds, `limit`), interventions (`limit`, `responses`), responses (`limit`), measures, session, chart (`of`
diagnosis, goals), risk, prompt (`text`).
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

from drafting.data import load, names
from drafting.facts import FactKind
from streaming.errors import PeerError

PART_KINDS = ("facts", "interventions", "responses", "session", "chart", "risk", "prompt")
CHART_ITEMS = ("diagnosis", "goals")
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

    def home(self, *kinds: str) -> str:
        """The first section that holds one of these fact or part kinds, or "" where none does."""
        for section in self.sections:
            for part in section.parts:
                if part.kind in kinds or set(part.of) & set(kinds):
                    return section.name
        return ""


def keys() -> tuple[str, ...]:
    """The formats that come along."""
    return names("formats")


@lru_cache(maxsize=32)
def named(key: str) -> NoteFormat:
    """A format that comes along. Raises BadFormat for one that does not."""
    if key not in keys():
        raise BadFormat("The note format is not known.", mend=f"Use one of {', '.join(keys())}.")
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
    sections = body.get("section")
    if not isinstance(body.get("key"), str) or not isinstance(sections, list) or not sections:
        raise BadFormat("A format needs a key and at least one [[section]].")
    plans = tuple(_section(row, at) for at, row in enumerate(sections))
    if len({plan.name for plan in plans}) != len(plans):
        raise BadFormat("Two sections of the format have the same name.")
    made = NoteFormat(body["key"], str(body.get("title", body["key"])), plans)
    if not made.home("risk"):
        raise BadFormat("The format has no part of kind risk.", mend="Every note says what was assessed.")
    return made


def _section(row: Any, at: int) -> SectionPlan:
    name = row.get("name") if isinstance(row, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise BadFormat(f"section[{at}] has no name.")
    parts = row.get("part", [])
    if not isinstance(parts, list):
        raise BadFormat(f"section[{at}].part is not a list of parts.", mend="Write [[section.part]].")
    return SectionPlan(name, tuple(_part(part, f"section[{at}].part[{n}]") for n, part in enumerate(parts)))


def _part(row: Any, place: str) -> Part:
    kind = row.get("kind") if isinstance(row, dict) else None
    if kind not in PART_KINDS:
        raise BadFormat(f"{place}.kind is not known.", mend=f"Use one of {', '.join(PART_KINDS)}.")
    unknown = set(row) - {"kind", "of", "limit", "responses", "text"}
    if unknown:
        raise BadFormat(f"{place} has the unknown key {sorted(unknown)[0]}.")
    of = row.get("of", [])
    allowed = {"facts": FACT_KINDS, "chart": CHART_ITEMS}.get(kind, ())
    if not isinstance(of, list) or not set(of) <= set(allowed) or (kind in ("facts", "chart") and not of):
        raise BadFormat(
            f"{place}.of is wrong.", mend=f"Name some of {', '.join(allowed)}." if allowed else "Leave it out."
        )
    limit = row.get("limit", 5)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise BadFormat(f"{place}.limit is not a whole number above 0.")
    text = row.get("text", "")
    if not isinstance(text, str) or (kind == "prompt" and not text.strip()):
        raise BadFormat(f"{place}.text is missing.")
    return Part(kind, tuple(of), limit, bool(row.get("responses", True)), text)
