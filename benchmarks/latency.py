"""Latencies of a live session as its client felt them, against a reference with true times."""

import math
from dataclasses import dataclass

from benchmarks.live import Recording, shown_times, word_times
from benchmarks.normalise import located
from benchmarks.scoring import align
from streaming.types import Tick, Transcript, Utterance, Word

ENDPOINT_S = 0.7
"""The server's default endpoint silence: it must pass before an utterance can be known to be over."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds. `final_s` has an entry per reference utterance whose last word was heard."""

    first_word_s: float
    """NaN where none were shown."""
    final_s: tuple[float, ...]
    partial_gaps_s: tuple[float, ...]
    """Between one change of the shown text and the next, while somebody speaks."""

    @property
    def past_endpoint_s(self) -> tuple[float, ...]:
        """`final_s` without the endpoint silence, which is waited for on purpose; what came before its end is 0."""
        return tuple(max(0.0, latency - ENDPOINT_S) for latency in self.final_s)


def measured(recording: Recording, reference: Transcript) -> Latencies:
    """Latencies of one track `mic`.

    The last word of each reference utterance is looked up in the alignment of both texts; one that was not recognized
    as such has no latency. A backchannel inside another's talk is final when the recognizer is done with that talk.
    """
    final = [
        at - recording.sent_at(utterance.end)
        for word, utterance, at in known_words(recording, reference)
        if word is utterance.words[-1]
    ]
    return Latencies(_first_word(recording, reference), tuple(final), tuple(_partial_gaps(recording)))


def partial_delays(recording: Recording, reference: Transcript) -> list[float]:
    """Per reference word that was heard rightly: seconds from its last sample leaving to its being shown at all."""
    shown = shown_times(recording)
    said = [(text, at) for (text, _), at in zip(word_times(recording), shown, strict=False)]
    return [at - recording.sent_at(Tick(word.end - 1)) for word, _, at in _matched(said, reference)]


def known_words(recording: Recording, reference: Transcript) -> list[tuple[Word, Utterance, float]]:
    """The reference words that were heard rightly, in order, and when the client knew each to be final."""
    return _matched(word_times(recording), reference)


def _matched(said: list[tuple[str, float]], reference: Transcript) -> list[tuple[Word, Utterance, float]]:
    ordered = sorted(
        ((word, utterance) for utterance in reference.utterances for word in utterance.words),
        key=lambda pair: pair[0].start,
    )
    ours = located([word.text for word, _ in ordered])
    theirs = located([text for text, _ in said])
    known: list[tuple[Word, Utterance, float]] = []
    for one, other in align([word.text for word in ours], [word.text for word in theirs]):
        if one is not None and other is not None and ours[one].text == theirs[other].text:
            known.append((*ordered[ours[one].last - 1], said[theirs[other].last - 1][1]))
    return known


def _first_word(recording: Recording, reference: Transcript) -> float:
    starts = [word.start for one in reference.utterances for word in one.words]
    shown = [at for at, message in recording.messages if _text(message)]
    return min(shown) - recording.sent_at(min(starts)) if starts and shown else math.nan


def _partial_gaps(recording: Recording) -> list[float]:
    """Times between changes of the shown text within one stretch of talk."""
    gaps: list[float] = []
    last: float | None = None
    for at, message in recording.messages:
        if message["type"] == "partial":
            if last is not None and _text(message):
                gaps.append(at - last)
            last = at if _text(message) else None
    return gaps


def _text(message: dict[str, object]) -> str:
    if message["type"] != "partial":
        return ""
    return f"{message['committed']}{message['tentative']}"
