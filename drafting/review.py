"""From draft to signed note: a transition table, edits with provenance, a digest, addenda. Pure; times are given.

A draft may be redrafted and edited until it is signed; a section that a person has edited is never overwritten by a
redraft or by another format that has it too. Signing is refused while there are errors, unless it is overridden
with a reason. What is signed never changes: later words are addenda, dated when they are written; a note signed
after its session's day is a late entry and says why.

    draft    -edit->    edited      -redraft-> edited (kept sections stay)
    draft    -redraft-> draft       -sign->    signed
    draft    -format->  draft
    edited   -edit->    edited      -sign->    signed
    edited   -format->  edited (kept sections stay)
    signed   -addend->  addended    -addend->  addended

Who needs a supervisor's co-signature submits instead of signing: what they signed is frozen, and is the record once
the supervisor has signed it too, or theirs to edit again with a remark.

    draft    -submit->  awaiting    edited     -submit-> awaiting
    awaiting -cosign->  signed      awaiting   -return-> edited

Each step gives a review of the next version. How steps are kept in a session's log: `review_log.py`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from drafting import note_json
from drafting.note import CheckFinding, Note
from streaming import context_json
from streaming.errors import PeerError
from streaming.types import NoteContext, Section, SignedNote, Statement

State = Literal["draft", "edited", "awaiting", "signed", "addended"]
Action = Literal["edit", "redraft", "format", "sign", "submit", "cosign", "return", "addend"]

TRANSITIONS: dict[tuple[State, Action], State] = {
    ("draft", "edit"): "edited",
    ("draft", "redraft"): "draft",
    ("draft", "format"): "draft",
    ("draft", "sign"): "signed",
    ("edited", "edit"): "edited",
    ("edited", "redraft"): "edited",
    ("edited", "format"): "edited",
    ("edited", "sign"): "signed",
    ("draft", "submit"): "awaiting",
    ("edited", "submit"): "awaiting",
    ("awaiting", "cosign"): "signed",
    ("awaiting", "return"): "edited",
    ("signed", "addend"): "addended",
    ("addended", "addend"): "addended",
}
SKELETON = "skeleton"
"""The writer of a note that was made before the talk was read."""


class NotAllowed(PeerError):
    """The note's state does not allow this."""

    code = "not_allowed"


class NotSignable(PeerError):
    """The note has errors and no reason to sign it all the same; `checks` are the findings that stand."""

    code = "not_signable"

    def __init__(self, message: str, *, mend: str = "", checks: Sequence[CheckFinding] = ()) -> None:
        super().__init__(message, mend=mend)
        self.checks = tuple(checks)


