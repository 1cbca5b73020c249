"""Words in the same order with a negation more or less: what a sentence near its evidence turned round. Pure.

Both texts become bare tokens, persons made alike, negations lifted out as marks of the word after them. Three words
in a row that stand in both, and nowhere with the same mark, contradict.
"""

import re
from functools import lru_cache

_PERSONS = frozenset(["i", "you", "he", "she", "they", "we", "client", "patient"])
_OWNED = frozenset(["my", "your", "his", "her", "their", "our"])
_BE = frozenset(["am", "is", "are", "'m", "'re"])
_FILL = "do does did just really like sort kind of very actually probably pretty a little um uh well so yeah and"
_DROPPED = frozenset(_FILL.split())
_NOT = frozenset(["not", "never", "no", "cannot"])
_RAISED = frozenset(["think", "believe", "feel", "guess", "expect", "suppose", "seem", "want"])
"""Verbs that carry a negation which belongs to what follows: "I don't think I can" is "I think I cannot"."""
CARRIED = 5
"""A negation carried by such a verb may belong to so many words after it."""
_TOKEN = re.compile(r"n't\b|[a-z0-9]+|'(?:m|re|ve|ll|d|s)\b|[.,;?!]")
_ANY_NOT = re.compile(r"\b(?:not|never|no|cannot)\b|n't\b")
_END = "."


@lru_cache(maxsize=4096)
def _marked(text: str) -> tuple[tuple[str, bool], ...]:
    """Tokens with whether a negation stands before them; stops are kept as one mark."""
    low = text.lower().replace("’", "'").replace("can't", "can n't").replace("won't", "will n't")
    low = low.replace("cannot", "can not").replace("wanna", "want to").replace("gonna", "going to")
    low = re.sub(r"(\w+?)n't\b", r"\1 n't", low)
    found: list[tuple[str, bool]] = []
    negated = False
    for token in _TOKEN.findall(low):
        if token in _NOT or token == "n't":
            negated = True
            continue
        word = _alike(token)
        if word is None or (word == _END and found and found[-1][0] == _END):
            continue
        found.append((word, negated))
        negated = False
    return tuple(found)


def _alike(token: str) -> str | None:
    if token in _DROPPED:
        return None
    if token in _PERSONS:
        return "they"
    if token in _OWNED:
        return "their"
    if token in _BE:
        return "be"
    if token in ",;?!.":
        return _END
    return {"was": "were", "has": "have", "'ve": "have", "'ll": "will", "'d": "would", "'s": "be"}.get(token, token)


@lru_cache(maxsize=4096)
def _threes(text: str) -> dict[tuple[str, str, str], frozenset[bool]]:
    words = _marked(text)
    found: dict[tuple[str, str, str], set[bool]] = {}
    carried = 0
    for before, at, after in zip(words, words[1:], words[2:], strict=False):
        if before[1] and before[0] in _RAISED:
            carried = CARRIED
        marks = found.setdefault((before[0], at[0], after[0]), set())
        marks |= {at[1], True} if carried else {at[1]}
        carried = 0 if at[0] == _END else max(0, carried - 1)
    return {key: frozenset(marks) for key, marks in found.items()}


def turned_round(sentence: str, evidence: str) -> bool:
    """Whether three words of the sentence stand in the evidence with the other mark alone."""
    if _ANY_NOT.search(sentence.lower()) is None and _ANY_NOT.search(evidence.lower()) is None:
        return False
    said, told = _threes(evidence), _threes(sentence)
    for key, marks in told.items():
        if key[1] in _RAISED or key[1] == _END or key.count(_END) > 1:
            continue
        there = said.get(key)
        if there is not None and not marks & there:
            return True
    return False


__all__ = ["turned_round"]
