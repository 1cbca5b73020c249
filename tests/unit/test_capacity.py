"""How many sessions fit: the model against what it was made from, and days whose outcome is known beforehand."""

import json
from pathlib import Path

import pytest

from benchmarks import capacity, commands_capacity
from benchmarks.capacity import Day, Fleet, Model, Point, simulate
from streaming.errors import PeerError

pytestmark = pytest.mark.unit

EXACT = Model(per_session=0.2, effective_cores=2.0, base_s=0.1, slope_s=0.2)
SMALL = Day(sessions=40, hours=3)


def of(model: Model, *sessions: int) -> list[Point]:
    """Steps as the model itself has them."""
    return [Point(count, count * model.per_session, model.p95_s(count)) for count in sessions]


def test_latency_grows_without_end_where_the_work_does_not_end() -> None:
    assert EXACT.p95_s(0) == pytest.approx(0.1)
    assert EXACT.p95_s(5) == pytest.approx(0.3)
    assert EXACT.p95_s(10) == float("inf")
    assert EXACT.most(within_s=0.91) == 8


def test_a_model_is_found_again_from_its_own_steps() -> None:
    steps = of(EXACT, 2, 4, 6, 8, 9)
    found = capacity.fitted(steps)
    assert found.per_session == pytest.approx(0.2)
    assert found.most(1.5) == EXACT.most(1.5)
    assert max(abs(missed) for missed in capacity.deviations(found, steps).values()) < 0.15


def test_a_fit_needs_three_steps() -> None:
    with pytest.raises(ValueError, match="three"):
        capacity.fitted(of(EXACT, 2, 4))


def test_a_day_keeps_count_of_everybody() -> None:
    came = simulate(SMALL, Fleet(nodes=4, places=5, losses_per_node_day=2.0), seed=3)
    assert came.sessions == pytest.approx(120, abs=2)
    assert came.refused > 0
    assert came.peak <= 20
    assert came.moved + came.stranded > 0


def test_with_room_for_all_nobody_is_refused_and_each_sits_for_fifty_minutes() -> None:
    came = simulate(SMALL, Fleet(nodes=1, places=1000))
    assert (came.refused, came.moved, came.stranded) == (0, 0, 0)
    assert came.session_hours == pytest.approx(came.sessions * 50 / 60, rel=0.03)


def test_where_all_come_on_the_hour_the_crowd_is_an_hour_s_sessions() -> None:
    level = Day(sessions=50, hours=3, spread_s=0.0, length_spread_s=0.0, shape=(1.0,))
    assert simulate(level, Fleet(nodes=1, places=50)).refused == 0
    assert simulate(level, Fleet(nodes=1, places=49)).refused == 3


def test_a_lost_server_s_sessions_go_where_there_is_room_and_come_to_grief_where_there_is_none() -> None:
    level = Day(sessions=50, hours=3, shape=(1.0,))
    with_room = simulate(level, Fleet(nodes=10, places=50, losses_per_node_day=1.0))
    assert with_room.moved > 0
    assert (with_room.refused, with_room.stranded) == (0, 0)
    alone = simulate(level, Fleet(nodes=1, places=100, losses_per_node_day=3.0))
    assert alone.moved == 0
    assert alone.stranded > 0


def test_the_same_seed_gives_the_same_day() -> None:
    fleet = Fleet(nodes=4, places=5, losses_per_node_day=1.0)
    assert simulate(SMALL, fleet, seed=7) == simulate(SMALL, fleet, seed=7)
    assert simulate(SMALL, fleet, seed=7) != simulate(SMALL, fleet, seed=8)


def test_the_servers_needed_carry_the_day_and_one_fewer_does_not() -> None:
    nodes = capacity.nodes_needed(SMALL, places=5)
    assert simulate(SMALL, Fleet(nodes, 5)).refused == 0
    assert simulate(SMALL, Fleet(nodes - 1, 5)).refused > 0


def test_cost_is_what_all_servers_cost_over_the_hours_that_were_sat() -> None:
    came = simulate(SMALL, Fleet(nodes=2, places=100))
    cost = capacity.cost_per_session_hour({"server": 3.0, "disk": 1.0}, 2, came, hours=3)
    assert cost == pytest.approx(4.0 * 2 * 3 / came.session_hours)


def test_a_device_s_sessions() -> None:
    assert capacity.sessions_per_device(batch_s=0.5, batch=16, windows_per_s=1.0, share=0.5) == pytest.approx(16)


@pytest.mark.parametrize(
    "report", [{}, {"details": {"ramp": []}}, {"details": {"ramp": [{"steps": [{}]}]}}, {"details": 1}]
)
def test_what_is_no_ramp_is_refused(report: dict[str, object]) -> None:
    with pytest.raises(PeerError, match="no report of a ramp"):
        commands_capacity.points(report)


def test_the_kept_ramp_s_limit_is_met_to_two_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands_capacity.run(None, 20, 10, 0.0, 0.5, 1, as_object=True) == 0
    body = json.loads(capsys.readouterr().out)
    held = json.loads(commands_capacity.RAMP.read_text())["details"]["ramp"][0]["greatest"]["past_silence_s"]
    assert abs(body["most_within_1.5_s"] - held) <= 2
    assert body["nodes"] * 10 >= body["peak"]
    assert body["cost_per_session_hour"] > 0


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="cannot be read"):
        commands_capacity.run(tmp_path / "none.json", 20, 10, 0.0, None, 1, as_object=True)
