"""Streaming by LocalAgreement-2 as it was published, around any recognizer: what ours is compared with. Pure.

Macháček, Dabre and Bojar, "Turning Whisper into Real-Time Transcription System" (IJCNLP-AACL 2023 demo): each time at
least a second has come in, the whole buffer is recognized; words that two hypotheses in a row begin with are final; a
buffer above 15 s is cut behind the last sentence that is final. No voice activity, no endpoint: what is left is final
at the end. Of necessity otherwise: the embedded model takes no prompt and marks no segments, so sentences end where
it writes a full stop; words are compared without case and punctuation, which is in the method's favour.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from streaming.agreement import SENTENCE_END, agreed, fold
from streaming.types import SAMPLE_RATE, Tick, Word

CHUNK_TICKS = SAMPLE_RATE
TRIM_TICKS = 15 * SAMPLE_RATE
_MOST_TICKS = 20 * SAMPLE_RATE
_BEGIN = Tick(0)
_OVERLAP_WORDS = 5
_NEAR_TICKS = SAMPLE_RATE
_SLACK_TICKS = SAMPLE_RATE // 10


@dataclass(slots=True)
class LocalAgreement:
    """Give it each new hypothesis of the buffer `[start, end)`; `start` says where the buffer is to begin."""

    start: Tick = _BEGIN
    final: list[Word] = field(default_factory=list)
    _pending: list[Word] = field(default_factory=list)

    def hear(self, words: Sequence[Word], end: Tick) -> tuple[Word, ...]:
        """The words that have become final with this hypothesis. Moves `start` where the buffer is too long."""
        last = self.final[-1].end if self.final else Tick(0)
        fresh = self._unseen([word for word in words if word.start > last - _SLACK_TICKS], last)
        count = agreed(self._pending, fresh)
        committed = tuple(fresh[:count])
        self.final += committed
        self._pending = list(fresh[count:])
        if end - self.start > TRIM_TICKS:
            self._trim(end)
        return committed

    def flush(self) -> tuple[Word, ...]:
        """At the end: what is left is final."""
        committed = tuple(self._pending)
        self.final += committed
        self._pending = []
        return committed

    def _unseen(self, words: list[Word], last: Tick) -> list[Word]:
        """Without a head that repeats the last words that are final: the times at a cut are not exact."""
        if not words or not self.final or abs(words[0].start - last) >= _NEAR_TICKS:
            return words
        for count in range(min(_OVERLAP_WORDS, len(words), len(self.final)), 0, -1):
            tail = [fold(word.text) for word in self.final[-count:]]
            if tail == [fold(word.text) for word in words[:count]]:
                return words[count:]
        return words

    def _trim(self, end: Tick) -> None:
        inside = [word for word in self.final if word.end > self.start]
        ends = [word.end for word in inside if word.text.endswith(SENTENCE_END)]
        if ends:
            self.start = ends[-1]
        elif inside:
            self.start = inside[-1].end
        elif end - self.start > _MOST_TICKS:
            # Nothing has agreed: the published loop cuts at 30 s come what may; the model here hears 20 s.
            self.start = Tick(self.start + TRIM_TICKS // 2)
