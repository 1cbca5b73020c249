"""The compiled patterns of risk.toml and risk_frames.toml, and text made ready for them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

from drafting.data import load

RiskItem = Literal["si", "plan", "intent", "means", "attempts", "self_injury", "hi", "being_harmed"]
ITEMS: tuple[RiskItem, ...] = get_args(RiskItem)
Patterns = dict[RiskItem, re.Pattern[str]]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`direct`, `asked` and `told` count by themselves (from both sides, the clinician's, the client's); `context`
    only near other talk of risk; `answer` and `not_so` say yes and no to a question of their item.
    """

    idioms: re.Pattern[str]
    fiction: re.Pattern[str]
    direct: Patterns
    context: Patterns
    frames: Patterns
    asked: Patterns
    told: Patterns
    answer: Patterns
    not_so: Patterns
    inverse: re.Pattern[str]
    unsafe: re.Pattern[str]
    nouns: re.Pattern[str]
    volition: re.Pattern[str]
    accident: re.Pattern[str]
    weak: re.Pattern[str]
    embarrassment: re.Pattern[str]
    vanishing: re.Pattern[str]
    parting: re.Pattern[str]
    ending: re.Pattern[str]
    softeners: re.Pattern[str]
    misheard: tuple[tuple[re.Pattern[str], str], ...]
    labels: dict[RiskItem, str]


def _compiled(patterns: Sequence[str], lists: Mapping[str, str], before: str) -> re.Pattern[str]:
    text = "|".join(f"(?:{one})" for one in patterns) or r"(?!)"
    for _ in range(3):
        for name, words in lists.items():
            text = text.replace("{" + name + "}", words)
    return re.compile(rf"{before}(?:{text})")


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The patterns of both files, compiled."""
    body, frames = load("risk.toml"), load("risk_frames.toml")
    lists: dict[str, str] = {**body["lists"], **frames["lists"]}
    items: dict[str, Any] = body["items"]
    framed: dict[str, Any] = frames["items"]

    def compiled(patterns: Sequence[str]) -> re.Pattern[str]:
        return _compiled(patterns, lists, r"(?:(?<![a-z])|(?='))")

    def of(kind: str, source: Mapping[str, Any]) -> Patterns:
        return {item: compiled(source[item].get(kind, [])) for item in ITEMS}

    return Lexicon(
        idioms=compiled([*body["idioms"]["patterns"], *frames["idioms"]["patterns"]]),
        fiction=re.compile(body["fiction"]["pattern"]),
        direct=of("direct", items),
        context={
            item: compiled([*items[item].get("context", []), *framed[item].get("context", [])]) for item in ITEMS
        },
        frames=of("direct", framed),
        asked=of("asked", framed),
        told=of("told", framed),
        answer=of("answer", framed),
        not_so=of("not_so", framed),
        inverse=compiled(items["being_harmed"]["inverse"]),
        unsafe=compiled(items["being_harmed"]["unsafe"]),
        nouns=compiled(items["being_harmed"]["nouns"]),
        volition=re.compile(items["hi"]["volition"]),
        accident=re.compile(body["accident"]["words"]),
        weak=re.compile(body["accident"]["weak"]),
        embarrassment=re.compile(body["embarrassment"]["words"]),
        vanishing=re.compile(body["embarrassment"]["weak"]),
        parting=re.compile(frames["parting"]["words"]),
        ending=re.compile(frames["parting"]["weak"]),
        softeners=re.compile(frames["softeners"]["pattern"]),
        misheard=tuple((re.compile(pattern), said) for pattern, said in frames["misheard"].items()),
        labels={item: items[item]["label"] for item in ITEMS},
    )


def label(item: RiskItem) -> str:
    """The item in the words of a note."""
    return lexicon().labels[item]


_MEANT = re.compile(r"\b(?:on purpose|deliberately|intentionally)\b")


@lru_cache(maxsize=4096)
def masked(text: str) -> str:
    """Lower-case text, misheard words mended, with harmless idioms blanked."""
    low = text.lower()
    for pattern, said in lexicon().misheard:
        low = pattern.sub(said, low)
    return low if _MEANT.search(low) else lexicon().idioms.sub(lambda found: "~" * len(found[0]), low)


def softened(text: str) -> str:
    """Masked text without the words that speech puts between the words that count."""
    return re.sub(r"\s+", " ", lexicon().softeners.sub("", text)).strip()


__all__ = ["ITEMS", "Lexicon", "RiskItem", "label", "lexicon", "masked", "softened"]
