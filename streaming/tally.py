"""What the sessions of a process came to, for its metrics."""

from collections import Counter
from dataclasses import dataclass, field

from streaming.session import Session


@dataclass(slots=True)
class Tally:
    """What the sessions of this process came to, those that are over; ticks are of all tracks."""

    started: int = 0
    taken_up: int = 0
    handed_over: int = 0
    fenced: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    received: int = 0
    transcribed: int = 0
    gaps: Counter[str] = field(default_factory=Counter)

    def close(self, session: Session) -> None:
        """Count a session that is over."""
        state = session.log.state
        self.ended[state.reason or "left"] += 1
        self.received += sum(total.received_ticks for total in state.totals)
        self.transcribed += sum(total.transcribed_ticks for total in state.totals)
        for gap in state.gaps:
            self.gaps[gap.cause] += gap.end - gap.start
