"""The backlog: visits without a signed note, in bands and in order, with blocks that take it to zero. Pure.

Today and the zone are inputs, and so is all that is planned: the same visits on the same day give the same answer.
Days are those of the practice's zone; a block that would start in an hour that the change to summer time leaves out
starts when the clock has gone on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from drafting.after_hours import Hours, Share, shares, trend
from drafting.data import load
from drafting.visits import KINDS, Kind, Visit
from streaming.errors import PeerError

Order = Literal["newest", "audit", "risk"]
ORDERS: tuple[Order, ...] = get_args(Order)
HORIZON_WEEKS = 104
"""A projection that does not reach zero within two years has none."""


class BadPlan(PeerError):
    """A plan for the backlog that cannot be kept, such as a block of no length."""

    code = "bad_plan"


@dataclass(frozen=True, slots=True)
class Slot:
    """Protected time each week: `weekday` 0 is Monday; `start` is the clock's time."""

    weekday: int
    start: time
    minutes: int = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """What the clinician set: weekly slots, new sessions a week, hours of work, minutes a note takes by kind."""

    slots: tuple[Slot, ...] = ()
    new_a_week: float = 0.0
    hours: Hours = field(default_factory=Hours)
    minutes: tuple[tuple[Kind, float], ...] = ()

    def note_minutes(self, kind: Kind) -> float:
        """Minutes that a note of this kind takes: as set, else the middle of what is usual."""
        return dict(self.minutes).get(kind) or sum(budget(kind)) / 2


@dataclass(frozen=True, slots=True)
class Band:
    """Open visits of an age, oldest last, with words for them."""

    key: str
    name: str
    title: str
    advice: str
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of protected time and the visits whose notes it takes, in order."""

    start: datetime
    minutes: int
    visits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Today:
    """The same-day rule: no session goes to the next day without at least a skeleton."""

    visits: int
    without: tuple[str, ...]
    kept: bool
    words: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """All that the page and the command show."""

    today: date
    order: Order
    visits: tuple[Visit, ...]
    """Open ones, in the order chosen."""
    bands: tuple[Band, ...]
    low_min: int
    high_min: int
    oldest: Visit | None
    blocks: tuple[Block, ...]
    zero: date | None
    same_day: Today
    after_hours: tuple[Share, ...]
    after_hours_trend: str
    words: tuple[str, ...]
    signed: int
    """Visits whose notes are signed: what has been done."""

    def as_json(self) -> dict[str, Any]:
        return {
            "today": self.today.isoformat(),
            "order": self.order,
            "count": len(self.visits),
            "signed": self.signed,
            "minutes": {"low": self.low_min, "high": self.high_min},
            "hours": {"low": round(self.low_min / 60, 1), "high": round(self.high_min / 60, 1)},
            "oldest": None if self.oldest is None else self.oldest.date.isoformat(),
            "zero": None if self.zero is None else self.zero.isoformat(),
            "words": list(self.words),
            "bands": [_band_json(one) for one in self.bands],
            "visits": [
                one.as_json() | {"age_days": age(one, self.today), "band": band_key(one, self.today)}
                for one in self.visits
            ],
            "blocks": [
                {"start": one.start.isoformat(), "minutes": one.minutes, "visits": list(one.visits)}
                for one in self.blocks
            ],
            "same_day": {
                "visits": self.same_day.visits,
                "without": list(self.same_day.without),
                "kept": self.same_day.kept,
                "words": self.same_day.words,
            },
            "after_hours": {"weeks": [one.as_json() for one in self.after_hours], "trend": self.after_hours_trend},
            "good_enough": list(_data()["good_enough"]["standard"]),
        }


def _band_json(band: Band) -> dict[str, Any]:
    return {
        "key": band.key,
        "name": band.name,
        "title": band.title,
        "advice": band.advice,
        "count": len(band.visits),
        "visits": [one.id for one in band.visits],
    }


def _data() -> dict[str, Any]:
    return load("backlog.toml")


def budget(kind: Kind) -> tuple[int, int]:
    """The least and the most minutes that a note of this kind usually takes."""
    row = _data()["minutes"][kind]
    return int(row["least"]), int(row["most"])


def age(visit: Visit, today: date) -> int:
    """Days since the visit, 0 for one of today or later."""
    return max(0, (today - visit.date).days)


def band_key(visit: Visit, today: date) -> str:
    """The key of the band that the visit's age lies in."""
    rows = _data()["band"]
    return str([row["key"] for row in rows if age(visit, today) >= row["from_days"]][-1])


