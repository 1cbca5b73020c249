"""The state of each item from what was said of it, in order: what holds now, a denial, what is past. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drafting.risk_findings import Denied, Endorsed, Finding, NotAsked, Span, Volunteered
from drafting.risk_mentions import RiskItem, Time


@dataclass(frozen=True, slots=True)
class Event:
    """Something said of one item, at the place of an utterance."""

    at: int
    kind: Literal["denied", "affirmed", "unclear", "volunteered"]
    question: Span | None
    answer: Span
    time: Time
    history: bool = False
    withdrawn: bool = False
    """A denial was taken back, or put in doubt, in the same answer."""


_EXPLICIT = re.compile(r"suicid|kill|end\w* (?:your|my) (?:own )?life|tak\w+ your (?:own )?life")


def finding(item: RiskItem, events: Sequence[Event]) -> Finding:
    """The state of an item: what is endorsed or volunteered for now, then a denial, then what is past."""
    positive = [one for one in events if one.kind in ("affirmed", "volunteered")]
    now = [one for one in positive if one.time == "present" or item == "attempts"]
    doubt = max((one.at for one in events if one.withdrawn), default=-1)
    denied = [one for one in events if one.kind == "denied" and one.question is not None and one.at >= doubt]
    if now:
        return _positive(item, now)
    if denied:
        pairs = [(one.question, one.answer) for one in denied if one.question is not None]
        best = max(pairs, key=lambda pair: _EXPLICIT.search(pair[0].text.lower()) is not None)
        earlier = next((one.answer for one in denied if one.history), None)
        history = positive[0].answer if positive else earlier
        return Denied(item, *best, history, tuple(pair for pair in pairs if pair != best))
    if positive:
        return _positive(item, positive)
    unclear = [one for one in events if one.kind == "unclear"]
    if unclear:
        return NotAsked(
            item, unclear[-1].question, unclear[-1].answer if unclear[-1].answer != unclear[-1].question else None
        )
    return NotAsked(item)


def _positive(item: RiskItem, events: Sequence[Event]) -> Finding:
    first = min(events, key=lambda one: (one.at, one.kind == "volunteered"))
    time: Time = "past" if all(one.time == "past" for one in events) or item == "attempts" else "present"
    if first.kind == "affirmed" and first.question is not None:
        return Endorsed(item, first.question, first.answer, time)
    spans = [one.answer for one in events if one.kind == "volunteered"]
    return Volunteered(item, tuple(dict.fromkeys(spans)), time)
