"""Windows as rows of a Whisper batch: what shares a call, where a long window is cut, which answer is taken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.ports import Window
from streaming.types import SAMPLE_RATE, Float32, Tick
from streaming.whisper_rows import (
    BUCKETS,
    LONGEST_TICKS,
    Answer,
    Row,
    Timed,
    answer,
    better,
    bucketed,
    grouped,
    pieces,
    placed,
    split_words,
)

pytestmark = pytest.mark.unit

END = 100


def row(place: int, language: str = "en", prompt: int = 3, *, start: int = 0, length: int = SAMPLE_RATE) -> Row:
    return Row(place, start, np.zeros(length, np.float32), language, (0,) * prompt, final=True)


def noise(ticks: int, quiet_at: int | None = None) -> Float32:
    clip = np.random.default_rng(0).normal(size=ticks).astype(np.float32)
    if quiet_at is not None:
        clip[quiet_at : quiet_at + 640] = 0
    return clip


def test_rows_share_a_call_where_language_and_start_mark_are_the_same() -> None:
    rows = [row(0), row(1, "de"), row(2, prompt=7), row(3), row(4)]
    assert [[one.place for one in group] for group in grouped(rows, 2)] == [[0, 3], [4], [1], [2]]


@given(st.lists(st.integers(0, 99), max_size=200))
def test_expected_words_come_to_few_lengths_and_lose_their_head_alone(tokens: list[int]) -> None:
    kept = bucketed(tokens)
    assert len(kept) in BUCKETS or kept == tokens
    assert tokens[len(tokens) - len(kept) :] == kept
    assert 2 * len(kept) >= min(len(tokens), BUCKETS[0])


def test_a_short_window_is_one_row() -> None:
    assert pieces(noise(LONGEST_TICKS)) == [(0, LONGEST_TICKS)]
    assert pieces(noise(0)) == [(0, 0)]


def test_a_long_window_is_cut_where_it_is_quietest() -> None:
    quiet = 27 * SAMPLE_RATE
    (_, cut), rest = pieces(noise(LONGEST_TICKS + SAMPLE_RATE, quiet))
    assert quiet <= cut <= quiet + 640
    assert rest == (cut, LONGEST_TICKS + SAMPLE_RATE)


@given(st.integers(0, 4 * LONGEST_TICKS))
def test_parts_of_a_window_cover_it_and_none_is_too_long(ticks: int) -> None:
    found = pieces(np.zeros(ticks, np.float32))
    assert [start for start, _ in found[1:]] == [end for _, end in found[:-1]]
    assert (found[0][0], found[-1][1]) == (0, ticks)
    assert all(end - start <= LONGEST_TICKS for start, end in found)


def test_an_answer_counts_its_end_mark_and_loses_what_repeats() -> None:
    plain = answer([5, 6, 7], -0.4, 0.1, END)
    assert (plain.tokens, plain.looped) == ((5, 6, 7), False)
    assert plain.log_probability == pytest.approx(-0.3)
    loop = answer([5, *[6, 7] * 6, END], -0.1, 0.1, END)
    assert (loop.tokens, loop.looped) == ((5, 6, 7), True)


@pytest.mark.parametrize(
    ("given_", "doubtful", "silent"),
    [
        (Answer((5,), -0.4, 0.1, False), False, False),
        (Answer((5,), -1.4, 0.1, False), True, False),
        (Answer((5,), -0.2, 0.1, True), True, False),
        (Answer((5,), -1.4, 0.9, False), False, True),  # nobody spoke: that is an answer
        (Answer((5,), -0.4, 0.9, False), False, False),  # likely words win over a doubt that anybody spoke
        (Answer((), -0.4, 0.1, False), False, True),
    ],
)
def test_what_is_doubtful_and_what_is_silence(given_: Answer, doubtful: bool, silent: bool) -> None:
    assert (given_.doubtful, given_.silent) == (doubtful, silent)


def test_an_answer_without_a_loop_is_better_and_then_the_likelier_one() -> None:
    loop, likely, unlikely = Answer((1,), -0.1, 0, True), Answer((2,), -0.5, 0, False), Answer((3,), -0.9, 0, False)
    assert better(loop, unlikely) is unlikely
    assert better(unlikely, likely) is likely


def test_punctuation_stays_with_its_word_and_signs_without_spaces_are_words() -> None:
    assert split_words([" I", "'m", " fine", "."], [1, 1, 2, 1], "en") == [(" I'm", 2), (" fine.", 3)]
    assert split_words(["你", "好", "。"], [1, 1, 1], "zh") == [("你", 1), ("好。", 2)]


@given(st.lists(st.tuples(st.integers(0, 500_000), st.integers(0, 500_000)), max_size=20), st.integers(0, 32_000))
def test_words_of_a_part_lie_in_it_in_order(times: list[tuple[int, int]], start: int) -> None:
    window = Window(Tick(1000), np.zeros(start + 16_000, np.int16))
    words = [Timed("a", begin, end, 1.5) for begin, end in times]
    found = placed(words, row(0, start=start, length=16_000), window)
    reached = 1000 + start
    for word in found:
        assert reached <= word.start < word.end <= 1000 + start + 16_000
        assert word.confidence == 1.0
        reached = word.end
    assert len(found) == len(times)
