"""The report's pure parts: figures and targets, drawings, the page, and what is read out of a recording."""

import json
import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import figures, plots, report
from benchmarks.figure import at_least, at_most, below, figure, shown, summary, table
from benchmarks.figures import assembled, comparison
from benchmarks.live import Recording
from benchmarks.live_figures import (
    Costs,
    Final,
    LiveResult,
    onsets,
    result,
    silence_after,
    start_and_end,
    word_delays,
)
from benchmarks.measure_accuracy import spoken_s, whole_spans
from benchmarks.measure_live import Live
from benchmarks.parts import Part, Surroundings
from benchmarks.parts_batch import resident_over_audio, slope_per_hour
from benchmarks.parts_live import details, live_figures, over_time
from streaming.settings import Settings
from streaming.types import SpeakerId, TrackId, Transcript, Turn, Utterance, UtteranceId, Word, to_tick

pytestmark = pytest.mark.unit


def turn(start_s: float, end_s: float, speaker: str = "S1") -> Turn:
    return Turn(to_tick(start_s), to_tick(end_s), SpeakerId(speaker))


def utterance(number: int, speaker: str, words: list[tuple[str, float, float]]) -> Utterance:
    spoken = tuple(Word(to_tick(start), to_tick(end), text, 1.0) for text, start, end in words)
    text = " ".join(word.text for word in spoken)
    return Utterance(
        UtteranceId(f"mic-{number}"),
        TrackId("mic"),
        spoken[0].start,
        spoken[-1].end,
        SpeakerId(speaker),
        text,
        1.0,
        spoken,
    )


# Figures and targets.


def test_a_figure_is_the_median_of_its_runs() -> None:
    assert figure("p", "n", "s", [0.9, 0.1, 0.4]).value == 0.4
    assert figure("p", "n", "s", 3).runs == (3.0,)


@pytest.mark.parametrize(
    ("target", "value", "reached"),
    [
        (at_most(0.5), 0.5, True),
        (at_most(0.5), 0.51, False),
        (at_least(8), 8, True),
        (at_least(8), 7.9, False),
        (below(42.0), 42.0, False),
        (below(42.0), 41.9, True),
        (at_most(1), math.nan, False),
        (at_most(1), math.inf, False),
        (None, 1.0, None),
    ],
)
def test_a_target_is_reached_or_not(target: Any, value: float, reached: bool | None) -> None:
    assert figure("p", "n", "s", value, target).reached is reached


def test_without_a_run_nothing_is_reached() -> None:
    nothing = figure("p", "n", "s", [], at_most(1))
    assert nothing.reached is False
    assert nothing.as_json()["value"] is None


def test_the_table_says_what_was_missed() -> None:
    text = table(
        [
            figure("Words", "WER", "%", 5.94, at_most(12)),
            figure("Live", "final p95", "s", [0.4, 0.7, 0.9], at_most(0.5), "of three"),
            figure("Live", "draft", "s", 0.2),
        ]
    )
    assert "5.9 %  reached  at most 12.0 %" in text
    assert re.search(r"final p95 +0\.70 s  MISSED +at most 0\.50 s +\[0\.40 \.\. 0\.90, 3 runs\]\n +of three", text)
    assert text.endswith("1 of 2 targets reached.\n  missed: Live: final p95\n")
    assert text.count("Live\n") == 1


def test_values_are_shown_with_their_unit() -> None:
    assert [shown(0.12345, "core-s/s"), shown(3, "count"), shown(None, "s"), shown(math.inf, "s")] == [
        "0.123 core-s/s",
        "3",
        "-",
        "-",
    ]


def test_summary_without_targets() -> None:
    assert summary([figure("p", "n", "s", 1.0).as_json()]) == "0 of 0 targets reached."


def test_ours_is_set_beside_the_peer() -> None:
    live = figure("Live over WebSocket, bundled session", "server, core-seconds per second of audio", "core-s/s", 0.2)
    peers = {"peer": {"wer": 9.0, "cpu_per_s": 0.4}, "peer with speakers": {"wer": 8.0, "cpu_per_s": 1.0}}
    rows = comparison([Part([live]), Part(details={"peer": peers})])
    assert [row.value for row in rows] == [9.0, 0.4, 8.0, 1.0, pytest.approx(5.0)]
    assert rows[-1].reached
    assert comparison([Part([live])]) == []


