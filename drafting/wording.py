"""A practice's own wording: the frames in which facts are told, as data. Pure.

The core writes in the wording that comes along, and is verified in it; a practice's frames take the place of those
frames last of all, so that rewording can change no finding. Quoted words are never touched, and risk is told in its
own words but for the terms.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from drafting.data import load
from streaming.errors import PeerError
from streaming.types import Section

MAX_FRAME = 200
_SLOT = re.compile(r"\{(\w+)\}")
_SLOTS: Mapping[str, str] = {
    "told": r"(?P<told>.+?)(?=\.?$)",
    "quote": r'(?P<quote>[^"]*)',
    "question": r'(?P<question>[^"]*)',
    "goal": r'(?P<goal>[^"]*)',
    "technique": r"(?P<technique>[^\":,]+?)",
    "target": r"(?P<target>.+?)",
    "topic": r"(?P<topic>[^\"]+?)",
}
_TERMS = ("client", "clinician")
_QUOTED = re.compile(r'("[^"]*")')


class BadWording(PeerError):
    """A wording file that does not say what it must; the message names the place."""

    code = "bad_wording"


@dataclass(frozen=True)
class Wording:
    """The terms for client and clinician, and the frames by name."""

    terms: Mapping[str, str]
    frames: Mapping[str, str]


@lru_cache(maxsize=1)
def built_in() -> Wording:
    """The wording that comes along."""
    body = load("wording.toml")
    return Wording(body["terms"], body["sentences"])


def parse(text: str) -> Wording:
    """A practice's wording from the text of its TOML file. Raises BadWording."""
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadWording("The wording file is not TOML.", mend=str(error)) from error
    return read(body)


def read(body: Mapping[str, Any]) -> Wording:
    """The wording that comes along with a practice's changes. Raises BadWording with the place that is wrong."""
    base = built_in()
    _known(body, ("terms", "sentences"), "the wording")
    for part in ("terms", "sentences"):
        if not isinstance(body.get(part, {}), Mapping):
            raise BadWording(f"{part} is not a table.")
    terms, frames = body.get("terms", {}), body.get("sentences", {})
    _known(terms, tuple(base.terms), "terms")
    _known(frames, tuple(base.frames), "sentences")
    for name, term in terms.items():
        if not isinstance(term, str) or not re.fullmatch(r"[^\W\d_][\w' -]{0,39}", term):
            raise BadWording(f"terms.{name} is no word.", mend="Use a word such as client, patient or member.")
    for name, frame in frames.items():
        _check(f"sentences.{name}", frame, base.frames[name])
    return Wording({**base.terms, **terms}, {**base.frames, **frames})


def _check(place: str, frame: object, ours: str) -> None:
    if not isinstance(frame, str) or not 1 <= len(frame) <= MAX_FRAME or not frame.isprintable():
        raise BadWording(f"{place} is not a text of at most {MAX_FRAME} characters.")
    if sorted(_SLOT.findall(frame)) != sorted(_SLOT.findall(ours)) or re.search(r"[{}]", _SLOT.sub("", frame)):
        needed = ", ".join(f"{{{one}}}" for one in _SLOT.findall(ours)) or "none"
        raise BadWording(f"{place} has other placeholders than it must.", mend=f"It needs each once: {needed}.")
    for slot in ("quote", "question", "goal"):
        if f'"{{{slot}}}"' in ours and f'"{{{slot}}}"' not in frame:
            raise BadWording(f'{place}: {{{slot}}} must stand in quotation marks: "{{{slot}}}".')
    if frame.count('"') != ours.count('"'):
        raise BadWording(f"{place} has quotation marks around words that nobody said.")
    if ours.endswith(": ") and not frame.endswith((": ", ", ", " ")):
        raise BadWording(f"{place} must end in a space: the rest of the sentence follows it.")


