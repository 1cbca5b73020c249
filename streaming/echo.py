"""Whether a recognizer said back what it was told to expect: names on a list are heard in any noise. Pure.

A term that was spoken stands among other words, or in sound that comes and goes as speech does. What is dropped are
hypotheses of expected words alone over sound that gives little sign of speech. The signs:

- the network's own probability that nobody speaks;
- liveliness, the level of the loud moments over that of the quiet ones: in stretches of 2 s of speech (55, read and
  in conversation) never under 13 dB, in most of recorded noise (24) under 9;
- more words than anybody says in the time.
"""

from collections.abc import Sequence

import numpy as np

from streaming.agreement import fold
from streaming.types import SAMPLE_RATE, Float32

_STEP = SAMPLE_RATE // 50
_FEWEST_STEPS = 5
_FLOOR = 1e-5
_LIVELY_DB = 12.0
_NOBODY = 0.3
_WORDS_PER_SECOND = 6.0


def liveliness_db(clip: Float32) -> float:
    """How far the loud 20 ms of a clip (the 95th percentile) rise above the quiet ones (the 10th); 0 for no audio."""
    steps = len(clip) // _STEP
    if steps < _FEWEST_STEPS:
        return 0.0
    levels = np.sqrt(np.square(clip[: steps * _STEP].reshape(steps, _STEP)).mean(axis=1))
    quiet, loud = np.percentile(levels, [10, 95])
    return float(20 * np.log10((loud + _FLOOR) / (quiet + _FLOOR)))


def is_echo(words: Sequence[str], expected: Sequence[str], clip: Float32, no_speech: float) -> bool:
    """True where all that was written down was on the list of what to expect, and little says that it was spoken."""
    said = [folded for word in words if (folded := fold(word))]
    terms = {fold(part) for term in expected for part in term.replace("-", " ").split()}
    spelled = {fold(part) for word in words for part in word.replace("-", " ").split()} - {""}
    if not said or not spelled <= terms:
        return False
    hasty = len(said) > max(1.0, _WORDS_PER_SECOND * len(clip) / SAMPLE_RATE)
    return hasty or no_speech > _NOBODY or liveliness_db(clip) < _LIVELY_DB
