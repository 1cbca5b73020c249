"""The wide net under the risk ledger: words that may speak of risk and that the ledger has neither taken up nor set
aside become unclear mentions, to be read again by the clinician. Pure; patterns are in risk_wide.toml.

It changes no state and writes no sentence. It is wide on purpose: what it calls costs a look, what it misses
is missed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from drafting.clauses import Clause, backchannel, joined
from drafting.data import load
from drafting.risk_answers import classify
from drafting.risk_doubt import doubted_later, doubtful, plainly_no
from drafting.risk_findings import Denied, Ledger, NotAsked, Span, Unclear
from drafting.risk_follow import SUPPOSING
from drafting.risk_lexicon import ITEMS, Patterns, RiskItem, lexicon, masked, softened
from drafting.risk_mentions import Mention, denied_before, spoken_of
from streaming.types import UtteranceId

Reason = Literal["fiction", "another person", "hypothetical", "illness", "grief", "denied", "general"]
NEAR_UTTERANCES = 8
"""Words that mean an item only near open talk of risk count so many utterances after it."""
GRIEF_UTTERANCES = 3
ANSWER_UTTERANCES = 4


@dataclass(frozen=True, slots=True)
class Wide:
    """The compiled patterns of risk_wide.toml."""

    harmless: re.Pattern[str]
    illness: re.Pattern[str]
    bare: re.Pattern[str]
    meant: re.Pattern[str]
    grief: re.Pattern[str]
    told: Patterns
    asked: Patterns
    near: Patterns
    words: tuple[tuple[tuple[RiskItem, ...], re.Pattern[str]], ...]
    seen: tuple[tuple[RiskItem, ...], re.Pattern[str]]


@lru_cache(maxsize=1)
def wide() -> Wide:
    """The patterns, compiled."""
    body = load("risk_wide.toml")
    lists: dict[str, str] = body["lists"]

    def compiled(patterns: Sequence[str]) -> re.Pattern[str]:
        text = "|".join(f"(?:{one})" for one in patterns) or r"(?!)"
        for _ in range(2):
            for name, words in lists.items():
                text = text.replace("{" + name + "}", words)
        return re.compile(text)

    def of(kind: str) -> Patterns:
        return {item: compiled(body["items"][item].get(kind, [])) for item in ITEMS}

    illness = body["illness"]
    return Wide(
        harmless=compiled(body["harmless"]["patterns"]),
        illness=re.compile(illness["words"]),
        bare=re.compile(illness["bare"]),
        meant=re.compile(illness["meant"]),
        grief=re.compile(body["grief"]["words"]),
        told=of("told"),
        asked=of("asked"),
        near=of("near"),
        words=tuple((tuple(one["items"]), compiled([one["pattern"]])) for one in body["words"]),
        seen=(tuple(body["seen"]["items"]), compiled([body["seen"]["pattern"]])),
    )


def with_unclear(ledger: Ledger, groups: Sequence[Sequence[Clause]], found: Sequence[Sequence[Mention]]) -> Ledger:
    """The ledger with what is to be read again."""
    return replace(ledger, unclear=unclear(ledger, groups, found))


def unclear(
    ledger: Ledger, groups: Sequence[Sequence[Clause]], found: Sequence[Sequence[Mention]]
) -> tuple[Unclear, ...]:
    """What may speak of an item and the ledger has not taken up, item by item, with the utterances in order.

    `found` are the ledger's own mentions by utterance. A question of risk whose answer is neither yes nor no is one
    too, and a denial in doubtful words.
    """
    calls: dict[RiskItem, list[Span]] = {item: [] for item in ITEMS}
    taken = {one.item: frozenset(one.evidence) for one in ledger.findings}
    for one in ledger.findings:
        calls[one.item] += _of_finding(one, groups)
    standing = {place for one in ledger.findings if not isinstance(one, Denied) for place in one.evidence}
    opened = dict.fromkeys(_FAMILIES.values(), -NEAR_UTTERANCES - 1)
    for at, group in enumerate(groups):
        if not group:
            continue
        near = frozenset(item for item in ITEMS if at - opened[_FAMILIES[item]] <= NEAR_UTTERANCES)
        known = {one.item for one in found[at]}
        opened |= {_FAMILIES[one.item]: at for one in found[at] if group[0].utterance in standing and not one.other}
        if group[0].role == "clinician":
            for item in _asked(group, found[at], near):
                if group[0].utterance not in taken[item]:
                    calls[item] += _unanswered(item, at, groups, taken)
            continue
        for item, span in _told(at, groups, near):
            if item not in known and not taken[item] & set(span.ids):
                calls[item].append(span)
    return tuple(Unclear(item, tuple(dict.fromkeys(spans))) for item, spans in calls.items() if spans)


_FAMILIES: dict[RiskItem, RiskItem] = {item: item if item in ("hi", "being_harmed") else "si" for item in ITEMS}
"""Talk of one item opens the others of its family."""


def _of_finding(one: object, groups: Sequence[Sequence[Clause]]) -> list[Span]:
    """A question without a clear answer, or a denial that may be none, by its words or by what came after it."""
    if isinstance(one, NotAsked) and one.question is not None:
        return [one.question, *([one.answer] if one.answer else [])]
    if isinstance(one, Denied):
        pairs = ((one.question, one.answer), *one.also)
        doubted = [span for pair in pairs if doubtful(pair[1].text) for span in pair]
        return [*doubted, *(span for pair in pairs for span in doubted_later(pair, groups))]
    return []


_OF_YOU = re.compile(r"\b(?:you|you've|you're|your|yourself|any|anyone|anybody|ever|that|those|only|last)\b")


def _asked(group: Sequence[Clause], found: Sequence[Mention], near: frozenset[RiskItem]) -> list[RiskItem]:
    """The items that a clinician's words ask about."""
    if SUPPOSING.search(joined(group).lower()):
        return []
    items: dict[RiskItem, None] = {one.item: None for one in found if not one.other and one.clause.question}
    patterns = wide()
    if patterns.seen[1].search(joined(group).lower()):
        items |= dict.fromkeys(patterns.seen[0])
    for clause in group:
        if not clause.question or _OF_YOU.search(clause.low) is None:
            continue
        text = _blanked(clause)
        for item in ITEMS:
            if patterns.asked[item].search(text) or (
                item in near and item in _FOLLOWED and patterns.near[item].search(text)
            ):
                items.setdefault(item)
    return list(items)


