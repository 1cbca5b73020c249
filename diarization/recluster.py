"""The session's end: all voices clustered anew, and every frame decided from all windows that saw it. Pure.

Long stretches are clustered bottom-up, the clusters with enough speech become the speakers, all stretches are then
given to the nearest, and a local speaker of a window speaks for whoever its stretches in that window belong to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from diarization.clustering import VoiceSettings
from diarization.windows import Bools
from streaming.types import Float32, SpeakerId


class Heard:
    """The activity of a window that begins at frame `begin`, (frames, local speakers), kept as bits."""

    __slots__ = ("_bits", "_shape", "begin")

    def __init__(self, begin: int, active: Bools) -> None:
        self.begin = begin
        self._shape = active.shape
        self._bits = np.packbits(active)

    @property
    def active(self) -> Bools:
        count = self._shape[0] * self._shape[1]
        return np.unpackbits(self._bits, count=count).astype(np.bool_).reshape(self._shape)


@dataclass(slots=True)
class Stretch:
    """Speech of one local speaker over frames [start, end), found in window `window`.

    `voice` is its embedding over `seconds` of clean speech, none where that is 0; `speaker` the voice it was given.
    """

    start: int
    end: int
    window: int
    local: int
    seconds: float
    voice: Float32
    speaker: int = -1


@dataclass(frozen=True, slots=True)
class Known:
    """The voices used live; the first `enrolled` of them are fixed."""

    ids: Sequence[SpeakerId]
    centroids: Float32
    enrolled: int


def settle(
    heard: Sequence[Heard],
    stretches: Sequence[Stretch],
    live: NDArray[np.uint16],
    known: Known,
    cap: int,
    settings: VoiceSettings,
) -> tuple[NDArray[np.uint16], list[SpeakerId]]:
    """Frame labels, a bit per speaker, and the speakers' ids in order of the bits."""
    voiced = [stretch for stretch in stretches if stretch.seconds > 0]
    if not voiced:
        return live.copy(), list(known.ids)
    voices = np.stack([stretch.voice for stretch in voiced])
    weights = np.array([stretch.seconds for stretch in voiced], np.float32)
    centroids = cluster(voices, weights, cap, settings)
    near = voices @ centroids.T
    return _frames(heard, voiced, near, live, known)


def cluster(voices: Float32, seconds: Float32, cap: int, settings: VoiceSettings) -> Float32:
    """Centroids of at most `cap` speakers, unit length."""
    sure = seconds >= settings.found_s
    if not sure.any():
        sure = seconds >= seconds.max()
    labels = average_linkage(voices[sure], seconds[sure], settings.stranger)
    sizes = np.bincount(labels, weights=seconds[sure])
    kept = [index for index in np.argsort(-sizes, kind="stable") if sizes[index] >= 0.05 * sizes.sum()][:cap]
    kept = kept or [int(np.argmax(sizes))]
    centroids = np.stack([_centroid(voices[sure][labels == index], seconds[sure][labels == index]) for index in kept])
    for _ in range(10):
        nearest = np.argmax(voices[sure] @ centroids.T, axis=1)
        centroids = np.stack([
            _centroid(voices[sure][nearest == index], seconds[sure][nearest == index])
            if (nearest == index).any() else centroids[index]
            for index in range(len(centroids))
        ])  # fmt: skip
    return centroids


def average_linkage(voices: Float32, seconds: Float32, stop: float) -> NDArray[np.intp]:
    """Bottom-up clusters by the mean cosine of their members, weighted by seconds, until none exceeds `stop`."""
    count = len(voices)
    near = voices @ voices.T
    np.fill_diagonal(near, -np.inf)
    weight = seconds.astype(np.float64).copy()
    labels = np.arange(count)
    best = near.argmax(axis=1) if count > 1 else np.zeros(count, np.intp)
    value = near[np.arange(count), best]
    for _ in range(count - 1):
        a = int(value.argmax())
        if value[a] < stop:
            break
        b = int(best[a])
        merged = (near[a] * weight[a] + near[b] * weight[b]) / (weight[a] + weight[b])
        merged[[a, b]] = -np.inf
        near[a], near[:, a] = merged, merged
        near[b], near[:, b] = -np.inf, -np.inf
        weight[a] += weight[b]
        labels[labels == b] = a
        value[b] = -np.inf
        stale = np.flatnonzero((best == a) | (best == b))
        stale = np.union1d(stale, [a])
        best[stale] = near[stale].argmax(axis=1)
        value[stale] = near[stale, best[stale]]
        better = merged > value
        best[better], value[better] = a, merged[better]
        value[b] = -np.inf
    return np.unique(labels, return_inverse=True)[1]


