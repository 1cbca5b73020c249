"""What a recognizer says back of the words it was told to expect is dropped; what was spoken of them is kept."""

import numpy as np
import pytest

from streaming.echo import is_echo, liveliness_db
from streaming.types import SAMPLE_RATE, Float32

pytestmark = pytest.mark.unit

EXPECTED = ("Maria Lindqvist", "sertraline", "role-play")


def hiss(time_s: float = 2.0) -> Float32:
    """A line on which nobody speaks."""
    return (np.random.default_rng(1).normal(size=round(time_s * SAMPLE_RATE)) * 0.01).astype(np.float32)


def talk(time_s: float = 2.0) -> Float32:
    """Sound that comes and goes four times a second over the same line, as syllables do."""
    at = np.arange(round(time_s * SAMPLE_RATE)) / SAMPLE_RATE
    loud = np.sin(2 * np.pi * 150 * at) * (np.sin(2 * np.pi * 4 * at) > 0) * 0.2
    return (hiss(time_s) + loud).astype(np.float32)


def test_the_list_said_back_over_an_empty_line_is_dropped() -> None:
    assert is_echo(["Maria", "Lindqvist,", "Sertraline."], EXPECTED, hiss(), 0.05)
    assert is_echo(["Role-play."], EXPECTED, hiss(), 0.05)


def test_a_name_that_was_spoken_is_kept() -> None:
    assert not is_echo(["Sertraline."], EXPECTED, talk(), 0.05)


def test_a_name_is_dropped_where_the_network_hears_nobody() -> None:
    assert is_echo(["Sertraline."], EXPECTED, talk(), 0.5)


def test_more_names_than_anybody_says_in_the_time_are_dropped() -> None:
    assert is_echo(["Maria", "Lindqvist", "sertraline"] * 3, EXPECTED, talk(1.0), 0.05)


@pytest.mark.parametrize("words", [["I", "take", "sertraline."], ["Yes."], ["..."], []])
def test_words_that_were_not_expected_are_no_echo(words: list[str]) -> None:
    assert not is_echo(words, EXPECTED, hiss(), 0.9)


def test_nothing_was_expected_where_no_list_was_given() -> None:
    assert not is_echo(["Sertraline."], (), hiss(), 0.9)


def test_speech_is_livelier_than_a_line() -> None:
    assert liveliness_db(hiss()) < 3 < 20 < liveliness_db(talk())
    assert liveliness_db(np.zeros(100, np.float32)) == 0
