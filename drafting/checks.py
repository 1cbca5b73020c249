"""What a note lacks before it can be signed: dated rule packs of rules/ over the note and its facts. Pure.

A rule names a need; a need is a function below that says whether the note has it. What is missing because nobody said
it stays a finding: nothing is filled in to satisfy a rule.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from drafting.data import load
from drafting.facts import Fact
from drafting.formats import NoteFormat
from drafting.note import CheckFinding, Note
from drafting.risk import NotAsked
from streaming.types import RoleGuess, Section, Transcript

DEFAULT_PACKS = ("every_session", "telehealth", "wording")


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


def _entered(subject: Subject, words: str) -> bool:
    """Whether the clinician wrote something of these words."""
    return any(
        one.provenance == "clinician" and re.search(words, one.text, re.IGNORECASE)
        for section in subject.note.sections
        for one in section.statements
    )


def _quoted_words(section: Section) -> int:
    return sum(len(quote.split()) for one in section.statements for quote in re.findall(r'"([^"]*)"', one.text))


@lru_cache(maxsize=1)
def _vague() -> tuple[re.Pattern[str], re.Pattern[str]]:
    body = load("vague.toml")
    return re.compile(r"\b(?:" + "|".join(body["phrases"]) + r")\b", re.I), re.compile(body["specific"], re.I)


def vague_sections(note: Note) -> dict[str, str]:
    """Sections with a vague phrase of the writer's own and nothing specific from there on, with the first phrase.

    A client's quoted words are theirs, and no fault of the note.
    """
    phrases, specific = _vague()
    found = {}
    for section in note.sections:
        told = " ".join(
            re.sub(r'"[^"]*"', '""', one.text) for one in section.statements if one.provenance != "suggestion"
        )
        for phrase in phrases.finditer(told):
            rest = told[phrase.end() :]
            if not specific.search(rest):
                found[section.name] = phrase[0]
                break
    return found


WHEN: dict[str, Callable[[Subject], bool]] = {
    "always": lambda subject: True,
    "telehealth": lambda subject: (subject.transcript.context.modality or "").startswith("telehealth"),
    "cpt_90837": lambda subject: subject.note.billing.cpt == "90837",
}

NEEDS: dict[str, Callable[[Subject], bool]] = {
    "client": lambda subject: (
        bool(subject.transcript.context.client)
        and bool(subject.transcript.context.date_of_birth or subject.transcript.context.client_id)
    ),
    "provider": lambda subject: bool(subject.transcript.context.provider and subject.transcript.context.credentials),
    "locations": lambda subject: bool(
        subject.transcript.context.client_location and subject.transcript.context.provider_location
    ),
    "telehealth_consent": lambda subject: bool(subject.transcript.context.telehealth_consent),
    "platform": lambda subject: bool(subject.transcript.context.platform),
    "length_reason": lambda subject: _entered(subject, r"\\b(?:length|longer|extended|53|full hour)\\b"),
    "continued_care": lambda subject: _entered(subject, r"\\b(?:continu|medical(?:ly)? necess|ongoing)\\w*"),
    "specific": lambda subject: not vague_sections(subject.note),
    "short_quotes": lambda subject: all(_quoted_words(section) < 250 for section in subject.note.sections),
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
    "roles": lambda subject: subject.guessed is None or subject.guessed.source != "talk",
    "supported": lambda subject: subject.note.unsupported == 0,
}


def findings(
    note: Note,
    facts: Sequence[Fact],
    transcript: Transcript,
    note_format: NoteFormat,
    guessed: RoleGuess | None = None,
    packs: Sequence[str] = DEFAULT_PACKS,
) -> tuple[CheckFinding, ...]:
    """The rules of these packs that the note does not meet, in the packs' order."""
    subject = Subject(note, facts, transcript, guessed)
    rules = [rule for pack in packs for rule in load(f"rules/{pack}.toml")["rule"]]
    return tuple(
        CheckFinding(rule["id"], rule["severity"], rule["message"], _section(rule, note, note_format))
        for rule in rules
        if note.format not in rule.get("except_formats", ())
        and WHEN[rule.get("when", "always")](subject)
        and not NEEDS[rule["needs"]](subject)
    )


def _section(rule: dict[str, Any], note: Note, note_format: NoteFormat) -> str:
    if rule["needs"] == "specific":
        return next(iter(vague_sections(note)), "")
    if rule["needs"] == "supported":
        doubtful = (one.name for one in note.sections if any(not said.supported for said in one.statements))
        return next(doubtful, "")
    return note_format.home(*rule["home"])
