"""A recap cut into the pieces that each go to one place of a note: every word in exactly one of them. Pure.

A clinician writes in the order of the hour: what was reported, what was done, how it went, risk, what is next. Where
the words of a piece decide nothing, its place in that order does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from drafting.data import load
from drafting.risk_mentions import ITEMS, lexicon, masked
from drafting.shorthand import written_out

KINDS = (
    "risk", "session", "homework_reviewed", "assessment", "diagnosis", "measure", "progress", "goal", "plan",
    "observation", "history", "response", "intervention", "medication", "function", "symptom",
)  # fmt: skip
DECISIVE = ("risk", "session", "homework_reviewed", "assessment", "diagnosis", "measure", "plan")
"""Kinds whose words count wherever the piece stands."""

_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|vs|approx|prof|st|e\.g|i\.e|no|ch|wk|wks|appt|min|mins|hr|hrs|tues|tue|wed|thurs|thur|fri|mon"
    r"|sat|sun)|(?:^|\s)[a-z])\.$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"[ \t]*(?:[-–*•·]+[ \t]+|\(?\d{1,2}[.)][ \t]+(?=\D))")
_OPENS = '"“([{'
_CLOSES = '"”)]}'


@dataclass(frozen=True, slots=True)
class Piece:
    """The recap's characters `[start, end)`; `kinds` is what they speak of, and the first is where they go."""

    start: int
    end: int
    source: str
    kinds: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return self.kinds[0]


@lru_cache(maxsize=1)
def patterns() -> dict[str, dict[str, re.Pattern[str]]]:
    """The patterns of recap.toml by group and name."""
    body = load("recap.toml")
    groups = ("heads", "kinds", "split", "risk")
    return {group: {name: re.compile(text) for name, text in body[group].items()} for group in groups}


def pieces(text: str) -> tuple[Piece, ...]:
    """The pieces of a recap in order, each with its kinds; none of a text without words."""
    cut = [part for sentence in _sentences(text) for part in _parts(text, sentence)]
    named = [(one, _read(one.source)) for one in cut]
    return tuple(replace(one, kinds=_settled(found, n, named)) for n, (one, found) in enumerate(named))


def _sentences(text: str) -> list[Piece]:
    """Sentences and lines, bullets left out; a quote or a bracket is not cut."""
    found, start, inside = [], 0, False
    for at, letter in enumerate(text):
        if letter == "\n":
            inside = False
        elif letter in '"“”':
            inside = not inside if letter == '"' else letter == "“"
        ends = letter == "\n" or (letter in ".?!;" and not inside and _ends(text, start, at))
        if letter in '"”' and not inside and text[at - 1 : at] in (".", "!", "?") and _blank(text, at + 1):
            ends = True
        if ends:
            found.append((start, at + 1))
            start = at + 1
    found.append((start, len(text)))
    return [piece for begin, end in found if (piece := _trimmed(text, begin, end)) is not None]


def _blank(text: str, at: int) -> bool:
    return at >= len(text) or text[at].isspace()


def _ends(text: str, start: int, at: int) -> bool:
    return _blank(text, at + 1) and not (
        text[at] == "." and at + 1 < len(text) and _ABBREVIATION.search(text[start : at + 1]) and _goes_on(text, at)
    )


def _goes_on(text: str, at: int) -> bool:
    """Whether the sentence goes on after an abbreviation's dot: a small letter, a number, a name after a title."""
    title = re.search(r"\b(?:dr|mr|mrs|ms|prof|st|vs|e\.g|i\.e|ch|no)\.$", text[: at + 1], re.IGNORECASE)
    following = text[at + 1 :].lstrip(" \t")[:1]
    return bool(title) or following.islower() or following.isdigit()


def _trimmed(text: str, start: int, end: int) -> Piece | None:
    """The piece without its bullet and the blanks and marks around it; None where no word is left."""
    bullet = _BULLET.match(text, start, end)
    start = bullet.end() if bullet else start
    while start < end and text[start] in " \t\r\n,;":
        start += 1
    while start < end and text[end - 1] in " \t\r\n,;":
        end -= 1
    source = text[start:end]
    return Piece(start, end, source) if re.search(r"\w", source) else None


_HEAD = 200
"""Letters that say what the rest of a sentence begins with; all of it for each comma would cost its square."""


