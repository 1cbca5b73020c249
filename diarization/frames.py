"""Every frame's speakers at the session's end, decided from all windows that saw it. Pure."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from diarization.clustering import Labels
from diarization.heard import Heard
from diarization.windows import context
from streaming.types import Float32

LabelBits = NDArray[np.uint16]


def settle(
    heard: Iterable[Heard],
    stretches: NDArray[np.int64],
    owners: Labels,
    weights: Float32,
    voices: int,
    frames: int,
    enough: int,
) -> LabelBits:
    """Frame labels, a bit per voice; `stretches` are rows [start, end), `weights` in [0, 1] how sure the owners are.

    A local speaker of a window stands for the voices of its stretches there, and in a stretch's own frames for that
    stretch's. As many speak in a frame as the windows say on average.
    """
    votes = np.zeros((frames, voices + 1), np.float32)  # the last column counts local speakers
    seen = np.zeros(frames, np.float32)
    spans, owner, weight = stretches.tolist(), owners.tolist(), weights.tolist()
    for window in heard:
        active = window.active.astype(np.float32)
        low, high = max(0, window.begin), min(frames, window.begin + len(active))
        if low >= high:
            continue
        belief = context(len(active), window.begin, enough)[low - window.begin : high - window.begin]
        part = active[low - window.begin : high - window.begin] * belief[:, None]
        seen[low:high] += belief
        shares = np.zeros((active.shape[1], voices + 1), np.float32)
        np.add.at(shares, (window.speakers, owners[window.stretches]), weights[window.stretches])
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
        shares[:, voices] = 1.0
        votes[low:high] += part @ shares
        for stretch, speaker in zip(window.stretches.tolist(), window.speakers.tolist(), strict=True):
            start, end = max(low, spans[stretch][0]), min(high, spans[stretch][1])
            votes[start:end, owner[stretch]] += part[start - low : end - low, speaker] * weight[stretch]
    scores, spoken = votes[:, :voices], votes[:, voices]
    count = np.rint(spoken / np.maximum(seen, 1e-9))
    order = np.argsort(-scores, axis=1, kind="stable")
    labels = np.zeros(frames, np.uint16)
    for rank in range(voices):
        who = order[:, rank]
        chosen = (count > rank) & (scores[np.arange(frames), who] > 0)
        labels[chosen] |= np.uint16(1) << who[chosen].astype(np.uint16)
    return labels
