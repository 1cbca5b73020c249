"""Whisper behind the seam, on a tiny checkpoint of random weights: protocol, shapes, batching; never words."""

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_whisper import save_tiny_whisper

from streaming.errors import EngineMissing
from streaming.faster_whisper_recognizer import FasterWhisperRecognizer
from streaming.ports import Hypothesis, Recognizer, Window
from streaming.types import Tick

pytestmark = pytest.mark.model


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whisper")
    save_tiny_whisper(folder)
    return folder


@pytest.fixture(scope="module", name="recognizer")
def _recognizer(folder: Path) -> FasterWhisperRecognizer:
    return FasterWhisperRecognizer(str(folder), device="cpu", compute_type="float32")


def _window(ticks: int, seed: int, **settings: Any) -> Window:
    pcm = (np.random.default_rng(seed).normal(size=ticks) * 3000).astype(np.int16)
    return Window(Tick(1000 * seed), pcm, **settings)


def _texts(hypotheses: list[Hypothesis]) -> list[list[str]]:
    return [[word.text for word in hypothesis.words] for hypothesis in hypotheses]


class _Calls:
    """Stands before the model, passes for a multilingual one and notes how many rows each call had."""

    is_multilingual = True

    def __init__(self, model: Any) -> None:
        self._model = model
        self.rows: list[int] = []
        self.prompts: list[list[int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, encoded: Any, prompts: list[list[int]], **settings: Any) -> Any:
        self.rows.append(len(prompts))
        self.prompts += prompts
        return self._model.generate(encoded, prompts, **settings)


@pytest.fixture(name="calls")
def _calls(recognizer: FasterWhisperRecognizer, monkeypatch: pytest.MonkeyPatch) -> _Calls:
    calls = _Calls(recognizer._whisper.model)
    monkeypatch.setattr(recognizer._whisper, "model", calls)
    monkeypatch.setattr(recognizer, "_tokenizers", {})
    return calls


def test_it_is_a_recognizer(recognizer: FasterWhisperRecognizer) -> None:
    seam: Recognizer = recognizer
    assert seam.name == "faster-whisper"
    assert recognizer.recognize([]) == []


def test_windows_of_many_sessions_share_one_call(recognizer: FasterWhisperRecognizer, calls: _Calls) -> None:
    assert len(recognizer.recognize([_window(16_000 + 800 * seed, seed) for seed in range(5)])) == 5
    assert calls.rows == [5]


def test_language_and_length_of_hotwords_part_a_batch(recognizer: FasterWhisperRecognizer, calls: _Calls) -> None:
    windows = [
        _window(16_000, 1),
        _window(16_000, 2, language="de"),
        _window(16_000, 3, hotwords=("Ada",)),
        _window(16_000, 4, hotwords=("Bob",)),
        _window(16_000, 5, language="tlh"),  # not known: heard as English
    ]
    recognizer.recognize(windows)
    assert sorted(calls.rows) == [1, 2, 2]
    assert len({tuple(prompt) for prompt in calls.prompts}) == 4


def test_no_call_has_more_rows_than_a_batch(recognizer: FasterWhisperRecognizer, calls: _Calls) -> None:
    recognizer.recognize([_window(3200, seed) for seed in range(recognizer.max_batch + 1)])
    assert calls.rows == [recognizer.max_batch, 1]


def test_a_row_does_not_depend_on_the_batch(recognizer: FasterWhisperRecognizer) -> None:
    windows = [_window(9000 * (seed + 1), seed, hotwords=("Ada",) if seed % 2 else ()) for seed in range(5)]
    together = recognizer.recognize(windows)
    alone = [recognizer.recognize([window])[0] for window in windows]
    assert _texts(together) == _texts(alone)
    assert any(_texts(together))
    for one, other in zip(together, alone, strict=True):
        assert [(word.start, word.end) for word in one.words] == [(word.start, word.end) for word in other.words]
        np.testing.assert_allclose(
            [word.confidence for word in one.words], [word.confidence for word in other.words], atol=1e-4
        )


@pytest.mark.parametrize("ticks", [1600, 16_000, 480_000])
def test_words_are_in_order_apart_and_inside(recognizer: FasterWhisperRecognizer, ticks: int) -> None:
    window = _window(ticks, 3)
    (hypothesis,) = recognizer.recognize([window])
    reached = window.start
    assert hypothesis.words
    for word in hypothesis.words:
        assert reached <= word.start < word.end <= window.start + ticks
        assert 0 <= word.confidence <= 1
        assert word.text == word.text.strip() != ""
        reached = word.end


def test_silence_is_not_even_decoded(recognizer: FasterWhisperRecognizer, calls: _Calls) -> None:
    silent = [Window(Tick(0), np.zeros(size, np.int16)) for size in (0, 1600, 32_000)]
    assert _texts(recognizer.recognize(silent)) == [[], [], []]
    assert calls.rows == []


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"model\.bin"):
        FasterWhisperRecognizer(str(tmp_path / "nothing"), device="cpu")


def test_a_damaged_folder_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes((folder / "model.bin").read_bytes()[:1000])
    with pytest.raises(EngineMissing, match="cannot be loaded"):
        FasterWhisperRecognizer(str(tmp_path), device="cpu")


def test_a_missing_device_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)
    with pytest.raises(EngineMissing, match="No CUDA device"):
        FasterWhisperRecognizer(str(folder), device="cuda")


def test_a_missing_library_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        raise RuntimeError("Library libcublas.so.12 is not found or cannot be loaded")

    monkeypatch.setattr("faster_whisper.WhisperModel", load)
    with pytest.raises(EngineMissing, match="CUDA 12 libraries"):
        FasterWhisperRecognizer(str(folder), device="cpu")


def test_a_missing_package_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "ctranslate2":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(EngineMissing, match="not installed"):
        FasterWhisperRecognizer(str(folder))
