"""Errors on words that must not be misheard: of harm, numbers, medications. Pure.

A word of such a class in the reference is missed where the alignment gives it another word or none; one in the
transcript is invented where the reference has not that word there. The lists are in data/terms.toml.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from benchmarks.normalise import words
from benchmarks.scoring import align

_ORDINALS = frozenset(
    {
        *("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
        *("thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
        *("twentieth", "thirtieth", "half", "twice"),
    }
)


@dataclass(frozen=True, slots=True)
class TermErrors:
    """Of `words` of a class in the reference, so many were missed; so many others were invented."""

    words: int = 0
    missed: int = 0
    invented: int = 0

    @property
    def rate(self) -> float:
        """Missed and invented over those of the reference; 0 where there are none of any."""
        return (self.missed + self.invented) / self.words if self.words else float(self.invented > 0)

    def __add__(self, other: "TermErrors") -> "TermErrors":
        return TermErrors(self.words + other.words, self.missed + other.missed, self.invented + other.invented)


def is_number(word: str) -> bool:
    """Digits or an ordinal. A lone 1 is none: it is "one", which is mostly a pronoun; so are first and second."""
    return (word.isascii() and word.isdigit() and word != "1") or word in _ORDINALS


@cache
def classes() -> dict[str, Callable[[str], bool]]:
    """Which compared words are of which class."""
    text = (resources.files("benchmarks") / "data" / "terms.toml").read_text(encoding="utf-8")
    lists = {name: frozenset(listed.split()) for name, listed in tomllib.loads(text).items()}
    return {
        "harm": lists["harm"].__contains__,
        "numbers": is_number,
        "medications": lists["medications"].__contains__,
    }


def term_errors(reference: str, hypothesis: str) -> dict[str, TermErrors]:
    """Errors by class of one text against another."""
    return counted(words(reference), words(hypothesis))


def counted(reference: Sequence[str], hypothesis: Sequence[str]) -> dict[str, TermErrors]:
    """The same of words that are already as they are compared."""
    pairs = align(reference, hypothesis)
    found: dict[str, TermErrors] = {}
    for name, belongs in classes().items():
        total = missed = invented = 0
        for one, other in pairs:
            true = reference[one] if one is not None else ""
            heard = hypothesis[other] if other is not None else ""
            if belongs(true):
                total += 1
                missed += heard != true
            if belongs(heard) and heard != true:
                invented += 1
        found[name] = TermErrors(total, missed, invented)
    return found


def together(found: Sequence[Mapping[str, TermErrors]]) -> dict[str, TermErrors]:
    """All recordings' errors added up, class by class."""
    total: dict[str, TermErrors] = {}
    for one in found:
        for name, errors in one.items():
            total[name] = total.get(name, TermErrors()) + errors
    return total
