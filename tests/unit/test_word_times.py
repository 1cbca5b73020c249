"""Times of words from attention: order, bounds, and the quiet around them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.types import SAMPLE_RATE, Float32
from streaming.word_times import word_times

pytestmark = pytest.mark.unit

_FRAME = 384


def _attention(centres: list[int], frames: int) -> Float32:
    """Each token looks at one frame, and a little at its neighbours."""
    distance = np.abs(np.arange(frames)[None] - np.array(centres)[:, None])
    weights = np.exp(-(distance**2) / 60.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _sound(ticks: int, loud: list[tuple[int, int]]) -> Float32:
    audio = np.random.default_rng(1).normal(size=ticks).astype(np.float32) * np.float32(1e-4)
    for start, end in loud:
        audio[start:end] *= 1000
    return audio


def test_words_take_the_loud_stretches_they_look_at() -> None:
    loud = [(4000, 12000), (20000, 26000)]
    times = word_times(_attention([16, 60], 80), [(0, 1), (1, 2)], _sound(32000, loud))
    for (start, end), (first, last) in zip(times, loud, strict=True):
        assert first - 160 <= start <= first + _FRAME
        assert last - _FRAME <= end <= last + 160


def test_the_tokens_of_a_word_share_its_time() -> None:
    one, other = word_times(_attention([10, 20, 50], 60), [(0, 2), (2, 3)], _sound(23500, [(0, 23500)]))
    assert one[0] < 10 * _FRAME
    assert 20 * _FRAME < one[1] <= other[0] < 50 * _FRAME


def test_a_word_ends_where_a_noisy_pause_begins() -> None:
    audio = _sound(4 * SAMPLE_RATE, [(0, 4 * SAMPLE_RATE)])
    first, second = word_times(_attention([10, 150], 166), [(0, 1), (1, 2)], audio)
    assert first[1] < SAMPLE_RATE
    assert second[0] > 3 * SAMPLE_RATE


def test_no_words_no_times() -> None:
    assert word_times(np.zeros((0, 10), np.float32), [], np.zeros(4000, np.float32)) == []


@settings(deadline=None)
@given(st.data())
def test_times_are_in_order_apart_and_inside(data: st.DataObject) -> None:
    tokens = data.draw(st.integers(1, 12))
    frames = data.draw(st.integers(tokens, 60))
    ticks = data.draw(st.integers(tokens, frames * _FRAME + 600))
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    attention = random.dirichlet(np.full(frames, 0.1), size=tokens).astype(np.float32)
    if data.draw(st.booleans()):
        attention[-1] = 0  # the last token of a row that was cut off was never read back
    cuts = sorted(data.draw(st.sets(st.integers(1, tokens))) | {tokens})
    words = list(zip([0, *cuts[:-1]], cuts, strict=True))
    audio = (random.normal(size=ticks) * 0.01).astype(np.float32)
    reached = 0
    for start, end in word_times(attention, words, audio):
        assert reached <= start < end <= ticks
        reached = end
