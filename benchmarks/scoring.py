"""How right a transcript is: word errors, with speakers or without, diarization errors, word times, stray words.

Pure. Words are compared as `benchmarks.normalise` says. Rates are errors over what the reference holds;
where it holds nothing the rate is 0 without errors, else infinity. Turns and words carry ticks (16 kHz samples).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.normalise import Compared, located, words
from streaming.errors import EngineMissing
from streaming.types import SpeakerId, Tick, Transcript, Turn, Word, seconds, to_tick


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors against `words` reference words: the fewest edits, and of those the fewest substitutions."""

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Word error rate; more insertions than words make it larger than 1."""
        return _rate(self.errors, self.words)

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(
            self.words + other.words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


@dataclass(frozen=True, slots=True)
class DiarizationErrors:
    """Seconds of speaker time, overlapped speech counted once per speaker, with no collar."""

    speech_s: float
    missed_s: float
    false_alarm_s: float
    confused_s: float

    @property
    def rate(self) -> float:
        """Diarization error rate (DER)."""
        return _rate(self.missed_s + self.false_alarm_s + self.confused_s, self.speech_s)

    def __add__(self, other: "DiarizationErrors") -> "DiarizationErrors":
        return DiarizationErrors(
            self.speech_s + other.speech_s,
            self.missed_s + other.missed_s,
            self.false_alarm_s + other.false_alarm_s,
            self.confused_s + other.confused_s,
        )


@dataclass(frozen=True, slots=True)
class TimeErrors:
    """How far the times of `words` rightly heard words are off, in seconds; NaN where there are none.

    Medians and 95th percentiles are of the absolute error; the shifts are medians with sign, positive where late.
    """

    words: int
    start_median_s: float
    start_p95_s: float
    end_median_s: float
    end_p95_s: float
    start_shift_s: float
    end_shift_s: float


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Word errors of one text against another."""
    return count(words(reference), words(hypothesis))


def transcript_errors(reference: Transcript, hypothesis: Transcript) -> WordErrors:
    """Word errors whoever spoke, both sides in order of word times (of utterances' starts where there are no words).

    Where people talk at once the order is a matter of milliseconds: `speaker_errors` does not depend on it.
    """
    return word_errors(ordered_text(reference), ordered_text(hypothesis))


def speaker_errors(reference: Transcript, hypothesis: Transcript) -> WordErrors:
    """Word errors where the speaker counts (cpWER): each speaker's words joined, speakers paired at their best.

    A speaker without a partner counts as deleted or inserted whole. Source: Watanabe et al. 2020 (CHiME-6).
    """
    ours = [words(text) for text in _by_speaker(reference).values()]
    theirs = [words(text) for text in _by_speaker(hypothesis).values()]
    pairs = [[count(one, other) for other in theirs] for one in ours]

    @cache
    def best(at: int, free: frozenset[int]) -> WordErrors:
        if at == len(ours):
            return WordErrors(insertions=sum(len(theirs[index]) for index in free))
        alone = WordErrors(len(ours[at]), deletions=len(ours[at])) + best(at + 1, free)
        paired = [pairs[at][index] + best(at + 1, free - {index}) for index in free]
        return min([alone, *paired], key=lambda errors: (errors.errors, errors.substitutions))

    return best(0, frozenset(range(len(theirs))))


def ordered_text(transcript: Transcript, speaker: SpeakerId | None = None) -> str:
    """The transcript's words (or one speaker's) in order of their starts, as one text."""
    timed: list[tuple[Tick, str]] = []
    for utterance in transcript.utterances:
        if speaker is None or utterance.speaker == speaker:
            timed += [(word.start, word.text) for word in utterance.words] or [(utterance.start, utterance.text)]
    return " ".join(text for _, text in sorted(timed, key=lambda entry: entry[0]))


def _by_speaker(transcript: Transcript) -> dict[SpeakerId, str]:
    speakers = sorted({utterance.speaker for utterance in transcript.utterances})
    return {speaker: ordered_text(transcript, speaker) for speaker in speakers}