def test_a_part_that_fails_takes_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(_: Surroundings) -> Part:
        raise RuntimeError("no such engine")

    said: list[str] = []
    monkeypatch.setattr(
        figures,
        "PARTS",
        {
            "one": figures.Kind("first", broken, 1.0),
            "two": figures.Kind("second", lambda _: Part([figure("p", "n", "s", 1.0)]), 1.0),
        },
    )
    parts = figures.measure(Surroundings(1, True, tmp_path, said.append, Settings()), ["one", "two"])
    assert [part.failed for part in parts] == [True, False]
    assert parts[1].figures[0].value == 1.0
    assert said == ["first", "  first failed: RuntimeError: no such engine", "second"]


# What is read out of recordings and processes.


def test_speech_after_a_pause_is_an_onset() -> None:
    spoken = [turn(1, 3), turn(3.5, 5, "S2"), turn(4, 6), turn(7.0, 8), turn(8.9, 9)]
    assert [start / 16_000 for start, _ in onsets(spoken)] == [1.0, 7.0]
    assert onsets(spoken)[0][1] == to_tick(7.0)


def test_an_utterance_is_followed_by_silence_or_talk() -> None:
    spoken = [turn(1, 3), turn(2, 2.5, "S2"), turn(3.4, 5, "S2"), turn(6.0, 7.0)]
    after = [silence_after(to_tick(end), spoken) for end in (2.5, 3.0, 5.0)]
    assert after == pytest.approx([-0.5, 0.4, 1.0])
    assert silence_after(to_tick(7.0), spoken) > 1e6
    kinds = [Final("mic-1", 0.0, 1.0, silence).followed_by for silence in after]
    assert kinds == ["spoken over", "talk after 0.40 s: no endpoint", "the endpoint's silence"]


def test_speech_time_counts_overlap_once() -> None:
    assert spoken_s([turn(0, 2), turn(1, 3, "S2"), turn(5, 6)]) == pytest.approx(4.0)


def test_utterances_that_overlap_are_decoded_as_one() -> None:
    reference = [
        utterance(1, "a", [("one", 1.0, 2.0)]),
        utterance(2, "b", [("two", 1.8, 3.0)]),
        utterance(3, "a", [("three", 3.1, 4.0)]),
        utterance(4, "a", [("four", 6.0, 7.0)]),
    ]
    spans = whole_spans(reference, to_tick(7.1))
    # The third begins 0.1 s after the second: the padding stops half-way. The last one ends with the recording.
    bounds = [tick / 16_000 for span in spans for tick in span]
    assert bounds == pytest.approx([0.8, 3.05, 3.05, 4.2, 5.8, 7.1])


def test_memory_is_told_by_minute_of_audio_and_its_growth_by_hour() -> None:
    samples = [(minute * 60 * 32_000 + 1, 300.0 + minute) for minute in range(10)]
    points = resident_over_audio(samples, 600.0)
    assert points[0] == (60.0, 300.0)
    assert len(points) == 10
    assert slope_per_hour(points) == pytest.approx(60.0)
    assert math.isnan(slope_per_hour(points[:2]))


def test_delays_at_the_start_and_at_the_end() -> None:
    delays = [(float(second), 1.0 if second < 60 else 2.0 if second < 240 else 3.0) for second in range(300)]
    assert start_and_end(delays, 0.5) == (1.0, 3.0)
    assert all(math.isnan(value) for value in start_and_end([], 0.5))


# A recording of a session: two utterances, a partial each, times of a client whose clock began at 100.


