"""Whisper behind the seam, on a tiny checkpoint of random weights: protocol, shapes, batching; never words."""

import builtins
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.random_whisper import save_random_whisper
from streaming.errors import EngineMissing
from streaming.faster_whisper_recognizer import FasterWhisperRecognizer, chosen_device, chosen_model
from streaming.ports import Hypothesis, Recognizer, Window
from streaming.types import Tick

pytestmark = pytest.mark.model


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whisper")
    save_random_whisper(folder)
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
    """Stands before the model, passes for a multilingual one and notes what each decoding was given.

    Where `says` is set, that is what every row is said to hold, with `score` as its likelihood.
    """

    is_multilingual = True

    def __init__(self, model: Any) -> None:
        self._model = model
        self.rows: list[int] = []
        self.prompts: list[list[int]] = []
        self.temperatures: list[float] = []
        self.says: list[int] | None = None
        self.score = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, encoded: Any, prompts: list[list[int]], **settings: Any) -> Any:
        self.rows.append(len(prompts))
        self.prompts += prompts
        self.temperatures.append(settings.get("sampling_temperature", 0.0))
        results = self._model.generate(encoded, prompts, **settings)
        if self.says is None:
            return results
        return [_Said([self.says], [self.score], 0.01) for _ in results]


@dataclass
class _Said:
    """What CTranslate2 gives for a row, with words and likelihood of our own."""

    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float


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
    windows = [_window(16_000 + 800 * seed, seed, final=False) for seed in range(5)]
    assert len(recognizer.recognize(windows)) == 5
    assert calls.rows == [5]


def test_language_and_length_of_hotwords_part_a_batch(recognizer: FasterWhisperRecognizer, calls: _Calls) -> None:
    windows = [
        _window(16_000, 1),
        _window(16_000, 2, language="de"),
        _window(16_000, 3, hotwords=("Ada",)),
        _window(16_000, 4, hotwords=("Bob",)),
        _window(16_000, 5, language="tlh"),  # not known: heard as English
        _window(16_000, 6, hotwords=tuple(f"term{n}" for n in range(40))),
        _window(16_000, 7, hotwords=tuple(f"name{n}" for n in range(60))),
    ]
    recognizer.recognize(windows)
    greedy = [rows for rows, temperature in zip(calls.rows, calls.temperatures, strict=True) if not temperature]
    assert sorted(greedy) == [1, 2, 2, 2]  # lists of different lengths come to one
    starts = {prompt.index(recognizer._tokenizer("en").sot) for prompt in calls.prompts}
    assert len(starts) == 3
    assert max(starts) == 1 + 64


def test_the_most_telling_word_stands_next_to_the_start(recognizer: FasterWhisperRecognizer, calls: _Calls) -> None:
    recognizer.recognize([_window(16_000, 1, hotwords=("Zoe", *(f"term{n}" for n in range(60))))])
    prompt = calls.prompts[0]
    told = recognizer._tokenizer("en").decode(prompt[1 : prompt.index(recognizer._tokenizer("en").sot)])
    assert told.endswith(", Zoe.")


def test_no_call_has_more_rows_than_a_batch(recognizer: FasterWhisperRecognizer, calls: _Calls) -> None:
    recognizer.recognize([_window(3200, seed, final=False) for seed in range(recognizer.max_batch + 1)])
    assert calls.rows == [recognizer.max_batch, 1]


def test_only_final_rows_that_are_doubtful_are_tried_again(
    recognizer: FasterWhisperRecognizer, calls: _Calls
) -> None:
    calls.says, calls.score = [70, 71, 72], -3.0
    windows = [_window(16_000, 1), _window(16_000, 2, final=False), _window(16_000, 3)]
    recognizer.recognize(windows)
    assert (calls.rows, calls.temperatures) == ([3, 2, 2], [0.0, 0.4, 0.8])
    calls.rows, calls.score = [], -0.2
    recognizer.recognize(windows)
    assert calls.rows == [3]


def test_a_try_by_chance_gives_an_answer_of_the_same_shape(recognizer: FasterWhisperRecognizer) -> None:
    rows = list(recognizer._rows(0, _window(16_000, 1))) + list(recognizer._rows(1, _window(16_000, 2)))
    answers = recognizer._decode_again(rows)
    assert len(answers) == 2
    assert all(answer.tokens and answer.log_probability < 0 for answer in answers)


def test_the_list_said_back_over_noise_is_dropped_and_a_spoken_name_is_not(
    recognizer: FasterWhisperRecognizer, calls: _Calls
) -> None:
    calls.says, calls.score = recognizer._tokenizer("en").encode(" Sertraline."), -0.2
    noise = _window(32_000, 1, hotwords=("sertraline",))
    spoken = Window(Tick(0), noise.pcm * (np.arange(32_000) % 8000 < 4000), hotwords=("sertraline",))
    unexpected = Window(Tick(0), noise.pcm)
    assert _texts(recognizer.recognize([noise, spoken, unexpected])) == [[], ["Sertraline."], ["Sertraline."]]


def test_a_window_past_thirty_seconds_is_heard_in_parts(recognizer: FasterWhisperRecognizer, calls: _Calls) -> None:
    calls.says, calls.score = [70, 71, 72], -0.2
    window = _window(40 * 16_000, 1)
    (hypothesis,) = recognizer.recognize([window])
    assert calls.rows == [2]
    starts = [word.start - window.start for word in hypothesis.words]
    assert starts == sorted(starts)
    assert min(starts) < 25 * 16_000 < max(starts) < 40 * 16_000


def test_a_row_does_not_depend_on_the_batch(recognizer: FasterWhisperRecognizer) -> None:
    windows = [
        _window(9000 * (seed + 1), seed, hotwords=("Ada",) if seed % 2 else (), final=False) for seed in range(5)
    ]
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


@pytest.mark.parametrize(
    ("device", "count", "chosen"),
    [("auto", 0, ("cpu", 0)), ("auto", 2, ("cuda", 0)), ("cuda:1", 2, ("cuda", 1)), ("cpu", 2, ("cpu", 0))],
)
def test_the_device_that_there_is_is_taken(device: str, count: int, chosen: tuple[str, int]) -> None:
    assert chosen_device(device, lambda: count) == chosen


def test_a_device_past_the_last_is_said() -> None:
    with pytest.raises(EngineMissing, match="No CUDA device 2"):
        chosen_device("cuda:2", lambda: 2)


def test_without_a_word_the_model_is_what_the_device_can_serve() -> None:
    assert chosen_model("cuda", None, None) == ("large-v3-turbo", "float16")
    assert chosen_model("cpu", None, None) == ("distil-small.en", "int8")
    assert chosen_model("cpu", "folder", "float32") == ("folder", "float32")


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
