"""Words that bear each other out: families of synonyms, people by kinship, and what a negation denies. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from drafting.data import load
from drafting.words import FUNCTION_WORDS, content_stems, stem, tokens

BY_FAMILY = 0.85
"""What a word counts for that only another of its family bears out."""
REACH = 8
"""Tokens after a negation that it may reach, at most."""


@lru_cache(maxsize=1)
def _families() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, family in enumerate(load("synonyms.toml")["families"]):
        for word in family.split():
            found.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@lru_cache(maxsize=1)
def frame() -> frozenset[str]:
    """Stems that a note's sentence is built with and that nothing needs to bear out."""
    return frozenset(stem(word) for word in load("synonyms.toml")["frame"].split())


@lru_cache(maxsize=1)
def _kin() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for family in load("synonyms.toml")["kin"]:
        words = family.split()
        found.setdefault(words[0], set()).update(words)
    return {word: frozenset(words) for word, words in found.items()}


@lru_cache(maxsize=1)
def _all_kin() -> frozenset[str]:
    return frozenset(word for family in _kin().values() for word in family)


@lru_cache(maxsize=8192)
def kindred(word: str) -> frozenset[int]:
    """The families of a stem."""
    return _families().get(word, frozenset())


def soft_cover(wanted: Sequence[str], have: frozenset[str]) -> float:
    """The share of wanted stems that the evidence's stems bear out, themselves or by a word of their family."""
    if not wanted:
        return 1.0
    families = frozenset(number for one in have for number in kindred(one))
    found = sum(1.0 if one in have else BY_FAMILY if kindred(one) & families else 0.0 for one in wanted)
    return found / len(wanted)


def strangers(sentence: str, evidence: str) -> frozenset[str]:
    """People by kinship or office whom the sentence names and the evidence does not."""
    said = frozenset(tokens(evidence.replace("'s", "")))
    named = frozenset(tokens(sentence.replace("'s", ""))) & _kin().keys()
    missing = frozenset(one for one in named if not _kin()[one] & said)
    if not missing or said & _all_kin():
        return missing
    spoken_of = said & _PRONOUNS
    return frozenset(one for one in missing if not spoken_of & _referred(one))


_PRONOUNS = frozenset(["he", "him", "his", "she", "her", "hers", "they", "them", "their"])
_SHE, _HE = frozenset(("she", "her", "hers")), frozenset(("he", "him", "his"))
_FEMALE = frozenset(
    ["wife", "girlfriend", "mother", "daughter", "sister", "aunt", "grandmother", "niece", "stepmother"]
)
_EITHER = frozenset(["boss", "roommate", "landlord", "child", "children", "parents"])
_MALE = frozenset(
    ["husband", "boyfriend", "father", "son", "brother", "uncle", "grandfather", "nephew", "stepfather"]
)


def _referred(kin: str) -> frozenset[str]:
    """The pronouns that may stand for somebody of that kinship where nobody else is named."""
    return _SHE if kin in _FEMALE else _HE if kin in _MALE else _PRONOUNS if kin in _EITHER else frozenset()


_NEGATOR = re.compile(
    r"not|never|no|none|nothing|nobody|without|cannot|neither|nor|unable|unwilling|lacks?|refus\w+|denie[sd]|denying"
    r"|hardly|barely|instead|rather|avoid\w*|\w+n't"
)
_TOKENS = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[.,;?!]")
_BREAKS = frozenset(".;?!,")
_NEW_CLAUSE = frozenset(("but", "because", "although", "and", "so", "while"))
_OBJECTS = frozenset(("me", "him", "her", "it", "them", "us", "that", "this", "my", "his", "their", "the", "a"))
_CARRIERS = (
    "think feel believe know say want like try really able expect going go do plan intend seem take come get even yet"
    " been being longer doing much become continue remain need wish appear start begin attempt"
)
_LIGHT = frozenset(stem(one) for one in _CARRIERS.split())


@dataclass(frozen=True, slots=True)
class Polarity:
    """Stems that a text denies (the first words of content after a negation), that stand further within its reach,
    and that it affirms.
    """

    denied: frozenset[str]
    reached: frozenset[str]
    affirmed: frozenset[str]


@lru_cache(maxsize=4096)
def polarity(text: str) -> Polarity:
    """What the text denies and affirms; verbs that only carry others ("want", "think") are passed over."""
    denied: set[str] = set()
    affirmed: set[str] = set()
    reached: set[str] = set()
    left, head, light, follows = 0, False, "", False
    all_tokens = _TOKENS.findall(text.lower())
    for at, token in enumerate(all_tokens):
        following = all_tokens[at + 1] if at + 1 < len(all_tokens) else "."
        if token in _BREAKS or token in _NEW_CLAUSE:
            if left and light and not head:
                denied.add(light)
            left, head, light, follows = 0, False, "", False
            continue
        if _NEGATOR.fullmatch(token) and not (token == "no" and following in _BREAKS):
            left, head, light, follows = REACH, False, "", False
            continue
        if not left:
            if token not in FUNCTION_WORDS:
                affirmed.add(stem(token))
            continue
        left -= 1
        if token in FUNCTION_WORDS:
            follows = False
            continue
        word = stem(token)
        reached.add(word)
        if not head and word in _LIGHT and following not in _OBJECTS:
            light = word
        elif not head or follows:
            denied.add(word)
            head, follows = True, not head
    if left and light and not head:
        denied.add(light)
    return Polarity(frozenset(denied), frozenset(reached), frozenset(affirmed))


def _near(word: str, among: Iterable[str]) -> bool:
    families = kindred(word)
    return any(word == one or (families and families & kindred(one)) for one in among)


def contradicts(sentence: str, clause: str, everything: str) -> bool:
    """Whether the sentence denies what its evidence affirms, or affirms what the clause that it tells denies.

    `clause` is the evidence's clause with most of the sentence's words, `everything` all of the evidence.
    """
    told, near, all_said = polarity(sentence), polarity(clause), polarity(everything)
    for one in told.denied:
        if one in near.affirmed and not _near(one, near.denied | near.reached):
            return True
        if one in all_said.affirmed and not _near(one, all_said.denied | all_said.reached):
            return True
    return any(one in near.denied and one not in near.affirmed for one in told.affirmed - told.reached)


def wanted_of(sentence: str, given: frozenset[str]) -> list[str]:
    """The sentence's stems that evidence must bear out."""
    return [one for one in stems(sentence) if one not in given and one not in frame()]


@lru_cache(maxsize=8192)
def stems(text: str) -> tuple[str, ...]:
    """Content stems of a text, remembered: a note's sentences are judged against the same utterances many times."""
    return tuple(content_stems(text))


__all__ = ["Polarity", "contradicts", "kindred", "polarity", "soft_cover", "stems", "strangers", "wanted_of"]
