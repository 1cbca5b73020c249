"""The embedded recognizer: English, on the CPU, with the moonshine tiny weights of the pinned wheel.

Measured on the bundled session's two tracks, each utterance whole with 0.1 s around it: word error rate 2.4 % (0.3 s:
3.4 %; no margin: 3.9 %; the last 0.25 s cut off: 9.9 %). Longer windows do no harm: cut blindly out of talk without
pauses, windows of 3, 6, 10, 15 and 25 s gave 20.7, 16.6, 9.1, 4.1 and 3.0 %, so it is the cuts that cost words.
"""

from collections.abc import Sequence

import numpy as np

from streaming import weights
from streaming.hearing import is_silent, was_said
from streaming.moonshine import Decoded, Moonshine
from streaming.ports import Hypothesis, Window
from streaming.tokenizer import Tokenizer
from streaming.types import SAMPLE_RATE, Float32, Tick, Word
from streaming.word_times import word_times

_SHORTEST_TICKS = SAMPLE_RATE // 2
_NOTHING = Hypothesis(())


class EmbeddedRecognizer:
    """Moonshine tiny behind the `Recognizer` seam.

    It knows English alone and its decoder takes no text to start from: a window's language and hotwords are ignored.
    `threads` are used inside one call, which takes `max_batch` windows of 0 to 30 s, though it hears best up to
    `max_window_ticks`. Word times and their measured error: streaming/word_times.py. What is not taken for speech:
    streaming/hearing.py. Raises EngineMissing where the wheel's weights are not there.
    """

    name = "embedded"
    max_window_ticks = 20 * SAMPLE_RATE

    def __init__(self, threads: int = 1, max_batch: int = 16) -> None:
        self.max_batch = max_batch
        self._network = Moonshine(threads)
        self._tokenizer = Tokenizer(weights.asset("tiny-en/tokenizer.bin").read_bytes())

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """One hypothesis per window, in order."""
        clips = [window.pcm.astype(np.float32) / np.float32(32768) for window in windows]
        heard = [place for place, clip in enumerate(clips) if not is_silent(clip)]
        hypotheses = [_NOTHING] * len(windows)
        for start in range(0, len(heard), self.max_batch):
            places = heard[start : start + self.max_batch]
            decoded = self._network.transcribe([_padded(clips[place]) for place in places])
            for place, result in zip(places, decoded, strict=True):
                hypotheses[place] = self._hypothesis(windows[place].start, clips[place], result)
        return hypotheses

    def _hypothesis(self, start: Tick, clip: Float32, decoded: Decoded) -> Hypothesis:
        spans = self._tokenizer.words(decoded.tokens)
        if not was_said([span.text for span in spans], decoded.log_probabilities, decoded.attention):
            return _NOTHING
        times = word_times(decoded.attention, [(span.first, span.last) for span in spans], clip)
        sure = [float(np.exp(decoded.log_probabilities[span.first : span.last].mean())) for span in spans]
        return Hypothesis(
            tuple(
                Word(Tick(start + first), Tick(start + last), span.text, confidence)
                for span, (first, last), confidence in zip(spans, times, sure, strict=True)
            )
        )


def _padded(clip: Float32) -> Float32:
    """The clip with silence after it where it is shorter than the network was trained for."""
    return np.pad(clip, (0, max(0, _SHORTEST_TICKS - len(clip)))).astype(np.float32, copy=False)
