"""What came of requests that nobody should send: how many, answered how, and the faults. Pure."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["5xx", "hang", "content of another practice", "broken answer", "log"]
MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that did harm. `what` is how it was made or what it was answered with, shortened."""

    kind: Kind
    request: str
    what: str


@dataclass(slots=True)
class Tally:
    """Counts a part's requests."""

    part: str
    sent: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    by_request: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    slowest_s: float = 0.0

    def answered(self, request: str, status: int | str, took_s: float = 0.0) -> None:
        """One request of this kind came to an answer: a status, or how a connection was closed."""
        self.sent += 1
        self.answers[str(status)] += 1
        self.by_request[request] += 1
        self.slowest_s = max(self.slowest_s, took_s)

    def fault(self, kind: Kind, request: str, what: str) -> None:
        """It did harm."""
        if len(self.faults) < MOST_KEPT:
            self.faults.append(Fault(kind, request, what[:300]))

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "part": self.part,
            "sent": self.sent,
            "answers": dict(sorted(self.answers.items())),
            "kinds_of_request": len(self.by_request),
            "least_of_a_kind": min(self.by_request.values(), default=0),
            "slowest_s": round(self.slowest_s, 3),
            "faults": [asdict(one) for one in self.faults],
        }
