"""A typed or dictated recap of two or three lines as a note: those facts alone, chart marked. Pure.

Every piece of the recap stands in the note once, as the clinician's; what comes from the chart is marked as chart,
and what is missing is asked for, at most three questions at a time and those first whose absence could harm most. An
answer is folded in as another piece, and what is still missing is asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from drafting.billing import Billing, told
from drafting.formats import NoteFormat, named
from drafting.note import Note
from drafting.recap_checks import RECAP, Line, billed, judged
from drafting.recap_pieces import Piece, pieces
from drafting.recap_questions import LABELS, MAX_QUESTIONS, Question
from drafting.recap_risk import Entered
from drafting.recap_time import Given, given
from drafting.recap_words import alone, worded
from drafting.render import sections as rendered
from drafting.risk import EMPTY
from drafting.verify import verify
from streaming.errors import PeerError
from streaming.types import NoteContext, Section, Statement, Transcript, UtteranceId


class BadRecap(PeerError):
    """A recap, or something that came with it, that cannot be used."""

    code = "bad_recap"


@dataclass(frozen=True, slots=True)
class Recap:
    """A note from a recap, what to ask the clinician (at most three), and the header of a late entry."""

    note: Note
    questions: tuple[str, ...]
    header: str = ""
    asks: tuple[Question, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    lines: tuple[Line, ...] = ()

    @property
    def risk_entered(self) -> tuple[Entered, ...]:
        """What the clinician entered of risk."""
        return self.note.entered

    def as_json(self) -> dict[str, Any]:
        """The draft object with `questions` (their kinds beside them) and `header`.

        `about` says what each sentence is about, `answered` which questions were: what `recap_checks.again` needs.
        """
        return self.note.as_json() | {
            "about": [[one.statement.text, list(one.piece.kinds)] for one in self.lines],
            "answered": [kind for kind, _ in self.answers],
            "questions": list(self.questions),
            "question_kinds": [one.kind for one in self.asks],
            "header": self.header,
        }


@dataclass(frozen=True, slots=True)
class Spoken:
    """A dictated recap: its utterances in order of time, each with its words."""

    utterances: tuple[tuple[UtteranceId, str], ...]

    @property
    def text(self) -> str:
        return " ".join(text.strip() for _, text in self.utterances)

    def evidence(self, start: int, end: int) -> tuple[UtteranceId, ...]:
        """The utterances that hold these characters of the text."""
        at, found = 0, []
        for name, said in self.utterances:
            length = len(said.strip())
            if at < end and start < at + length:
                found.append(name)
            at += length + 1
        return tuple(found)


_HOMES: dict[str, tuple[str, ...]] = {
    "risk": ("risk",),
    "session": ("session",),
    "homework_reviewed": ("homework_reviewed", "symptom"),
    "assessment": ("progress", "risk"),
    "diagnosis": ("diagnosis", "risk"),
    "measure": ("measure", "symptom"),
    "progress": ("progress", "goals"),
    "goal": ("goals", "goal", "progress"),
    "plan": ("homework", "plan"),
    "history": ("history", "symptom"),
    "response": ("responses", "response", "interventions"),
    "intervention": ("interventions", "session"),
    "medication": ("medication", "history", "symptom"),
    "function": ("function", "symptom"),
    "symptom": ("symptom", "function"),
}


def recap(
    text: str | Spoken,
    context: NoteContext | None = None,
    format: str = "soap",
    *,
    written_on: str | None = None,
    late_reason: str = "",
    service_date: str | None = None,
    answers: Sequence[tuple[str, str]] = (),
) -> Recap:
    """The recap's pieces in the sections they belong to, as the clinician's; nothing else but the chart.

    `written_on` and `service_date` are ISO dates; a note written after the session's date (the context's start, else
    `service_date`) is a late entry. `answers` are pairs of a question's kind and its answer, in order. Raises
    BadFormat, BadRecap.
    """
    return of_format(
        text, named(format), context, written_on=written_on, late_reason=late_reason, service_date=service_date,
        answers=answers,
    )  # fmt: skip


def of_format(
    text: str | Spoken,
    note_format: NoteFormat,
    context: NoteContext | None = None,
    *,
    written_on: str | None = None,
    late_reason: str = "",
    service_date: str | None = None,
    answers: Sequence[tuple[str, str]] = (),
) -> Recap:
    """`recap` in a format that is at hand, such as a practice's own."""
    context = context or NoteContext()
    transcript = Transcript((), {}, (), context)
    lines = _lines(text, answers)
    found = given([one.piece for one in lines])
    bill = billed(transcript, found)
    base = _without_prompts(rendered(note_format, (), EMPTY, transcript), lines, found, bill)
    written = tuple(
        Section(
            one.name, (*(said.statement for said in lines if _home(said, note_format) == one.name), *one.statements)
        )
        for one in base
    )
    note = Note(1, note_format.key, verify(written, transcript), EMPTY, (), bill, RECAP)
    made, asks = judged(lines, note, transcript, note_format, dict(answers))
    served = context.started_at or service_date or context.service_date
    return Recap(
        made,
        tuple(one.text for one in asks),
        late_entry(written_on, served, late_reason),
        asks,
        tuple(answers),
        tuple(lines),
    )


