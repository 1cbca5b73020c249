"""A drafted note with all that a clinician checks before signing it. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

from drafting.billing import Billing
from drafting.recap_risk import Entered
from drafting.risk import Ledger
from streaming.types import Draft, Section, Statement, UtteranceId

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """A rule that the note does not meet: how grave, how to mend it, and in which section.

    `evidence` are the utterances to read again, where the rule speaks of some.
    """

    rule: str
    severity: Severity
    message: str
    section: str
    evidence: tuple[UtteranceId, ...] = ()

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "rule": self.rule,
            "severity": self.severity,
            "message": self.message,
            "section": self.section,
        }
        return body | ({"evidence": list(self.evidence)} if self.evidence else {})


@dataclass(frozen=True, slots=True)
class Note:
    """A draft with its risk ledger, findings and billing; `writer` names who wrote the sentences."""

    version: int
    format: str
    sections: tuple[Section, ...]
    risk: Ledger
    checks: tuple[CheckFinding, ...]
    billing: Billing
    writer: str = "embedded"
    entered: tuple[Entered, ...] = ()
    """What a recap says of risk: the clinician's word, which stands beside what was heard."""

    @property
    def draft(self) -> Draft:
        """The note's text alone."""
        return Draft(self.version, self.format, self.sections)

    @property
    def unsupported(self) -> int:
        """How many sentences have no support where they say they do."""
        return sum(not one.supported for section in self.sections for one in section.statements)

    def as_json(self) -> dict[str, Any]:
        """The object that `sameday draft --json` prints; in `risk` what was entered stands apart."""
        risk = self.risk.as_json()
        for one in self.entered:
            risk[one.item] = risk[one.item] | {"entered": {"finding": one.finding, "text": one.text}}
        return {
            "format": self.format,
            "sections": [
                {
                    "name": section.name,
                    "statements": [statement_json(one) for one in section.statements],
                }
                for section in self.sections
            ],
            "risk": risk,
            "checks": [one.as_json() for one in self.checks],
            "billing": self.billing.as_json(),
            "unsupported": self.unsupported,
            "writer": self.writer,
        }


def statement_json(one: Statement) -> dict[str, Any]:
    """A sentence as JSON; `uncertain` are the words it rests on that were hard to hear."""
    return {
        "text": one.text,
        "provenance": one.provenance,
        "evidence": list(one.evidence),
        "supported": one.supported,
        "uncertain": list(one.uncertain),
    }
