"""Session times, minutes and code as a clinician writes them in a recap: "10:02-10:55", "50 min", "90837". Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from drafting.recap_pieces import Piece

_CLOCK = r"(\d{1,2})(?::(\d{2}))? ?(am|pm|a\.m\.|p\.m\.|a|p)?"
_SPAN = re.compile(
    rf"(?<![\d/:-]){_CLOCK} ?(?:-|–|—|to|until|till|,? ?(?:stop|stopped|end|ended)(?: at)?) ?{_CLOCK}(?![\d/:-])",
    re.I,
)
_MINUTES = re.compile(r"\b(\d{2,3})[ -]?(?:min|mins|minutes?)\b(?! (?:of|a|per|late|walk|run))", re.IGNORECASE)
_CODE = re.compile(r"\b90(?:832|834|837|839|840|833|836|838|846|847|853|791)\b")
MAX_MINUTES = 240
LEAST_MINUTES = 16


@dataclass(frozen=True, slots=True)
class Given:
    """What the clinician wrote of the time: whole minutes, start and stop where both are there, and a code."""

    minutes: int | None = None
    start: time | None = None
    stop: time | None = None
    code: str = ""


def given(pieces: Sequence[Piece]) -> Given:
    """The time that the pieces of kind session give; a span of the clock counts before minutes."""
    texts = [one.source for one in pieces if one.kind == "session"]
    code = next((found[0] for text in texts if (found := _CODE.search(text))), "")
    for text in texts:
        for found in _SPAN.finditer(text):
            span = _span(found)
            if span is not None:
                return Given(*span, code=code)
    for text in texts:
        found = _MINUTES.search(text)
        if found and LEAST_MINUTES <= int(found[1]) <= MAX_MINUTES:
            return Given(int(found[1]), code=code)
    return Given(code=code)


def _span(found: re.Match[str]) -> tuple[int, time, time] | None:
    """Minutes, start and stop; None where the figures are no clock times or no session."""
    hour, minute, half, hour2, minute2, half2 = found.groups()
    if not (minute or minute2) and not (half or half2):
        return None
    start = _minute_of_day(hour, minute, half)
    stop = _minute_of_day(hour2, minute2, half2)
    if start is None or stop is None:
        return None
    if half2 and not half and start < 720 and (half2[0].lower() == "p") and start + 720 <= stop:
        start += 720  # "3:05-3:58pm": both are in the afternoon
    if stop <= start and not half2:
        stop += 720  # "11:30-12:20" needs nothing; "12:30-1:20" goes past noon
    length = stop - start
    if not 0 < length <= MAX_MINUTES or stop >= 1440:
        return None
    return length, time(start // 60, start % 60), time(stop // 60, stop % 60)


def _minute_of_day(hour: str, minute: str | None, half: str | None) -> int | None:
    hours, minutes = int(hour), int(minute or 0)
    if hours > 23 or minutes > 59 or (half and not 1 <= hours <= 12):
        return None
    if half:
        hours = hours % 12 + (12 if half[0].lower() == "p" else 0)
    return hours * 60 + minutes
