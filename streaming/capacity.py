"""How many tracks a node can follow, by what it has measured of itself. Pure: times are given.

What counts is what cannot be left out: the time of the recognizer for final windows (tentative ones are left out
where there is none for them), of the diarizer and of the voice detector, each on its threads. A thread that waits for
a core counts as at work, so a machine with too few of them shows, too. The cost of the scarcest for a second of
audio, silence included, times the tracks that are spoken on, is the share of the clock that it is at work. Past one,
lag grows without end; so a session is refused before.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

WINDOW_S = 60.0
"""What is older says little of the load now."""
ENOUGH_S = 30.0
"""Audio from which a cost is believed: a pause more or less no longer changes it much."""


@dataclass(frozen=True, slots=True)
class _Sample:
    at_s: float
    busy_s: tuple[float, ...]
    audio_s: float


@dataclass(slots=True)
class Capacity:
    """`most` is the share of the scarcest part's time that may be promised."""

    most: float
    cost: float = 0.0
    """The scarcest part's seconds for a second of audio; 0 until enough has been heard."""
    _samples: deque[_Sample] = field(default_factory=deque)

    def observe(self, at_s: float, busy_s: Sequence[float], audio_s: float) -> None:
        """Take in how long each part has worked and how much was heard since the start; none ever falls."""
        self._samples.append(_Sample(at_s, tuple(busy_s), audio_s))
        while len(self._samples) > 2 and self._samples[1].at_s < at_s - WINDOW_S:
            self._samples.popleft()
        first = self._samples[0]
        if audio_s - first.audio_s >= ENOUGH_S:
            worked = max(now - before for now, before in zip(busy_s, first.busy_s, strict=True))
            self.cost = worked / (audio_s - first.audio_s)

    def load(self, tracks: int) -> float:
        """The share of the scarcest part's time that so many tracks take."""
        return tracks * self.cost

    def has_room(self, speaking: int, more: int) -> bool:
        """Whether so many more tracks can be followed beside those that are spoken on. One session always can."""
        return speaking == 0 or self.load(speaking + more) <= self.most
