"""An utterance whose text the clinician has corrected. Pure."""

from dataclasses import replace
from difflib import SequenceMatcher

from streaming.types import Tick, Utterance, Word

CERTAIN = 1.0


def corrected(utterance: Utterance, text: str) -> Utterance:
    """The utterance with other words: those that stayed keep their times, others share the time of what they replace.

    A word of the clinician's is certain.
    """
    wanted, words = text.split(), list(utterance.words)
    made: list[Word] = []
    for kind, a, b, c, d in SequenceMatcher(None, [one.text for one in words], wanted, False).get_opcodes():
        if kind == "equal":
            made += words[a:b]
        elif d > c:
            start, end = _span(utterance, words, a, b)
            made += _spread(wanted[c:d], start, end)
    certainty = sum(one.confidence for one in made) / len(made) if made else CERTAIN
    return replace(utterance, text=" ".join(wanted), words=tuple(made), confidence=certainty)


def _span(utterance: Utterance, words: list[Word], a: int, b: int) -> tuple[int, int]:
    """The time of the words `[a, b)`; of none, the moment between their neighbours."""
    if b > a:
        return words[a].start, words[b - 1].end
    before = words[a - 1].end if a else utterance.start
    after = words[a].start if a < len(words) else utterance.end
    return min(before, after), max(before, after)


def _spread(texts: list[str], start: int, end: int) -> list[Word]:
    step = (end - start) / len(texts)
    ticks = [Tick(round(start + step * at)) for at in range(len(texts) + 1)]
    return [Word(ticks[at], ticks[at + 1], text, CERTAIN) for at, text in enumerate(texts)]
