"""The phrase library: standard wordings by modality, offered to the clinician and never written unasked. Pure.

What comes along is data (phrases/*.toml); a practice adds entries, changes one by giving its id, or hides one. A
suggestion is filled with what is known, its target and its goal; what nobody said stays in square brackets.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Literal, get_args

from drafting.chart import Chart, context_of
from drafting.clinician_facts import techniques
from drafting.core import Reading
from drafting.data import load, names
from drafting.facts import Fact
from drafting.goals import by_goal
from streaming.errors import PeerError
from streaming.types import NoteContext, UtteranceId

Kind = Literal["intervention", "response", "progress", "no_progress"]
SLOTS = ("target", "goal", "objective")
MAX_PHRASES = 500
MAX_TEXT = 600
PER_TECHNIQUE = 3
_ID = re.compile(r"[a-z0-9_-]{1,48}")
_SLOT = re.compile(r"\{(\w*)\}")


class BadPhrases(PeerError):
    """A practice's phrases that cannot be used; the message names the place."""

    code = "bad_phrases"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase; `technique` is a key of the techniques, or "" for any session of its modality."""

    id: str
    modality: str
    kind: Kind
    text: str
    technique: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A phrase that fits what was heard, filled; `because` says why, `evidence` where. Its provenance: suggestion."""

    phrase: str
    kind: Kind
    text: str
    because: str
    evidence: tuple[UtteranceId, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"evidence": list(self.evidence), "provenance": "suggestion"}


@lru_cache(maxsize=1)
def built_in() -> tuple[Phrase, ...]:
    """The phrases that come along, by modality."""
    found = []
    for name in names("phrases"):
        body = load(f"phrases/{name}.toml")
        found += [_phrase({"modality": body["modality"], **row}, f"{name}") for row in body["phrase"]]
    return tuple(found)


def library(own: Mapping[str, Any] | None = None) -> tuple[Phrase, ...]:
    """What comes along with a practice's entries: `{"phrases": […], "hidden": [ids]}`. Raises BadPhrases.

    An entry with the id of one that comes along takes its place and stands in its order; others follow.
    """
    if own is None:
        return built_in()
    if not isinstance(own, Mapping) or not set(own) <= {"phrases", "hidden"}:
        raise BadPhrases("The phrases are no object with phrases and hidden alone.")
    rows, hidden = own.get("phrases", []), own.get("hidden", [])
    if not isinstance(rows, list) or len(rows) > MAX_PHRASES:
        raise BadPhrases(f"phrases is no list of at most {MAX_PHRASES} entries.")
    if not isinstance(hidden, list) or not all(isinstance(one, str) for one in hidden):
        raise BadPhrases("hidden is no list of ids.")
    mine: dict[str, Phrase] = {}
    for at, row in enumerate(rows):
        made = replace(_phrase(row, f"phrases[{at}]"), own=True)
        if made.id in mine:
            raise BadPhrases(f"phrases[{at}].id is there twice.")
        mine[made.id] = made
    known = {one.id for one in built_in()}
    for at, one in enumerate(hidden):
        if one not in known:
            raise BadPhrases(f"hidden[{at}] is no phrase that comes along.")
    kept = [mine.get(one.id, one) for one in built_in() if one.id not in hidden]
    return (*kept, *(one for one in mine.values() if one.id not in known))


def as_json(phrases: Sequence[Phrase]) -> list[dict[str, Any]]:
    """The library for a page."""
    return [asdict(one) for one in phrases]