_FOLLOWED: tuple[RiskItem, ...] = ("plan", "means", "attempts")
"""Items that are asked for in words of no risk once there is talk of it: "how would you?"."""


def _unanswered(
    item: RiskItem,
    at: int,
    groups: Sequence[Sequence[Clause]],
    taken: dict[RiskItem, frozenset[UtteranceId]],
) -> list[Span]:
    """Question and answer where the client's next words are no plain no and no finding holds them."""
    for later in range(at + 1, min(len(groups), at + 1 + ANSWER_UTTERANCES)):
        group = groups[later]
        text = joined(group) if group else ""
        if not group or group[0].role == "clinician":
            if text and "?" in text:
                return []
            continue
        ids = {one.utterance for one in group}
        if ids & taken[item] or plainly_no(text):
            return []
        inverse = item == "being_harmed" and re.search(r"\bsafe\b", joined(groups[at]).lower()) is not None
        if classify(text, inverse=inverse) == "denied":
            return []
        if backchannel(text) and classify(text, inverse=inverse) != "affirmed":
            continue
        return [
            Span(groups[at][0].utterance, joined(groups[at])),
            Span(group[0].utterance, text, group[0].more),
        ]
    return []


def _told(at: int, groups: Sequence[Sequence[Clause]], near: frozenset[RiskItem]) -> Iterator[tuple[RiskItem, Span]]:
    """Items that an utterance may tell of, and nothing sets aside."""
    patterns = wide()
    around = ""
    for place, clause in enumerate(groups[at]):
        text = _blanked(clause)
        whole = " ".join(_blanked(one) for one in groups[at][place:])
        versions = tuple(dict.fromkeys((text, softened(text))))
        for items, pattern in patterns.words:
            hits = [hit for version in versions for hit in pattern.finditer(version)]
            if hits and near_self(clause) and not lexicon().fiction.search(joined(groups[at]).lower()):
                yield from ((item, Span(clause.utterance, joined(groups[at]), clause.more)) for item in items)
        for item in ITEMS:
            for version in (whole,) if item == "plan" else versions:
                for pattern in (patterns.told[item], *([patterns.near[item]] if item in near else [])):
                    hits = list(pattern.finditer(version))
                    if not hits:
                        continue
                    around = (
                        around
                        or " ".join(joined(one) for one in groups[max(0, at - GRIEF_UTTERANCES) : at + 1]).lower()
                    )
                    if any(set_aside(item, clause, version, hit, around) is None for hit in hits):
                        yield item, Span(clause.utterance, joined(groups[at]), clause.more)
                        break


