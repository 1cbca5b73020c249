"""What changed between reports, terms, STM, systems side by side, the flame graph, progress, and the page."""

import io
import json
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import commands_generate, flame, kept, report
from benchmarks.arguments import add_bench
from benchmarks.comparison import Run, System, figures, interval, latencies, rate, row, utterance_errors
from benchmarks.difference import differences, said, verdict
from benchmarks.figure import figure
from benchmarks.local_agreement import TRIM_TICKS, LocalAgreement
from benchmarks.manifest import parse_stm
from benchmarks.parts import Part
from benchmarks.progress import Progress, bar
from benchmarks.ramp import Limits, Step
from benchmarks.terms import TermErrors, classes, is_number, term_errors, together
from streaming.errors import BadTranscript
from streaming.types import SAMPLE_RATE, SpeakerId, Tick, TrackId, Transcript, Utterance, UtteranceId, Word, to_tick

pytestmark = pytest.mark.unit


# What changed between two reports.


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([1.0, 1.1, 1.2], [2.0, 2.1, 2.2], "changed"),
        ([1.0, 1.5, 2.0], [1.9, 2.2, 2.6], "within noise"),
        ([1.0, 1.9], [2.0, 2.6], "within noise"),
        ([1.0], [2.0, 2.1], "cannot tell"),
        ([1.0], [1.0], "same"),
        ([], [1.0], "not measured"),
    ],
)
def test_a_change_is_one_that_the_runs_do_not_show_among_themselves(
    before: list[float], after: list[float], found: str
) -> None:
    assert verdict(before, after) == found


def test_an_exact_figure_needs_one_run() -> None:
    assert verdict([5.3], [5.4], exact=True) == "changed"


def a_report(load: float = 0.1, **values: list[float]) -> dict[str, Any]:
    figures = [figure("part", name, "s", runs).as_json() for name, runs in values.items()]
    return {"figures": figures, "machine": {"processor": "p", "usable_cores": 2, "load_before": [load]}}


def test_a_difference_names_what_changed_and_what_nobody_can_tell() -> None:
    found = differences(
        a_report(fast=[2.0, 2.1], odd=[1.0], gone=[1.0]), a_report(load=3.0, fast=[1.0, 1.1], odd=[3.0], new=[1.0])
    )
    assert {one["name"]: one["verdict"] for one in found["figures"]} == {
        "fast": "changed",
        "odd": "cannot tell",
        "gone": "only before",
        "new": "only after",
    }
    text = said(json.loads(json.dumps(found)))
    assert "part: fast: 2.05 s -> 1.05 s (-49 %), runs differ by up to 0.10 s" in text
    assert "the machine was busy after (load 3.0)" in text


def test_what_is_the_same_is_counted_and_listed_only_when_asked() -> None:
    found = differences(a_report(calm=[1.0]), a_report(calm=[1.0]))
    assert said(found) == "same: 1\n"
    assert "calm" in said(found, everything=True)


# Words that must not be misheard.


def test_terms_are_missed_where_another_word_or_none_was_heard_and_invented_where_they_were_not_said() -> None:
    found = term_errors(
        "I took twenty milligrams of Zoloft and thought of suicide",
        "I took twelve milligrams of soft and thought of it, kill",
    )
    assert found["numbers"] == TermErrors(1, 1, 1)
    assert found["medications"] == TermErrors(1, 1, 0)
    assert found["harm"] == TermErrors(1, 1, 1)
    assert found["harm"].rate == 2.0


def test_a_lone_one_is_no_number() -> None:
    assert not is_number("1")
    assert is_number("30")
    assert is_number("third")
    assert term_errors("this one is good", "this one is good")["numbers"] == TermErrors()


def test_terms_of_recordings_add_up() -> None:
    both = together([term_errors("ten pills", "ten pills"), term_errors("five", "")])
    assert both["numbers"] == TermErrors(2, 1, 0)
    assert both["harm"] == TermErrors(1, 0, 0)
    assert set(classes()) == {"harm", "numbers", "medications"}