def recording() -> Recording:
    def words(*timed: tuple[str, float, float]) -> list[dict[str, Any]]:
        return [{"text": text, "start": start, "end": end} for text, start, end in timed]

    first = words(("good", 1.0, 1.5), ("morning", 1.5, 2.0))
    second = words(("hello", 4.0, 4.5))
    utterances = [
        {
            "id": "mic-1",
            "track": "mic",
            "start": 1.0,
            "end": 2.0,
            "speaker": "S1",
            "text": "good morning",
            "words": first,
        },
        {"id": "mic-2", "track": "mic", "start": 4.0, "end": 4.5, "speaker": "S2", "text": "hello", "words": second},
    ]
    partial = {"type": "partial", "track": "mic"}
    totals = [{"received_ticks": 96_000, "transcribed_ticks": 96_000, "gap_ticks": 0, "speech_ticks": 32_000}]
    return Recording(
        session="one",
        messages=[
            (101.9, partial | {"start": 0.8, "committed": "", "tentative": "good"}),
            (102.4, partial | {"start": 0.8, "committed": "", "tentative": "good morning"}),
            (102.8, {"type": "utterance"} | utterances[0]),
            (102.8, partial | {"start": 2.3, "committed": "", "tentative": ""}),
            (104.9, partial | {"start": 3.8, "committed": "", "tentative": "hell"}),
            (105.6, {"type": "utterance"} | utterances[1]),
            (106.5, {"type": "ended", "totals": totals}),
            (106.7, {"type": "draft", "note": {}}),
        ],
        sent_at=lambda tick: 100.0 + tick / 16_000,
        end_asked=106.1,
        transcript={"utterances": utterances, "gaps": []},
    )


REFERENCE = Transcript(
    (
        utterance(1, "clinician", [("Good", 1.0, 1.5), ("morning.", 1.5, 2.0)]),
        utterance(2, "client", [("Hello.", 4.0, 4.5)]),
    ),
    {},
)
SPOKEN = [turn(1.0, 2.0, "clinician"), turn(4.0, 4.5, "client")]


def heard() -> LiveResult:
    costs = Costs(1.2, {"recognition": 0.6, "diarization": 0.5, "the rest": 0.1}, 400.0)
    return result("webrtc", recording(), REFERENCE, SPOKEN, costs)


def test_a_recording_gives_its_latencies() -> None:
    one = heard()
    assert list(one.onsets_s) == pytest.approx([0.9, 0.9])
    assert one.final_s == [pytest.approx(0.8), pytest.approx(1.1)]
    assert one.past_endpoint_s == [pytest.approx(0.1), pytest.approx(0.4)]
    assert one.draft_s == pytest.approx(0.6)
    assert one.cpu_per_s == pytest.approx(0.2)
    assert one.word_error_rate == 0
    assert one.complete
    assert one.speech_share == pytest.approx(1 / 3)
    assert [(final.utterance, final.ended_s) for final in one.latest(1)] == [("mic-2", 4.5)]
    assert one.past_silence_s == one.past_endpoint_s
    assert one.line["finals"][0] == [2.0, 2.8, "clinician"]


def test_an_onset_whose_words_come_after_the_next_one_was_never_shown() -> None:
    late = recording()
    late.messages = [entry for entry in late.messages if entry[0] > 104.0]
    one = result("webrtc", late, REFERENCE, SPOKEN, Costs(1.0, {}, 1.0))
    assert list(one.onsets_s) == pytest.approx([math.inf, 0.9])


def test_audio_that_is_not_accounted_for_is_noticed() -> None:
    lost = recording()
    lost.first("ended")[1]["totals"][0]["transcribed_ticks"] -= 1
    assert not result("webrtc", lost, REFERENCE, SPOKEN, Costs(1.0, {}, 1.0)).complete


def test_waiting_for_the_first_packet_is_no_loss() -> None:
    gapped = recording()
    gapped.transcript["gaps"] = [
        {"track": "mic", "start": 0.0, "end": 0.2, "cause": "no_audio"},
        {"track": "mic", "start": 3.0, "end": 3.5, "cause": "packet_loss"},
    ]
    one = result("webrtc", gapped, REFERENCE, SPOKEN, Costs(1.0, {}, 1.0))
    assert len(one.gaps) == 2
    assert one.lost_s == pytest.approx(0.5)
    assert "packet loss" in report.page(whole_report() | {"details": details([one])})


