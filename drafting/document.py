"""What an exported note holds, whatever file it becomes. Pure: the renderers of export_*.py only lay it out.

A draft says that it is not signed, and what the clinician has still to enter stands apart from the note's own text,
at its end. A signed note holds what was signed and nothing of ours beside it: prompts and suggestions that nobody
took up are left out, and so are the findings. The transcript is there only where the caller hands it over.

All text is made safe here, once: see `tidy`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Literal

from drafting.billing import told
from drafting.formats import BadFormat, named
from drafting.note import Note
from drafting.review import Addendum, Review, State, is_prompt
from streaming.types import NoteContext, Section, Statement, Transcript, seconds

Mark = Literal["", "chart", "unsupported"]
OpenKind = Literal["enter", "suggested", "error", "warning", "info"]

DRAFT_BANNER = "DRAFT – not signed"
AWAITING_BANNER = "SIGNED – awaiting co-signature, not final"
TO_ENTER = "to be entered"
NOT_RECORDED = "not recorded"
NOTHING = "No entry."
"""What stands in a section without sentences."""
OPEN_TITLE = "Still open (not part of the note)"
TRANSCRIPT_TITLE = "Appendix: transcript of the session (not part of the note)"
MARKS: dict[Mark, str] = {"": "", "chart": "chart", "unsupported": "not supported by the session: check"}
OPEN_TITLES: dict[OpenKind, str] = {
    "enter": "To be entered by the clinician",
    "suggested": "Suggested, not part of the note",
    "error": "Needed before signing",
    "warning": "Check before signing",
    "info": "For your information",
}
MODALITIES = {
    "in_person": "In person",
    "telehealth_video": "Telehealth (video)",
    "telehealth_audio": "Telehealth (audio only)",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A line of the header or of the signature; `missing` where there is only the word that it is missing."""

    label: str
    value: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the note; `mark` says in a draft what the clinician should know of it."""

    text: str
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A section's heading and sentences, of which there may be none."""

    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is still to be done before a draft can be signed; `section` is empty where it has no one place."""

    kind: OpenKind
    text: str
    section: str


@dataclass(frozen=True, slots=True)
class Later:
    """An addendum: its heading with number, time and author, and its paragraphs."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the transcript: the time since the start, who spoke, and what."""

    time: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A note ready to be laid out; every text in it is safe for XML, JSON and a terminal.

    `dated` is the ISO time, with zone, of the newest thing in it: an addendum, the signature, the session's end;
    empty where none is known. `digest` is that of the signed text, empty for a draft.
    """

    title: str
    format: str
    state: State
    late_entry: str
    header: tuple[Field, ...]
    parts: tuple[Part, ...]
    signature: tuple[Field, ...]
    addenda: tuple[Later, ...]
    open_items: tuple[OpenItem, ...]
    transcript: tuple[Said, ...]
    context: NoteContext
    signer: str
    signed_at: str
    dated: str
    digest: str
    cpt: str
    cosigner: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether a person has signed it."""
        return bool(self.signed_at)

    @property
    def banner(self) -> str:
        """What stands above a note that is not signed, or not by all who must."""
        return AWAITING_BANNER if self.state == "awaiting" else "" if self.is_signed else DRAFT_BANNER

    @property
    def service_date(self) -> str:
        """The session's ISO date, or empty."""
        return (self.context.started_at or self.context.service_date or "")[:10]

    @property
    def instant(self) -> datetime | None:
        """`dated` as a time with zone; none where there is none, or no zone."""
        try:
            at = datetime.fromisoformat(self.dated)
        except ValueError:
            return None
        return at if at.tzinfo else None

    @property
    def running(self) -> tuple[str, ...]:
        """What stands on every page: whose note of which day it is, and that it is a draft."""
        known = self.context
        return tuple(
            one
            for one in (
                self.banner,
                known.client,
                f"DOB {known.date_of_birth}" if known.date_of_birth else "",
                f"ID {known.client_id}" if known.client_id else "",
                self.service_date,
            )
            if one
        )

    def open_by_kind(self) -> Iterator[tuple[str, tuple[OpenItem, ...]]]:
        """What is open under its titles, the gravest first but for what is to be entered."""
        for kind, title in OPEN_TITLES.items():
            items = tuple(one for one in self.open_items if one.kind == kind)
            if items:
                yield title, items