class UnknownSection(PeerError):
    """The note has no such section, or the section no such sentence."""

    code = "unknown_section"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit trail, and the version that it led to; `what` never holds the note's words."""

    at: str
    who: str
    action: str
    what: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Addendum:
    """Words added after signing, dated when they were written."""

    at: str
    who: str
    text: str
    credentials: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a supervisor sent a note back."""

    at: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """A note under review; `note` is as it stands, with what a person has edited.

    `edits` are the sections a person has written, by name: they count in every format that has a section of the name.
    `drafts` has the newest draft in each format it was made in, as JSON, without edits. `record` is what was signed.
    """

    note: Note
    state: State = "draft"
    edits: Mapping[str, Section] = field(default_factory=dict)
    signed: SignedNote | None = None
    late_entry: str | None = None
    addenda: tuple[Addendum, ...] = ()
    remarks: tuple[Remark, ...] = ()
    trail: tuple[Entry, ...] = ()
    version: int = 1
    drafts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    record: Mapping[str, Any] | None = None
    actions: tuple[str, ...] = ()
    """The ids of the actions of the log that counted."""

    @property
    def edited(self) -> frozenset[str]:
        """The sections that a person has edited, those of other formats too."""
        return frozenset(self.edits)

    @property
    def final(self) -> bool:
        """Whether it is the record: signed, and co-signed where that is needed."""
        return self.signed is not None and self.state != "awaiting"

    @property
    def intact(self) -> bool:
        """Whether what was signed has still the digest that it was signed with."""
        return self.signed is not None and self.record is not None and digest(self.record) == self.signed.digest


def step(review: Review, action: Action, *, at: str, who: str, what: str) -> Review:
    """The review in its next state and version, with a line in the trail. Raises NotAllowed."""
    state = TRANSITIONS.get((review.state, action))
    if state is None:
        raise NotAllowed(f"A note that is {review.state} does not allow {action}.", mend=_MENDS[action])
    version = review.version + 1
    return replace(review, state=state, version=version, trail=(*review.trail, Entry(at, who, action, what, version)))


_MENDS: Mapping[Action, str] = {
    "edit": "A signed note takes addenda only.",
    "redraft": "A signed note takes addenda only.",
    "format": "A signed note takes addenda only.",
    "sign": "A note is signed once; later words are addenda.",
    "submit": "A note is signed once; later words are addenda.",
    "cosign": "It waits for no co-signature.",
    "return": "It waits for no co-signature.",
    "addend": "Edit the note, or sign it first.",
}


def edit(review: Review, section: str, texts: Sequence[str], *, at: str, who: str) -> Review:
    """A section as a person wrote it; sentences left as they were keep their provenance.

    Raises NotAllowed, UnknownSection.
    """
    return change(review, {section: written(review.note, section, texts)}, at=at, who=who)


def written(note: Note, section: str, texts: Sequence[str]) -> tuple[Statement, ...]:
    """The sentences of a section as a person wrote it. Raises UnknownSection."""
    known = {one.text: one for one in section_of(note, section).statements}
    return tuple(known.get(text, Statement(text, "clinician", ())) for text in texts)


def section_of(note: Note, name: str) -> Section:
    """The section of a name. Raises UnknownSection."""
    for one in note.sections:
        if one.name == name:
            return one
    raise UnknownSection(
        "The note has no such section.", mend=f"It has {', '.join(one.name for one in note.sections)}."
    )


def change(review: Review, sections: Mapping[str, Sequence[Statement] | None], *, at: str, who: str) -> Review:
    """Sections with other sentences; None gives one back to the draft. Raises NotAllowed, UnknownSection."""
    edits = dict(review.edits)
    for name, told in sections.items():
        section_of(review.note, name)
        edits.pop(name, None)
        if told is not None:
            edits[name] = Section(name, tuple(told))
    moved = step(review, "edit", at=at, who=who, what=", ".join(sections))
    body = review.drafts.get(review.note.format)
    base = review.note if body is None else note_json.read(body)
    return replace(moved, edits=edits, note=replace(overlaid(base, edits), risk=review.note.risk))


def overlaid(base: Note, edits: Mapping[str, Section]) -> Note:
    """A draft with the edited sections that it has places for."""
    return replace(base, sections=tuple(edits.get(one.name, one) for one in base.sections))


def redraft(review: Review, note: Note, *, at: str, who: str, what: str = "all") -> Review:
    """A newer draft, in which sections that a person has edited stay as they are. Raises NotAllowed."""
    moved = step(review, "redraft", at=at, who=who, what=what)
    return replace(moved, note=overlaid(note, review.edits), drafts={})


def switch(review: Review, note: Note, *, at: str, who: str) -> Review:
    """The same draft in another format: edits stay where the format has the section. Raises NotAllowed."""
    moved = step(review, "format", at=at, who=who, what=note.format)
    return replace(moved, note=overlaid(note, review.edits))


def sign(
    review: Review,
    *,
    at: str,
    who: str,
    credentials: str = "",
    override: str = "",
    late_reason: str = "",
    service_date: str | None = None,
    context: NoteContext | None = None,
    cosignature: bool = False,
) -> Review:
    """The note as signed at `at` (ISO 8601 with zone), with what is known of client and session.

    Prompts, and suggestions that nobody took up, are no part of what is signed. A note signed after its session's day
    (that of `context`, else `service_date`) is a late entry with a reason. With `cosignature` it then awaits one.
    Raises NotAllowed in a state that cannot be signed, NotSignable where errors stand and `override` gives no reason,
    and for a late entry without one.
    """
    errors = [one for one in review.note.checks if one.severity == "error"]
    overridden = f"{len(errors)} overridden" if errors else "no errors"
    known = context or NoteContext()
    began = known.started_at or service_date or known.service_date
    moved = step(review, "submit" if cosignature else "sign", at=at, who=who, what=overridden)
    if errors and not override.strip():
        raise NotSignable(
            f"{len(errors)} errors stand." if len(errors) > 1 else "An error stands.",
            mend="Mend them, or sign with a reason in `override`.",
            checks=errors,
        )
    signed = replace(review.note, sections=_without_prompts(review.note.sections))
    record = {
        **signed.as_json(),
        "version": signed.version,
        "context": context_json.write(known),
        "signer": who,
        "credentials": credentials,
        "signed_at": at,
        "override": override.strip() if errors else "",
        "overridden": [one.rule for one in errors],
        "late_entry": late_entry(at, began, known.ended_at or began, late_reason),
        **({"cosigned": None} if cosignature else {}),
    }
    return seal(moved, record, digest(record))


def cosign(review: Review, *, at: str, who: str, credentials: str = "") -> Review:
    """The note with the supervisor's signature over what was signed. Raises NotAllowed, also for one's own note."""
    moved = step(review, "cosign", at=at, who=who, what="co-signature")
    assert review.signed is not None
    assert review.record is not None
    if who == review.signed.signer:
        raise NotAllowed("Nobody co-signs their own note.", mend="Ask another supervisor.")
    given = {"by": who, "credentials": credentials, "at": at, "signed_digest": review.signed.digest}
    record = {**review.record, "cosigned": given}
    return seal(moved, record, digest(record))


def send_back(review: Review, remark: str, *, at: str, who: str) -> Review:
    """The note is its author's again, as a draft with what they had edited, and says why. Raises NotAllowed."""
    moved = step(review, "return", at=at, who=who, what=f"remark {len(review.remarks) + 1}")
    body = review.drafts.get(review.note.format)
    base = review.note if body is None else note_json.read(body)
    return replace(
        moved,
        note=replace(overlaid(base, review.edits), risk=review.note.risk),
        signed=None,
        record=None,
        late_entry=None,
        remarks=(*review.remarks, Remark(at, who, remark)),
    )


