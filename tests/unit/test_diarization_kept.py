"""What the clustering keeps of a track, kept briefly: voices in blocks, verdicts without their zeros."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diarization.verdicts import BAND, Verdicts
from diarization.voice_rows import BLOCK, VoiceRows

pytestmark = pytest.mark.unit


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 6 * BLOCK + 3), st.integers(0, 2**32 - 1))
def test_voices_are_kept_to_the_last_bit(count: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    voices = drawn.normal(size=(count, 5)).astype(np.float32)
    rows = VoiceRows(5)
    for voice in voices:
        rows.append(voice)
    assert len(rows) == count
    assert rows.all().tobytes() == voices.tobytes()
    if count:
        some = drawn.integers(0, count, 7)
        assert rows.some(some).tobytes() == voices[some].tobytes()
    newest = np.arange(max(0, count - BLOCK), count)
    assert rows.some(newest).tobytes() == voices[newest].tobytes()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 700), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_verdicts_are_those_of_a_whole_table(count: int, near: int, seed: int) -> None:
    drawn, kept = np.random.default_rng(seed), Verdicts()
    said, seen = np.zeros((count, BAND), np.float32), np.zeros((count, BAND), np.float32)
    for row in range(count):
        kept.append()
        first = max(0, row + 1 - near)
        kept.close(first)  # as a window that begins there does
        pairs = np.unique(drawn.integers((first, 0), (row + 1, BAND), (6, 2)), axis=0)
        belief = drawn.uniform(0.01, 1.0, len(pairs)).astype(np.float32)
        verdict = np.where(drawn.integers(0, 2, len(pairs)) > 0, belief, -belief)
        kept.add(pairs[:, 0], pairs[:, 1], verdict, belief)
        said[pairs[:, 0], pairs[:, 1]] += verdict
        seen[pairs[:, 0], pairs[:, 1]] += belief
    i, back = np.nonzero(seen)
    links = kept.links()
    assert (links.i.tolist(), links.j.tolist()) == (i.tolist(), (i - back - 1).tolist())
    assert links.verdict.dtype == np.float32
    assert links.verdict.tobytes() == (said[i, back] / seen[i, back]).tobytes()
    newest = np.flatnonzero(seen[count - 1])
    assert kept.of(count - 1)[0].tolist() == newest.tolist()
    assert (
        kept.of(count - 1)[1].tobytes()
        == (said[count - 1] / np.where(seen[count - 1] > 0, seen[count - 1], 1))[newest].tobytes()
    )