def document(
    note: Note | Review, context: NoteContext | None = None, *, transcript: Transcript | None = None
) -> Document:
    """The document of a draft, or of a note under review, signed or not.

    `context` is the chart and the session's clock; of a signed note what was known when it was signed counts. With a
    `transcript` it is appended, and only then.
    """
    review = note if isinstance(note, Review) else Review(note)
    signed = review.signed
    known = _tidied((signed.context if signed else None) or context or NoteContext())
    sections = signed.draft.sections if signed else review.note.sections
    key = signed.draft.format if signed else review.note.format
    signer = tidy(signed.signer) if signed else ""
    return Document(
        title=_title(key),
        format=tidy(key),
        state=review.state,
        late_entry=tidy(review.late_entry or ""),
        header=tuple(_header(review.note, known, signed is not None)),
        parts=tuple(_part(one, known, signed is not None) for one in sections),
        signature=tuple(_signature(review, known, signer)),
        addenda=tuple(_later(one, at) for at, one in enumerate(review.addenda, 1)),
        open_items=() if signed else tuple(_open(review.note)),
        transcript=tuple(_said(transcript)) if transcript else (),
        context=known,
        signer=signer,
        signed_at=signed.signed_at if signed else "",
        dated=_dated(review, known),
        digest=signed.digest if signed else "",
        cpt=review.note.billing.cpt or "",
        cosigner=tidy(signed.cosigner) if signed else "",
    )


# Text that no file format trips over

_BIDI = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]")
"""Marks that turn the direction of what follows: a name must not reorder the words of a record."""
_UNSAFE = ("Cc", "Cs", "Cn", "Co")


def tidy(text: str) -> str:
    """One line of text that XML, JSON, PDF and a terminal all take.

    White space and line ends become single spaces; control characters, direction marks, lone surrogates, private-use
    characters and code points that are no character are left out; the rest is composed (NFC).
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    spaced = re.sub(r"\s", " ", _BIDI.sub("", text))
    kept = "".join(one for one in spaced if one.isprintable() or unicodedata.category(one) not in _UNSAFE)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(one for one in map(tidy, re.split(r"[\r\n\v\f\x85\u2028\u2029]+", text)) if one)


def _tidied(context: NoteContext) -> NoteContext:
    """The context with every text tidied; what is empty then is none."""
    safe: dict[str, object] = {}
    for name in (one.name for one in fields(context)):
        value = getattr(context, name)
        if isinstance(value, str):
            safe[name] = tidy(value) or None
        elif isinstance(value, tuple) and all(isinstance(one, str) for one in value):
            safe[name] = tuple(filter(None, map(tidy, value)))
    return replace(context, **safe)  # type: ignore[arg-type]


def _title(key: str) -> str:
    try:
        return tidy(named(key).title)
    except BadFormat:  # a practice's own format is not among those that come along
        return tidy(f"{key} note")


# The header


def _header(note: Note, context: NoteContext, is_signed: bool) -> Iterator[Field]:
    def line(label: str, value: str | None) -> Field:
        return Field(label, value) if value else Field(label, NOT_RECORDED if is_signed else TO_ENTER, missing=True)

    def known(label: str, value: str | None) -> Iterator[Field]:
        if value:
            yield Field(label, value)

    start, stop = context.started_at or "", context.ended_at or ""
    yield line("Client", context.client)
    yield from known("Date of birth", context.date_of_birth)
    yield from known("Client ID", context.client_id)
    if not (context.date_of_birth or context.client_id):
        yield line("Date of birth or client ID", None)
    yield line("Date of service", (start or context.service_date or "")[:10])
    yield line("Start and stop", f"{start[11:16]} to {stop[11:16]}" if start and stop else None)
    yield Field("Minutes", _minutes(note))
    yield Field("CPT code", _code(note, is_signed))
    yield line("Diagnosis", context.diagnosis)
    yield line("Modality", MODALITIES.get(context.modality or ""))
    yield from known("Place", context.place)
    yield from known("Participants", ", ".join(context.participants))
    yield from known("Group size", str(context.group_size) if context.group_size else None)
    if (context.modality or "").startswith("telehealth"):
        yield line("Client's location", context.client_location)
        yield line("Provider's location", context.provider_location)
        yield line("Consent to telehealth", context.telehealth_consent)
        yield from known("Platform", context.platform)
        yield from known("Place of service", _place_of_service(context))
        yield Field("Modifier", "95" if context.modality == "telehealth_video" else "93")
    yield from known("Audio", context.audio)
    if context.provider and context.credentials:
        yield Field("Provider", f"{context.provider}, {context.credentials}")
    else:
        yield line("Provider", context.provider)
        yield line("Credentials", context.credentials)


def _minutes(note: Note) -> str:
    minutes = str(note.billing.minutes)
    return minutes if note.billing.source == "clock" else f"{minutes} (span of what was heard, not of the clock)"


def _code(note: Note, is_signed: bool) -> str:
    """The code; how far the next one is helps whoever edits a draft, and is no matter of the record."""
    if is_signed:
        return note.billing.cpt or "none: under the least time of a psychotherapy code"
    return told(note.billing).partition(": ")[2]


def _place_of_service(context: NoteContext) -> str:
    if not context.client_location:
        return ""
    return "10 (client at home)" if "home" in context.client_location.lower() else "02 (telehealth, not at home)"


# The sections


def _part(section: Section, context: NoteContext, is_signed: bool) -> Part:
    told = (one for one in section.statements if not is_prompt(one) and not _in_header(one, context))
    made = (Sentence(tidy(one.text), "" if is_signed else _mark(one)) for one in told)
    return Part(tidy(section.name), tuple(one for one in made if one.text))


def _mark(statement: Statement) -> Mark:
    if not statement.supported:
        return "unsupported"
    return "chart" if statement.provenance == "chart" else ""


def _in_header(statement: Statement, context: NoteContext) -> bool:
    """Whether the header says the same: the clock's times with the code and its margin, modality and place."""
    if statement.provenance != "chart":
        return False
    start, stop = context.started_at or "", context.ended_at or ""
    times = f"Session on {start[:10]}, start {start[11:16]}, stop {stop[11:16]}."
    return statement.text.startswith("Modality: ") or bool(start and stop and statement.text.startswith(times))


