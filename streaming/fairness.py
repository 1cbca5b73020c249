"""Whose window is recognized next: the policy of the recognizer's queue. Pure: the clock is an argument.

Final windows go before tentative ones, and within each kind the sessions take turns. A session whose audio comes at
the pace of speech has at most one window a second here, so turns alone would do, but for one that sends an hour at
once: a window of its own would always be running when another session's comes up, and a running window cannot be
stopped. So a session that has run ahead of the clock rests between its windows while others speak; alone it has the
whole machine.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

BURST_S = 12.0
"""Audio that a session may be ahead of the clock: the longest window, and what a network held back for a moment."""
REFILL = 1.1
"""Seconds of audio a second that are nobody's harm: the pace of speech, and a little to catch up with."""
DEBT_S = 6.0
"""A session that flooded is like any other again after so long."""
REST = 3.0
"""How long a flooding session rests, in the time its last window took: it has a quarter of the recognizer then, so
that three in four windows of the others find it free."""
PATIENCE_S = 2.0
"""A flooding session shares no batch with others, which would take longer for it; after so long it does."""
SPEAKING_S = 5.0
"""Others count as speaking for so long after their last window."""
_FORGOTTEN_S = 120.0


class Queued(Protocol):
    """What the queue asks of a job. `end_s` is the stream time of its window's end."""

    @property
    def owner(self) -> str: ...

    @property
    def final(self) -> bool: ...

    @property
    def end_s(self) -> float: ...

    @property
    def wanted(self) -> bool:
        """False once nobody waits for it."""
        ...


Job = TypeVar("Job", bound=Queued)


@dataclass(slots=True)
class _Owner:
    reached_s: float
    at_s: float
    credit_s: float = BURST_S
    rests_until_s: float = 0.0

    def advance(self, end_s: float, now_s: float) -> None:
        """Take in how far the session's audio has come."""
        ahead = max(0.0, end_s - self.reached_s)
        earned = REFILL * (now_s - self.at_s)
        self.credit_s = max(-DEBT_S, min(BURST_S, self.credit_s + earned) - ahead)
        self.reached_s, self.at_s = max(self.reached_s, end_s), now_s

    def floods(self, now_s: float) -> bool:
        return self.credit_s + REFILL * (now_s - self.at_s) < 0


@dataclass(slots=True)
class FairQueue(Generic[Job]):
    """Jobs by session. Bounded by its users: a track has one job here at a time."""

    _finals: "OrderedDict[str, deque[Job]]" = field(default_factory=OrderedDict)
    _partials: "OrderedDict[str, deque[Job]]" = field(default_factory=OrderedDict)
    _owners: dict[str, _Owner] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[int, int]:
        """Jobs that wait, final and tentative."""
        return sum(map(len, self._finals.values())), sum(map(len, self._partials.values()))

    def put(self, job: Job, now_s: float) -> None:
        """Add a job behind those of its session."""
        owner = self._owners.setdefault(job.owner, _Owner(max(0.0, job.end_s - BURST_S), now_s))
        owner.advance(job.end_s, now_s)
        kind = self._finals if job.final else self._partials
        kind.setdefault(job.owner, deque()).append(job)
        for name in [name for name, one in self._owners.items() if now_s - one.at_s > _FORGOTTEN_S]:
            if name not in self._finals and name not in self._partials:
                del self._owners[name]

    def take(self, most: int, now_s: float) -> list[Job]:
        """The jobs to do now, at most so many: finals first, sessions in turn. What nobody wants is dropped."""
        taken: list[Job] = []
        for kind in (self._finals, self._partials):
            self._take_turns(kind, most, now_s, taken)
        return taken

    def expects(self, now_s: float) -> bool:
        """Whether a session that speaks has no job here: one may come at any moment."""
        waiting = set(self._finals) | set(self._partials)
        return any(now_s - one.at_s < SPEAKING_S for name, one in self._owners.items() if name not in waiting)

    def rest_s(self, now_s: float) -> float | None:
        """How long until one that rests may go on; None where nothing waits."""
        waiting = set(self._finals) | set(self._partials)
        return min((max(0.0, self._owners[name].rests_until_s - now_s) for name in waiting), default=None)

    def done(self, owner: str, took_s: float, now_s: float) -> None:
        """A job of the session's has been done, and took so long: one that floods rests now."""
        known = self._owners.get(owner)
        if known is not None and known.floods(now_s):
            known.rests_until_s = now_s + REST * took_s

    def _take_turns(self, kind: "OrderedDict[str, deque[Job]]", most: int, now_s: float, taken: list[Job]) -> None:
        """Take one job of each session in turn; whoever had its turn goes to the end of the line."""
        held: set[str] = set()
        while len(taken) < most:
            while (name := next((one for one in kind if one not in held), None)) is not None:
                line = kind[name]
                while line and not line[0].wanted:
                    line.popleft()
                if not line:
                    del kind[name]
                elif self._held_back(name, now_s, taken):
                    held.add(name)
                else:
                    break
            if name is None:
                return
            taken.append(line.popleft())
            kind.move_to_end(name)
            if not line:
                del kind[name]

    def _held_back(self, name: str, now_s: float, company: list[Job]) -> bool:
        """Whether a session that floods gives way now."""
        mine = self._owners[name]
        if now_s < mine.rests_until_s:
            return self._others_speak(name, now_s)
        patient = now_s < mine.rests_until_s + PATIENCE_S
        return patient and mine.floods(now_s) and any(job.owner != name for job in company)

    def _others_speak(self, name: str, now_s: float) -> bool:
        return any(
            now_s - other.at_s < SPEAKING_S and not other.floods(now_s)
            for one, other in self._owners.items()
            if one != name
        )
