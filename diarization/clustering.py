"""Which of a session's voices a local speaker of a window is, decided as the session goes on. Pure.

What the model calls a local speaker is tied to the session's voices by two kinds of evidence: `link`, how much of
its talk in this window was already given to each voice, and the cosine between its new speech and each voice's
centroid, trusted the more the longer the speech. Two local speakers of one window are two people unless their
voices say otherwise. The sums below are in units of cosine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from streaming.types import Float32, SpeakerId


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How voices are told apart; cosines are of WeSpeaker ResNet34 embeddings."""

    sure_s: float = 1.6
    """Clean speech from which a cosine counts in full: EER 0.6 % at 1.6 s, 7.8 % at 1.0 s, 13.4 % at 0.8 s."""
    found_s: float = 1.0
    """Clean speech needed to say that a voice is a new one."""
    learn_s: float = 0.8
    """Clean speech needed to move a centroid."""
    stranger: float = 0.35
    """A voice further than this from all known ones is a new one: pairs of 2 s clips of one speaker have a cosine
    around 0.55, of two speakers around 0.1 over a close and 0.3 over a telephone's channel."""
    link: float = 0.25
    """What the segmentation's own continuity is worth."""
    apart: float = 0.3
    """What it costs to give two local speakers of one window one voice."""
    lead: float = 0.05
    """By how much a voice must be the best one before it is learned from."""


class Voices:
    """The voices of a track: at most `cap`, each an enrolled, fixed centroid or one learned as it is heard."""

    def __init__(
        self, cap: int, dimension: int, settings: VoiceSettings, enrolled: Mapping[SpeakerId, Float32]
    ) -> None:
        self._cap = max(cap, len(enrolled))
        self._settings = settings
        self.ids: list[SpeakerId] = list(enrolled)
        self._fixed = len(self.ids)
        self._sums: list[Float32] = [np.asarray(voice, np.float32) for voice in enrolled.values()]
        self._dimension = dimension

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def room(self) -> int:
        """How many more voices there may be."""
        return self._cap - len(self.ids)

    @property
    def centroids(self) -> Float32:
        """Unit-length, (voices, dimension)."""
        if not self._sums:
            return np.zeros((0, self._dimension), np.float32)
        sums = np.stack(self._sums)
        unit: Float32 = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
        return unit

    def found(self, voice: Float32, weight: float) -> int:
        """Take up a new voice under the next free name; its index."""
        number = len(self.ids) - self._fixed + 1
        while f"S{number}" in self.ids:
            number += 1
        self.ids.append(SpeakerId(f"S{number}"))
        self._sums.append(np.asarray(voice * weight, np.float32))
        return len(self.ids) - 1

    def learn(self, index: int, voice: Float32, seconds: float) -> None:
        """Move a centroid by speech of that voice; an enrolled one stays, and a doubtful clip teaches nothing."""
        if index < self._fixed or seconds < self._settings.learn_s:
            return
        near = self.centroids @ voice
        others = np.delete(near, index)
        if others.size and near[index] < others.max() + self._settings.lead:
            return
        self._sums[index] = self._sums[index] + voice * np.float32(seconds)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one local speaker: `voice` of `seconds` of new clean speech (none: 0 s), and its links.

    `links` has one share in [0, 1] per known voice.
    """

    voice: Float32
    seconds: float
    links: Float32


def assign(evidence: list[Evidence], voices: Voices, settings: VoiceSettings) -> list[int]:
    """For each local speaker the index of its voice; `len(voices)` and above stand for voices to be taken up.

    Exhaustive over the few possibilities, so the best one. With no voice known and too little speech to found one
    the answer is still a new voice: someone spoke.
    """
    known, centroids = len(voices), voices.centroids
    scores = [_scores(row, centroids, settings) for row in evidence]
    options = [_options(row, known, voices.room) for row in (e.seconds >= settings.found_s for e in evidence)]
    best, best_sum = [0] * len(evidence), -np.inf
    for choice in product(*options):
        total, fresh = 0.0, known
        used: list[int] = []
        for row, pick in enumerate(choice):
            place = pick
            if pick == known:
                place, fresh = fresh, fresh + 1
            total += float(scores[row][pick]) - settings.apart * used.count(place)
            used.append(place)
        if fresh - known <= voices.room and total > best_sum + 1e-9:
            best, best_sum = used, total
    return best


def trust(seconds: float, settings: VoiceSettings) -> float:
    """How far the cosine of so much clean speech counts, in [0, 1]."""
    return min(1.0, seconds / settings.sure_s)


def _options(enough: bool, known: int, room: int) -> list[int]:
    options = list(range(known))
    if room > 0 and (enough or not known):
        options.append(known)
    return options or [0]


def _scores(row: Evidence, centroids: Float32, settings: VoiceSettings) -> Float32:
    """One score per known voice and, last, that of a new one."""
    counts = trust(row.seconds, settings)
    near = centroids @ row.voice * counts + settings.link * row.links[: len(centroids)]
    return np.append(near, settings.stranger * counts).astype(np.float32)
