"""A practice's own wording: the frames in which facts are told, as data. Pure.

The core writes in the wording that comes along, and is verified in it; a practice's frames take the place of those
frames last of all, so that rewording can change no finding. Quoted words are never touched, and risk is told in its
own words but for the terms.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
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

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All frames as one pattern; the longest first, since some begin like others."""
        by_length = sorted(self.frames.items(), key=lambda pair: (-_weight(pair[1]), pair[0]))
        return re.compile("|".join(_as_pattern(name, frame, self.terms) for name, frame in by_length))


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
        if term != base.terms[name] and re.search(rf"\b(?:{'|'.join(base.terms.values())})\b", term):
            raise BadWording(f"terms.{name} holds one of our terms.", mend="Use another word.")
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
    return sections if wording == built_in() else _all(sections, lambda text: reword(text, wording))


def unworded(sections: tuple[Section, ...], wording: Wording) -> tuple[Section, ...]:
    """The sections in the wording that comes along, in which they are verified and looked through."""
    return sections if wording == built_in() else _all(sections, lambda text: unword(text, wording))


def _all(sections: tuple[Section, ...], change: Callable[[str], str]) -> tuple[Section, ...]:
    return tuple(
        Section(
            part.name,
            tuple(
                replace(one, text=change(one.text)) if one.provenance == "transcript" else one
                for one in part.statements
            ),
        )
        for part in sections
    )


def reword(sentence: str, wording: Wording) -> str:
    """A sentence of the core in a practice's wording; the same sentence in the wording that comes along."""
    return _translated(sentence, built_in(), wording)


def unword(sentence: str, wording: Wording) -> str:
    """A sentence in a practice's wording as the core says it."""
    return _translated(sentence, wording, built_in())


def framed(sentence: str) -> bool:
    """Whether a practice can reword something of this sentence."""
    return built_in().pattern.search(sentence) is not None


def _translated(sentence: str, source: Wording, target: Wording) -> str:
    if not sentence.startswith(_OWN_WORDS):
        sentence = source.pattern.sub(lambda found: _framed(found, source, target), sentence)
    return _with_terms(sentence, source.terms, target.terms)


_OWN_WORDS = ("Risk:", "Said about another")


def _framed(found: re.Match[str], source: Wording, target: Wording) -> str:
    """A frame of one wording in the other; its terms stay those of the source until all frames are done."""
    name = next(name for name in source.frames if found[f"f_{name}"] is not None)
    frame, ours = target.frames[name], source.frames[name]
    slots = {slot: found[f"{name}_{slot}"] for slot in _SLOT.findall(ours) if slot not in _TERMS}
    if "technique" in slots:
        technique, starts = slots["technique"], frame.startswith("{technique}")
        if starts != ours.startswith("{technique}") and not technique[1:2].isupper():
            slots["technique"] = technique[:1].lower() + technique[1:]
    slots |= dict(source.terms)
    told = _SLOT.sub(lambda slot: slots[slot[1]], frame)
    if not found[0].lstrip()[:1].isupper():
        return told
    lead = len(told) - len(told.lstrip())
    return told[:lead] + told[lead : lead + 1].upper() + told[lead + 1 :]


def _with_terms(text: str, source: Mapping[str, str], target: Mapping[str, str]) -> str:
    """The text with other terms outside of quotes."""
    if source == target:
        return text
    parts = _QUOTED.split(text)
    for at in range(0, len(parts), 2):
        for name, old in source.items():
            new = target[name]
            parts[at] = re.sub(rf"\b{re.escape(old)}\b", new, parts[at])
            parts[at] = re.sub(rf"\b{re.escape(_high(old))}\b", _high(new), parts[at])
    return "".join(parts)


def _high(word: str) -> str:
    return word[:1].upper() + word[1:]


def _as_pattern(name: str, frame: str, terms: Mapping[str, str]) -> str:
    pieces = []
    for at, piece in enumerate(_SLOT.split(frame)):
        if at % 2 and piece not in _TERMS:
            pieces.append(_SLOTS[piece].replace(f"?P<{piece}>", f"?P<{name}_{piece}>"))
        else:
            pieces.append(re.escape(terms[piece] if at % 2 else piece))
    text = "".join(pieces)
    first = _SLOT.match(frame)
    if first is not None and first[1] not in _TERMS:
        return f"(?P<f_{name}>^{text})"
    if text[:1].isalpha():
        text = f"[{text[0].lower()}{text[0].upper()}]{text[1:]}"
    return f"(?P<f_{name}>(?<![A-Za-z]){text})"


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
