"""Whose stretches of speech belong together: clustering of voices with what the segmentation knows beside. Pure.

Two stretches are alike by the cosine of their embeddings, and by whether the windows that saw both took them for one
local speaker or for two. The second matters where voices are close: over a telephone two people's embeddings have a
cosine of 0.3 and more, yet the segmentation, which hears them answer each other, keeps them apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.types import Float32

Labels = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How voices are told apart; cosines are of WeSpeaker ResNet34 embeddings, times of clean speech in seconds."""

    sure_s: float = 1.6
    """From here on a cosine counts in full: EER 0.6 % at 1.6 s, 7.8 % at 1.0 s, 13.4 % at 0.8 s."""
    found_s: float = 1.0
    """Shorter stretches are given to voices but make none."""
    alike: float = 0.35
    """Mean likeness above which two clusters are one voice. Pairs of 2 s clips: about 0.55 within a speaker (0.4 in
    a noisy room), 0.05 between speakers (0.3 over a telephone)."""
    typical: float = 0.5
    """Likeness within a voice, from which the loss of merging two clusters is counted."""
    evidence: float = 0.3
    """Least loss, in seconds times cosine, for which two clusters stay two voices: one odd second does not do."""
    link: float = 0.2
    """What the windows' verdict on a pair is worth, in cosine."""
    doubt: float = 0.5
    """Pairs' worth of doubt in that verdict."""


@dataclass(frozen=True, slots=True)
class Links:
    """Verdicts of windows on pairs of stretches: `verdict` is 1 for one local speaker, -1 for two; i is above j."""

    i: Labels
    j: Labels
    verdict: Float32

    def among(self, chosen: Labels, count: int) -> "Links":
        """The links between the chosen stretches, numbered by their place in `chosen`."""
        place = np.full(count, -1, np.intp)
        place[chosen] = np.arange(len(chosen))
        kept = (place[self.i] >= 0) & (place[self.j] >= 0)
        return Links(place[self.i[kept]], place[self.j[kept]], self.verdict[kept])


def group(voices: Float32, seconds: Float32, links: Links, cap: int, fixed: int, settings: VoiceSettings) -> Labels:
    """Cluster numbers of stretches, from 0, at most `cap`; the first `fixed` are enrolled and stay apart."""
    table = _Table(voices, seconds, links, fixed, settings)
    table.merge_alike(settings.alike)
    table.merge_cheap(cap, settings)
    return table.labels()


