"""Cloned notes: how much of a note repeats an earlier note of the client, or one of another client. Pure.

Jaccard similarity over word 5-grams, as duplicate detection does (Broder 1997). Chart lines and prompts repeat by
nature and are left out. A finding names the date of the client's earlier note, and nothing of another client.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from drafting.data import load
from drafting.note import CheckFinding, Note
from drafting.words import tokens

Print = frozenset[int]
"""A note's hashed 5-grams: enough to compare it, and no text."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier note of the same client: its date of service (ISO), and its own words or their print."""

    date: str
    text: str | Print


@dataclass(frozen=True, slots=True)
class History:
    """What a note must not repeat: the client's notes before it, and other clients'."""

    earlier: tuple[Earlier, ...] = ()
    others: tuple[str | Print, ...] = ()


@lru_cache(maxsize=1)
def _boilerplate() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in load("clones.toml")["boilerplate"]))


def grams(text: str | Print) -> Print:
    """The word 5-grams of a text, hashed the same on every machine; lines of boilerplate are left out."""
    if isinstance(text, frozenset):
        return text
    return _grams("\n".join(line for line in text.splitlines() if not _boilerplate().search(line.strip())))


@lru_cache(maxsize=1024)
def _grams(text: str) -> Print:
    size = load("clones.toml")["gram"]
    words = tokens(text)
    return frozenset(crc32(" ".join(words[n : n + size]).encode()) for n in range(len(words) - size + 1))


def similarity(one: str, other: str) -> float:
    """Share of 5-grams that two texts have in common, in [0, 1]; 0 where either has none."""
    return _jaccard(grams(one), grams(other))


def _jaccard(a: Print, b: Print) -> float:
    if not a or not b:
        return 0.0
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def own_words(note: Note) -> str:
    """What a note says of its session, a sentence a line: without chart lines and prompts."""
    told = (one for section in note.sections for one in section.statements)
    return "\n".join(one.text for one in told if one.provenance in ("transcript", "clinician"))


def findings(
    note: Note, earlier: Sequence[Earlier | str], others: Sequence[str | Print] = ()
) -> tuple[CheckFinding, ...]:
    """An error where the note repeats this client's earlier notes (texts alone where no date is known) or another's.

    What many of the other notes have in common is the practice's standard wording, not a copy: it is left out of the
    comparison with them.
    """
    limits = load("clones.toml")
    own = grams(own_words(note))
    if len(own) < limits["least_grams"]:
        return ()
    found = []
    before = [one if isinstance(one, Earlier) else Earlier("", one) for one in earlier]
    share, copied = max(((_jaccard(own, grams(one.text)), one) for one in before), key=_share, default=(0.0, None))
    if copied is not None and share > limits["same_client"]:
        section = _most_repeated(note, copied.text)
        message = (
            f"{share:.0%} of this note repeats this client's note of {copied.date[:10] or 'an earlier day'}: "
            "write what was particular to this session."
        )
        found.append(CheckFinding("cloned_note", "error", message, section))
    theirs = [grams(text) for text in others]
    common = _standard(theirs)
    share = max((_jaccard(own - common, one - common) for one in theirs), default=0.0)
    if share > limits["other_client"]:
        message = f"{share:.0%} of this note repeats another client's note: write what was particular to this client."
        found.append(CheckFinding("cloned_note", "error", message, ""))
    return tuple(found)


def _share(pair: tuple[float, Earlier | None]) -> float:
    return pair[0]


STANDARD_SHARE, LEAST_NOTES = 0.25, 8
"""What a quarter of at least so many notes hold is standard wording."""


def _standard(notes: Sequence[Print]) -> Print:
    if len(notes) < LEAST_NOTES:
        return frozenset()
    counts: Counter[int] = Counter()
    for one in notes:
        counts.update(one)
    least = max(3.0, STANDARD_SHARE * len(notes))
    return frozenset(gram for gram, count in counts.items() if count >= least)


def _most_repeated(note: Note, earlier: str | Print) -> str:
    """The section that holds most of what is repeated."""
    before = grams(earlier)

    def repeated(name: str, texts: str) -> tuple[int, str]:
        return len(grams(texts) & before), name

    parts = (
        repeated(part.name, "\n".join(one.text for one in part.statements if one.provenance != "suggestion"))
        for part in note.sections
    )
    return max(parts, default=(0, ""))[1]