def _lines(text: str | Spoken, answers: Sequence[tuple[str, str]]) -> list[Line]:
    whole = text if isinstance(text, str) else text.text
    nobody_else = alone(whole)
    lines = []
    for one in pieces(whole):
        evidence = text.evidence(one.start, one.end) if isinstance(text, Spoken) else ()
        lines.append(_line(one, worded(one.source, alone=nobody_else, dictated=isinstance(text, Spoken)), evidence))
    for kind, answer in answers:
        if kind not in LABELS:
            raise BadRecap("An answer is to no question that is known.", mend=f"Use one of {', '.join(LABELS)}.")
        lines += _answered(kind, answer, nobody_else)
    return lines


def _answered(kind: str, answer: str, nobody_else: bool) -> list[Line]:
    """An answer's pieces where the question belongs; one that does not say by itself what it is gets the label."""
    lines = []
    for one in pieces(answer):
        said = worded(one.source, alone=nobody_else)
        home = LABELS[kind].home
        if home not in one.kinds or one.kind != home:
            label = LABELS[kind].label
            said = f"{label}: {said}" if not said.lower().startswith(label.lower()) else said
            one = replace(one, kinds=(home, *[other for other in one.kinds if other != home]))
        lines.append(_line(one, said, ()))
    return lines


def _line(piece: Piece, sentence: str, evidence: tuple[UtteranceId, ...]) -> Line:
    if piece.kind == "risk" and not sentence.lower().startswith("risk:"):
        sentence = f"Risk: {sentence}"
    return Line(piece, Statement(sentence, "clinician", evidence))


def _home(line: Line, note_format: NoteFormat) -> str:
    if line.piece.kind == "observation":
        return _observed(note_format)
    homes = (note_format.home(kind) for kind in _HOMES[line.piece.kind])
    return next((home for home in homes if home), note_format.sections[0].name)


def _observed(note_format: NoteFormat) -> str:
    """Where the format asks for appearance and mental status."""
    for section in note_format.sections:
        if any(part.kind == "prompt" and "mental status" in part.text.lower() for part in section.parts):
            return section.name
    return note_format.home("measure", "session") or note_format.sections[0].name


def _without_prompts(
    sections: Sequence[Section], lines: Sequence[Line], found: Given, bill: Billing
) -> tuple[Section, ...]:
    """Without the prompts that the recap has answered; those for times say what is still missing."""
    first = {one.piece.kind for one in lines}
    kinds = {kind for one in lines for kind in one.piece.kinds}

    def kept(said: Statement) -> Statement | None:
        low = said.text.lower()
        if said.provenance != "suggestion":
            return said
        if low.startswith("risk: not assessed") and "risk" in first:
            return None
        if "mental status" in low and "observation" in kinds:
            return None
        if "medical necessity" in low and "assessment" in first:
            return None
        return _times(said, found, bill) if low.startswith("start and stop times") else said

    return tuple(
        Section(one.name, tuple(said for each in one.statements if (said := kept(each)) is not None))
        for one in sections
    )


def _times(said: Statement, found: Given, bill: Billing) -> Statement:
    if found.start is not None:
        return replace(said, text=f"Code by the times entered: {told(bill)}.")
    if found.minutes is not None:
        return replace(said, text=f"Start and stop times: to be entered; by the minutes entered, {told(bill)}.")
    return replace(said, text="Start and stop times: to be entered.")


def late_entry(written_on: str | None, served: str | None, reason: str = "") -> str:
    """The header of a note that is written after the day of service; "" for one that is not. Raises BadRecap."""
    if not written_on or not served:
        return ""
    try:
        written, of = date.fromisoformat(written_on[:10]), date.fromisoformat(served[:10])
    except ValueError:
        raise BadRecap("A date is not ISO 8601.", mend="Give it as 2026-01-31.") from None
    if written <= of:
        return ""
    return (
        f"Late entry, written {written} for the session of {of}. Reason: {reason.strip().rstrip('.') or 'not given'}."
    )


def answer(answers: Sequence[tuple[str, str]], more: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The answers so far with new ones behind them. Raises BadRecap for an unknown question, or no answer."""
    for kind, text in more.items():
        if kind not in LABELS:
            raise BadRecap("An answer is to no question that is known.", mend=f"Use one of {', '.join(LABELS)}.")
        if not any(letter.isalnum() for letter in text):
            raise BadRecap("An answer has no words.", mend="Leave it out, or write a few words.")
    return (*answers, *more.items())


__all__ = ["MAX_QUESTIONS", "BadRecap", "Recap", "Spoken", "answer", "late_entry", "of_format", "recap"]