def count(reference: Sequence[str], hypothesis: Sequence[str]) -> WordErrors:
    """Word errors of words that are already as they are compared."""
    pairs = align(reference, hypothesis)
    return WordErrors(
        words=len(reference),
        substitutions=sum(
            one is not None and other is not None and reference[one] != hypothesis[other] for one, other in pairs
        ),
        deletions=sum(other is None for _, other in pairs),
        insertions=sum(one is None for one, _ in pairs),
    )


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Index pairs of the cheapest alignment, in order; None on one side is a deletion or an insertion.

    Fewest edits first, then fewest substitutions, so that as many words as possible meet their like. Memory is one
    byte per pair of words: 60 MB for two hours-long sessions of 7,500 words each.
    """
    steps = _steps(*_codes(reference, hypothesis))
    one, other = len(reference), len(hypothesis)
    pairs: list[tuple[int | None, int | None]] = []
    while one or other:
        step = steps[one, other]
        one -= step != _INSERT
        other -= step != _DELETE
        pairs.append((None if step == _INSERT else one, None if step == _DELETE else other))
    return pairs[::-1]


_MEET, _DELETE, _INSERT = 0, 1, 2


def _codes(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    numbers: dict[str, int] = {}
    coded = [[numbers.setdefault(word, len(numbers)) for word in side] for side in (reference, hypothesis)]
    return np.array(coded[0], dtype=np.int64), np.array(coded[1], dtype=np.int64)


def _steps(reference: NDArray[np.int64], hypothesis: NDArray[np.int64]) -> NDArray[np.int8]:
    """The last step of the cheapest way to each cell of the edit lattice, shape (reference + 1, hypothesis + 1).

    Row by row: a run of insertions is a running minimum once their cost is taken off the column number.
    """
    edit = len(reference) + len(hypothesis) + 1
    across = np.arange(len(hypothesis) + 1, dtype=np.int64) * edit
    row = across.copy()
    steps = np.full((len(reference) + 1, len(hypothesis) + 1), _INSERT, dtype=np.int8)
    for number, word in enumerate(reference, 1):
        meet = row[:-1] + np.where(hypothesis == word, 0, edit + 1)
        delete = row + edit
        entered = delete.copy()
        entered[1:] = np.minimum(entered[1:], meet)
        row = np.minimum.accumulate(entered - across) + across
        steps[number][row == delete] = _DELETE
        steps[number][1:][row[1:] == meet] = _MEET
    return steps


def time_errors(reference: Iterable[Word], hypothesis: Iterable[Word]) -> TimeErrors:
    """How far the hypothesis's word times are off, over the words that both sides have in the alignment.

    Words that one side writes as several (10:30) are left out. On overlapped talk give one speaker's words.
    """
    ours, theirs = _compared(reference), _compared(hypothesis)
    starts: list[float] = []
    ends: list[float] = []
    for one, other in align([word.text for word, _, _ in ours], [word.text for word, _, _ in theirs]):
        if one is None or other is None:
            continue
        (true, true_start, true_end), (heard, start, end) = ours[one], theirs[other]
        if true.text == heard.text and true.whole and heard.whole:
            starts.append(seconds(start - true_start))
            ends.append(seconds(end - true_end))
    return TimeErrors(
        len(starts),
        quantile(map(abs, starts), 0.5),
        quantile(map(abs, starts), 0.95),
        quantile(map(abs, ends), 0.5),
        quantile(map(abs, ends), 0.95),
        quantile(starts, 0.5),
        quantile(ends, 0.5),
    )


def _compared(timed: Iterable[Word]) -> list[tuple[Compared, Tick, Tick]]:
    ordered = sorted(timed, key=lambda word: word.start)
    return [
        (word, ordered[word.first].start, ordered[word.last - 1].end)
        for word in located([source.text for source in ordered])
    ]


def quantile(values: Iterable[float], share: float) -> float:
    """The quantile at `share`, between neighbours linearly; NaN of nothing."""
    listed = list(values)
    return float(np.quantile(listed, share)) if listed else math.nan


def stray_words(hypothesis: Iterable[Word], reference: Iterable[Turn], tolerance_s: float = 0.25) -> list[Word]:
    """Words heard where nobody spoke: their middle lies farther than `tolerance_s` from every turn.

    For a recording of noise give no turns: every word that counts as one (hesitations do not) is stray.
    """
    slack = to_tick(tolerance_s)
    spans = [(turn.start - slack, turn.end + slack) for turn in reference]
    return [
        word
        for word in hypothesis
        if words(word.text) and not any(start <= (word.start + word.end) / 2 < end for start, end in spans)
    ]


def diarization_errors(reference: Iterable[Turn], hypothesis: Iterable[Turn], duration: Tick) -> DiarizationErrors:
    """DER's parts over all of `[0, duration)`, collar 0, overlap scored, speakers paired at their best.

    Computed by pyannote.metrics. Raises EngineMissing where it is not installed.
    """
    try:
        from pyannote.core import Segment, Timeline
        from pyannote.metrics.diarization import DiarizationErrorRate
    except ImportError:
        raise EngineMissing("pyannote.metrics is not installed.", mend="pip install 'sameday[bench]'") from None
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    whole = Timeline([Segment(0.0, seconds(duration))])
    parts = metric(_annotation(reference, duration), _annotation(hypothesis, duration), uem=whole, detailed=True)
    return DiarizationErrors(
        float(parts["total"]),
        float(parts["missed detection"]),
        float(parts["false alarm"]),
        float(parts["confusion"]),
    )


def _annotation(turns: Iterable[Turn], duration: Tick) -> Any:
    """Turns as pyannote's Annotation, one speaker's overlapping turns made one."""
    from pyannote.core import Annotation, Segment

    annotation = Annotation(uri="session")
    for number, turn in enumerate(turns):
        start, end = max(turn.start, 0), min(turn.end, duration)
        if start < end:
            annotation[Segment(seconds(start), seconds(end)), number] = str(turn.speaker)
    return annotation.support()


def _rate(errors: float, size: float) -> float:
    if size:
        return errors / size
    return math.inf if errors else 0.0
