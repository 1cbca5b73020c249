"""The embedded recognizer on real weights: words, times, independence of rows, and silence where nobody talks."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from shared_data import shared_data

from benchmarks.audio_files import read_audio
from benchmarks.scoring import word_errors
from streaming.embedded_recognizer import EmbeddedRecognizer
from streaming.media import decode_file
from streaming.moonshine import Moonshine
from streaming.ports import Hypothesis, Recognizer, Window
from streaming.types import SAMPLE_RATE, Int16Mono, Tick

pytestmark = pytest.mark.model

_SESSION = Path(__file__).resolve().parents[2] / "benchmarks" / "data" / "session"


@pytest.fixture(scope="module", name="recognizer")
def _recognizer() -> EmbeddedRecognizer:
    return EmbeddedRecognizer()


@cache
def _spoken() -> list[dict[str, Any]]:
    """The clinician's utterances, with the audio of each and 0.1 s around it."""
    audio = read_audio(_SESSION / "clinician.opus")
    utterances = json.loads((_SESSION / "reference.json").read_text())["utterances"]
    mine = [entry for entry in utterances if entry["speaker"] == "clinician"]
    for entry in mine:
        start, end = (round(SAMPLE_RATE * time) for time in (entry["start"] - 0.1, entry["end"] + 0.1))
        entry["window"] = Window(Tick(start), audio[start:end])
    return mine


def _text(hypothesis: Hypothesis) -> str:
    return " ".join(word.text for word in hypothesis.words)


def _int16(sound: NDArray[np.floating[Any]]) -> Int16Mono:
    return np.clip(np.round(sound), -32768, 32767).astype(np.int16)


def test_it_is_a_recognizer(recognizer: EmbeddedRecognizer) -> None:
    seam: Recognizer = recognizer
    assert (seam.name, seam.max_batch) == ("embedded", 16)
    assert recognizer.recognize([]) == []


def test_words_of_the_bundled_session(recognizer: EmbeddedRecognizer) -> None:
    spoken = _spoken()
    heard = recognizer.recognize([entry["window"] for entry in spoken])
    errors = word_errors(" ".join(entry["text"] for entry in spoken), " ".join(map(_text, heard)))
    assert errors.rate <= 0.08


def test_times_of_the_bundled_session(recognizer: EmbeddedRecognizer) -> None:
    spoken = _spoken()
    starts, ends = [], []
    for entry, hypothesis in zip(spoken, recognizer.recognize([each["window"] for each in spoken]), strict=True):
        if [word["text"].lower() for word in entry["words"]] != [word.text.lower() for word in hypothesis.words]:
            continue
        for true, word in zip(entry["words"], hypothesis.words, strict=True):
            starts.append(abs(word.start / SAMPLE_RATE - true["start"]))
            ends.append(abs(word.end / SAMPLE_RATE - true["end"]))
    assert len(starts) > 50
    assert np.median(starts) < 0.04
    assert np.median(ends) < 0.05
    assert np.percentile(starts + ends, 90) < 0.12


def test_a_row_does_not_depend_on_the_batch(recognizer: EmbeddedRecognizer) -> None:
    random = np.random.default_rng(4)
    windows = [entry["window"] for entry in _spoken()[:9]]
    windows += [Window(Tick(7), _int16(random.normal(size=80_000) * 300)), Window(Tick(0), np.zeros(0, np.int16))]
    alone = [recognizer.recognize([window])[0] for window in windows]
    assert recognizer.recognize(windows) == alone
    order = random.permutation(len(windows))
    assert recognizer.recognize([windows[place] for place in order]) == [alone[place] for place in order]


def test_words_are_in_order_apart_and_inside(recognizer: EmbeddedRecognizer) -> None:
    windows = [entry["window"] for entry in _spoken()]
    for window, hypothesis in zip(windows, recognizer.recognize(windows), strict=True):
        reached = window.start
        for word in hypothesis.words:
            assert reached <= word.start < word.end <= window.start + len(window.pcm)
            assert 0 < word.confidence <= 1
            reached = word.end


