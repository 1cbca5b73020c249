"""`sameday bench capacity`: what a measured ramp means for a day of many sessions, and what a session-hour costs."""

import json
from pathlib import Path
from typing import Any

from benchmarks import capacity
from benchmarks.capacity import Day, Fleet, Model, Outcome, Point
from streaming.errors import PeerError

RAMP = Path(__file__).parent / "results" / "ramp-websocket-2026-11-28.json"
_JUDGE = "past_silence_s"


def points(report: dict[str, Any]) -> list[Point]:
    """The steps of a ramp's report, judged where a silence follows. Raises PeerError where it is no such report."""
    try:
        steps = report["details"]["ramp"][0]["steps"]
        return [
            Point(step["sessions"], sum(step["cores"].values()), step["latency"][_JUDGE]["p95"])
            for step in steps
            if step["latency"][_JUDGE]["p95"] is not None
        ]
    except (KeyError, IndexError, TypeError, AttributeError):
        raise PeerError(
            "This is no report of a ramp.", mend="Make one: sameday bench live --ramp --save FILE.json."
        ) from None


def run(
    ramp: Path | None,
    sessions: int,
    places: int | None,
    losses: float,
    price: float | None,
    seed: int,
    *,
    as_object: bool,
) -> int:
    """Print the model of a ramp, and a day of so many sessions an hour on as many servers as it takes."""
    measured = points(_read(ramp or RAMP))
    try:
        model = capacity.fitted(measured)
    except ValueError as error:
        raise PeerError(f"The ramp is too short: {error}.", mend="Let it take more steps.") from None
    room = places or model.most(1.5)
    day = Day(sessions)
    nodes = capacity.nodes_needed(day, room, losses, seed)
    came = capacity.simulate(day, Fleet(nodes, room, losses), seed)
    cost = None if price is None else capacity.cost_per_session_hour({"server": price}, nodes, came, day.hours)
    body = _body(measured, model, room, nodes, came, cost)
    print(json.dumps(body) if as_object else _told(body))
    return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise PeerError("The report cannot be read.", mend="Name a JSON file of sameday bench live --ramp.") from None
    return found if isinstance(found, dict) else {}


def _body(
    measured: list[Point], model: Model, room: int, nodes: int, came: Outcome, cost: float | None
) -> dict[str, Any]:
    missed = capacity.deviations(model, measured)
    return {
        "core_s_per_s": round(model.per_session, 4),
        "steps": [
            {"sessions": one.sessions, "p95_s": one.p95_s, "model_p95_s": round(model.p95_s(one.sessions), 3),
             "deviation": round(missed[one.sessions], 3)}
            for one in measured
        ],
        "most_within_1.5_s": model.most(1.5),
        "places": room,
        "nodes": nodes,
        "day_sessions": came.sessions,
        "peak": came.peak,
        "moved": came.moved,
        "places_used_at_peak": round(came.busiest_share, 3),
        "session_hours": round(came.session_hours, 1),
        "cost_per_session_hour": None if cost is None else round(cost, 4),
    }  # fmt: skip


def _told(body: dict[str, Any]) -> str:
    lines = [f"a session costs {body['core_s_per_s']:.3f} core-seconds a second; p95 past the silence:"]
    lines += [
        f"  {step['sessions']:>3} at once: measured {step['p95_s']:.2f} s, model {step['model_p95_s']:.2f} s"
        f" ({100 * step['deviation']:+.0f} %)"
        for step in body["steps"]
    ]
    lines += [
        f"within 1.5 s by the model: {body['most_within_1.5_s']} at once; taken here: {body['places']} a server",
        f"a day of {body['day_sessions']} sessions: {body['peak']} at once at its greatest, {body['nodes']} servers,"
        f" {100 * body['places_used_at_peak']:.0f} % of their places; {body['moved']} moved off lost servers",
    ]
    if body["cost_per_session_hour"] is not None:
        lines.append(f"{body['cost_per_session_hour']:.4f} a session-hour, in the unit of --price")
    return "\n".join(lines)
