"""What a note from a recap says of time and risk, what it still lacks, and which rules it does not meet. Pure.

Of a note as the recap made it, and of one that a clinician has changed since: there its own sentences count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from drafting.billing import Billing, billing, coded, told
from drafting.checks import findings
from drafting.clones import Earlier, Print
from drafting.formats import NoteFormat
from drafting.note import CheckFinding, Note
from drafting.recap_pieces import Piece, patterns, pieces
from drafting.recap_questions import ANSWERED, Question, missing
from drafting.recap_risk import Entered, entered
from drafting.recap_time import Given, given
from drafting.render import sections as rendered
from drafting.risk import EMPTY
from drafting.verify import verify
from streaming.types import NoteContext, Section, Statement, Transcript

RECAP = "recap"
"""The writer of a note that was made from a recap."""


@dataclass(frozen=True, slots=True)
class Line:
    """A piece with the statement that tells it."""

    piece: Piece
    statement: Statement


def again(
    note: Note,
    context: NoteContext,
    note_format: NoteFormat,
    made_of: Mapping[str, Any],
    *,
    earlier: Sequence[Earlier | str] = (),
    others: Sequence[str | Print] = (),
) -> Note:
    """A recap's note as it stands now, with chart lines, time, risk and findings of just its words and the context.

    `made_of` is the JSON of the recap's draft, which says what its sentences are about and which questions were
    answered; `earlier` and `others` as `core.assemble` has them.
    """
    transcript = Transcript((), {}, (), context)
    about = dict(made_of.get("about", ()))
    lines = [
        Line(piece, said)
        for section in note.sections
        for said in section.statements
        if said.provenance == "clinician"
        for piece in _pieces(said.text, about.get(said.text))
    ]
    fresh = replace(
        note,
        sections=verify(_with_chart(note.sections, rendered(note_format, (), EMPTY, transcript)), transcript),
        billing=billed(transcript, given([one.piece for one in lines])),
    )
    answered = dict.fromkeys(made_of.get("answered", ()), "")
    made, _ = judged(lines, fresh, transcript, note_format, answered, earlier=earlier, others=others)
    return made


def _pieces(text: str, about: Sequence[str] | None) -> tuple[Piece, ...]:
    """What a sentence is about: as the recap said it, where it is the recap's still."""
    return pieces(text) if about is None else (Piece(0, len(text), text, tuple(about)),)


def judged(
    lines: Sequence[Line],
    note: Note,
    transcript: Transcript,
    note_format: NoteFormat,
    answered: Mapping[str, str],
    *,
    earlier: Sequence[Earlier | str] = (),
    others: Sequence[str | Print] = (),
) -> tuple[Note, tuple[Question, ...]]:
    """The note with what its lines enter of risk and the findings that stand, and what is still to ask."""
    found = given([one.piece for one in lines])
    of_risk = entered([one.piece for one in lines], [one.statement.text for one in lines])
    spoken_of = {kind for one in lines for kind in one.piece.kinds}
    steps = patterns()["risk"]["steps"]
    asks = missing(
        spoken_of,
        of_risk,
        times=bool(found.minutes) or note.billing.source == "clock",
        steps=any(steps.search(one.statement.text.lower()) for one in lines),
        answered=answered,
    )
    rules = findings(note, (), transcript, note_format, earlier=earlier, others=others)
    checks = (
        *_follow_up(asks, note_format),
        *_code_fits(found, note.billing, note_format),
        *_unanswered(rules, spoken_of, of_risk, found, note.billing),
    )
    return replace(note, checks=checks, entered=of_risk), asks


def billed(transcript: Transcript, found: Given) -> Billing:
    """By the session's clock where there is one, else by what the clinician gave."""
    measured = billing(transcript)
    if measured.source == "clock" or found.minutes is None:
        return measured
    return coded(found.minutes, "entered", transcript.context.service, transcript.context)


def _with_chart(drafted: Sequence[Section], ours: Sequence[Section]) -> tuple[Section, ...]:
    """The sections with the chart's lines as they are now, where they stood."""
    fresh = {one.name: [said for said in one.statements if said.provenance == "chart"] for one in ours}
    return tuple(
        Section(
            one.name,
            (*(said for said in one.statements if said.provenance != "chart"), *fresh.get(one.name, ())),
        )
        for one in drafted
    )


def _follow_up(asks: Sequence[Question], note_format: NoteFormat) -> list[CheckFinding]:
    """An error for risk that was entered and not followed up: it stands until the question is answered."""
    return [
        CheckFinding("risk_follow_up", "error", one.text, note_format.home("risk"))
        for one in asks
        if one.kind in ("risk_follow_up", "risk_clear", "risk_safety")
    ]


_TIMED = ("90832", "90834", "90837")


def _code_fits(found: Given, bill: Billing, note_format: NoteFormat) -> list[CheckFinding]:
    """A warning where the code that was written does not fit the minutes."""
    if found.code not in _TIMED or not bill.minutes or found.code == bill.cpt:
        return []
    message = f"The recap says {found.code}, the time says {told(bill)}: correct the one that is wrong."
    return [CheckFinding("cpt_mismatch", "warning", message, note_format.home("session"))]


def _unanswered(
    checks: Sequence[CheckFinding], spoken_of: set[str], of_risk: Sequence[Entered], found: Given, bill: Billing
) -> list[CheckFinding]:
    """The findings that the clinician's own words do not answer."""
    answered = {rule for rule, kinds in ANSWERED.items() if kinds & spoken_of}
    if any(one.item == "si" and one.finding in ("denied", "endorsed") for one in of_risk):
        answered.add("risk_not_assessed")
    if found.start is not None:
        answered.add("start_stop_times")
    if bill.minutes == 0 and bill.source != "clock":
        answered.add("cpt_minutes")  # the times are asked for; there is nothing yet that could be too short
    return [one for one in checks if one.rule not in answered]
