"""Who is in a session, and who of them has agreed to be recorded. Pure.

Participants are named by role or by a label, such as "client" or "partner". One who has left need not agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streaming.types import ConsentWay


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody agreed, how, and when (ISO 8601)."""

    how: ConsentWay
    at: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a session begins: who is there, who of them agrees and how, and what they were told."""

    present: tuple[str, ...]
    agreed: Mapping[str, ConsentWay]
    script: str = ""

    @property
    def complete(self) -> bool:
        """Whether everybody who is there agrees."""
        return set(self.present) <= set(self.agreed)


@dataclass(slots=True)
class Consents:
    """Of one session, by participant in the order in which they came."""

    present: list[str] = field(default_factory=list)
    given: dict[str, Consent] = field(default_factory=dict)
    script: str = ""
    """What they were told, as it was read or shown last."""

    @property
    def missing(self) -> list[str]:
        """Who is there and has not agreed."""
        return [who for who in self.present if who not in self.given]

    def comes(self, who: str) -> None:
        """Somebody is there."""
        if who not in self.present:
            self.present.append(who)

    def goes(self, who: str) -> None:
        """Somebody is there no longer; who comes back is asked again."""
        if who in self.present:
            self.present.remove(who)
        self.given.pop(who, None)

    def agrees(self, who: str, consent: Consent, script: str = "") -> None:
        """Somebody agrees, who is there by that."""
        self.comes(who)
        self.given[who] = consent
        self.script = script or self.script