def ordered(visits: Iterable[Visit], order: Order) -> tuple[Visit, ...]:
    """Newest first; or those under audit first, payer by payer; or those with risk first. Then by date and id."""
    newest = sorted(visits, key=lambda one: (-one.date.toordinal(), _minus(one.start), one.id))
    if order == "audit":
        return tuple(sorted(newest, key=lambda one: (not one.audit, not one.payer, one.payer.lower())))
    if order == "risk":
        return tuple(sorted(newest, key=lambda one: not one.risk))
    return tuple(newest)


def _minus(start: str | None) -> float:
    return -datetime.fromisoformat(start).timestamp() if start else 0.0


def open_visits(visits: Iterable[Visit], today: date, now: datetime | None = None) -> list[Visit]:
    """Visits up to today, and begun by `now`, that lack a signed note."""
    return [one for one in visits if one.open and one.date <= today and (now is None or one.begun(now))]


def backlog(
    visits: Sequence[Visit],
    *,
    now: datetime,
    zone: ZoneInfo,
    plan: Plan | None = None,
    order: Order = "newest",
) -> Backlog:
    """The backlog at `now` (with zone), by the calendar of `zone`. Raises BadPlan."""
    plan = plan or Plan()
    _check(plan)
    here = now.astimezone(zone)
    today = here.date()
    waiting = ordered(open_visits(visits, today, now), order)
    zero = _zero(waiting, plan, here, zone)
    low = sum(budget(one.kind)[0] for one in waiting)
    high = sum(budget(one.kind)[1] for one in waiting)
    weeks = shares(visits, plan.hours, zone, today)
    return Backlog(
        today,
        order,
        waiting,
        _bands(waiting, today),
        low,
        high,
        min(waiting, key=lambda one: (one.date, one.start or "", one.id), default=None),
        _blocks(waiting, plan, here, zone),
        zero,
        _same_day(visits, today, now),
        weeks,
        trend(weeks),
        _words(waiting, low, high, zero, plan),
        sum(not one.open for one in visits),
    )


def _check(plan: Plan) -> None:
    rules = _data()["blocks"]
    for slot in plan.slots:
        if not 0 <= slot.weekday <= 6 or not 10 <= slot.minutes <= 240:
            raise BadPlan("A block is not on a weekday, or not of 10 to 240 minutes.", mend="Such as mon 12:00 60.")
    if plan.new_a_week < 0 or any(minutes <= 0 for _, minutes in plan.minutes):
        raise BadPlan("New sessions a week and minutes a note are not below zero.")
    if len(plan.slots) > 7 * int(rules["most_a_week"]):
        raise BadPlan("That are more blocks than a week bears.", mend="Two or three a week are enough.")


def _bands(waiting: Sequence[Visit], today: date) -> tuple[Band, ...]:
    by_age = sorted(waiting, key=lambda one: (-one.date.toordinal(), one.id))
    return tuple(
        Band(
            row["key"], row["name"], row["title"], row["advice"],
            tuple(one for one in by_age if band_key(one, today) == row["key"]),
        )
        for row in _data()["band"]
    )  # fmt: skip


