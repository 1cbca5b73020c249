"""From draft to signed note: a transition table, edits with provenance, a digest, addenda. Pure; times are given.

A draft may be redrafted and edited until it is signed; a section that a person has edited is never overwritten by a
redraft. Signing is refused while there are errors, unless it is overridden with a reason. What is signed never
changes: later words are addenda, dated when they are written; a note signed after its day of service is a late entry.

    draft    -edit->    edited      -redraft-> edited (kept sections stay)
    draft    -redraft-> draft       -sign->    signed
    edited   -edit->    edited      -sign->    signed
    signed   -addend->  addended    -addend->  addended
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Literal

from drafting.note import Note
from streaming.errors import PeerError
from streaming.types import Section, SignedNote, Statement

State = Literal["draft", "edited", "signed", "addended"]
Action = Literal["edit", "redraft", "sign", "addend"]

TRANSITIONS: dict[tuple[State, Action], State] = {
    ("draft", "edit"): "edited",
    ("draft", "redraft"): "draft",
    ("draft", "sign"): "signed",
    ("edited", "edit"): "edited",
    ("edited", "redraft"): "edited",
    ("edited", "sign"): "signed",
    ("signed", "addend"): "addended",
    ("addended", "addend"): "addended",
}


class NotAllowed(PeerError):
    """The note's state does not allow this."""

    code = "not_allowed"


class NotSignable(PeerError):
    """The note has errors and no reason to sign it all the same."""

    code = "not_signable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit trail; `what` never holds the note's words."""

    at: str
    who: str
    action: Action
    what: str


@dataclass(frozen=True, slots=True)
class Addendum:
    """Words added after signing, dated when they were written."""

    at: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """A note under review: which sections a person has edited, what was signed, what came after, and the trail."""

    note: Note
    state: State = "draft"
    edited: frozenset[str] = frozenset()
    signed: SignedNote | None = None
    late_entry: str | None = None
    addenda: tuple[Addendum, ...] = ()
    trail: tuple[Entry, ...] = ()


def _move(review: Review, action: Action, at: str, who: str, what: str) -> Review:
    state = TRANSITIONS.get((review.state, action))
    if state is None:
        raise NotAllowed(
            f"A note that is {review.state} does not allow {action}.", mend="A signed note takes addenda only."
        )
    return replace(review, state=state, trail=(*review.trail, Entry(at, who, action, what)))


def edit(review: Review, section: str, texts: tuple[str, ...], *, at: str, who: str) -> Review:
    """A section as a person wrote it; sentences left as they were keep their provenance. Raises NotAllowed."""
    moved = _move(review, "edit", at, who, section)
    if all(one.name != section for one in review.note.sections):
        raise NotAllowed("The note has no such section.")
    sections = tuple(_edited(one, texts) if one.name == section else one for one in review.note.sections)
    return replace(moved, note=replace(review.note, sections=sections), edited=review.edited | {section})


def _edited(section: Section, texts: tuple[str, ...]) -> Section:
    known = {one.text: one for one in section.statements}
    return Section(section.name, tuple(known.get(text, Statement(text, "clinician", ())) for text in texts))


def redraft(review: Review, note: Note, *, at: str, who: str) -> Review:
    """A newer draft, in which sections that a person has edited stay as they are. Raises NotAllowed."""
    moved = _move(review, "redraft", at, who, f"version {note.version}")
    kept = {one.name: one for one in review.note.sections if one.name in review.edited}
    sections = tuple(kept.pop(one.name, one) for one in note.sections) + tuple(kept.values())
    return replace(moved, note=replace(note, sections=sections))


def digest(note: Note) -> str:
    """SHA-256 of the draft's canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(asdict(note.draft), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def sign(
    review: Review, *, at: str, who: str, service_date: str | None = None, override: str = "", late_reason: str = ""
) -> Review:
    """The note as signed at `at` (ISO 8601 with zone).

    A note signed after its date of service carries a late-entry header with the reason. Raises NotAllowed in a state
    that cannot be signed, NotSignable where errors stand and `override` gives no reason.
    """
    errors = [one.rule for one in review.note.checks if one.severity == "error"]
    moved = _move(review, "sign", at, who, f"override: {override}" if errors else "no errors")
    if errors and not override.strip():
        raise NotSignable(f"{len(errors)} errors stand.", mend="Mend them, or sign with a reason.")
    late = None
    if service_date is not None and at[:10] > service_date[:10]:
        days = f"written {at[:10]} for the session of {service_date[:10]}"
        late = f"Late entry, {days}. Reason: {late_reason or 'not given'}."
    return replace(moved, signed=SignedNote(review.note.draft, who, at, digest(review.note)), late_entry=late)


def addend(review: Review, text: str, *, at: str, who: str) -> Review:
    """An addendum; the signed note stays as it is. Raises NotAllowed."""
    moved = _move(review, "addend", at, who, f"addendum {len(review.addenda) + 1}")
    return replace(moved, addenda=(*review.addenda, Addendum(at, who, text)))
