"""What is taken for speech, from how the network wrote it down."""

import numpy as np
import pytest

from streaming.hearing import is_english, is_silent, was_said
from streaming.types import Float32

pytestmark = pytest.mark.unit


def _looking(peak: float, tokens: int) -> Float32:
    attention = np.full((tokens, 100), (1 - peak) / 99, np.float32)
    attention[:, 50] = peak
    return attention


def _likely(mean: float, tokens: int) -> Float32:
    return np.full(tokens, mean, np.float32)


@pytest.mark.parametrize("ticks", [0, 100, 16000])
def test_nothing_and_the_noise_of_a_line_are_silent(ticks: int) -> None:
    assert is_silent((np.random.default_rng(0).normal(size=ticks) * 4e-5).astype(np.float32))


def test_a_constant_offset_is_silent() -> None:
    assert is_silent(np.full(16000, 0.1, np.float32))


def test_one_quiet_word_in_a_long_silence_is_not() -> None:
    audio = np.zeros(160_000, np.float32)
    audio[80_000:84_000] = np.sin(np.arange(4000) / 10).astype(np.float32) * np.float32(1e-3)
    assert not is_silent(audio)


@pytest.mark.parametrize(
    ("text", "english"), [("café,", True), ("9-8-8", True), ("♪♪", False), ("ตว", False), ("…", False)]
)
def test_english_is_written_in_latin_letters(text: str, english: bool) -> None:
    assert is_english(text) is english


@pytest.mark.parametrize(
    ("words", "likely", "peak"),
    [
        (["Hello?"], -1.0, 0.14),  # two tokens, short and doubtful
        (["I'm", "Sheila", "-", "yes."], -0.3, 0.2),
        (["Mm."], -0.7, 0.11),
    ],
)
def test_speech_is_kept(words: list[str], likely: float, peak: float) -> None:
    assert was_said(words, _likely(likely, len(words) + 1), _looking(peak, len(words) + 1))


@pytest.mark.parametrize(
    ("words", "likely", "peak"),
    [
        ([], 0.0, 0.5),
        (["♪", "♪"], -0.3, 0.2),
        (["2-3ตวบ"], -0.4, 0.4),
        (["Thank", "you", "for", "watching."], -0.4, 0.04),  # sure of itself, but looking nowhere
        (["You", "can", "also", "use"], -1.5, 0.2),
        (["Mm-hmm,"], -0.9, 0.1),
    ],
)
def test_what_is_written_for_noise_is_dropped(words: list[str], likely: float, peak: float) -> None:
    assert not was_said(words, _likely(likely, len(words) + 1), _looking(peak, len(words) + 1))


def test_one_bare_token_is_kept_if_likely_and_not_the_usual_one() -> None:
    assert was_said(["Okay"], _likely(-1.2, 1), _looking(0.25, 1))
    assert not was_said(["So"], _likely(-1.7, 1), _looking(0.25, 1))
    assert not was_said(["You"], _likely(-0.2, 1), _looking(0.25, 1))
