"""Talk of risk in a writer's sentences: only what the ledger bears out may stand in a note. Pure.

The ledger tells risk itself, with both spans of every denial. A writer's sentence of risk may repeat a finding; one
that turns it round, or goes beyond it (an item that is not in the ledger, a level of risk, a plan for safety), is
left out, whatever evidence it names.
"""

import re
from collections.abc import Mapping

from drafting.clauses import by_utterance, clauses
from drafting.risk import Ledger
from drafting.risk_mentions import RiskItem, mentions
from streaming.types import SpeakerId, Statement, Tick, TrackId, Transcript, Utterance, UtteranceId

_SELF = r"(?:(?:them|him|her|it)sel(?:f|ves)|oneself|yourself|myself)"
_LIFE = r"(?:their|his|her|one'?s|own|your|my|the) (?:own )?li(?:fe|ves)"
_WORDS: Mapping[RiskItem, str] = {
    "si": r"(?:para)?suicid\w*"
    rf"|(?:kill|hang|shoot)\w* {_SELF}|(?:end|tak)\w* (?:{_LIFE}|it all)"
    r"|(?:not|n't|no longer) (?:\w+ )?(?:to )?(?:be here|be alive|live|wake up|go on)\b"
    r"|not (?:being|waking) (?:here|alive|up)"
    r"|(?:want|wish|thought|think|talk|hop)\w* (?:\w+ )?(?:to |of |about )?(?:die|dying|death|be(?:ing)? dead)\b"
    r"|(?:was|were|be|being) dead\b|better off (?:dead|without)|passive (?:ideation|death)|worth living",
    "self_injury": rf"self[- ]?(?:harm|injur|mutilat|destruct)\w*|(?:cut|hurt|harm|burn|injur)\w* {_SELF}|nssi\b",
    "attempts": r"overdos\w*|attempt\w* (?:suicide|to (?:die|end|kill))",
    "hi": r"homicid\w*"
    r"|(?:hurt|harm|kill|attack)(?:s|ed|ing)? (?:(?:some|any)(?:one|body)|others?\b|an?other p\w+)",
    "being_harmed": r"abus(?:e|ed|ive|er|ing)\b|assault\w*|domestic violence|molest\w*|rap(?:e|ed|ing)\b"
    r"|(?:hits?|beats?|hitting|beating) (?:the client|them|him|her)\b|being (?:hit|beaten)|unsafe at home",
}
_ITEMS = {item: re.compile(rf"\b(?:{words})", re.IGNORECASE) for item, words in _WORDS.items()}
_BEYOND = re.compile(
    r"\b(?:low|high|moderate|acute|imminent|elevated|no|minimal|at|chronic|current|any) risk\b"
    r"|\brisk (?:assess|level|factor|of (?:harm|self))\w*|\bsafety (?:plan|concern|assess|contract|issue|risk)\w*"
    r"|\b(?:contract\w* for safety|crisis (?:line|plan|hotline)|lethal\w*|no concerns? (?:for|about|of) safety)"
    r"|\bprotective factors?\b|\bdanger to\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"\b(?:den(?:y|ies|ied|ying|ial)|no|not|never|none|without|negative|absence|free of)\b|n't\b", re.I
)
_SHORT: Mapping[RiskItem, re.Pattern[str]] = {"si": re.compile(r"\bS\.?I\b"), "hi": re.compile(r"\bH\.?I\b")}


def stands(statement: Statement, ledger: Ledger) -> bool:
    """Whether a writer's sentence has nothing of risk in it, or only what the ledger has found, on its evidence."""
    items = items_of(statement.text)
    if _BEYOND.search(statement.text):
        return False
    found = [ledger[item] for item in items]
    if any(one.state == "not_asked" for one in found):
        return False
    denies = _DENIAL.search(statement.text) is not None
    if any((one.state == "asked_denied") != denies for one in found):
        return False
    shown = {place for one in found for place in one.evidence}
    return not found or (bool(statement.evidence) and set(statement.evidence) <= shown)


def of_risk(text: str) -> bool:
    """Whether a sentence of a note talks of risk by its own words: what is not shown before it has been checked."""
    return _BEYOND.search(text) is not None or bool(_own_items(text))


def items_of(text: str) -> frozenset[RiskItem]:
    """The items a sentence of a note talks of, by its own words or by the ledger's patterns for talk."""
    return frozenset(_own_items(text) | _in_talk(text))


def _own_items(text: str) -> set[RiskItem]:
    own = {item for item, pattern in _ITEMS.items() if pattern.search(text)}
    return own | {item for item, pattern in _SHORT.items() if pattern.search(text)}


def _in_talk(text: str) -> set[RiskItem]:
    who = SpeakerId("client")
    said = Utterance(UtteranceId("w"), TrackId("w"), Tick(0), Tick(1), who, text, 1.0, ())
    groups = by_utterance(clauses(Transcript((said,), {who: "client"})), 1)
    return {one.item for group in groups for clause in group for one in mentions(clause) if one.strong}
