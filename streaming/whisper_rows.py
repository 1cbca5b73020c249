"""Windows as rows of a Whisper batch, and what is made of a row's answer. Pure.

A call takes rows that share the language and the place of the start mark in their prompts; the spectrogram of a row
holds 30 s. Before the start mark stands what is to be expected, as text that came before: its head is cut off at any
token, as in Whisper's training, so that the rows of different sessions come to one of a few lengths.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.decoding import before_loop
from streaming.ports import Window
from streaming.types import SAMPLE_RATE, Float32, Tick, Word

LONGEST_TICKS = 30 * SAMPLE_RATE
SHORTEST_TICKS = SAMPLE_RATE // 10
BUCKETS = (64, 32, 16, 8)
"""Lengths that expected words are cut to, in tokens: so a batch falls apart into few groups."""
_SEARCH_TICKS = 5 * SAMPLE_RATE
"""A window past 30 s is cut at the quietest place of the last so many ticks."""
_STEP = SAMPLE_RATE // 50
_TOKEN_TICKS = 320  # one position of the encoder
_NO_SPEECH = 0.6
_UNLIKELY = -1.0
"""Mean log probability below which Whisper's authors take an answer for wrong, and a silent one for silence."""
_WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})


@dataclass(frozen=True, slots=True)
class Row:
    """At most 30 s of the window at `place` of the call, from its tick `start` on."""

    place: int
    start: int
    clip: Float32
    language: str
    prompt: tuple[int, ...]
    final: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decoded for a row: text tokens, those of a loop cut off, and the mean log probability of them all."""

    tokens: tuple[int, ...]
    log_probability: float
    no_speech: float
    looped: bool

    @property
    def doubtful(self) -> bool:
        """Whether it is worth another try. Silence is not: that is an answer."""
        return (self.looped or self.log_probability < _UNLIKELY) and not self.silent

    @property
    def silent(self) -> bool:
        """Whether nobody spoke, by the network's own word."""
        return not self.tokens or (self.no_speech > _NO_SPEECH and self.log_probability < _UNLIKELY)


@dataclass(frozen=True, slots=True)
class Timed:
    """A word with its ticks within a row's clip."""

    text: str
    start: int
    end: int
    confidence: float


def answer(tokens: Sequence[int], score: float, no_speech: float, end_of_text: int) -> Answer:
    """What a row's tokens say. `score` is the sum of log probabilities over the number of tokens."""
    kept = [token for token in tokens if token < end_of_text]
    whole = before_loop(kept)
    # The end mark's probability is in the sum, and it is no token of the result.
    mean = score * len(tokens) / (len(tokens) + 1)
    return Answer(tuple(kept[:whole]), mean, no_speech, looped=whole < len(kept))


def better(one: Answer, other: Answer) -> Answer:
    """The answer to take: one without a loop, then the likelier one."""
    return max(one, other, key=lambda each: (not each.looped, each.log_probability))


def bucketed(tokens: Sequence[int]) -> list[int]:
    """The last tokens, as many as the largest bucket holds that they fill; fewer than that are taken as they are."""
    size = next((size for size in BUCKETS if size <= len(tokens)), len(tokens))
    return list(tokens[len(tokens) - size :])


def pieces(clip: Float32) -> list[tuple[int, int]]:
    """Half-open stretches of at most 30 s that cover the clip, cut where it is quietest."""
    found: list[tuple[int, int]] = []
    start = 0
    while len(clip) - start > LONGEST_TICKS:
        low = start + LONGEST_TICKS - _SEARCH_TICKS
        steps = clip[low : start + LONGEST_TICKS].reshape(-1, _STEP)
        end = low + int(np.argmin(np.square(steps).mean(axis=1))) * _STEP + _STEP // 2
        found.append((start, end))
        start = end
    return [*found, (start, len(clip))]


def padded(clip: Float32) -> Float32:
    """The clip with silence after it where it is too short for a spectrogram."""
    return np.pad(clip, (0, max(0, SHORTEST_TICKS - len(clip)))).astype(np.float32, copy=False)


def as_float(pcm: NDArray[np.int16]) -> Float32:
    """Audio in [-1, 1)."""
    return pcm.astype(np.float32) / np.float32(32768)


def grouped(rows: Sequence[Row], most: int) -> list[list[Row]]:
    """Rows that may share a call, at most so many each; the order of a window's rows is kept."""
    groups: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.language, len(row.prompt)].append(row)
    return [group[start : start + most] for group in groups.values() for start in range(0, len(group), most)]


def split_words(pieces_: Sequence[str], lengths: Sequence[int], language: str) -> list[tuple[str, int]]:
    """Words and how many tokens each takes; punctuation stays with the word before it."""
    words: list[tuple[str, int]] = []
    for piece, count in zip(pieces_, lengths, strict=True):
        joins = words and not piece.startswith(" ") and (language not in _WITHOUT_SPACES or not piece.isalnum())
        if joins:
            text, before = words.pop()
            words.append((text + piece, before + count))
        else:
            words.append((piece, count))
    return words


def timed(
    words: Sequence[tuple[str, int]], alignments: Sequence[tuple[int, int]], probabilities: NDArray[np.float64]
) -> list[Timed]:
    """Words with times: a token begins where the alignment first reaches it, and ends where the next one begins."""
    begun: dict[int, int] = {}
    for token, position in alignments:
        begun.setdefault(token, position)
    last = max((position for _, position in alignments), default=0) + 1
    found = []
    first = 0
    for text, count in words:
        start, end = begun.get(first, last), begun.get(first + count, last)
        sure = float(probabilities[first : first + count].mean())
        found.append(Timed(text.strip(), start * _TOKEN_TICKS, end * _TOKEN_TICKS, sure))
        first += count
    return [word for word in found if word.text]


def placed(words: Sequence[Timed], row: Row, window: Window) -> list[Word]:
    """The words on the session's clock: in order, at least a tick long each, inside the row's part of the window."""
    found: list[Word] = []
    reached, origin = 0, window.start + row.start
    length = min(len(row.clip), len(window.pcm) - row.start)
    for number, word in enumerate(words):
        room = length - (len(words) - 1 - number)
        if room <= reached:
            break
        start = min(max(word.start, reached), room - 1)
        reached = min(max(word.end, start + 1), room)
        found.append(Word(Tick(origin + start), Tick(origin + reached), word.text, min(1.0, word.confidence)))
    return found
