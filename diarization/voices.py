"""The voices of a track as they become known: every stretch's embedding is kept, so that no early mistake is final.

While few stretches are known all are clustered anew for each decision; later at every twentieth more, or when a
stretch sounds like nobody. Names stay: new clusters are matched with the names given before. Pure.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np

from diarization.clustering import Labels, VoiceSettings, centroids, group, place, trust
from diarization.verdicts import BAND, Verdicts
from diarization.voice_rows import Aside, VoiceRows
from streaming.types import Float32, SpeakerId

_OFTEN = 48
"""Up to so many stretches, clustering all of them anew costs about a millisecond."""
_SAMPLE = 600
"""Clustering costs the square of this; 600 stretches are some twenty minutes of talk and take about 50 ms."""
_ENROLLED_S = 20.0
"""What an enrolled voice weighs against stretches heard."""


class Voices:
    """At most `cap` voices. Stretches are numbered in the order they were added."""

    def __init__(
        self,
        cap: int,
        dimension: int,
        settings: VoiceSettings,
        enrolled: Mapping[SpeakerId, Float32],
        aside: Aside | None = None,
    ) -> None:
        """Old embeddings go `aside`, and stay in memory where that is None."""
        self._settings = settings
        self.ids: list[SpeakerId] = list(enrolled)
        self._fixed = len(enrolled)
        self._cap = max(cap, self._fixed)
        self._rows = VoiceRows(dimension, aside)
        self._verdicts = Verdicts()
        self._seconds = np.zeros(256 + self._fixed, np.float32)
        self._given = np.full(256 + self._fixed, -1, np.intp)
        self._purity = np.zeros(256 + self._fixed, np.float32)
        self._windows = np.zeros(256 + self._fixed, np.float32)
        self._count = 0
        for index, voice in enumerate(enrolled.values()):
            self._given[self._append(voice, _ENROLLED_S)] = index
        self._centres = np.zeros((0, dimension), np.float32)
        self._names: list[int] = []
        self._due = 0

    def __len__(self) -> int:
        return self._count - self._fixed

    def add(self, voice: Float32, seconds: float) -> int:
        """Keep a stretch's embedding over so many seconds of clean speech (0 s: none); its number."""
        return self._append(voice, seconds) - self._fixed

    @property
    def purity(self) -> Float32:
        """Of every stretch 1 where the windows heard one person in it, 0 where they heard two in equal parts."""
        rows = slice(self._fixed, self._count)
        mean = self._purity[rows] / np.maximum(self._windows[rows], 1e-9)
        return np.asarray(np.where(self._windows[rows] > 0, np.maximum(2.0 * mean - 1.0, 0.0), 1.0), np.float32)

    @property
    def seconds(self) -> Float32:
        """What every stretch's embedding counts for, in seconds."""
        rows = slice(self._fixed, self._count)
        return np.asarray(self._seconds[rows] * self.purity, np.float32)

    def weigh(self, stretch: int, purity: float, belief: float) -> None:
        """A window's verdict on one stretch: how much of it is one local speaker's, and how far to believe that."""
        self._purity[stretch + self._fixed] += purity * belief
        self._windows[stretch + self._fixed] += belief

    def see(self, stretches: Sequence[int], speakers: Sequence[int], beliefs: Sequence[float]) -> None:
        """A window's verdict: which local speaker it took each of these stretches for, and how far to believe it."""
        rows = np.asarray(stretches, np.intp) + self._fixed
        local = np.asarray(speakers, np.intp)
        back = rows[:, None] - rows[None] - 1
        near = (back >= 0) & (back < BAND)
        i, j = np.nonzero(near)
        belief = np.asarray(beliefs, np.float32)
        verdict = np.where(local[i] == local[j], 1.0, -1.0) * belief[i] * belief[j]
        self._verdicts.add(rows[i], back[i, j], verdict, belief[i] * belief[j])

    def close(self, before: int) -> None:
        """No window will hold the stretches before this one any more."""
        self._verdicts.close(before + self._fixed)

    def name(self, stretches: Sequence[int]) -> list[int]:
        """Give stretches just added their voices, as indices of `ids`: what is said live, and stays."""
        if not len(stretches):
            return []
        if self._must_cluster(stretches):
            self._cluster()
        picked = []
        for stretch in stretches:
            row = stretch + self._fixed
            voice = self._nearest(row)
            self._given[row] = voice
            picked.append(voice)
        return picked

    def settle(self) -> Labels:
        """The voices of all stretches, as indices of `ids`, with all that is known now."""
        if not len(self):
            return np.zeros(0, np.intp)
        labels = self._cluster()
        return np.asarray(np.array(self._names, np.intp)[labels[self._fixed :]], np.intp)

    def _append(self, voice: Float32, seconds: float) -> int:
        if self._count == len(self._seconds):
            self._seconds = np.concatenate([self._seconds, np.zeros_like(self._seconds)])
            self._given = np.concatenate([self._given, np.full_like(self._given, -1)])
            self._purity = np.concatenate([self._purity, np.zeros_like(self._purity)])
            self._windows = np.concatenate([self._windows, np.zeros_like(self._windows)])
        self._rows.append(voice)
        self._verdicts.append()
        self._seconds[self._count] = seconds
        self._count += 1
        return self._count - 1

    def _must_cluster(self, stretches: Sequence[int]) -> bool:
        if self._count <= _OFTEN or self._count >= self._due:
            return True
        rows = np.asarray(stretches, np.intp) + self._fixed
        rows = rows[self._seconds[rows] >= self._settings.sure_s]
        strange = (self._rows.some(rows) @ self._centres.T).max(axis=1, initial=-1.0) < self._settings.alike
        return bool(strange.any()) and len(self._names) < self._cap

    def _cluster(self) -> Labels:
        """Cluster all stretches, rename the clusters, and return every stretch's cluster."""
        voices = self._rows.all()
        seconds = np.concatenate([self._seconds[: self._fixed], self.seconds])
        links = self._verdicts.links()
        rows = np.flatnonzero(seconds >= self._settings.found_s)
        if not len(rows):
            rows = np.flatnonzero(seconds >= seconds.max())[:1]
        rows = self._sample(voices, rows)
        labels = group(
            voices[rows], seconds[rows], links.among(rows, self._count), self._cap, self._fixed, self._settings
        )
        count = int(labels.max()) + 1
        for _ in range(3):
            centres = centroids(voices[rows], seconds[rows], labels, count)
            everyone = place(voices, seconds, links, centres, self._settings)
            everyone[: self._fixed] = labels[: self._fixed]
            labels = everyone[rows]
        self._centres = centroids(voices[rows], seconds[rows], labels, count)
        self._rename(everyone, seconds, count)
        self._due = self._count + max(8, self._count // 20)
        return everyone

    def _sample(self, voices: Float32, rows: Labels) -> Labels:
        """Few enough of these stretches to cluster: those that no known voice explains, and evenly in time."""
        if len(rows) <= _SAMPLE:
            return rows
        near = (voices[rows] @ self._centres.T).max(axis=1, initial=-1.0)
        near[rows < self._fixed] = -np.inf
        order = np.argsort(near, kind="stable")
        strange, rest = order[: _SAMPLE // 4], np.sort(order[_SAMPLE // 4 :])
        evenly = rest[np.linspace(0, len(rest) - 1, _SAMPLE - len(strange)).astype(np.intp)]
        return np.asarray(np.sort(rows[np.concatenate([strange, evenly])]), np.intp)

    def _rename(self, labels: Labels, seconds: Float32, count: int) -> None:
        """Names for the clusters, one to one, so that the most speech keeps the name it was given."""
        known = len(self.ids)
        overlap = np.zeros((count, max(known, count)))
        given = self._given[: self._count]
        named = given >= 0
        np.add.at(overlap, (labels[named], given[named]), np.maximum(seconds[named], 0.1))
        overlap[labels[: self._fixed], np.arange(self._fixed)] += 1e6
        self._names = best_matching(overlap)
        # A cluster that none of its speech was named after takes the next name, in order of first appearance.
        order = sorted(range(count), key=lambda cluster: int(np.argmax(labels == cluster)))
        taken = {name for name in self._names if name < known}
        free = iter([*(name for name in range(known) if name not in taken), *range(known, known + count)])
        for cluster in order:
            if self._names[cluster] >= known:
                self._names[cluster] = next(free)
        while len(self.ids) <= max(self._names):
            self.ids.append(self._fresh())

    def _fresh(self) -> SpeakerId:
        number = len(self.ids) - self._fixed + 1
        while f"S{number}" in self.ids:
            number += 1
        return SpeakerId(f"S{number}")

    def _nearest(self, row: int) -> int:
        """The voice of one stretch, by its embedding and by its links with those named before it."""
        settings = self._settings
        score = self._centres @ self._rows.some(np.array([row]))[0] * trust(self._seconds[row : row + 1], settings)[0]
        back, verdict = self._verdicts.of(row)
        rows = row - back - 1
        named = self._given[rows] >= 0
        rows, verdict = rows[named], verdict[named]
        sure = np.maximum(trust(self._seconds[rows], settings), 0.1)
        for cluster, name in enumerate(self._names):
            mine = self._given[rows] == name
            score[cluster] += settings.link * (verdict * sure)[mine].sum() / (sure[mine].sum() + settings.doubt)
        return self._names[int(score.argmax())]


def best_matching(overlap: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[int]:
    """For every row a column of its own, so that the sum is the largest; greedy where there are many columns."""
    rows, columns = overlap.shape
    if columns <= 6:
        ways = permutations(range(columns), rows)
        return list(max(ways, key=lambda way: sum(overlap[row, column] for row, column in enumerate(way))))
    left = overlap.copy()
    picked = [0] * rows
    for _ in range(rows):
        row, column = divmod(int(np.argmax(left)), columns)
        picked[row] = column
        left[row], left[:, column] = -1.0, -1.0
    return picked