@pytest.mark.parametrize("ticks", [0, 1, 100, 1600, 8000, 480_000])
def test_windows_of_any_length(recognizer: EmbeddedRecognizer, ticks: int) -> None:
    pcm = _spoken()[0]["window"].pcm
    long = np.tile(pcm, -(-ticks // len(pcm)))[:ticks] if ticks else pcm[:0]
    (hypothesis,) = recognizer.recognize([Window(Tick(0), long)])
    assert all(0 <= word.start < word.end <= ticks for word in hypothesis.words)
    assert bool(hypothesis.words) or ticks < SAMPLE_RATE


def test_quiet_speech_gives_the_same_words(recognizer: EmbeddedRecognizer) -> None:
    windows = [entry["window"] for entry in _spoken()[:4]]
    quiet = [Window(window.start, _int16(window.pcm / 30)) for window in windows]
    loud, soft = (" ".join(map(_text, recognizer.recognize(these))) for these in (windows, quiet))
    assert word_errors(loud, soft).rate <= 0.1


def _noises() -> dict[str, NDArray[np.float64]]:
    random = np.random.default_rng(11)
    size = 4 * SAMPLE_RATE
    time = np.arange(size) / SAMPLE_RATE
    spectrum = np.fft.rfft(random.normal(size=size)) / np.sqrt(np.maximum(1, np.arange(size // 2 + 1)))
    pink = np.fft.irfft(spectrum, size)
    clicks = np.zeros(size)
    clicks[random.integers(0, size, size=12)] = 8
    hum = sum(np.sin(2 * np.pi * 50 * harmonic * time) / harmonic for harmonic in (1, 2, 3))
    return {
        "white": random.normal(size=size),
        "pink": pink / pink.std(),
        "hum": np.asarray(hum) + random.normal(size=size) / 30,
        "clicks": np.convolve(clicks, np.exp(-np.arange(300) / 40), "same") + random.normal(size=size) / 50,
    }


@pytest.mark.parametrize("kind", ["white", "pink", "hum", "clicks"])
def test_noise_gives_no_words(recognizer: EmbeddedRecognizer, kind: str) -> None:
    noise = _noises()[kind]
    windows = [
        Window(Tick(0), _int16(noise[: round(seconds * SAMPLE_RATE)] * level))
        for seconds in (0.5, 1.5, 4)
        for level in (3, 30, 300, 3000)
    ]
    assert [_text(hypothesis) for hypothesis in recognizer.recognize(windows)] == [""] * len(windows)


def test_recorded_noise_gives_hardly_a_word(recognizer: EmbeddedRecognizer) -> None:
    windows = []
    for path in sorted(shared_data("noise").glob("*.wav")):
        pcm = np.concatenate(list(decode_file(path)))
        windows += [Window(Tick(at), pcm[at : at + 48_000]) for at in range(0, len(pcm) - 48_000, 48_000)]
    heard = recognizer.recognize(windows)
    assert len(windows) >= 10
    assert sum(bool(hypothesis.words) for hypothesis in heard) <= len(windows) / 10


def test_the_network_gives_the_same_bits_in_any_batch() -> None:
    network = Moonshine()
    clips = [entry["window"].pcm.astype(np.float32) / np.float32(32768) for entry in _spoken()[:5]]
    together = network.transcribe(clips)
    for clip, result in zip(clips, together, strict=True):
        (alone,) = network.transcribe([clip])
        assert result.tokens == alone.tokens
        np.testing.assert_array_equal(result.log_probabilities, alone.log_probabilities)
        np.testing.assert_allclose(result.attention, alone.attention, atol=1e-5)


def test_read_sentences(recognizer: EmbeddedRecognizer) -> None:
    sentences = {
        "spk1_snt1": "the child almost hurt the small dog",
        "spk1_snt2": "drop the two when you add the figures",
        "spk1_snt3": "at that high level the air is pure",
        "spk2_snt1": "we are sure that one war is enough",
        "spk2_snt2": "what joy there is in living",
        "spk2_snt3": "tear thin sheets from the yellow pad",
    }
    windows = [
        Window(Tick(0), np.concatenate(list(decode_file(shared_data(f"speech/{name}.wav"))))) for name in sentences
    ]
    heard = " ".join(map(_text, recognizer.recognize(windows)))
    assert word_errors(" ".join(sentences.values()), heard).rate <= 0.2