def suggest(
    reading: Reading, chart: Chart | NoteContext | None = None, phrases: Sequence[Phrase] | None = None
) -> tuple[Suggestion, ...]:
    """Phrases that fit the techniques heard, by their order in the talk, and then each goal's progress or its lack.

    `chart` says which modalities are usual: their phrases come first. Nothing of this is in a note unasked.
    """
    have = built_in() if phrases is None else phrases
    context = _context(chart, reading.transcript.context)
    usual = [one.partition(":")[0].strip().lower() for one in context.usual_interventions]
    ranked = sorted(have, key=lambda one: (one.modality.lower() not in usual, not one.own))
    found: dict[str, Suggestion] = {}
    heard = [one for one in reading.facts if one.kind == "intervention"]
    for fact in heard:
        fitting = [one for one in ranked if one.technique and one.technique == fact.detail.get("key")]
        for phrase in fitting[:PER_TECHNIQUE]:
            found.setdefault(phrase.id, _of_technique(phrase, fact))
    modalities = [*usual, *(fact.detail.get("modality", "").lower() for fact in heard), "general"]
    for one in by_goal(reading.facts, context):
        kind: Kind = "progress" if _improved(one.facts) else "no_progress"
        fitting = [phrase for phrase in ranked if phrase.kind == kind and phrase.modality.lower() in modalities]
        fitting.sort(key=lambda phrase: modalities.index(phrase.modality.lower()))
        evidence = tuple(dict.fromkeys(place for fact in one.facts for place in fact.evidence))
        told = "progress was told" if one.facts else "no progress was heard: only if that is so"
        for phrase in fitting[:1]:
            objective = one.objective.text if one.objective else ""
            text = filled(phrase.text, goal=f'the goal "{one.goal.text.rstrip(".")}"', objective=objective)
            key = f"{phrase.id}/{one.goal.id}"
            found.setdefault(key, Suggestion(phrase.id, kind, text, f"goal {one.goal.text}: {told}", evidence))
    return tuple(found.values())


def filled(text: str, **values: str) -> str:
    """The phrase with what is known; what is not stands in square brackets for the clinician."""
    return _SLOT.sub(lambda slot: values.get(slot[1], "") or f"[{slot[1]}]", text)


def _of_technique(phrase: Phrase, fact: Fact) -> Suggestion:
    text = filled(phrase.text, target=fact.detail.get("target", ""))
    return Suggestion(phrase.id, phrase.kind, text, f"heard: {fact.detail.get('technique', '')}", fact.evidence)


def _improved(facts: Sequence[Fact]) -> bool:
    return bool(facts) and not all(one.detail.get("trend") in ("worse", "same") for one in facts)


def _context(chart: Chart | NoteContext | None, known: NoteContext) -> NoteContext:
    if chart is None:
        return known
    return context_of(chart, known) if isinstance(chart, Chart) else chart


def _phrase(row: object, place: str) -> Phrase:
    if not isinstance(row, Mapping):
        raise BadPhrases(f"{place} is no object.")
    unknown = set(row) - {"id", "modality", "kind", "text", "technique", "own"}
    if unknown:
        raise BadPhrases(
            f"{place} has a key that is not known.", mend="Known are id, modality, kind, text, technique."
        )
    for name, most in (("id", 48), ("modality", 40), ("text", MAX_TEXT)):
        value = row.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > most or not value.isprintable():
            raise BadPhrases(f"{place}.{name} is no text of at most {most} characters.")
    if not _ID.fullmatch(row["id"]):
        raise BadPhrases(f"{place}.id is no id.", mend="Use small letters, digits, dashes and underscores.")
    if row.get("kind") not in get_args(Kind):
        raise BadPhrases(f"{place}.kind is not known.", mend=f"Use one of {', '.join(get_args(Kind))}.")
    technique = row.get("technique", "")
    if technique != "" and technique not in _technique_keys():
        raise BadPhrases(f"{place}.technique is not known.", mend=f"Use one of {', '.join(_technique_keys())}.")
    for slot in _SLOT.findall(row["text"]):
        if slot not in SLOTS:
            raise BadPhrases(
                f"{place}.text has a placeholder that is not known.", mend="Use {target}, {goal}, {objective}."
            )
    return Phrase(row["id"], row["modality"].strip(), row["kind"], row["text"].strip(), technique)


@lru_cache(maxsize=1)
def _technique_keys() -> tuple[str, ...]:
    return tuple(one.key for one in techniques())
