"""LocalAgreement-2: what two successive hypotheses of a growing window share is taken as final.

After Liu, Spanakis and Niehues, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial
Hypothesis Selection" (Interspeech 2020). Words are compared folded, since case and punctuation at a window's edge
change with every window.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

from streaming.types import SAMPLE_RATE, Tick, Word

SENTENCE_END = (".", "?", "!")
_SENTENCE_BONUS_TICKS = SAMPLE_RATE * 3 // 10
_SEAM_TICKS = SAMPLE_RATE // 5


def fold(text: str) -> str:
    """A word without case, accents and punctuation, as two hypotheses are compared."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


def agreed(previous: Sequence[Word], current: Sequence[Word]) -> int:
    """How many words at the head of both are the same, folded."""
    count = 0
    for before, now in zip(previous, current, strict=False):
        if fold(before.text) != fold(now.text):
            break
        count += 1
    return count


def best_cut(words: Sequence[Word], earliest: Tick, latest: Tick) -> int | None:
    """The boundary in [earliest, latest] that is safest to cut at, as the number of words before it.

    Prefers a long pause and the end of a sentence, then the later place. None where no boundary lies there.
    """
    best: tuple[float, int] | None = None
    for count in range(1, len(words)):
        before, after = words[count - 1], words[count]
        middle = (before.end + after.start) // 2
        if not earliest <= middle <= latest:
            continue
        bonus = _SENTENCE_BONUS_TICKS if before.text.endswith(SENTENCE_END) else 0
        # A second of context is worth 50 ms of pause: enough to decide between boundaries that are alike.
        score = (after.start - before.end) + bonus + 0.05 * (middle - earliest)
        if best is None or score >= best[0]:
            best = (score, count)
    return best[1] if best else None


def cut_tick(words: Sequence[Word], count: int, quietest: Callable[[Tick, Tick], Tick]) -> Tick:
    """Where to cut between word `count - 1` and word `count`: the quietest moment about there.

    Word times are only good to some tens of milliseconds, so the search reaches a little into both words.
    """
    reach = SAMPLE_RATE * 6 // 100
    before, after = words[count - 1], words[count]
    return quietest(Tick(max(before.start, before.end - reach)), Tick(max(before.end, after.start) + reach))


def mend_seam(committed: Word | None, promised: Sequence[Word], heard: Sequence[Word]) -> tuple[Word, ...]:
    """The words of a window that began with a cut, without the traces of that cut.

    `committed` is the last word before the cut, `promised` the words that the longer window had heard after it.
    Drops a first word that is the rest of the committed one, and gives the first word the case and the
    punctuation it had inside the longer window.
    """
    words = list(heard)
    if words and committed and promised and _is_repeat(committed, promised[0], words[0]):
        words = words[1:]
    if words and promised and fold(words[0].text) == fold(promised[0].text):
        words[0] = replace(words[0], text=promised[0].text)
    return tuple(words)


def _is_repeat(committed: Word, promised: Word, first: Word) -> bool:
    same = fold(first.text) == fold(committed.text) and fold(first.text) != fold(promised.text)
    return same and first.start <= committed.end + _SEAM_TICKS
