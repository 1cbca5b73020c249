"""The speaker model on pyannote.audio, on random weights made on the spot: protocol, shapes, batching; never voices.

Runs in an environment of its own, which has torch, after `scripts/setup pyannote-cpu`:
`.venv-pyannote/bin/python -m pytest tests/model/test_pyannote_model.py`.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.random_pyannote import save_random_pyannote
from diarization.online import OnlineDiarizer
from diarization.pyannote_model import PyannoteSpeakerModel
from streaming.errors import EngineMissing
from streaming.ports import SpeakerModel
from streaming.types import SAMPLE_RATE, Float32, TrackId

pytestmark = [
    pytest.mark.pyannote,
    pytest.mark.timeout(420),
    pytest.mark.skipif(find_spec("torch") is None, reason="there is no torch here: scripts/setup pyannote-cpu"),
    # What the libraries say of each other's versions while they load is not this project's to mend.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    folder = tmp_path_factory.mktemp("pyannote")
    save_random_pyannote(folder)
    return folder


@pytest.fixture(scope="module", name="model")
def _model(folder: Path) -> PyannoteSpeakerModel:
    return PyannoteSpeakerModel(str(folder), device="cpu", max_batch=4)


def _noise(time_s: float, seed: int) -> Float32:
    return (np.random.default_rng(seed).normal(size=round(time_s * SAMPLE_RATE)) * 0.1).astype(np.float32)


def test_it_is_a_speaker_model_of_the_same_frames_as_the_embedded_one(model: PyannoteSpeakerModel) -> None:
    seam: SpeakerModel = model
    assert (seam.window_ticks, seam.window_frames, seam.frame_ticks, seam.lead_ticks) == (160_000, 589, 270, 360)
    assert (seam.local_speakers, seam.dimension) == (3, 256)


def test_voices_of_other_weights_have_another_name(model: PyannoteSpeakerModel, folder: Path, tmp_path: Path) -> None:
    save_random_pyannote(tmp_path, seed=1)
    assert PyannoteSpeakerModel(str(folder), device="cpu").voices == model.voices
    assert PyannoteSpeakerModel(str(tmp_path), device="cpu").voices != model.voices


def test_telemetry_is_off(model: PyannoteSpeakerModel) -> None:
    from pyannote.audio.telemetry.metrics import is_metrics_enabled

    assert not is_metrics_enabled()


def test_activity_is_zero_or_one_of_at_most_two_speakers(model: PyannoteSpeakerModel) -> None:
    active = model.follow().segment(0, _noise(10, 1))
    assert active.shape == (589, 3)
    assert set(np.unique(active)) <= {0, 1}
    assert active.sum(axis=1).max() <= 2


def test_windows_of_many_sessions_share_a_call_and_get_their_own_answer(
    model: PyannoteSpeakerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    plain = model._network.forward

    def counted(waveforms: object) -> object:
        rows.append(len(waveforms))  # type: ignore[arg-type]
        return plain(waveforms)

    monkeypatch.setattr(model._network, "forward", counted)
    monkeypatch.setattr(model._windows, "_wait_s", 60.0)
    windows = [_noise(10, seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda window: model.follow().segment(0, window), windows))
    assert rows == [4]
    monkeypatch.setattr(model._windows, "_wait_s", 0.0)
    for window, found in zip(windows, together, strict=True):
        assert (model.follow().segment(0, window) == found).mean() > 0.99  # sums in another order


def test_a_voice_has_unit_length_and_does_not_depend_on_what_shares_its_call(model: PyannoteSpeakerModel) -> None:
    clips = [_noise(1.5, 1), _noise(2, 2), _noise(1.5, 3)]
    together = np.stack(model._embed(clips))
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model.embed(clips), together, atol=1e-4)


def test_too_short_a_clip_has_no_voice(model: PyannoteSpeakerModel) -> None:
    assert not model.embed([_noise(0.19, 1), np.zeros(0, np.float32)]).any()
    assert np.isfinite(model.embed([_noise(0.2, 1)])).all()


def test_a_track_is_diarized_with_the_clustering_of_the_embedded_model(model: PyannoteSpeakerModel) -> None:
    pcm = (_noise(14, 5) * 32767).astype(np.int16)
    diarizer = OnlineDiarizer(model, TrackId("mic"), 2)
    for at in range(0, len(pcm), 4000):
        diarizer.hear(pcm[at : at + 4000])
    assert diarizer.flush().through == len(pcm)
    assert all(0 <= turn.start < turn.end <= len(pcm) for turn in diarizer.settle())


def test_a_call_waits_for_recognition_where_it_is_told_to(folder: Path) -> None:
    turn = threading.Event()
    model = PyannoteSpeakerModel(str(folder), device="cpu", turn=turn)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(model.follow().segment, 0, _noise(10, 1))
        turn.set()
        assert asked.result().shape == (589, 3)


def test_a_folder_without_the_networks_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"segmentation/pytorch_model\.bin"):
        PyannoteSpeakerModel(str(tmp_path), device="cpu")


def test_a_damaged_checkpoint_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "segmentation").mkdir()
    (tmp_path / "segmentation" / "pytorch_model.bin").write_bytes(b"hunter2")
    with pytest.raises(EngineMissing, match="cannot be loaded") as failed:
        PyannoteSpeakerModel(str(tmp_path), device="cpu")
    assert "hunter2" not in str(failed.value)


def test_a_device_that_is_not_here_is_said(folder: Path) -> None:
    with pytest.raises(EngineMissing, match="No such CUDA device"):
        PyannoteSpeakerModel(str(folder), device="cuda:63")


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EngineMissing, match="cannot be loaded") as failed:
        PyannoteSpeakerModel("nobody/nothing", token="hf_hunter2", device="cpu")
    assert "hunter2" not in str(failed.value)
