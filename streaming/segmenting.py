"""Where speech starts, pauses and ends: voice probabilities in, marks on the time line out.

Hysteresis with two thresholds and a pre-roll. Marks depend on the audio alone, never on how fast the rest of the
pipeline is, so that what is made of them is the same at every pace.
"""

from dataclasses import dataclass
from typing import Literal

from streaming.types import SAMPLE_RATE, Tick

CHUNK_TICKS = 512
"""One decision: 32 ms, the chunk that silero takes at 16 kHz."""


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """When to believe that somebody speaks, and when that they have finished."""

    speech_above: float = 0.5
    silence_below: float = 0.35
    onset_ticks: int = 2 * CHUNK_TICKS
    """Voice must last this long to open a segment: a click does not."""
    preroll_ticks: int = SAMPLE_RATE * 3 // 10
    breath_ticks: int = 6 * CHUNK_TICKS
    """A silence, 190 ms, that is no closure inside a word: silero holds on for 100 ms, so it is 290 ms of quiet.

    On the bundled session 160 ms cost three words more of 506 for finals a little sooner.
    """
    pause_ticks: int = SAMPLE_RATE * 3 // 10
    """A silence in which a long segment may be cut whatever was said."""
    endpoint_ticks: int = SAMPLE_RATE * 7 // 10
    grid_ticks: int = SAMPLE_RATE // 2
    """How often a segment that goes on is marked, as a chance for a partial result."""


MarkKind = Literal["start", "going_on", "breath", "pause", "end", "silence"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something became known about the audio up to tick `at`.

    start: a segment begins at `at` (pre-roll included). going_on: it still goes on at `at`. breath, then pause:
    nobody has spoken for a moment around `at`, a safe place to cut. end: it ended at `at`. silence: no segment will
    begin before `at`. `voiced` counts the segment's ticks of voice so far.
    """

    kind: MarkKind
    at: Tick
    voiced: int = 0


class Segmenter:
    """Feed it one probability a chunk, in order, from tick 0."""

    def __init__(self, settings: SegmentSettings | None = None) -> None:
        self.settings = settings or SegmentSettings()
        self._now = 0
        self._open = False
        self._floor = 0  # where the last segment ended: pre-roll never reaches behind it
        self._onset: int | None = None
        self._last_voice = 0
        self._voiced = 0
        self._silent_for: MarkKind | None = None  # the longest silence marked since the last voice
        self._next_grid = 0

    @property
    def now(self) -> Tick:
        """All audio before this tick has been heard."""
        return Tick(self._now)

    def hear(self, probability: float) -> list[Mark]:
        """The marks that one more chunk brings, in order of time."""
        start, self._now = self._now, self._now + CHUNK_TICKS
        return self._speaking(probability) if self._open else self._waiting(start, probability)

    def flush(self, end: Tick) -> list[Mark]:
        """End of audio: closes what is open at `end`, which may lie inside the last chunk."""
        marks = [Mark("end", Tick(max(end, self._floor)), self._voiced)] if self._open else []
        self._open = False
        self._now = max(self._now, end)
        return [*marks, Mark("silence", end)]

    def _waiting(self, start: int, probability: float) -> list[Mark]:
        settings = self.settings
        if probability < settings.speech_above:
            self._onset = None
            return [Mark("silence", self._safe(self._now))]
        if self._onset is None:
            self._onset = start
        if self._now - self._onset < settings.onset_ticks:
            return []
        begin = self._safe(self._onset)
        self._open, self._silent_for, self._last_voice = True, None, self._now
        self._voiced = self._now - self._onset
        self._next_grid = begin + settings.grid_ticks
        return [Mark("start", begin)]

    def _speaking(self, probability: float) -> list[Mark]:
        settings = self.settings
        marks: list[Mark] = []
        if probability >= settings.silence_below:
            self._last_voice, self._silent_for = self._now, None
            self._voiced += CHUNK_TICKS
        silence = self._now - self._last_voice
        if silence >= settings.endpoint_ticks:
            return self._close()
        if silence >= settings.breath_ticks and self._silent_for is None:
            marks.append(self._silent("breath", silence))
        if silence >= settings.pause_ticks and self._silent_for == "breath":
            marks.append(self._silent("pause", silence))
        if self._now >= self._next_grid:
            self._next_grid += settings.grid_ticks
            if self._silent_for is None:
                marks.append(Mark("going_on", Tick(self._now), self._voiced))
        return marks

    def _silent(self, kind: MarkKind, silence: int) -> Mark:
        self._silent_for = kind
        return Mark(kind, Tick(self._last_voice + silence // 2), self._voiced)

    def _close(self) -> list[Mark]:
        # The end keeps half of the endpoint silence: the recognizer hears that the last word is over, and the
        # pre-roll of a segment that follows at once still finds its own silence.
        end = Tick(self._now - self.settings.endpoint_ticks // 2)
        mark = Mark("end", end, self._voiced)
        self._open, self._onset, self._floor, self._voiced = False, None, end, 0
        return [mark, Mark("silence", self._safe(self._now))]

    def _safe(self, tick: int) -> Tick:
        """How far back a segment that begins at `tick` can reach."""
        return Tick(max(self._floor, tick - self.settings.preroll_ticks, 0))
