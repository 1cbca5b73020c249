"""What a clinician enters of risk in a recap: per item a finding in their words. Pure.

It is the clinician's statement, not something that was heard: the ledger keeps its state of "not asked" and shows the
entry beside it. A line that names an item without saying what was found, or says it in a way that can be read twice,
is "unclear" and asked about; nothing is ever taken for a denial that is not plainly one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drafting.recap_pieces import Piece, patterns
from drafting.risk_mentions import ITEMS, RiskItem, masked
from drafting.shorthand import written_out

Entry = Literal["denied", "endorsed", "unclear", "not_assessed"]
_RANK: dict[Entry, int] = {"endorsed": 3, "unclear": 2, "not_assessed": 1, "denied": 0}
_TURN = re.compile(r"\b(?:but|however|although|though|yet|except|today|now|currently)\b|[.;]|\b(?:passive|active)\b")
_SUBJECT_FREE = ("plan", "intent", "means")


@dataclass(frozen=True, slots=True)
class Entered:
    """A finding as the clinician entered it, and the sentence of the note that says it."""

    item: RiskItem
    finding: Entry
    text: str


def entered(pieces: Sequence[Piece], sentences: Sequence[str]) -> tuple[Entered, ...]:
    """One entry per item that the pieces of risk speak of, in the ledger's order; the graver of two counts."""
    found: dict[RiskItem, Entered] = {}
    for one, sentence in zip(pieces, sentences, strict=True):
        if one.kind != "risk":
            continue
        for item, finding in _findings(masked(written_out(one.source).lower())):
            known = found.get(item)
            if known is None or _RANK[finding] > _RANK[known.finding]:
                found[item] = Entered(item, finding, sentence)
    return tuple(found[item] for item in ITEMS if item in found)


def of_sentence(text: str) -> tuple[tuple[RiskItem, Entry], ...]:
    """What a sentence that a clinician wrote says of each item that it names, of the client and not of others."""
    return tuple(_findings(masked(written_out(text).lower())))


def _findings(low: str) -> list[tuple[RiskItem, Entry]]:
    words = patterns()["risk"]
    if words["others"].search(low):
        return []
    return [(item, finding) for item in ITEMS if (finding := _finding(item, low)) is not None]


def _finding(item: RiskItem, low: str) -> Entry | None:
    words = patterns()["risk"]
    entries: list[Entry] = []
    for found in words[item].finditer(low):
        if (
            item == "si"
            and re.match(r"suicid\w*$", found[0])
            and "attempt" in low[max(0, found.start() - 10) : found.start()]
        ):
            continue
        if item == "hi" and words["si"].search(found[0]):
            continue
        entries.append(_judged(item, low, found))
    # "Suicidal/homicidal ideation" names both items in one phrase.
    both = re.search(r"suicidal ?(?:/| or | and )homicidal", low)
    if item == "hi" and both and not entries:
        entries.append(_judged(item, low, both))
    return max(entries, key=lambda one: _RANK[one], default=None)


def _judged(item: RiskItem, low: str, found: re.Match[str]) -> Entry:
    words = patterns()["risk"]
    if words["not_assessed"].search(low):
        return "not_assessed"
    turns = [
        turn.end() if turn[0] not in ("passive", "active") else turn.start()
        for turn in _TURN.finditer(low, 0, found.start())
    ]
    clause = low[turns[-1] if turns else 0 : found.start()]
    negations = [one[0] for one in words["negates"].finditer(clause) if one[0] != "any"]
    plain = [one for one in negations if one not in ("nor", "or")]
    if words["after"].search(low[found.end() :]):
        return "denied" if not plain else "unclear"
    if plain:
        # "No longer denies" and "does not deny" say the opposite of what their words count to.
        doubled = len(plain) > 1 and re.search(r"\b(?:no longer|not|never|doesn't|didn't)\b.*\b(?:den\w+)", clause)
        if doubled or re.search(r"\bno longer\b|\bnot (?:sure|clear)\b", clause):
            return "unclear"
        past = words["history"].search(clause) and item != "attempts"
        return "unclear" if past else "denied"
    rest = low[found.start() :].split(";")[0]
    if re.match(r"\W*(?:\w+ ){0,2}(?:unclear|unknown|not clear|uncertain)\b", low[found.end() :]):
        return "unclear"
    if re.search(r"[-+]\W*$", low[: found.start()][-1:]) or low[found.end() : found.end() + 1] in ("-", "+"):
        return "unclear"  # "-SI" may be a bullet or a minus
    return "endorsed" if words["affirms"].search(clause) or words["affirms"].search(rest) else "unclear"