class _Table:
    """Clusters and their mutual likeness: mean cosine, weighted by seconds, and the mean verdict of linked pairs."""

    def __init__(self, voices: Float32, seconds: Float32, links: Links, fixed: int, settings: VoiceSettings) -> None:
        count = len(voices)
        self._settings = settings
        self._cosine = (voices @ voices.T).astype(np.float32)
        self._verdict = np.zeros((count, count), np.float32)
        self._pairs = np.full((count, count), settings.doubt, np.float32)
        np.add.at(self._verdict, (links.i, links.j), links.verdict)
        np.add.at(self._pairs, (links.i, links.j), 1.0)
        self._verdict[links.j, links.i] = self._verdict[links.i, links.j]
        self._pairs[links.j, links.i] = self._pairs[links.i, links.j]
        self._verdict[:fixed, :fixed] = -np.float32(1e9)
        self._seconds = seconds.astype(np.float32).copy()
        self._root = np.arange(count)
        self._near = self._cosine + settings.link * self._verdict / self._pairs
        np.fill_diagonal(self._near, -np.inf)

    def labels(self) -> Labels:
        return np.asarray(np.unique(self._root, return_inverse=True)[1], np.intp)

    def merge_alike(self, alike: float) -> None:
        """Merge the nearest pair until none is nearer than `alike`."""
        count = len(self._root)
        rows = np.arange(count)
        best = self._near.argmax(axis=1)
        value = self._near[rows, best]
        while count > 1:
            a = int(value.argmax())
            if value[a] < alike:
                return
            b = int(best[a])
            self._merge(a, b)
            value[b] = -np.inf
            stale = np.flatnonzero(((best == a) | (best == b)) & (value > -np.inf))
            stale = np.union1d(stale, [a])
            best[stale] = self._near[stale].argmax(axis=1)
            value[stale] = self._near[stale, best[stale]]
            nearer = self._near[a] > value
            best[nearer], value[nearer] = a, self._near[a][nearer]
            count -= 1

    def merge_cheap(self, cap: int, settings: VoiceSettings) -> None:
        """Merge where the loss is least until there are no more than `cap` and each pair's loss is evidence.

        The loss is Ward's: what two clusters weigh together times how far they fall short of one voice's likeness.
        So a minute of a second voice stays while a laugh that is like nobody goes to the nearest.
        """
        while True:
            roots = np.unique(self._root)
            if len(roots) < 2:
                return
            weight = self._seconds[roots]
            mass = weight[:, None] * weight[None] / (weight[:, None] + weight[None])
            loss = mass * (settings.typical - self._near[np.ix_(roots, roots)])
            a, b = divmod(int(np.argmin(loss)), len(roots))
            if loss[a, b] == np.inf or (len(roots) <= cap and loss[a, b] >= settings.evidence):
                return
            self._merge(int(roots[a]), int(roots[b]))

    def _merge(self, a: int, b: int) -> None:
        """Cluster b becomes part of a."""
        share = self._seconds[a] / (self._seconds[a] + self._seconds[b])
        self._cosine[a] = share * self._cosine[a] + (1 - share) * self._cosine[b]
        self._verdict[a] += self._verdict[b]
        self._pairs[a] += self._pairs[b] - self._settings.doubt
        near = self._cosine[a] + self._settings.link * self._verdict[a] / self._pairs[a]
        gone = self._near[a] == -np.inf
        near[gone | (self._near[b] == -np.inf)] = -np.inf
        near[[a, b]] = -np.inf
        for table in (self._cosine, self._verdict, self._pairs):
            table[:, a] = table[a]
        self._near[a], self._near[:, a] = near, near
        self._near[b], self._near[:, b] = -np.inf, -np.inf
        self._seconds[a] += self._seconds[b]
        self._root[self._root == b] = a


def centroids(voices: Float32, seconds: Float32, labels: Labels, count: int) -> Float32:
    """Unit-length means, (count, dimension), weighted by seconds; zeros for a cluster without members."""
    sums = np.zeros((count, voices.shape[1]), np.float32)
    np.add.at(sums, labels, voices * seconds[:, None])
    unit: Float32 = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return unit


def place(
    voices: Float32, seconds: Float32, links: Links, centres: Float32, settings: VoiceSettings, sweeps: int = 4
) -> Labels:
    """The nearest centre of every stretch, short ones also by their links with stretches already placed."""
    own = voices @ centres.T * trust(seconds, settings)[:, None]
    labels = np.asarray(own.argmax(axis=1), np.intp)
    rows, columns = np.concatenate([links.i, links.j]), np.concatenate([links.j, links.i])
    verdict = np.concatenate([links.verdict, links.verdict])
    sure = trust(seconds, settings)[columns]
    for _ in range(sweeps):
        votes, pairs = np.zeros_like(own), np.full_like(own, settings.doubt)
        np.add.at(votes, (rows, labels[columns]), verdict * sure)
        np.add.at(pairs, (rows, labels[columns]), sure)
        moved = np.asarray((own + settings.link * votes / pairs).argmax(axis=1), np.intp)
        if (moved == labels).all():
            break
        labels = moved
    return labels


def trust(seconds: Float32, settings: VoiceSettings) -> Float32:
    """How far the cosine of so much clean speech counts, in [0, 1]."""
    return np.asarray(np.minimum(1.0, seconds / settings.sure_s), np.float32)
