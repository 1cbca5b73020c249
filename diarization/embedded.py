"""The embedded speaker model: pyannote community-1 segmentation and WeSpeaker ResNet34 voices, on the CPU.

Both come with the pinned wheel (`streaming.weights`). Activity is decoded from a powerset of at most two of three
local speakers at a time, so it is 0 or 1 and says where people overlap (Plaquet and Bredin, Interspeech 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import kaldi_native_fbank
import numpy as np

from diarization import speaker_graphs
from diarization.speaker_graphs import POOLED_TICKS, FilterBank
from streaming import onnx, weights
from streaming.onnx import OnnxModel
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
    voices = "wespeaker-resnet34"

    def __init__(self, threads: int = 1) -> None:
        nodes, tensors = _stored("segmentation")
        bank = speaker_graphs.filter_bank(tensors)
        self._networks = _Networks(
            bank,
            onnx.load(bank.graph(), threads=threads),
            onnx.load(speaker_graphs.segmentation_graph(nodes, tensors), threads=threads),
            speaker_graphs.powerset(nodes, tensors),
        )
        self._embedding = onnx.load(speaker_graphs.embedding_graph(*_stored("embedding")), threads=threads)

    def follow(self) -> "EmbeddedSegmentation":
        """The segmentation of one track's windows. Loudness does not matter to it."""
        return EmbeddedSegmentation(self._networks)

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


@dataclass(frozen=True, slots=True)
class _Networks:
    """The segmentation's parts: its filters as numbers and as a network, the rest, and what its classes mean."""

    bank: FilterBank
    filters: OnnxModel
    speakers: OnnxModel
    powerset: Float32


class EmbeddedSegmentation:
    """`streaming.ports.Segmentation`: the filters run once over the audio, the rest once per window."""

    def __init__(self, networks: _Networks) -> None:
        self._networks = networks
        self._begin = 0
        self._most: Float32 = np.zeros((len(networks.bank.filters), 0), np.float32)
        self._least = self._most

    def segment(self, begin: int, window: Float32) -> Float32:
        """Activity, 0 or 1, (589, 3), of the audio (160000,) in [-1, 1) that begins at tick `begin`."""
        ahead = (begin - self._begin) // POOLED_TICKS
        # Only a window that begins later can go on from what is kept; slicing past the end keeps nothing.
        kept = slice(ahead, None) if ahead > 0 else slice(0)
        most, least = self._most[:, kept], self._least[:, kept]
        fresh = np.ascontiguousarray(window[most.shape[1] * POOLED_TICKS :])
        more, less = self._networks.filters.run({"audio": fresh[None, None]}, ("most", "least"))
        most, least = np.concatenate([most, more[0]], axis=1), np.concatenate([least, less[0]], axis=1)
        self._begin = begin
        self._most, self._least = most, least
        features = self._networks.bank.features(window, most, least)
        return self._networks.powerset[self._networks.speakers.run({"features": features[None]})[0]]


def _stored(name: str) -> tuple[speaker_graphs.Stored, speaker_graphs.Tensors]:
    parts = onnx.read_parts(weights.compiled(name))
    return [(one.kind, one.inputs, one.outputs, one.attributes) for one in parts.nodes], parts.tensors


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
