"""Vague phrases: what says nothing unless a specific follows it in the same section. Pure; the phrases are data."""

import re
from functools import lru_cache

from drafting.data import load
from drafting.note import Note


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    body = load("vague.toml")
    return (
        re.compile(r"\b(?:" + "|".join(body["phrases"]) + r")\b", re.I),
        re.compile(body["specific"], re.I),
        re.compile(body["clock"], re.I),
    )


def vague_sections(note: Note) -> dict[str, str]:
    """Sections with a vague phrase of the writer's own and nothing specific from there on, with the first phrase.

    A client's quoted words are theirs, and no fault of the note. A length in minutes is vague without times.
    """
    found = {}
    timed = _timed(note)
    for section in note.sections:
        told = " ".join(
            re.sub(r'"[^"]*"', '""', one.text) for one in section.statements if one.provenance != "suggestion"
        )
        phrase = vague(told, timed=timed)
        if phrase:
            found[section.name] = phrase
    return found


def vague(text: str, *, timed: bool = False) -> str:
    """The first vague phrase that nothing specific follows in this text, or "". `timed`: start and stop are told."""
    phrases, specific, _ = _patterns()
    for phrase in phrases.finditer(text):
        if re.match(r"\d", phrase[0]):
            if not timed:
                return phrase[0]
        elif not specific.search(text[phrase.end() :]):
            return phrase[0]
    return ""


def _timed(note: Note) -> bool:
    """Whether the note tells a start and a stop time of day."""
    clock = _patterns()[2]
    told = " ".join(one.text for part in note.sections for one in part.statements if one.provenance != "suggestion")
    return len(clock.findall(told)) >= 2
