"""Engines on a CUDA device, on random weights: `pytest -m gpu`; skipped where there is none."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu_whisper import Card
from benchmarks.random_pyannote import save_random_pyannote
from benchmarks.random_whisper import LARGE_V3_TURBO, save_random_whisper
from diarization.pyannote_model import PyannoteSpeakerModel
from streaming.faster_whisper_recognizer import FasterWhisperRecognizer
from streaming.ports import Window
from streaming.types import SAMPLE_RATE, Tick
from streaming.whisper_rows import as_float

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(600)]


def _cuda_devices() -> int:
    if find_spec("ctranslate2") is None:
        return 0
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


@pytest.fixture(scope="module", autouse=True)
def _a_device_is_here() -> None:
    if not _cuda_devices():
        pytest.skip("no CUDA device is here")


def _window(time_s: float, seed: int) -> Window:
    pcm = (np.random.default_rng(seed).normal(size=round(time_s * SAMPLE_RATE)) * 3000).astype(np.int16)
    return Window(Tick(0), pcm, final=False)


def test_windows_of_sixteen_sessions_come_back_from_the_card(tmp_path: Path) -> None:
    save_random_whisper(tmp_path)
    recognizer = FasterWhisperRecognizer(str(tmp_path), device="cuda", compute_type="float16")
    windows = [_window(1 + seed / 4, seed) for seed in range(16)]
    together = recognizer.recognize(windows)
    alone = [recognizer.recognize([window])[0] for window in windows]
    # Products of other shapes are summed in another order: with random weights a near tie falls either way.
    same = [one == other for one, other in zip(_texts(together), _texts(alone), strict=True)]
    assert sum(same) >= 12
    assert all(
        word.end <= len(window.pcm) for window, one in zip(windows, together, strict=True) for word in one.words
    )


def _texts(hypotheses: object) -> list[list[str]]:
    return [[word.text for word in one.words] for one in hypotheses]  # type: ignore[attr-defined]


def test_the_shape_of_large_v3_turbo_fits_and_decodes_as_many_tokens_as_asked(tmp_path: Path) -> None:
    save_random_whisper(tmp_path, LARGE_V3_TURBO)
    card = Card(tmp_path, "cuda", "float16", 16, 5.0)
    encoded = card.encode()
    tokens = card.decode(encoded)
    assert [len(row) for row in tokens] == [15] * 16
    card.align(encoded, tokens)


def test_the_speaker_model_runs_on_a_stream_of_its_own(tmp_path: Path) -> None:
    if find_spec("torch") is None:
        pytest.skip("pyannote.audio is not installed")
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    save_random_pyannote(tmp_path)
    there = PyannoteSpeakerModel(str(tmp_path), device="cuda")
    here = PyannoteSpeakerModel(str(tmp_path), device="cpu")
    clip = as_float(_window(3, 1).pcm)
    np.testing.assert_allclose(there.embed([clip]), here.embed([clip]), atol=2e-2)
    window = np.tile(clip, 4)[: there.window_ticks]
    assert (there.follow().segment(0, window) == here.follow().segment(0, window)).mean() > 0.95
