"""How much documentation is done outside working hours, week by week. Pure.

What is counted is when a note was signed, or else drafted: the moments that are known. A share tells where evenings
go; it is the clinician's own figure and nobody else's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from drafting.visits import Visit

WEEKS = 8
"""Weeks that are shown, up to this one."""
LEAST_NOTES = 3
"""Notes in the weeks of a half, below which no trend is told."""
CHANGE = 0.1
"""A share that moves by less is called steady."""

Trend = Literal["falling", "steady", "rising", "unknown"]


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours: weekdays (0 is Monday), from `start` up to `stop` by the clock."""

    weekdays: frozenset[int] = field(default=frozenset(range(5)))
    start: time = time(9)
    stop: time = time(18)

    def holds(self, at: datetime) -> bool:
        """Whether a local time lies within them."""
        return at.weekday() in self.weekdays and self.start <= at.time() < self.stop


@dataclass(frozen=True, slots=True)
class Share:
    """Notes of the week that begins on `monday`, and how many of them were written outside working hours."""

    monday: date
    notes: int
    outside: int

    @property
    def share(self) -> float | None:
        """In [0, 1]; None for a week without notes."""
        return self.outside / self.notes if self.notes else None

    def as_json(self) -> dict[str, object]:
        share = None if self.share is None else round(self.share, 3)
        return {"week": self.monday.isoformat(), "notes": self.notes, "after_hours": self.outside, "share": share}


def shares(visits: Iterable[Visit], hours: Hours, zone: ZoneInfo, today: date) -> tuple[Share, ...]:
    """The last WEEKS weeks up to today's, oldest first."""
    this = today - timedelta(days=today.weekday())
    mondays = [this - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    counted = {monday: [0, 0] for monday in mondays}
    for one in visits:
        written = one.signed_at or one.drafted_at
        if written is None:
            continue
        at = datetime.fromisoformat(written).astimezone(zone)
        week = counted.get(at.date() - timedelta(days=at.weekday()))
        if week is not None and at.date() <= today:
            week[0] += 1
            week[1] += not hours.holds(at)
    return tuple(Share(monday, *counted[monday]) for monday in mondays)


def trend(weeks: Sequence[Share]) -> Trend:
    """Whether the share of the later half is lower or higher than that of the earlier half."""
    half = len(weeks) // 2
    parts = [weeks[:half], weeks[half:]]
    notes = [sum(one.notes for one in part) for part in parts]
    if min(notes) < LEAST_NOTES:
        return "unknown"
    before, after = (sum(one.outside for one in part) / count for part, count in zip(parts, notes, strict=True))
    if abs(after - before) < CHANGE:
        return "steady"
    return "rising" if after > before else "falling"
