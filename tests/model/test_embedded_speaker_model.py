"""The embedded speaker model: shapes, loudness, and voices of real sentences."""

import av
import numpy as np
import pytest
from shared_data import shared_data

from diarization.embedded import EmbeddedSpeakerModel
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
    active = model.segment(noise)
    assert active.shape == (2, model.window_frames, model.local_speakers)
    assert active.min() >= 0.0
    assert active.max() <= 1.0
    voices = model.embed([noise[0, :20_000], noise[1, :9_000]])
    assert voices.shape == (2, model.dimension)
    assert np.linalg.norm(voices, axis=1) == pytest.approx([1.0, 1.0], abs=1e-4)


def test_nothing_to_embed(model: EmbeddedSpeakerModel) -> None:
    assert model.embed([]).shape == (0, model.dimension)
    assert not model.embed([np.zeros(100, np.float32)]).any()
    assert model.segment(np.zeros((0, model.window_ticks), np.float32)).shape == (0, 589, 3)


def test_digital_silence_has_no_speaker(model: EmbeddedSpeakerModel) -> None:
    assert not model.segment(np.zeros((1, model.window_ticks), np.float32)).any()
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
    loud, quiet = model.segment(np.stack([window, window * 0.05]))
    assert loud.any()
    assert np.mean(loud != quiet) < 0.01


def test_a_frame_stands_where_it_is_said_to(model: EmbeddedSpeakerModel) -> None:
    """The onset of a sentence after silence is found at its place on the frame grid within 100 ms."""
    speech = sentence("spk1_snt1")
    onset = int(np.argmax(np.abs(speech) > 0.05 * np.abs(speech).max()))
    window = np.zeros(model.window_ticks, np.float32)
    window[40_000 : 40_000 + len(speech)] = speech
    frame = int(np.argmax(model.segment(window[None])[0].any(axis=1)))
    assert abs(frame * model.frame_ticks + model.lead_ticks - (40_000 + onset)) <= 1_600