@lru_cache(maxsize=4096)
def _blanked_text(text: str) -> str:
    return wide().harmless.sub(lambda found: "~" * len(found[0]), masked(text))


def _blanked(clause: Clause) -> str:
    return _blanked_text(clause.text)


_SELF = re.compile(r"\b(?:i|i'm|i'd|i've|i'll|me|my|myself)\b")
_DEATH = re.compile(r"(?:die|died|dies|dead|dying|death|suicide|alive)$")
_SUPPOSED = re.compile(r"\b(?:if|unless|in case|imagine|what if|suppose)\b[^.?!]{0,50}$")


def set_aside(item: RiskItem, clause: Clause, text: str, hit: re.Match[str], around: str) -> Reason | None:
    """Why a hit in a clause's text says nothing of the client; None where nothing speaks against it.

    `around` is the talk before it and the utterance itself, in small letters.
    """
    words, before = wide(), text[: hit.start()]
    own = _SELF.search(hit[0]) is not None
    if lexicon().fiction.search(around) and not (own and re.search(r"\b(?:myself|my|i want|i wish)\b", hit[0])):
        return "fiction"
    if denied_before(before):
        return "denied"
    if item == "means":
        return None
    if item not in ("being_harmed", "hi"):
        upto = text[: hit.end()].rpartition(" ")[0] if _DEATH.search(hit[0]) else before
        who = spoken_of(upto) if (not own or upto is not before) else "self"
        if who == "other":
            return "another person"
        if not own and _GENERIC.search(before):
            return "general"
    elif not _SELF.search(text):
        return "another person" if spoken_of(text[: hit.end()]) == "other" or not near_self(clause) else None
    elif item == "hi" and not own and spoken_of(before) == "other":
        return "another person"
    if item in ("being_harmed", "hi") and _SUPPOSED.search(before) and "again" not in text:
        return "hypothetical"
    if item in ("si", "attempts") and words.meant.search(around) is None:
        if words.bare.search(hit[0]) and words.illness.search(around):
            return "illness"
        if _DEATH.search(hit[0]) and words.grief.search(around) and re.search(r"\bmyself|my own\b", hit[0]) is None:
            return "grief"
    return None


_GENERIC = re.compile(r"\b(?:you|people|they|everyone)\b(?: [\w']+){0,4} ?$")


def near_self(clause: Clause) -> bool:
    """Whether a clause speaks of the speaker, or leaves its subject out."""
    return _SELF.search(clause.low) is not None or spoken_of(clause.low) == "none"


__all__ = ["Reason", "set_aside", "unclear", "wide", "with_unclear"]