def _open(note: Note) -> Iterator[OpenItem]:
    """What is open in a draft: what to enter, what is suggested, then the findings."""
    for section in note.sections:
        for one in filter(is_prompt, section.statements):
            kind: OpenKind = "enter" if re.search(r"\bto be entered\b", one.text) else "suggested"
            yield OpenItem(kind, tidy(one.text), tidy(section.name))
    for found in note.checks:
        yield OpenItem(found.severity, tidy(found.message), tidy(found.section))


# Signature, addenda, transcript


def _signature(review: Review, context: NoteContext, signer: str) -> Iterator[Field]:
    if review.signed is None:
        return
    own = context.credentials if signer == context.provider else ""
    yield Field("Signed by", _named(signer, tidy(review.signed.credentials) or own or ""))
    yield Field("Signed at", clock(review.signed.signed_at))
    if review.state == "awaiting":
        yield Field("Co-signature", "awaited")
    if review.signed.cosigner:
        yield Field("Co-signed by", _named(tidy(review.signed.cosigner), tidy(review.signed.cosigner_credentials)))
        yield Field("Co-signed at", clock(review.signed.cosigned_at))
    yield Field("Digest of the signed text (SHA-256)", review.signed.digest)


def _later(one: Addendum, number: int) -> Later:
    who = _named(tidy(one.who), tidy(one.credentials))
    return Later(f"Addendum {number}, {clock(one.at)}, {who}", _paragraphs(one.text))


def _named(who: str, credentials: str) -> str:
    return who if not credentials or who.endswith(credentials) else f"{who}, {credentials}"


def _dated(review: Review, context: NoteContext) -> str:
    if review.addenda:
        return review.addenda[-1].at
    if review.signed:
        return review.signed.cosigned_at or review.signed.signed_at
    return context.ended_at or context.started_at or ""


def clock(at: str) -> str:
    """An ISO time for people, with its distance from UTC: 2026-01-31 17:40 (UTC+01:00)."""
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return tidy(at)
    offset = instant.utcoffset()
    if offset is None:
        return f"{instant:%Y-%m-%d %H:%M}"
    sign, size = ("-", -offset) if offset < timedelta(0) else ("+", offset)
    hours, rest = divmod(int(size.total_seconds()) // 60, 60)
    return (
        f"{instant:%Y-%m-%d %H:%M} (UTC{sign}{hours:02d}:{rest:02d})" if size else f"{instant:%Y-%m-%d %H:%M} (UTC)"
    )


def _said(transcript: Transcript) -> Iterator[Said]:
    for one in transcript.utterances:
        minutes, rest = divmod(int(seconds(one.start)), 60)
        who = transcript.roles.get(one.speaker)
        yield Said(f"{minutes:02d}:{rest:02d}", (who or tidy(one.speaker)).capitalize(), tidy(one.text))
