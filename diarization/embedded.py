"""The embedded speaker model: pyannote community-1 segmentation and WeSpeaker ResNet34 voices, on the CPU.

Both come with the pinned wheel (`streaming.weights`). Activity is decoded from a powerset of at most two of three
local speakers at a time, so it is 0 or 1 and says where people overlap (Plaquet and Bredin, Interspeech 2023).
"""

from collections.abc import Sequence

import kaldi_native_fbank
import numpy as np

from streaming import onnx, weights
from streaming.types import SAMPLE_RATE, Float32

_MEL_BINS = 80
_FBANK_WINDOW = 400
"""Samples of one filterbank frame, 25 ms: a shorter clip has none."""


class EmbeddedSpeakerModel:
    """`streaming.ports.SpeakerModel` on the weights in the wheel. Raises EngineMissing where they are not there."""

    window_ticks = 160_000
    window_frames = 589
    frame_ticks = 270
    lead_ticks = 360
    """A frame sees 991 samples and is taken to stand for the middle 270 of them."""
    local_speakers = 3
    dimension = 256

    def __init__(self, threads: int = 1) -> None:
        self._segmentation = onnx.load(weights.compiled("segmentation"), threads=threads)
        self._embedding = onnx.load(weights.compiled("embedding"), threads=threads)

    def segment(self, windows: Float32) -> Float32:
        """Activity, (batch, 589, 3), of audio (batch, 160000) in [-1, 1]. Loudness does not matter to it."""
        # One window at a time: a batch costs more than its windows alone (measured 59 ms against 72 ms a window).
        rows = [self._segmentation.run({"waveforms": row[None, None]})[0] for row in windows]
        return np.concatenate(rows) if rows else np.zeros((0, self.window_frames, self.local_speakers), np.float32)

    def embed(self, clips: Sequence[Float32]) -> Float32:
        """Unit-length embeddings, (len(clips), 256). A clip under 25 ms has none: all zeros."""
        voices = np.zeros((len(clips), self.dimension), np.float32)
        for row, clip in enumerate(clips):
            if len(clip) < _FBANK_WINDOW:
                continue
            features = _filterbank(clip)[None]
            voice = self._embedding.run({"fbank": features, "weights": np.ones(features.shape[:2], np.float32)})[0][0]
            voices[row] = voice / max(float(np.linalg.norm(voice)), 1e-9)
        return voices


def _filterbank(clip: Float32) -> Float32:
    """Log mel filterbank of Kaldi's kind, (frames, 80), its mean over time taken away, as WeSpeaker was trained."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = "hamming"
    options.mel_opts.num_bins = _MEL_BINS
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(SAMPLE_RATE, (clip * 32768.0).tolist())
    bank.input_finished()
    frames = np.stack([bank.get_frame(index) for index in range(bank.num_frames_ready)]).astype(np.float32)
    return np.ascontiguousarray(frames - frames.mean(axis=0))