def test_stm_is_read_with_speakers_and_without_what_is_not_scored() -> None:
    text = (
        ";; a comment\ncall 1 client 1.5 2.0 <o,f0> good morning\ncall 1 therapist 0.0 1.0 hello\n"
        "call 1 x 3.0 4.0 ignore_time_segment_in_scoring\n"
    )
    call = parse_stm(text)["call"]
    assert [(one.speaker, one.text) for one in call.utterances] == [
        ("therapist", "hello"),
        ("client", "good morning"),
    ]
    assert call.roles == {"therapist": "clinician", "client": "client"}


@pytest.mark.parametrize("text", ["call 1 a x 2.0 hi", "call 1 a 2.0 1.0 hi", "call 1"])
def test_a_line_that_is_no_segment_is_named(text: str) -> None:
    with pytest.raises(BadTranscript, match="Line 1 of the STM"):
        parse_stm(text)


# Systems beside each other.


def spoken(*lines: list[tuple[str, float]]) -> Transcript:
    found = []
    for number, words in enumerate(lines):
        made = tuple(Word(to_tick(end_s - 0.3), to_tick(end_s), text, 1.0) for text, end_s in words)
        text = " ".join(word.text for word in made)
        found.append(
            Utterance(
                UtteranceId(f"mic-{number}"),
                TrackId("mic"),
                made[0].start,
                made[-1].end,
                SpeakerId("S1"),
                text,
                1.0,
                made,
            )
        )
    return Transcript(tuple(found), {})


TALK = spoken([("good", 1.0), ("morning", 1.5)], [("how", 3.0), ("are", 3.4), ("you", 4.0)])


def test_errors_belong_to_the_utterance_in_which_they_are() -> None:
    counts = utterance_errors(TALK, ["good", "evening", "sir", "how", "you"])
    assert counts.tolist() == [[2, 2], [3, 1]]
    assert rate(counts) == pytest.approx(0.6)


def test_an_interval_holds_the_rate_and_a_paired_one_of_equals_is_nothing() -> None:
    counts = np.array([[10, 1], [10, 3], [10, 0], [10, 2]] * 5)
    low, high = interval(counts)
    assert low < rate(counts) < high
    assert interval(counts, counts) == (0.0, 0.0)
    assert interval(counts) == interval(counts)


def test_a_final_is_timed_from_its_utterances_last_word() -> None:
    words = [("good", 1.2), ("morning", 2.0), ("how", 5.0), ("are", 5.0), ("yew", 5.0)]
    assert latencies(TALK, words) == [pytest.approx(0.5)]


def system(name: str, cpu_s: float, *texts: str) -> System:
    words = tuple((text, 5.0) for text in texts)
    return System(name, "says", (Run(words, 10.0, cpu_s), Run(words, 10.0, cpu_s * 1.1)))


def test_systems_are_rows_and_the_others_stand_against_the_first() -> None:
    ours = system("sameday", 1.0, "good", "morning", "how", "are", "you")
    peer = system("peer with speakers", 5.0, "good", "morning", "how")
    rows = {one.name: one for one in figures("p", [ours, peer], TALK)}
    assert rows["peer with speakers: cost over that of sameday"].runs == pytest.approx((5.0, 5.0))
    assert rows["peer with speakers: cost over that of sameday"].reached is True
    assert rows["peer with speakers: WER above that of sameday"].value == pytest.approx(40.0)
    assert row(ours, TALK)["sessions_a_core"] == pytest.approx(1 / 0.105)


def words(*texts: str, start_s: float = 0.0) -> list[Word]:
    return [Word(to_tick(start_s + n), to_tick(start_s + n + 0.8), text, 1.0) for n, text in enumerate(texts)]


def test_local_agreement_commits_what_two_hypotheses_begin_with() -> None:
    loop = LocalAgreement()
    assert loop.hear(words("good", "mourning"), to_tick(2)) == ()
    assert [word.text for word in loop.hear(words("Good", "morning", "how"), to_tick(3))] == ["Good"]
    assert [word.text for word in loop.hear(words("good", "morning", "how"), to_tick(4))] == ["morning", "how"]
    assert loop.flush() == ()


def test_local_agreement_cuts_a_long_buffer_behind_a_final_sentence_and_hears_no_word_twice() -> None:
    loop = LocalAgreement()
    texts = [f"w{number}" for number in range(12)]
    texts[5] = "w5."
    loop.hear(words(*texts), Tick(TRIM_TICKS + 1))
    loop.hear(words(*texts), Tick(TRIM_TICKS + SAMPLE_RATE))
    assert loop.start == to_tick(5.8)
    again = loop.hear([*words("w11", start_s=11.1), *words("next", start_s=12.1)], Tick(TRIM_TICKS + 2 * SAMPLE_RATE))
    assert again == ()
    assert [word.text for word in loop.flush()] == ["next"]


