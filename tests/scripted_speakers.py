"""A scripted speaker model: who speaks is written into the audio itself, so that online logic is tested without one.

Each sample's size names a set of voices: bit v of `pcm >> 8` set means that voice v speaks. Local speakers are the
voices of the window in order of their first frame there, as a real model's permutation is arbitrary.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streaming.types import SAMPLE_RATE, Float32, Int16Mono

STEP = 270
_VOICES = 6


def say(*parts: tuple[tuple[int, ...], float]) -> Int16Mono:
    """Audio in which each part's voices speak for its seconds, rounded to the model's frames."""
    pieces = [
        np.full(round(time_s * SAMPLE_RATE / STEP) * STEP, sum(1 << (voice + 8) for voice in voices) + 16, np.int16)
        for voices, time_s in parts
    ]
    return np.concatenate(pieces)


class ScriptedSpeakers:
    """`SpeakerModel` over audio of `say`. `blind` pairs of voices are one local speaker to its segmentation."""

    window_ticks = 160_000
    window_frames = 592
    frame_ticks = STEP
    lead_ticks = 0
    local_speakers = 3
    dimension = 8
    voices = "scripted"

    def __init__(self, *, blind: bool = False) -> None:
        self.blind = blind
        self.segmented = 0
        self.embedded_s = 0.0

    def follow(self) -> "ScriptedSpeakers":
        return self

    def segment(self, begin: int, window: Float32) -> Float32:
        self.segmented += 1
        out = np.zeros((self.window_frames, self.local_speakers), np.float32)
        speaking = self._speaking(window[STEP // 2 :: STEP][: self.window_frames])
        if self.blind:
            speaking = np.asarray(speaking.any(axis=1, keepdims=True))
        first = np.where(speaking.any(axis=0), speaking.argmax(axis=0), self.window_frames)
        order = np.argsort(first, kind="stable")[: self.local_speakers]
        out[: len(speaking), : len(order)] = speaking[:, order]
        return out

    def embed(self, clips: Sequence[Float32]) -> Float32:
        out = np.zeros((len(clips), self.dimension), np.float32)
        for row, clip in enumerate(clips):
            self.embedded_s += len(clip) / SAMPLE_RATE
            out[row, :_VOICES] = self._speaking(clip[STEP // 2 :: STEP]).mean(axis=0)
            out[row] /= max(float(np.linalg.norm(out[row])), 1e-9)
        return out

    @staticmethod
    def _speaking(audio: Float32) -> NDArray[np.bool_]:
        level = (audio * 32768.0).astype(np.int64) >> 8
        return np.asarray((level[:, None] >> np.arange(_VOICES)) & 1 > 0)
