"""Voice probabilities in, marks out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.segmenting import CHUNK_TICKS, Mark, Segmenter, SegmentSettings

pytestmark = pytest.mark.unit

SETTINGS = SegmentSettings()


def chunks(ticks: int) -> int:
    return -(-ticks // CHUNK_TICKS)


def heard(probabilities: list[float], end: int | None = None) -> list[Mark]:
    segmenter = Segmenter(SETTINGS)
    marks = [mark for probability in probabilities for mark in segmenter.hear(probability)]
    return marks + segmenter.flush(end if end is not None else len(probabilities) * CHUNK_TICKS)  # type: ignore[arg-type]


def of_kind(marks: list[Mark], kind: str) -> list[int]:
    return [mark.at for mark in marks if mark.kind == kind]


def test_speech_opens_a_segment_with_its_preroll() -> None:
    marks = heard([0.0] * 50 + [0.9] * 30 + [0.0] * 40)
    assert of_kind(marks, "start") == [50 * CHUNK_TICKS - SETTINGS.preroll_ticks]


def test_a_click_opens_nothing() -> None:
    marks = heard([0.0] * 50 + [0.9] + [0.0] * 50)
    assert of_kind(marks, "start") == []


def test_the_end_comes_after_the_endpoint_silence_and_keeps_half_of_it() -> None:
    marks = heard([0.0] * 20 + [0.9] * 30 + [0.0] * 60)
    silence = chunks(SETTINGS.endpoint_ticks) * CHUNK_TICKS
    assert of_kind(marks, "end") == [50 * CHUNK_TICKS + silence - SETTINGS.endpoint_ticks // 2]


def test_a_short_silence_is_a_pause_and_not_an_end() -> None:
    pause = chunks(SETTINGS.pause_ticks) + 2
    marks = heard([0.9] * 40 + [0.0] * pause + [0.9] * 40 + [0.0] * 40)
    assert len(of_kind(marks, "pause")) == 2  # between the two, and on the way to the end
    assert len(of_kind(marks, "start")) == len(of_kind(marks, "end")) == 1
    assert 40 * CHUNK_TICKS < of_kind(marks, "pause")[0] < (40 + pause) * CHUNK_TICKS


def test_a_breath_comes_before_the_pause_and_once_per_silence() -> None:
    marks = heard([0.9] * 40 + [0.0] * (chunks(SETTINGS.breath_ticks) + 1) + [0.9] * 40 + [0.0] * 40)
    assert [mark.kind for mark in marks if mark.kind in ("breath", "pause", "end")] == ["breath"] * 2 + [
        "pause",
        "end",
    ]


def test_weak_voice_keeps_a_segment_open_but_does_not_open_one() -> None:
    weak = (SETTINGS.silence_below + SETTINGS.speech_above) / 2
    assert of_kind(heard([weak] * 100), "start") == []
    assert len(of_kind(heard([0.9] * 10 + [weak] * 100 + [0.0] * 40), "end")) == 1


def test_preroll_never_reaches_into_the_segment_before() -> None:
    gap = chunks(SETTINGS.endpoint_ticks)
    marks = heard([0.9] * 20 + [0.0] * gap + [0.9] * 20)
    (_, second), (first_end, *_) = of_kind(marks, "start"), of_kind(marks, "end")
    assert second >= first_end


def test_flush_closes_what_is_open_at_the_last_sample() -> None:
    marks = heard([0.0] * 10 + [0.9] * 20, end=30 * CHUNK_TICKS - 100)
    assert of_kind(marks, "end") == [30 * CHUNK_TICKS - 100]


@given(st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.9]), max_size=400))
def test_segments_alternate_do_not_overlap_and_silence_never_lies(probabilities: list[float]) -> None:
    marks = heard(probabilities)
    edges = [mark for mark in marks if mark.kind in ("start", "end")]
    assert [mark.kind for mark in edges] == ["start", "end"] * (len(edges) // 2)
    assert [mark.at for mark in edges] == sorted(mark.at for mark in edges)
    safe = 0
    for mark in marks:
        if mark.kind == "silence":
            safe = max(safe, mark.at)
        elif mark.kind == "start":
            assert mark.at >= safe, "a segment began where silence had been promised"


@given(st.lists(st.floats(0, 1), max_size=200))
def test_going_on_is_marked_at_least_every_grid_step_of_a_segment(probabilities: list[float]) -> None:
    marks = heard(probabilities)
    last = None
    for mark in marks:
        if mark.kind == "start":
            last = mark.at
        elif mark.kind in ("going_on", "pause", "end") and last is not None:
            assert mark.at - last <= SETTINGS.endpoint_ticks + SETTINGS.grid_ticks + CHUNK_TICKS
            last = None if mark.kind == "end" else mark.at
