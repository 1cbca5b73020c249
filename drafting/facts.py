"""The canonical facts of a session, which every note format is rendered from. Nothing of ours but the vocabulary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from streaming.types import Role, Tick, UtteranceId

FactKind = Literal[
    "concern",
    "symptom",
    "function",
    "stressor",
    "history",
    "substance",
    "measure",
    "medication",
    "homework_reviewed",
    "motivation",
    "goal",
    "intervention",
    "response",
    "progress",
    "homework",
    "plan",
    "appointment",
    "quote",
]
Polarity = Literal["affirmed", "denied"]
FactTime = Literal["past", "present", "future"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was said, with the utterances that show it.

    `text` is the words, clean verbatim; `sentence` says it in the third person; `evidence` is never empty. `detail`
    holds what the kind has: topic, severity, frequency, trend, technique, target, agreed. `weight` ranks facts of one
    kind, `start` orders them.
    """

    kind: FactKind
    text: str
    sentence: str
    evidence: tuple[UtteranceId, ...]
    speaker: Role
    start: Tick
    polarity: Polarity = "affirmed"
    time: FactTime = "present"
    experiencer: Literal["client", "other"] = "client"
    weight: float = 1.0
    detail: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError("a fact needs evidence")
