"""Dates and times as practice systems and people write them. Pure.

A date such as 03/04/2026 is two dates. It is read only where the file itself shows which part is the day, or where
the clinician says so; with dots the day is first everywhere it is written so.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

DateOrder = Literal["day_first", "month_first"]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_DAY_NAME = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +", re.IGNORECASE)
_NAMED = (
    re.compile(
        r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[ -]+(?P<month>[a-z]{3,9})\.?,?[ -]+(?P<year>\d{4}|\d{2})(?!\d)", re.I
    ),
    re.compile(r"(?P<month>[a-z]{3,9})\.? +(?P<day>\d{1,2})(?:st|nd|rd|th)?,? +(?P<year>\d{4}|\d{2})(?!\d)", re.I),
)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(?:[:.](\d{2})(?:\.\d+)?)?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Read:
    """A date and what stands behind it, such as a time; `day` is None where the order decides and is not known."""

    day: date | None
    rest: str = ""


def read_date(text: str, order: DateOrder | None) -> Read | None:
    """The date at the beginning of a text; None where there is none."""
    text = _DAY_NAME.sub("", text.strip())
    if found := _ISO.match(text):
        return _made(int(found[1]), int(found[2]), int(found[3]), text[found.end() :])
    if found := _NUMBERS.match(text):
        return _numbers(found, order, text[found.end() :])
    for words in _NAMED:
        if (found := words.match(text)) and found["month"][:3].lower() in _MONTHS:
            month = _MONTHS.index(found["month"][:3].lower()) + 1
            return _made(_year(found["year"]), month, int(found["day"]), text[found.end() :])
    return None


def _numbers(found: re.Match[str], order: DateOrder | None, rest: str) -> Read | None:
    one, two, year = int(found[1]), int(found[3]), _year(found[4])
    if found[2] == ".":
        order = "day_first"
    if one == two or one > 12 or order == "day_first":
        return _made(year, two, one, rest)
    if two > 12 or order == "month_first":
        return _made(year, one, two, rest)
    return Read(None, rest.strip())


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _made(year: int, month: int, day: int, rest: str) -> Read | None:
    try:
        return Read(date(year, month, day), rest.strip(" ,T\t"))
    except ValueError:
        return None


def shown_order(texts: Iterable[str]) -> DateOrder | Literal["both"] | None:
    """Which part the dates themselves show to be the day; "both" where they contradict each other."""
    shown: set[DateOrder] = set()
    for text in texts:
        found = _NUMBERS.match(_DAY_NAME.sub("", text.strip()))
        if found and found[2] != ".":
            if int(found[1]) > 12 >= int(found[3]):
                shown.add("day_first")
            elif int(found[3]) > 12 >= int(found[1]):
                shown.add("month_first")
    return "both" if len(shown) == 2 else next(iter(shown), None)


def read_clock(text: str) -> time | None:
    """A time of day: "10:00", "2:30 PM", "14.30", "9am"; None where it is none."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None or not (found[2] or found[4]):
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[4] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def read_instant(text: str) -> datetime | None:
    """An ISO 8601 time with its own zone; None for anything else, and at the calendar's ends."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return instant if instant.tzinfo and 1 < instant.year < 9999 else None


def read_minutes(text: str) -> int | None:
    """Minutes: "50", "50 min", "0:50", "1 h", "1h 20m"; None where it is none."""
    low = text.strip().lower()
    if found := re.fullmatch(r"(\d{1,4})(?:\.0+)?\s*(?:m|min|mins|minutes?)?\.?", low):
        return int(found[1])
    if found := re.fullmatch(r"(\d{1,2}):(\d{2})(?::00)?", low):
        return 60 * int(found[1]) + int(found[2])
    if found := re.fullmatch(r"(\d{1,2})\s*(?:h|hrs?|hours?)\.?(?:\s*(\d{1,2})\s*(?:m|min|mins|minutes?)?)?\.?", low):
        return 60 * int(found[1]) + int(found[2] or 0)
    return None
