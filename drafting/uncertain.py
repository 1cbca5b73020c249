"""Words that matter and were hardly understood: negations, talk of harm, medications, numbers. Pure.

One misheard "not", "fifteen" or "Lamictal" turns a sentence round; such a sentence is shown first in review.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from drafting.data import load
from drafting.words import number_of, stem, tokens
from streaming.types import Utterance, Word

LOW = 0.5
"""A word of less confidence than this is uncertain."""
_NEGATION = re.compile(r"(?:no|not|never|none|nothing|nobody|without|cannot|nope|nah)|\w+n't")
_HARM = re.compile(
    r"kill\w*|suicid\w*|di(?:e|ed|es)|dying|dead|death|hurt\w*|harm\w*|cut\w*|burn\w*|overdos\w*|hit|hits|hitting|beat\w*|chok\w*"
    r"|rap(?:e|ed)|abus\w*|guns?|knife|pills?|hang\w*|shoot\w*|attempt\w*|safe|unsafe|alive|threat\w*|unalive"
)
_DOSE = re.compile(r"mg|milligrams?|micrograms?|mcg|dos(?:e|es|age)|twice|daily")


@lru_cache(maxsize=1)
def _medicines() -> frozenset[str]:
    return frozenset(stem(word) for word in load("verify.toml")["medicines"])


def weighty(word: str) -> bool:
    """Whether a mishearing of the word would turn a note round."""
    for token in tokens(word):
        if _NEGATION.fullmatch(token) or _HARM.fullmatch(token) or _DOSE.fullmatch(token):
            return True
        if number_of(token) is not None or stem(token) in _medicines():
            return True
    return False


def low_words(words: Iterable[Word]) -> tuple[str, ...]:
    """The words that matter among those of little confidence, each once, as they were written."""
    found = (one.text.strip(" .,?!") for one in words if one.confidence < LOW and weighty(one.text))
    return tuple(dict.fromkeys(found))


def uncertain(text: str, said: Sequence[Utterance]) -> tuple[str, ...]:
    """The uncertain words of the evidence that a sentence rests on: those it tells, and its evidence's negations.

    A negation counts also where the sentence has none: hearing "I am" for "I'm not" is the very case.
    """
    told = {stem(token) for token in tokens(text)}
    told_numbers = {number_of(token) for token in tokens(text)} - {None}
    found: list[str] = []
    for word in low_words(word for one in said for word in one.words):
        pieces = tokens(word)
        if (
            any(_NEGATION.fullmatch(piece) for piece in pieces)
            or told & {stem(piece) for piece in pieces}
            or told_numbers & {number_of(piece) for piece in pieces}
        ):
            found.append(word)
    return tuple(dict.fromkeys(found))


__all__ = ["low_words", "uncertain", "weighty"]
