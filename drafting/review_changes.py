"""What a clinician changes in a draft, sentence by sentence or a section at a time. Pure.

A sentence that was changed is the clinician's; one that was left as it was keeps where it comes from. Places count
from 0 in the section as it stands after the changes before, in one list of changes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from drafting.review import Review, UnknownSection, section_of, written
from streaming.errors import PeerError
from streaming.types import Statement

Op = Literal["write", "rewrite", "add", "drop", "accept", "restore"]
MAX_SENTENCES = 200
_PROMPT = re.compile(r"\bto be entered\b")
"""A line of ours that stands for what only the clinician knows."""


class BadEdit(PeerError):
    """A change that cannot be made; says why, without the note's words."""

    code = "bad_edit"


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a section.

    write: the section has the sentences `texts`. rewrite: the sentence at `index` is `text`. add: `text` comes before
    the sentence at `index`, or last. drop: the sentence at `index` goes. accept: the sentence at `index`, suggested
    or without support, is the clinician's own word. restore: the section is the draft's again.
    """

    op: Op
    section: str
    index: int | None = None
    text: str = ""
    texts: tuple[str, ...] = ()


def changed(review: Review, changes: Sequence[Change]) -> dict[str, tuple[Statement, ...] | None]:
    """The sections that the changes are to, as they are after them. Raises UnknownSection, BadEdit."""
    made: dict[str, tuple[Statement, ...] | None] = {}
    for one in changes:
        now = made.get(one.section, section_of(review.note, one.section).statements)
        if one.op == "restore":
            made[one.section] = None
            continue
        if now is None:
            raise BadEdit("A section cannot be given back to the draft and changed at once.", mend="Send two edits.")
        after = _after(review, one, now)
        if len(after) > MAX_SENTENCES:
            raise BadEdit(f"A section has at most {MAX_SENTENCES} sentences.")
        made[one.section] = after
    return made


def _after(review: Review, change: Change, now: tuple[Statement, ...]) -> tuple[Statement, ...]:
    if change.op == "write":
        return written(review.note, change.section, change.texts)
    if change.op == "add":
        at = len(now) if change.index is None else _place(change, len(now) + 1)
        return (*now[:at], Statement(change.text, "clinician", ()), *now[at:])
    at = _place(change, len(now))
    before, one, rest = now[:at], now[at], now[at + 1 :]
    if change.op == "drop":
        return (*before, *rest)
    return (*before, _rewritten(one, change.text) if change.op == "rewrite" else _accepted(one), *rest)


def _place(change: Change, count: int) -> int:
    if change.index is None:
        raise BadEdit("`index` is missing: which sentence?", mend="Sentences count from 0.")
    if not 0 <= change.index < count:
        raise UnknownSection("The section has no such sentence.", mend=f"It has {count} places, counted from 0.")
    return change.index


def _rewritten(one: Statement, text: str) -> Statement:
    """The clinician's words; what they were written from stays to be seen."""
    return one if one.text == text else Statement(text, "clinician", one.evidence)


def _accepted(one: Statement) -> Statement:
    if one.provenance == "suggestion" and _PROMPT.search(one.text):
        raise BadEdit("This line asks for something to be entered.", mend="Write it instead of accepting it.")
    if one.provenance == "suggestion" or not one.supported:
        return replace(one, provenance="clinician", supported=True)
    return one