# Flame graph, progress, arguments, the page.


def test_stacks_are_read_added_up_and_drawn() -> None:
    folded = flame.parse("main;run 3\nmain;run 1\nmain;<wait> 4\nnothing\n")
    assert folded == {"main;run": 4.0, "main;<wait>": 4.0}
    assert flame.own_time(folded)[0][1] == 0.5
    picture = ElementTree.fromstring(flame.graph(folded, "graph"))
    assert len(picture.findall("g")) == 3
    assert flame.graph({}, "graph") == ""


def test_what_only_waits_is_no_work_and_what_is_too_narrow_is_its_callers() -> None:
    assert flame.working({"t;_worker (concurrent/futures/thread.py:69)": 9.0, "t;run (a.py:1)": 1.0}) == {
        "t;run (a.py:1)": 1.0
    }
    assert flame.pruned({"a;b": 999.0, "a;c": 1.0}, share=0.01) == {"a;b": 999.0, "a": 1.0}


def test_a_bar_fills_but_not_before_the_end() -> None:
    assert bar(0, 60).startswith("[....")
    assert bar(600, 60).count("#") == 28
    assert "01:00 of about 02:00" in bar(60, 120)
    out = io.StringIO()
    with Progress(10, out) as progress:
        progress.say("first")
    assert out.getvalue() == "[00:00] first\n"


def test_the_page_shows_a_ramp_conditions_systems_and_a_profile() -> None:
    limits = Limits()
    finals = {"final_s": [0.9], "past_endpoint_s": [0.2], "past_silence_s": [0.1]}
    steps = [
        Step(
            number,
            "websocket",
            30.0,
            distributions=finals,
            complete=number,
            cores={"recognition": 0.3},
            wall_s=30.0,
            audio_s=30.0 * number,
        )
        for number in (1, 2)
    ]
    ours = system("sameday", 1.0, "good", "morning")
    details = {
        "ramp": [{"transport": "WebSocket", "within_s": 1.5, "steps": [step.as_json(limits) for step in steps]}],
        "compare": [row(ours, TALK)],
        "profile": {"by": "py-spy", "folded": {"main;run": 4.0}, "own": [["run", 1.0]]},
    }
    head = kept.head("live")
    page = report.page(json.loads(json.dumps(kept.assembled([Part([figure("p", "n", "s", 1.0)], details)], head))))
    for title in ("Latency against the number of sessions", "Cost of a session by stage", "Steps",
                  "Beside other ways of streaming", "Where the server&#x27;s time goes"):  # fmt: skip
        assert title in page
    assert "<h1>sameday: live sessions</h1>" in page
    for picture in re.findall(r"<svg.*?</svg>", page):
        ElementTree.fromstring(picture)


def test_parts_that_draw_the_same_thing_keep_what_the_others_found() -> None:
    live = Part(details={"latency": {"WebRTC": {"past_endpoint_s": [0.1]}}, "time_line": {"draft": 1.0}})
    ramps = [Part(details={"latency": {}, "ramp": []}), Part(details={"latency": {"8 at once": {}}, "ramp": [1]})]
    details = kept.assembled([live, *ramps], {})["details"]
    assert list(details["latency"]) == ["8 at once", "WebRTC"]
    assert details["time_line"] == {"draft": 1.0}
    assert details["ramp"] == [1]


def test_scripts_are_drawn_from_a_folder_by_the_seed(tmp_path: Any) -> None:
    for number in range(5):
        (tmp_path / f"{number}.json").write_text("{}")
    one, same, other = (commands_generate.paths(None, tmp_path, seed) for seed in (1, 1, 2))
    assert one == same
    assert sorted(one) == sorted(other)
    assert one != other
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadTranscript):
        commands_generate.paths(None, tmp_path / "empty", 1)


@pytest.mark.parametrize(
    "line",
    [
        "live --sessions 0",
        "live --judge best",
        "generate --minutes 5",
        "generate --out x --overlap 2",
        "diff one.json",
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_runs(line: str) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_bench(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(line.split())
