"""Our graph of the voice activity network says what the stored one says."""

import numpy as np
import pytest
from shared_data import ROOT

from benchmarks.audio_files import read_audio
from streaming import onnx, weights
from streaming.silero_graph import CONTEXT, silero_graph
from streaming.types import Float32

pytestmark = pytest.mark.model
CHUNK = 512


def test_probabilities_and_state_are_those_of_the_stored_graph() -> None:
    stored = onnx.load(weights.compiled("silero"))
    ours = onnx.load(silero_graph(onnx.read_parts(weights.compiled("silero")).tensors))
    pcm = read_audio(ROOT / "benchmarks" / "data" / "session" / "mix.opus")[: 16_000 * 20]
    audio = np.concatenate([np.zeros(CONTEXT, np.float32), pcm.astype(np.float32) / 32768])
    theirs: Float32 = np.zeros((2, 1, 128), np.float32)
    mine = theirs
    heard = []
    for at in range(0, len(pcm) - CHUNK + 1, CHUNK):
        chunk = audio[None, at : at + CONTEXT + CHUNK]
        expected, theirs = stored.run({"input": chunk, "state": theirs, "sr": np.array(16_000, np.int64)})
        voice, mine = ours.run({"audio": chunk, "state": mine}, ("voice", "state_after"))
        assert voice == pytest.approx(expected, abs=1e-4)
        heard.append(float(voice[0, 0]))
    assert mine == pytest.approx(theirs, abs=1e-3)
    assert min(heard) < 0.1
    assert max(heard) > 0.9