def _parts(text: str, sentence: Piece) -> list[Piece]:
    """The sentence cut at commas after which another part of the note begins."""
    parts, start = [], sentence.start
    for at in _commas(sentence):
        left, right = _trimmed(text, start, at), _trimmed(text, at + 1, sentence.end)
        if left is None or right is None:
            continue
        heads = patterns()["split"]["heads"].match(_low(right.source[:_HEAD]))
        if heads and _read(left.source)[0] != _read(right.source)[0]:
            parts.append(left)
            start = at + 1
    last = _trimmed(text, start, sentence.end)
    return [*parts, last] if last else parts


def _commas(sentence: Piece) -> list[int]:
    depth, found, quoted = 0, [], False
    for at, letter in enumerate(sentence.source):
        if letter == '"':
            quoted = not quoted
        elif letter in _OPENS:
            depth += 1
        elif letter in _CLOSES:
            depth -= 1
        elif letter == "," and not quoted and depth <= 0:
            found.append(sentence.start + at)
    return found


def _low(source: str) -> str:
    return written_out(source).lower().replace("’", "'").rstrip(" .!?")


@lru_cache(maxsize=1024)
def _read(source: str) -> tuple[str, ...]:
    """The kinds that the words show, most telling first; "" first where none does."""
    low = _low(source)
    # What a client is quoted with is theirs: words of ours in it name no part of the note.
    plain = re.sub(r'"[^"]*"|“[^”]*”', '""', low)
    heads = [name for name, words in patterns()["heads"].items() if words.match(plain)]
    order = [kind for kind in load("recap.toml")["order"] if _shows(kind, plain, low)]
    if "risk" in order and "risk" not in heads and re.match(r"(?:plan|homework|treatment|diagnosis)\b ?:", plain):
        return tuple(dict.fromkeys([heads[0] if heads else "plan", *order]))
    if "risk" in order:
        return tuple(dict.fromkeys(["risk", *heads, *order]))
    return tuple(dict.fromkeys([*heads, *order])) or ("",)


def _shows(kind: str, plain: str, low: str) -> bool:
    if kind == "risk":
        return speaks_of_risk(low)
    return patterns()["kinds"][kind].search(plain) is not None


def speaks_of_risk(low: str) -> bool:
    """Whether a sentence in small letters speaks of risk; idioms such as "this job is killing me" do not."""
    spoken = masked(low)
    words = patterns()["risk"]
    if any(words[item].search(spoken) for item in ITEMS if item not in ("plan", "intent", "means")):
        return True
    return words["also"].search(low) is not None or any(lexicon().direct[item].search(spoken) for item in ITEMS)


_SURE_RESPONSE = re.compile(r"\b(?:respon\w+|tolerated|receptive|engaged|participated|insight)\b")
_OFTEN = re.compile(r"\b(?:daily|nightly|weekly|each|every|twice|times a|once a|a day|a week|this week)\b")
_DONE = re.compile(r"\b(?:used|did|reviewed|explored|taught|completed|practi[cs]ed|discussed|processed)\b")


def _short_of_plan(low: str, *, last: bool) -> bool:
    """Whether a line after the risk is a task: "worksheet daily", or as the last line "sleep diary"."""
    return not _DONE.search(low) and (_OFTEN.search(low) is not None or (last and len(low.split()) <= 3))


def _settled(found: tuple[str, ...], at: int, named: Sequence[tuple[Piece, tuple[str, ...]]]) -> tuple[str, ...]:
    """The kinds of a piece, its place in the recap taken into account."""
    first = found[0]
    before = [one[0] for _, one in named[:at]]
    done = "intervention" in before
    if first in DECISIVE or first in ("progress", "goal"):
        return found
    # "No plan or intent" after a sentence on suicide is more of it.
    low = _low(named[at][0].source)
    if before[-1:] == ["risk"] and re.search(
        r"\b(?:intent|means|weapons?|firearms?|guns?|(?:no|without|has a) plan)\b", low
    ):
        return ("risk", *[one for one in found if one and one != "risk"])
    if first == "":
        if "risk" in before and at == len(named) - 1:
            return ("plan",)
        return (
            ("response",)
            if done and "risk" not in before and before[-1] in ("intervention", "response")
            else ("symptom",)
        )
    if first == "response" and not done and "intervention" in found:
        return ("intervention", *[one for one in found if one != "intervention"])
    if first == "response" and not done and not _SURE_RESPONSE.search(low):
        return ("symptom", *[one for one in found if one != "symptom"])
    if first in ("symptom", "intervention") and "risk" in before and _short_of_plan(low, last=at == len(named) - 1):
        return ("plan", *found)
    if (
        first in ("symptom", "function")
        and before[-1:] in (["intervention"], ["response"])
        and low.startswith("client ")
    ):
        return ("response", *found)
    return found