def seal(review: Review, record: Mapping[str, Any], sealed: str) -> Review:
    """The review with a note that was signed; `sealed` is the digest that was given then."""
    context = context_json.recall(record["context"])
    note = replace(note_json.read(record, context), risk=review.note.risk)
    cosigned = record.get("cosigned") or {}
    signed = SignedNote(
        note.draft,
        record["signer"],
        record["signed_at"],
        sealed,
        record["credentials"],
        record["override"],
        tuple(record["overridden"]),
        context,
        cosigned.get("by", ""),
        cosigned.get("credentials", ""),
        cosigned.get("at", ""),
    )
    return replace(review, note=note, signed=signed, record=record, late_entry=record["late_entry"])


def late_entry(at: str, began: str | None, until: str | None, reason: str) -> str | None:
    """The header of a note that is signed after its session's last day, by the session's own clock; None on the day.

    `began` and `until` are ISO 8601. Raises NotSignable where there is no reason: a late entry says why it is late.
    """
    if until is None:
        return None
    ended, now = datetime.fromisoformat(until), datetime.fromisoformat(at)
    today = (now.astimezone(ended.tzinfo) if ended.tzinfo and now.tzinfo else now).date()
    if today <= ended.date():
        return None
    if not reason.strip():
        message = "The note is signed after the day of its session: a late entry says why."
        found = CheckFinding("late_entry_marked", "error", message, "")
        raise NotSignable(message, mend="Give the reason in `late_reason`.", checks=[found])
    days = f"written {today} for the session of {(began or until)[:10]}"
    return f"Late entry, {days}. Reason: {reason.strip().rstrip('.')}."


def is_prompt(statement: Statement) -> bool:
    """Whether a statement is our word to the clinician; what of risk was not assessed is the note's own."""
    return statement.provenance == "suggestion" and not statement.text.startswith("Risk:")


def _without_prompts(sections: Sequence[Section]) -> tuple[Section, ...]:
    return tuple(Section(one.name, tuple(told for told in one.statements if not is_prompt(told))) for one in sections)


def digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of a signed record's canonical JSON: keys sorted, no spaces, only ASCII (other letters escaped)."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def addend(review: Review, text: str, *, at: str, who: str, credentials: str = "") -> Review:
    """An addendum; the signed note stays as it is. Raises NotAllowed."""
    moved = step(review, "addend", at=at, who=who, what=f"addendum {len(review.addenda) + 1}")
    return replace(moved, addenda=(*review.addenda, Addendum(at, who, text, credentials)))
