"""Whether what a recognizer wrote down was said at all: a network trained on speech finds words in any sound. Pure.

The signs, each measured on 128 clips of noise (white, pink, hum, clicks, recorded; 0.5 to 12 s; four levels) and 71
of speech (read, telephone, meetings, synthetic; the read ones also at a fiftieth of their level). Together they let
one clip of noise through ("Mm-hmm,") and lose four of speech, all of them one doubtful word from a meeting.

- Attention. A network that hears words looks at one place for each: the highest weight of a token, averaged over the
  tokens, was 0.14 to 0.29 for speech and below 0.08 for most noise of 3 s and more.
- Probability. The mean log probability of a token was above -1.04 for all speech but one word, below -1.2 for noise
  that led to sentences.
- Lone words. For short noise the network writes one bare token, nearly always "You", without the mark that
  ends every sentence it has heard.
- Signs that are no words, such as notes for music, or letters no English word has.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np

from streaming.types import SAMPLE_RATE, Float32

_SILENT_RMS = 2e-4  # six units of 16-bit sound: below it there is nothing but the converter's own noise
_STEP = SAMPLE_RATE // 50

_LOOKING_NOWHERE = 0.08
_HARDLY_LOOKING = 0.125
_UNLIKELY = -1.2
_HARDLY_LIKELY = -0.8
_UNLIKELY_ALONE = -1.5
_BARE = frozenset({"You", "you"})


def is_silent(audio: Float32) -> bool:
    """True where no 20 ms of the clip rise above the noise of an open line; also for no audio at all."""
    steps = len(audio) // _STEP
    if not steps:
        return not len(audio) or float(np.sqrt(np.mean(audio**2))) < _SILENT_RMS
    framed = audio[: steps * _STEP].reshape(steps, _STEP)
    return float(framed.std(axis=1).max()) < _SILENT_RMS


def is_english(text: str) -> bool:
    """True where the text holds a letter or digit, and no letter of another script than Latin."""
    letters = [sign for sign in text if sign.isalnum()]
    return bool(letters) and all(sign.isdigit() or "LATIN" in unicodedata.name(sign, "") for sign in letters)


def was_said(words: Sequence[str], log_probabilities: Float32, attention: Float32) -> bool:
    """False where the words are what the network writes for noise.

    `log_probabilities` (tokens,) and `attention` (tokens, frames) are those of all the words' tokens.
    """
    spelled = [word for word in words if any(map(str.isalnum, word))]
    if not spelled or not all(map(is_english, spelled)):
        return False
    likely, looking = float(log_probabilities.mean()), float(attention.max(axis=1).mean())
    if len(log_probabilities) == 1:
        return words[0] not in _BARE and likely >= _UNLIKELY_ALONE
    if looking < _LOOKING_NOWHERE or likely < _UNLIKELY:
        return False
    return looking >= _HARDLY_LOOKING or likely >= _HARDLY_LIKELY