def test_word_delays_count_from_a_words_end() -> None:
    assert [round(delay, 2) for _, delay in word_delays(recording(), REFERENCE)] == [1.3, 0.8, 1.1]


def test_live_figures_take_the_median_of_each_runs_own() -> None:
    found = {one.name: one for one in live_figures("Live", [heard(), heard(), heard()])}
    assert found["end of session to draft note"].value == pytest.approx(0.6)
    assert found["past the endpoint silence of 0.7 s, p95"].value == pytest.approx(0.385)
    assert found["between two changes of the shown words, p95"].reached
    assert found["first words shown after talk begins, p95"].value == pytest.approx(0.9)


def test_a_session_that_is_long_enough_is_looked_at_over_time() -> None:
    one = Live(heard(), recording())
    assert over_time("Live", one, REFERENCE) == []
    rows = over_time("Live", one, REFERENCE, span_s=1.6)
    assert [round(row.value, 2) for row in rows[:2]] == [1.3, 1.1]
    assert rows[1].reached


# Drawings and the page.


@pytest.mark.parametrize(
    ("low", "high", "first", "last"), [(0, 1, 0, 1), (0, 0.37, 0, 0.35), (10, 72.5, 10, 70), (0, 3600, 0, 3500)]
)
def test_ticks_are_round_and_inside(low: float, high: float, first: float, last: float) -> None:
    values = plots.ticks(low, high)
    assert values[0] == first
    assert values[-1] == last
    assert 4 <= len(values) <= 11


def test_a_plane_puts_its_ends_where_the_axes_are() -> None:
    plane = plots.Plane((0.0, 10.0), (0.0, 1.0))
    assert (plane.at_x(0), plane.at_x(10)) == (plane.left, plots.WIDTH - plane.right)
    assert (plane.at_y(0), plane.at_y(1)) == (plane.height - plane.bottom, plane.top)


def whole_report() -> dict[str, Any]:
    part = Part(
        live_figures("Live <over> WebRTC", [heard()]),
        details([heard()])
        | {
            "long_cost": [{"name": "monologue", "stages": {"recognition": 0.1}}],
            "monologue": [[1.0, 0.9], [2.0, 1.4]],
            "memory": [[60, 310.0], [120, 312.0]],
            "diarization": [{"name": "call", "settled": 4.0, "online": 7.5, "peer": 5.6}],
        },
        ["meetings: the recordings are not here"],
    )
    machine = {
        "processor": "Some <CPU>",
        "cores": 2,
        "usable_cores": 2,
        "memory_gb": 8.0,
        "system": "Linux",
        "python": "3.11",
        "load_before": [0.1, 0.2, 0.3],
        "versions": {"numpy": "2"},
        "commit": "0123456789abcdef",
        "changed_files": 0,
    }
    head = {
        "started_at": "2026-01-31T10:00:00+01:00",
        "took_s": 1100.0,
        "runs": 3,
        "quick": False,
        "machine": machine,
    }
    return assembled([part], head)


def test_the_page_needs_nothing_else_and_every_drawing_is_well_formed() -> None:
    page = report.page(whole_report())
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", page)
    assert "<script" not in page
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == 5
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("aria-label")
        assert "nan" not in drawing
        assert "inf" not in drawing
    for text in ("Some &lt;CPU&gt;", "Live &lt;over&gt; WebRTC", "0123456789", "5.6", "the recordings are not here"):
        assert text in page


def test_the_page_warns_where_the_machine_was_busy() -> None:
    busy = whole_report()
    assert "was busy" not in report.page(busy)
    busy["machine"]["load_before"] = [5.2, 4.0, 3.0]
    assert "was busy" in report.page(busy)


def test_a_page_of_nothing_has_no_drawings() -> None:
    body = whole_report() | {"details": {}, "figures": [], "skipped": []}
    assert "<svg" not in report.page(body)


def test_the_report_is_plain_json() -> None:
    body = whole_report()
    assert json.loads(json.dumps(body, allow_nan=False)) == body


def test_an_empty_curve_of_latencies_is_drawn_without_failing() -> None:
    assert "<path" in plots.cumulative({"WebRTC": []}, "s", [(0.5, "target")], "t")
