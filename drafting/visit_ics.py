"""Past visits from a calendar file (RFC 5545), recurring ones included; the one module that knows calendar libraries.

Only what has a start and an end by the clock, was not cancelled and lies in a bounded stretch of time is taken; the
rest is left out and said so. An event's title is kept as the visit's label and nothing else of it is.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import prod
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from drafting.visit_csv import MAX_BYTES, BadImport, Imported, Remark
from drafting.visits import MAX_MINUTES, MAX_TEXT, YEARS, Visit, key_of

MAX_EVENTS = 5_000
MAX_DAYS = 3 * 366
"""The longest stretch that recurring events are unrolled over."""
_TOO_OFTEN = {"SECONDLY", "MINUTELY", "HOURLY"}
_IN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_MOST_IN_A_DAY = 4
"""Times a day in one series: a rule of two lines can have every second of a day, and take minutes to unroll."""
_NOT_HELD = ("cancel", "no show", "no-show")


def read_ics(data: bytes | str, zone: ZoneInfo, *, since: date, until: datetime) -> Imported:
    """The visits from the day `since` to those that have begun by `until`. Raises BadImport.

    Times without a zone are those of `zone`, and so are the visits' days. Remarks count the
    events of the file from 1.
    """
    if (until.astimezone(zone).date() - since).days > MAX_DAYS:
        raise BadImport("That is more than three years of calendar.", mend="Take a later first day.")
    calendar, numbers, left_out, faults = _calendar(data)
    start = datetime.combine(since, datetime.min.time(), zone)
    try:
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(start, until)
    except Exception:  # the library meets broken files in many ways, and what it says may hold what stands in them
        raise BadImport("The calendar's events cannot be unrolled.", mend="Export it anew.") from None
    if len(found) > MAX_EVENTS:
        raise BadImport(f"The calendar has more than {MAX_EVENTS} events there.", mend="Take a shorter time.")
    visits: dict[str, Visit] = {}
    for event in sorted(found, key=_order):
        number = numbers.get(str(event.get("UID", "")), 1)
        reason, visit = _visit(event, zone, until)
        if visit is None:
            left_out.append(Remark(number, reason))
        elif visit.id in visits:
            left_out.append(Remark(number, "The same title and time as another event."))
        else:
            visits[visit.id] = visit
    return Imported(tuple(visits.values()), tuple(faults), left_out=tuple(sorted(left_out, key=lambda one: one.line)))


def _calendar(data: bytes | str) -> tuple[icalendar.Calendar, dict[str, int], list[Remark], list[Remark]]:
    """The calendar without what repeats by the hour or faster, numbers by UID, what was left out and faults."""
    if len(data) > MAX_BYTES:
        raise BadImport("The file is larger than 10 MB.", mend="Export fewer months at once.")
    text = data.decode("utf-8-sig", errors="replace") if isinstance(data, bytes) else data
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise BadImport("The file is no calendar.", mend="Export it as iCalendar (.ics).") from None
    if not isinstance(calendar, icalendar.Calendar):
        raise BadImport("The file is no calendar.", mend="Export it as iCalendar (.ics).")
    numbers: dict[str, int] = {}
    left_out: list[Remark] = []
    faults: list[Remark] = []
    kept: list[Any] = []
    count = 0
    for part in calendar.subcomponents:
        if part.name == "VEVENT":
            count += 1
            numbers.setdefault(str(part.get("UID", "")), count)
            if _is_too_often(part):
                left_out.append(Remark(count, "It repeats by the hour or faster, which no session does."))
                continue
            if not _has_times(part) or _stands_still(part):
                faults.append(Remark(count, "Its start, its end or its rule cannot be read."))
                continue
        kept.append(part)
    calendar.subcomponents = kept
    return calendar, numbers, left_out, faults


def _has_times(event: Any) -> bool:
    try:
        return all(at is not None and at.year in YEARS for at in (event.start, event.end))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _rules(event: Any) -> list[Any]:
    rules = event.get("RRULE")
    return rules if isinstance(rules, list) else [rules] if rules else []


def _is_too_often(event: Any) -> bool:
    for rule in _rules(event):
        if any(str(one).upper() in _TOO_OFTEN for one in rule.get("FREQ", [])):
            return True
        if prod(len(rule.get(name, [])) or 1 for name in _IN_A_DAY) > _MOST_IN_A_DAY:
            return True
    return False


def _stands_still(event: Any) -> bool:
    """Whether it repeats without going on: the library would unroll it for ever."""
    return any(str(one) == "0" for rule in _rules(event) for one in rule.get("INTERVAL", []))


def _order(event: Any) -> tuple[datetime, str]:
    start = event.start
    whole = start if isinstance(start, datetime) else datetime.combine(start, datetime.min.time())
    return whole.replace(tzinfo=UTC) if whole.tzinfo is None else whole, str(event.get("UID", ""))


def _visit(event: Any, zone: ZoneInfo, until: datetime) -> tuple[str, Visit | None]:
    """The visit of one occurrence, or why there is none."""
    title = " ".join(str(event.get("SUMMARY", "")).split())[:MAX_TEXT]
    start, stop = event.start, event.end
    if not isinstance(start, datetime) or not isinstance(stop, datetime):
        return "It lasts whole days.", None
    begun, ended = _local(start, zone), _local(stop, zone)
    if str(event.get("STATUS", "")).upper() == "CANCELLED" or title.lower().startswith(_NOT_HELD):
        return "It was cancelled.", None
    if begun > until:
        return "It has not begun yet.", None
    if not timedelta(0) < ended - begun <= timedelta(minutes=MAX_MINUTES):
        return "It has no length, or one of more than a day.", None
    if not title:
        return "It has no title to know the client by.", None
    visit = Visit("-", begun.date(), title, start=begun.isoformat(), stop=ended.isoformat(), source="ics")
    return "", replace(visit, id=key_of(visit))


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