def reworded(sections: tuple[Section, ...], wording: Wording) -> tuple[Section, ...]:
    """The sections with what the talk and the ledger say in this wording; other sentences stay as they are."""
    if wording == built_in():
        return sections
    return tuple(
        Section(part.name, tuple(
            replace(one, text=reword(one.text, wording)) if one.provenance == "transcript" else one
            for one in part.statements
        ))
        for part in sections
    )  # fmt: skip


def reword(sentence: str, wording: Wording) -> str:
    """A sentence of the core in a practice's wording; the same sentence in the wording that comes along."""
    risk = sentence.startswith(("Risk:", "Said about another"))
    told = sentence if risk else _frames().sub(lambda found: _framed(found, wording), sentence)
    return _with_terms(told, wording.terms)


def framed(sentence: str) -> bool:
    """Whether a practice can reword something of this sentence."""
    return _frames().search(sentence) is not None


def _framed(found: re.Match[str], wording: Wording) -> str:
    name = next(name for name in built_in().frames if found[f"f_{name}"] is not None)
    slots = {slot: found[f"{name}_{slot}"] for slot in _SLOT.findall(built_in().frames[name]) if slot not in _TERMS}
    frame = wording.frames[name]
    if built_in().frames[name].startswith("{technique}") and not frame.startswith("{technique}"):
        technique = slots["technique"]
        slots["technique"] = technique if technique[1:2].isupper() else technique[:1].lower() + technique[1:]
    slots |= dict(built_in().terms)  # the terms are put in last, over the whole sentence
    told = _SLOT.sub(lambda slot: slots[slot[1]], frame)
    starts_high = found[0].lstrip()[:1].isupper()
    lead = len(told) - len(told.lstrip())
    first = told[lead : lead + 1]
    return told[:lead] + (first.upper() if starts_high else first) + told[lead + 1 :]


def _with_terms(text: str, terms: Mapping[str, str]) -> str:
    """The text with the practice's terms outside of quotes."""
    if terms == built_in().terms:
        return text
    parts = _QUOTED.split(text)
    for at in range(0, len(parts), 2):
        for ours, own in terms.items():
            parts[at] = re.sub(rf"\b{ours}\b", own, parts[at])
            parts[at] = re.sub(rf"\b{ours.capitalize()}\b", own[:1].upper() + own[1:], parts[at])
    return "".join(parts)


@lru_cache(maxsize=1)
def _frames() -> re.Pattern[str]:
    """All frames that come along as one pattern; the longest first, since some begin like others."""
    terms = built_in().terms
    made = []
    for name, frame in sorted(built_in().frames.items(), key=lambda pair: (-_weight(pair[1]), pair[0])):
        pieces = []
        for at, piece in enumerate(_SLOT.split(frame)):
            if at % 2 and piece not in _TERMS:
                pieces.append(_SLOTS[piece].replace(f"?P<{piece}>", f"?P<{name}_{piece}>"))
            else:
                pieces.append(re.escape(terms[piece] if at % 2 else piece))
        text = "".join(pieces)
        starts_with_slot = frame.startswith("{") and _SLOT.match(frame) and frame[1 : frame.index("}")] not in _TERMS
        if not starts_with_slot and text[:1].isalpha():
            text = f"[{text[0]}{text[0].upper()}]{text[1:]}"
        made.append(f"(?P<f_{name}>{'^' if starts_with_slot else '(?<![A-Za-z])'}{text})")
    return re.compile("|".join(made))


def _weight(frame: str) -> int:
    return 10 * len(_SLOT.findall(frame)) + len(frame)


def _known(row: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for key in row:
        if key not in known:
            raise BadWording(f"{place} has the unknown key {key}.", mend=f"Known are {', '.join(known)}.")


_OWN: dict[str, Wording] = {}


def use(own: Wording | None) -> None:
    """Take a practice's wording for this process, or the one that comes along."""
    _OWN.clear()
    if own is not None:
        _OWN["wording"] = own


def current() -> Wording:
    """The wording in which notes are told."""
    return _OWN.get("wording", built_in())
