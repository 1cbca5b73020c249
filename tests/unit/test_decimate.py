"""48 kHz to 16 kHz: exact counts, level kept, nothing folded down, the same however it is cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.decimate import DELAY_TICKS, Decimator
from streaming.types import Int16Mono

pytestmark = pytest.mark.unit


def tone(hz: float, samples: int, rate: int, level: float = 10_000) -> Int16Mono:
    return np.rint(level * np.sin(2 * np.pi * hz * np.arange(samples) / rate)).astype(np.int16)


def level(pcm: Int16Mono) -> float:
    return float(np.sqrt(np.mean(pcm[1_000:-1_000].astype(np.float64) ** 2)) * np.sqrt(2))


@pytest.mark.parametrize("hz", [100, 1_000, 3_400, 6_500])
def test_speech_keeps_its_level(hz: int) -> None:
    assert level(Decimator().push(tone(hz, 48_000, 48_000))) == pytest.approx(10_000, rel=0.01)


@pytest.mark.parametrize("hz", [8_200, 10_000, 15_000, 20_000])
def test_what_16_khz_cannot_hold_is_60_db_down(hz: int) -> None:
    assert level(Decimator().push(tone(hz, 48_000, 48_000))) < 10


def test_sound_comes_as_late_as_stated() -> None:
    out = Decimator().push(tone(440, 48_000, 48_000))
    wanted = tone(440, 16_000, 16_000)
    assert np.abs(out[DELAY_TICKS + 200 :].astype(int) - wanted[200:-DELAY_TICKS]).max() <= 12


@given(st.lists(st.integers(0, 700), min_size=1, max_size=20))
def test_how_the_audio_is_cut_makes_no_difference(ticks: list[int]) -> None:
    noise = np.random.default_rng(1).integers(-9_000, 9_000, 3 * sum(ticks)).astype(np.int16)
    whole = Decimator().push(noise)
    cut = Decimator()
    ends = np.cumsum(ticks) * 3
    parts = [cut.push(noise[end - 3 * count : end]) for end, count in zip(ends, ticks, strict=True)]
    assert [len(part) for part in parts] == ticks
    assert np.abs(np.concatenate(parts).astype(int) - whole).max(initial=0) <= 1


def test_loud_audio_is_clipped_not_wrapped() -> None:
    square = np.where(np.arange(48_000) % 480 < 240, 32_767, -32_768).astype(np.int16)
    out = Decimator().push(square)
    assert out.max() == 32_767
    assert out.min() == -32_768
    assert (np.abs(np.diff(out.astype(int))) > 60_000).sum() <= 200


def test_part_of_a_tick_is_refused() -> None:
    with pytest.raises(ValueError, match="whole ticks"):
        Decimator().push(np.zeros(100, dtype=np.int16))


def test_after_a_reset_nothing_of_before_is_left() -> None:
    used = Decimator()
    used.push(tone(300, 960, 48_000))
    used.reset()
    after = tone(500, 960, 48_000)
    assert np.array_equal(used.push(after), Decimator().push(after))
