"""Cloned notes: how much of a note repeats an earlier note of the client, or one of another client. Pure.

Jaccard similarity over word 5-grams, as duplicate detection does (Broder 1997); chart lines and prompts repeat by
nature and are left out.
"""

from collections.abc import Sequence

from drafting.note import CheckFinding, Note
from drafting.words import tokens

GRAM = 5
SAME_CLIENT = 0.35
OTHER_CLIENT = 0.2
"""Two sessions of one client share wording; two clients hardly do."""


def grams(text: str) -> frozenset[tuple[str, ...]]:
    """The word 5-grams of a text."""
    words = tokens(text)
    return frozenset(tuple(words[n : n + GRAM]) for n in range(len(words) - GRAM + 1))


def similarity(one: str, other: str) -> float:
    """Share of 5-grams that two texts have in common, in [0, 1]; 0 where either has none."""
    a, b = grams(one), grams(other)
    return len(a & b) / len(a | b) if a and b else 0.0


def own_words(note: Note) -> str:
    """What a note says of its session: without chart lines and prompts."""
    told = (one for section in note.sections for one in section.statements)
    return "\n".join(one.text for one in told if one.provenance in ("transcript", "clinician"))


def findings(note: Note, earlier: Sequence[str], others: Sequence[str] = ()) -> tuple[CheckFinding, ...]:
    """An error where the note repeats this client's earlier notes or another client's, given as texts."""
    text = own_words(note)
    found = []
    for texts, limit, whose in (
        (earlier, SAME_CLIENT, "an earlier note of this client"),
        (others, OTHER_CLIENT, "another note"),
    ):
        most = max((similarity(text, other) for other in texts), default=0.0)
        if most > limit:
            message = f"{most:.0%} of this note repeats {whose}: write what was particular to this session."
            found.append(CheckFinding("cloned_note", "error", message, ""))
    return tuple(found)
