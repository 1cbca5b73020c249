"""A plan for the backlog as it is typed or sent: "mon 12:00 60", "mon-fri 09:00-18:00". Pure."""

import re
from datetime import time

from drafting.after_hours import Hours
from drafting.backlog import BadPlan, Slot

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SLOT = re.compile(r"([a-z]{3})[a-z]*[ -]+(\d{1,2}):(\d{2})(?:[ -]+(\d{1,3}))?", re.IGNORECASE)
_HOURS = re.compile(
    r"(?P<days>[a-z]{3}[a-z]*(?:[-,][a-z]{3}[a-z]*)*) +(?P<from>\d{1,2}:\d{2}) ?- ?(?P<to>\d{1,2}:\d{2})",
    re.IGNORECASE,
)


def slot(text: str) -> Slot:
    """A weekly slot: a day, a time and minutes (60 unless given). Raises BadPlan."""
    found = _SLOT.fullmatch(text.strip())
    day = found and found[1].lower()
    if found is None or day not in DAYS:
        raise BadPlan("A block cannot be read.", mend="Write it as mon 12:00 60.")
    return Slot(DAYS.index(day), _clock(f"{found[2]}:{found[3]}"), int(found[4] or 60))


def hours(text: str) -> Hours:
    """Working hours: days as mon-fri or mon,wed,fri and times. Raises BadPlan."""
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise BadPlan("The working hours cannot be read.", mend="Write them as mon-fri 09:00-18:00.")
    start, stop = _clock(found["from"]), _clock(found["to"])
    if stop <= start:
        raise BadPlan("The working hours end before they begin.", mend="Write them as mon-fri 09:00-18:00.")
    days: set[int] = set()
    for part in found["days"].lower().split(","):
        ends = [one[:3] for one in part.split("-")]
        if len(ends) > 2 or not set(ends) <= set(DAYS):
            raise BadPlan("The working days cannot be read.", mend="Write them as mon-fri or mon,wed,fri.")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        days |= {day % 7 for day in range(first, (last if last >= first else last + 7) + 1)}
    return Hours(frozenset(days), start, stop)


def _clock(text: str) -> time:
    hour, minute = (int(part) for part in text.split(":"))
    if hour > 23 or minute > 59:
        raise BadPlan("A time of day cannot be read.", mend="Write it as 12:00.")
    return time(hour, minute)
