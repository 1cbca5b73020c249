"""The embedded speaker model: shapes, loudness, and voices of real sentences."""

import av
import numpy as np
import pytest
from shared_data import shared_data

from diarization.embedded import EmbeddedSpeakerModel
from diarization.speaker_graphs import embedding_graph
from streaming import onnx, weights
from streaming.types import Float32

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def model() -> EmbeddedSpeakerModel:
    return EmbeddedSpeakerModel()


def sentence(name: str) -> Float32:
    resampler = av.AudioResampler("flt", "mono", 16_000)
    with av.open(str(shared_data(f"speech/{name}.wav"))) as container:
        blocks = [out.to_ndarray() for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.asarray(np.concatenate(blocks, axis=1)[0], np.float32)


def test_shapes_and_ranges(model: EmbeddedSpeakerModel) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (2, model.window_ticks)).astype(np.float32)
    active = model.follow().segment(0, noise[0])
    assert active.shape == (model.window_frames, model.local_speakers)
    assert active.min() >= 0.0
    assert active.max() <= 1.0
    voices = model.embed([noise[0, :20_000], noise[1, :9_000]])
    assert voices.shape == (2, model.dimension)
    assert np.linalg.norm(voices, axis=1) == pytest.approx([1.0, 1.0], abs=1e-4)


def test_nothing_to_embed(model: EmbeddedSpeakerModel) -> None:
    assert model.embed([]).shape == (0, model.dimension)
    assert not model.embed([np.zeros(100, np.float32)]).any()


def test_digital_silence_has_no_speaker(model: EmbeddedSpeakerModel) -> None:
    assert not model.follow().segment(0, np.zeros(model.window_ticks, np.float32)).any()
    assert np.isfinite(model.embed([np.zeros(16_000, np.float32)])).all()


def test_same_speaker_is_nearer_than_another(model: EmbeddedSpeakerModel) -> None:
    voices = model.embed([sentence(f"spk{speaker}_snt{number}") for speaker in (1, 2) for number in (1, 2, 3)])
    near = voices @ voices.T
    within = [near[i, j] for i in range(6) for j in range(i) if i // 3 == j // 3]
    across = [near[i, j] for i in range(6) for j in range(i) if i // 3 != j // 3]
    assert min(within) > max(across)


def test_loudness_does_not_change_what_is_active(model: EmbeddedSpeakerModel) -> None:
    window = np.zeros(model.window_ticks, np.float32)
    speech = sentence("spk1_snt1")
    window[40_000 : 40_000 + len(speech)] = speech
    loud, quiet = (model.follow().segment(0, window * factor) for factor in (np.float32(1.0), np.float32(0.05)))
    assert loud.any()
    assert np.mean(loud != quiet) < 0.01


def test_a_frame_stands_where_it_is_said_to(model: EmbeddedSpeakerModel) -> None:
    """The onset of a sentence after silence is found at its place on the frame grid within 100 ms."""
    speech = sentence("spk1_snt1")
    onset = int(np.argmax(np.abs(speech) > 0.05 * np.abs(speech).max()))
    window = np.zeros(model.window_ticks, np.float32)
    window[40_000 : 40_000 + len(speech)] = speech
    frame = int(np.argmax(model.follow().segment(0, window).any(axis=1)))
    assert abs(frame * model.frame_ticks + model.lead_ticks - (40_000 + onset)) <= 1_600


def test_what_windows_share_is_computed_once_and_the_same(model: EmbeddedSpeakerModel) -> None:
    """A window that follows on others hears what it would hear alone, whatever lay between."""
    speech = np.concatenate([sentence(f"spk{speaker}_snt{number}") for number in (1, 2, 3) for speaker in (1, 2)])
    followed = model.follow()
    for begin in (0, 50 * 270, 101 * 270, 101 * 270, 60 * 270, 2000 * 270):
        window = speech[begin : begin + model.window_ticks]
        window = np.pad(window, (0, model.window_ticks - len(window)))
        alone = model.follow().segment(begin, window)
        assert np.mean(followed.segment(begin, window) != alone) < 0.002


def test_our_graphs_hear_what_the_stored_ones_hear(model: EmbeddedSpeakerModel) -> None:
    """The 8-bit products of our segmentation change next to no frame; the voices are the same."""
    stored = onnx.load(weights.compiled("segmentation"))
    speech = np.concatenate([sentence(f"spk{speaker}_snt{number}") for number in (1, 2, 3) for speaker in (1, 2)])
    differ = []
    for begin in range(0, len(speech) - model.window_ticks, 40_500):
        window = speech[begin : begin + model.window_ticks]
        theirs = stored.run({"waveforms": window[None, None]})[0][0]
        differ.append(np.mean(theirs != model.follow().segment(begin, window)))
    assert differ
    assert np.mean(differ) < 0.01
    fbank = np.random.default_rng(0).standard_normal((1, 120, 80)).astype(np.float32)
    feeds = {"fbank": fbank, "weights": np.ones((1, 120), np.float32)}
    nodes = onnx.read_parts(weights.compiled("embedding"))
    ours = onnx.load(
        embedding_graph([(n.kind, n.inputs, n.outputs, n.attributes) for n in nodes.nodes], nodes.tensors)
    )
    assert ours.run(feeds)[0] == pytest.approx(onnx.load(weights.compiled("embedding")).run(feeds)[0], abs=1e-5)
