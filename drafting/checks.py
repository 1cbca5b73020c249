"""What a note lacks before it can be signed: dated rule packs of rules/ over the note and its facts. Pure.

A rule names a need; a need is a function below that says whether the note has it. What is missing because nobody said
it stays a finding: nothing is filled in to satisfy a rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drafting.data import load
from drafting.facts import Fact
from drafting.formats import NoteFormat
from drafting.note import CheckFinding, Note
from drafting.risk import NotAsked
from streaming.types import RoleGuess, Transcript

SURE_ROLES = 0.9


@dataclass(frozen=True, slots=True)
class Subject:
    """All that a rule may look at."""

    note: Note
    facts: Sequence[Fact]
    transcript: Transcript
    guessed: RoleGuess | None

    def has(self, *kinds: str) -> bool:
        """Whether a fact of one of these kinds is told in the note."""
        told = {one.text for section in self.note.sections for one in section.statements}
        return any(one.kind in kinds and one.sentence in told for one in self.facts)


def _measured(subject: Subject) -> bool:
    """A current symptom or use with severity, frequency or duration."""
    kinds = ("symptom", "substance", "measure", "progress")
    return any(one.kind in kinds and {"frequency", "severity", "duration"} & set(one.detail) for one in subject.facts)


def _followed(subject: Subject) -> bool:
    ledger = subject.note.risk
    if ledger["si"].state not in ("endorsed", "volunteered"):
        return True
    return all(ledger[item].state != "not_asked" for item in ("plan", "intent", "means"))


def _named_progress(subject: Subject) -> bool:
    return subject.has("progress") and bool(subject.transcript.context.goals)


NEEDS: dict[str, Callable[[Subject], bool]] = {
    "client": lambda subject: bool(subject.transcript.context.client),
    "times": lambda subject: subject.note.billing.source == "clock",
    "cpt": lambda subject: subject.note.billing.cpt is not None,
    "diagnosis": lambda subject: bool(subject.transcript.context.diagnosis),
    "symptoms": _measured,
    "function": lambda subject: any(one.kind == "function" for one in subject.facts),
    "technique": lambda subject: any(
        one.kind == "intervention" and one.detail.get("target") for one in subject.facts
    ),
    "response": lambda subject: any(one.kind == "response" for one in subject.facts),
    "progress": _named_progress,
    "risk": lambda subject: any(
        one.text.startswith("Risk:") for section in subject.note.sections for one in section.statements
    ),
    "risk_asked": lambda subject: subject.note.risk["si"].state != "not_asked",
    "risk_clear": lambda subject: all(
        not isinstance(one, NotAsked) or one.question is None for one in subject.note.risk.findings
    ),
    "risk_followed": _followed,
    "plan": lambda subject: any(one.kind in ("homework", "plan", "appointment") for one in subject.facts),
    "modality": lambda subject: bool(subject.transcript.context.modality),
    "roles": lambda subject: subject.guessed is None or subject.guessed.confidence >= 1.0,
    "supported": lambda subject: subject.note.unsupported == 0,
}


def findings(
    note: Note,
    facts: Sequence[Fact],
    transcript: Transcript,
    note_format: NoteFormat,
    guessed: RoleGuess | None = None,
    packs: Sequence[str] = ("every_session",),
) -> tuple[CheckFinding, ...]:
    """The rules of these packs that the note does not meet, in the packs' order."""
    subject = Subject(note, facts, transcript, guessed)
    return tuple(
        CheckFinding(rule["id"], rule["severity"], rule["message"], note_format.home(*rule["home"]))
        for pack in packs
        for rule in load(f"rules/{pack}.toml")["rule"]
        if not NEEDS[rule["needs"]](subject)
    )
