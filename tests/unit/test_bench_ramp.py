"""How many sessions at once: when a step is given up, which comes next, and what a ramp says in the end."""

import math

import pytest

from benchmarks.figure import table
from benchmarks.ramp import HEAD, LagWatch, Limits, Search, Step, figures, greatest, line, step_figures

pytestmark = pytest.mark.unit

LIMITS = Limits(1.5, "past_endpoint_s")


def step(sessions: int, final_s: float = 0.2, silence_s: float | None = None, **more: object) -> Step:
    values = {
        "final_s": [final_s + 0.7] * 20,
        "past_endpoint_s": [final_s] * 20,
        "past_silence_s": [final_s if silence_s is None else silence_s] * 20,
    }
    return Step(
        sessions,
        "websocket",
        30.0,
        distributions=values,
        complete=sessions,
        cores={"recognition": 0.1 * sessions},
        wall_s=30.0,
        audio_s=30.0 * sessions,
        **more,  # type: ignore[arg-type]
    )


def tried(search: Search, holds_up_to: int) -> list[int]:
    found: list[int] = []
    while (sessions := search.following()) is not None:
        found.append(sessions)
        assert len(found) < 50
        search.tell(sessions, sessions <= holds_up_to)
    return found


def test_a_search_goes_up_and_then_halves() -> None:
    assert tried(Search(4, 4, 24), 13) == [4, 8, 12, 16, 14, 13]
    assert tried(Search(4, 4, 24), 12) == [4, 8, 12, 16, 14, 13]


def test_a_search_ends_at_the_greatest_number_and_goes_below_the_first() -> None:
    assert tried(Search(2, 5, 10), 99) == [2, 7, 10]
    assert tried(Search(4, 4, 24), 1) == [4, 2, 1]
    assert tried(Search(4, 4, 24), 0) == [4, 2, 1]


@pytest.mark.parametrize("holds", range(25))
def test_a_search_finds_the_greatest_number_that_holds(holds: int) -> None:
    search = Search(3, 4, 24)
    tried(search, holds)
    assert search.held == min(holds, 24)


def test_lag_that_stays_is_no_fault_and_lag_that_grows_is() -> None:
    steady, growing = LagWatch(6.0), LagWatch(6.0)
    assert not any(steady.broken(float(at), 4.0 + (at % 3)) for at in range(60))
    broken = [at for at in range(60) if growing.broken(float(at), 1.0 + 0.5 * at)]
    assert broken
    assert 22 <= broken[0] <= 40


def test_lag_beyond_all_measure_is_a_fault_at_once() -> None:
    assert LagWatch(6.0).broken(3.0, 31.0)


def test_a_step_keeps_the_limits_or_says_which_it_broke() -> None:
    assert step(4).fault(LIMITS) == ""
    assert step(4, 1.6).fault(LIMITS) == "final p95 1.60 s above 1.50 s"
    assert step(4, 1.6, 0.1).fault(LIMITS, "past_silence_s") == ""
    assert step(4, errors=("TimeoutError",)).fault(LIMITS) == "1 of 4 sessions ended early (TimeoutError)"
    assert step(4, given_up="lag grew").fault(LIMITS) == "lag grew"
    assert Step(2, "webrtc", 5.0, complete=1).fault(LIMITS) == "1 of 2 sessions not accounted for"


def test_a_step_without_any_final_does_not_pass() -> None:
    assert "final p95" in Step(1, "webrtc", 5.0, complete=1).fault(LIMITS)


def test_the_greatest_number_has_none_below_it_that_broke() -> None:
    steps = [step(8), step(12, 2.0), step(4), step(16)]
    assert greatest(steps, LIMITS, "past_endpoint_s") == 8
    assert greatest([step(2, 3.0)], LIMITS, "past_endpoint_s") == 0
    assert greatest([step(2, 3.0, 0.1)], LIMITS, "past_silence_s") == 2


def test_a_ramp_says_each_way_of_judging_and_the_greatest_steps_figures() -> None:
    rows = figures("ramp", [step(4), step(8, 1.0), step(12, 2.0, 0.5)], LIMITS, aim=12)
    numbers = {row.name.rpartition(": ")[2]: row for row in rows if row.name.startswith("greatest")}
    assert numbers["past the endpoint silence, all utterances"].value == 8
    assert numbers["past the endpoint silence, all utterances"].reached is False
    assert numbers["past the endpoint silence, where that silence follows"].value == 12
    assert "12: final p95" in numbers["past the endpoint silence, all utterances"].note
    assert any(row.name == "8 at once: server, core-seconds per second of a session" for row in rows)
    assert "greatest number" in table(rows)


def test_a_step_is_a_line_and_json_without_numbers_that_json_has_not() -> None:
    broken = Step(3, "webrtc", 30.0, given_up="out of time")
    body = broken.as_json(LIMITS)
    assert body["fault"] == "out of time"
    assert body["wer"] is None
    assert line(broken, LIMITS).endswith("broken: out of time")
    assert len(line(step(4), LIMITS)) <= len(HEAD)
    assert step(4).as_json(LIMITS)["latency"]["final_s"]["p95"] == pytest.approx(0.9)


def test_cost_of_a_session_is_the_servers_over_all_sessions_audio() -> None:
    assert step(4).cpu_per_s == pytest.approx(0.1)
    assert math.isnan(Step(3, "webrtc", 30.0).cpu_per_s)
    assert all(not math.isnan(row.value) for row in step_figures("p", step(4)))