def _centroid(voices: Float32, seconds: Float32) -> Float32:
    total = (voices * seconds[:, None]).sum(axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)


def _frames(
    heard: Sequence[Heard], voiced: Sequence[Stretch], near: Float32, live: NDArray[np.uint16], known: Known
) -> tuple[NDArray[np.uint16], list[SpeakerId]]:
    """Every frame's speakers, from the windows that cover it."""
    frames, speakers = len(live), near.shape[1]
    scores = np.zeros((frames, speakers), np.float32)
    voted = np.zeros(frames, np.float32)
    spoken = np.zeros(frames, np.float32)
    starts = np.array([stretch.start for stretch in voiced])
    ends = np.array([stretch.end for stretch in voiced])
    seconds = np.array([stretch.seconds for stretch in voiced], np.float32)
    owner = near.argmax(axis=1)
    for window in heard:
        active = window.active
        low, high = max(0, window.begin), min(frames, window.begin + len(active))
        if low >= high:
            continue
        part = active[low - window.begin : high - window.begin]
        voted[low:high] += 1
        spoken[low:high] += part.sum(axis=1)
        inside = np.flatnonzero((ends > low) & (starts < high))
        for local in np.flatnonzero(part.any(axis=0)):
            share = np.zeros(speakers, np.float32)
            for index in inside:
                a, b = max(low, starts[index]) - low, min(high, ends[index]) - low
                cover = part[a:b, local].mean() if b > a else 0.0
                share[owner[index]] += cover * min(seconds[index], 1.6)
            if share.sum() > 0:
                share /= share.sum()
            scores[low:high][part[:, local]] += share
    # A frame inside a stretch with a voice of its own belongs to that voice first.
    for stretch, who, sure in zip(voiced, owner, seconds, strict=True):
        span = slice(stretch.start, stretch.end)
        lift = np.where(spoken[span] > 0, min(1.0, sure / 1.6) * voted[span], 0.0)
        scores[span, who] += lift
    count = np.rint(spoken / np.maximum(voted, 1)).astype(int)
    order = np.argsort(-scores, axis=1, kind="stable")
    labels = np.zeros(frames, np.uint16)
    for rank in range(speakers):
        chosen = (count > rank) & (np.take_along_axis(scores, order[:, rank : rank + 1], 1)[:, 0] > 0)
        labels[chosen] |= np.uint16(1) << order[chosen, rank].astype(np.uint16)
    return labels, _ids(labels, live, speakers, known)


def _ids(labels: NDArray[np.uint16], live: NDArray[np.uint16], speakers: int, known: Known) -> list[SpeakerId]:
    """The ids used live, matched one to one so that the most frames keep theirs; new names for the rest."""
    overlap = np.zeros((speakers, max(len(known.ids), speakers)))
    for row in range(speakers):
        mine = labels >> np.uint16(row) & 1 > 0
        for column in range(len(known.ids)):
            overlap[row, column] = np.count_nonzero(mine & (live >> np.uint16(column) & 1 > 0))
    names = [*known.ids, *(SpeakerId(f"S{n}") for n in range(1, 99) if f"S{n}" not in known.ids)]
    if overlap.shape[1] <= 7:
        columns = range(overlap.shape[1])
        best = max(permutations(columns, speakers), key=lambda p: sum(overlap[r, c] for r, c in enumerate(p)))
        return [names[column] for column in best]
    free, picked = list(range(overlap.shape[1])), []
    for row in range(speakers):
        column = max(free, key=lambda c: overlap[row, c])
        free.remove(column)
        picked.append(names[column])
    return picked