def _starts(plan: Plan, here: datetime, zone: ZoneInfo) -> Iterable[tuple[datetime, int]]:
    """The slots from now on, in order of time, as instants of the zone."""
    for day in range(HORIZON_WEEKS * 7):
        on = here.date() + timedelta(days=day)
        for slot in sorted((one for one in plan.slots if one.weekday == on.weekday()), key=lambda one: one.start):
            start = _instant(on, slot.start, zone)
            if start.timestamp() >= here.timestamp():  # by the clock alone they would be compared without the zone
                yield start, slot.minutes


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The clock's time on that day; one that is left out in spring is the hour after it."""
    wall = datetime.combine(day, at, zone)
    return wall.astimezone(ZoneInfo("UTC")).astimezone(zone)


def _packed(rest: list[float], minutes: float) -> int:
    """How many of the notes, in order, fit into so many minutes: whole notes, and always one."""
    count = 0
    while rest[count:] and (rest[count] <= minutes or not count):
        minutes -= rest[count]
        count += 1
    return count


def _blocks(waiting: Sequence[Visit], plan: Plan, here: datetime, zone: ZoneInfo) -> tuple[Block, ...]:
    """The visits in order over the slots."""
    made: list[Block] = []
    rest = list(waiting)
    for start, minutes in _starts(plan, here, zone):
        if not rest:
            break
        count = _packed([plan.note_minutes(one.kind) for one in rest], minutes)
        made.append(Block(start, minutes, tuple(one.id for one in rest[:count])))
        rest = rest[count:]
    return tuple(made)


def _zero(waiting: Sequence[Visit], plan: Plan, here: datetime, zone: ZoneInfo) -> date | None:
    """The day on which the list is empty, while new sessions keep coming; None where that day does not come."""
    rest, came = [plan.note_minutes(one.kind) for one in waiting], 0
    if not rest:
        return here.date()
    for start, minutes in _starts(plan, here, zone):
        weeks = (start.timestamp() - here.timestamp()) / (7 * 24 * 3600)
        new = int(weeks * plan.new_a_week + 1e-9) - came
        came += new
        rest += [plan.note_minutes("progress")] * new
        rest = rest[_packed(rest, minutes) :]
        if not rest:
            return start.date()
    return None


def _same_day(visits: Sequence[Visit], today: date, now: datetime) -> Today:
    held = [one for one in visits if one.date == today and one.begun(now)]
    without = tuple(one.id for one in ordered(held, "newest") if one.note == "unsigned")
    words = _data()["words"]
    says = words["today_none"] if not held else words["today_kept"]
    if without:
        says = words["today_open"].format(count=len(without))
    return Today(len(held), without, not without, says)


def _words(waiting: Sequence[Visit], low: int, high: int, zero: date | None, plan: Plan) -> tuple[str, ...]:
    words = _data()["words"]
    if not waiting:
        return (words["none"],)
    says = (
        words["one"]
        if len(waiting) == 1
        else words["many"].format(count=len(waiting), low=span(low), high=span(high))
    )
    if not plan.slots:
        return (says, words["no_blocks"])
    return (says, words["stuck"] if zero is None else words["zero"].format(day=zero.isoformat()))


def span(minutes: int) -> str:
    """Minutes for people: "45 min", "3 h", "3 h 20 min"."""
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "") if part
    )


def with_minutes(plan: Plan, **minutes: float) -> Plan:
    """The plan with other minutes for a kind of note. Raises BadPlan for a kind that is not known."""
    if not set(minutes) <= set(KINDS):
        raise BadPlan("Minutes are for a kind of note that is not known.", mend=f"Use {', '.join(KINDS)}.")
    kept = dict(plan.minutes) | {kind: minutes[kind] for kind in KINDS if kind in minutes}
    return replace(plan, minutes=tuple(kept.items()))


__all__ = [
    "ORDERS",
    "Backlog",
    "BadPlan",
    "Band",
    "Block",
    "Order",
    "Plan",
    "Slot",
    "age",
    "backlog",
    "band_key",
    "budget",
    "open_visits",
    "ordered",
    "span",
    "with_minutes",
]  # fmt: skip
