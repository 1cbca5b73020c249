"""Pieces of a recording for sessions side by side, each from elsewhere, so that talk does not coincide. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from streaming.types import SAMPLE_RATE, Int16Mono, Tick, Transcript, Turn, Utterance, Word, to_tick


@dataclass(frozen=True, slots=True)
class Piece:
    """Audio, and the truth about it from its own first sample on."""

    pcm: Int16Mono
    reference: Transcript
    spoken: tuple[Turn, ...]

    @property
    def length_s(self) -> float:
        return len(self.pcm) / SAMPLE_RATE


def pieces(
    pcm: Int16Mono, reference: Transcript, spoken: Sequence[Turn], length_s: float, count: int
) -> tuple[Piece, ...]:
    """`count` pieces of at most `length_s`, beginning at pauses about equally far apart; the recording goes round.

    A piece ends in a pause: before the utterance that its end would cut. Raises ValueError for no recording.
    """
    if not len(pcm):
        raise ValueError("the recording is empty")
    quiet = pauses(reference, Tick(len(pcm)))
    wanted = [len(pcm) * place // count for place in range(count)]
    starts = [_nearest(quiet, at) for at in wanted]
    return tuple(cut(pcm, reference, spoken, start, to_tick(length_s)) for start in starts)


def _nearest(ticks: Sequence[Tick], wanted: int) -> Tick:
    return min(ticks, key=lambda at: abs(at - wanted))


def pauses(reference: Transcript, length: Tick) -> list[Tick]:
    """Moments in the middle of everybody's silence of 0.2 s and more, and the recording's start."""
    found, reached = [Tick(0)], Tick(0)
    for utterance in sorted(reference.utterances, key=lambda one: one.start):
        if utterance.start - reached >= to_tick(0.2) and reached:
            found.append(Tick((reached + utterance.start) // 2))
        reached = max(reached, utterance.end)
    return [at for at in found if at < length]


def cut(pcm: Int16Mono, reference: Transcript, spoken: Sequence[Turn], start: Tick, length: Tick) -> Piece:
    """From `start`, round the recording's end as often as needed, for `length` at most, ending in a pause."""
    rounds = (start + length) // len(pcm) + 1
    said: list[Utterance] = []
    turns: list[Turn] = []
    for number in range(rounds):
        shift = Tick(number * len(pcm) - start)
        said += [_moved(one, shift) for one in reference.utterances]
        turns += [replace(one, start=Tick(one.start + shift), end=Tick(one.end + shift)) for one in spoken]
    said = [one for one in said if one.start >= 0 and one.start < length]
    # Where talk is cut by the end, the piece ends in the last pause before it.
    end = length
    for one in sorted(said, key=lambda one: -one.start):
        if one.end + to_tick(0.1) > end:
            end = min(end, one.start)
    kept = tuple(one for one in said if one.end <= end)
    last = max((one.end for one in kept), default=Tick(0))
    end = min(Tick(end), Tick(max(last + to_tick(1.0), 0))) if end < length else end
    inside = tuple(one for one in turns if one.start >= 0 and one.end <= end)
    samples = np.take(pcm, np.arange(start, start + end), mode="wrap")
    return Piece(samples, replace(reference, utterances=kept), inside)


def _moved(one: Utterance, shift: Tick) -> Utterance:
    def word(old: Word) -> Word:
        return replace(old, start=Tick(old.start + shift), end=Tick(old.end + shift))

    return replace(
        one, start=Tick(one.start + shift), end=Tick(one.end + shift), words=tuple(word(old) for old in one.words)
    )
