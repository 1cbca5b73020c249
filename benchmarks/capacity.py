"""How many sessions a set of servers carries, and what a session-hour costs: pure.

A session costs core-seconds a second while it lasts (measured, by stage), so a server of some cores has a load, and
its latency past the endpoint silence grows with the load as that of a queue does. Both are set by one measured ramp.
Over many servers the question is another: sessions begin on the hour, and what counts is how many there are then.
"""

import heapq
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SESSION_S = 50 * 60.0
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Point:
    """A measured step of a ramp: sessions at once, cores that the server used, p95 of a final past the silence, s."""

    sessions: int
    cores: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Model:
    """What a session costs, and how latency grows: `p95_s(load) = base_s + slope_s * load / (1 - load)`."""

    per_session: float
    """Core-seconds per second of a session, all stages."""
    effective_cores: float
    """How much of the machine the server can use: stages are threads, and the last of them is never quite full."""
    base_s: float
    slope_s: float

    def load(self, sessions: float) -> float:
        """The share of what the server can use that so many sessions ask for."""
        return sessions * self.per_session / self.effective_cores

    def p95_s(self, sessions: float) -> float:
        """95 % of finals come within so long past the silence; infinite where the work never ends."""
        load = self.load(sessions)
        return math.inf if load >= 1 else self.base_s + self.slope_s * load / (1 - load)

    def most(self, within_s: float) -> int:
        """The greatest number of sessions whose p95 keeps within so many seconds."""
        count = 0
        while self.p95_s(count + 1) <= within_s:
            count += 1
        return count


def fitted(points: Sequence[Point]) -> Model:
    """A model of a ramp's steps, by least squares over the logarithm of p95. Raises ValueError with fewer than three.

    The cost of a session is that of the lightest step: a busy server leaves tentative windows out, so that its cost
    a session falls with load and would make the machine look larger than it is.
    """
    if len(points) < 3:
        raise ValueError("a fit needs three steps at least")
    ordered = sorted(points, key=lambda point: point.sessions)
    per_session = ordered[0].cores / ordered[0].sessions
    most = ordered[-1].sessions * per_session
    best: tuple[float, Model] | None = None
    for tenths in range(1, 200):
        candidate = _least(ordered, per_session, most * (1 + tenths / 200))
        missed = sum(math.log(candidate.p95_s(point.sessions) / point.p95_s) ** 2 for point in ordered)
        if best is None or missed < best[0]:
            best = (missed, candidate)
    assert best is not None
    return best[1]


def _least(points: Sequence[Point], per_session: float, effective: float) -> Model:
    """The base and the slope that come nearest for a given width of the server; each point counts by its ratio."""
    grown = [point.sessions * per_session / effective for point in points]
    rises = [load / (1 - load) for load in grown]
    weights = [1 / point.p95_s**2 for point in points]
    total = sum(weights)
    mean_x = sum(w * x for w, x in zip(weights, rises, strict=True)) / total
    mean_y = sum(w * point.p95_s for w, point in zip(weights, points, strict=True)) / total
    spread = sum(w * (x - mean_x) ** 2 for w, x in zip(weights, rises, strict=True))
    joint = sum(w * (x - mean_x) * (point.p95_s - mean_y) for w, x, point in zip(weights, rises, points, strict=True))
    slope = max(0.0, joint / spread)
    base = mean_y - slope * mean_x
    if base < 0:  # a line through nothing: the least that a latency can be
        base, slope = 0.0, mean_y / mean_x
    return Model(per_session, effective, base, slope)


def deviations(model: Model, points: Iterable[Point]) -> dict[int, float]:
    """The model's p95 over the measured one, less one, by number of sessions."""
    return {point.sessions: model.p95_s(point.sessions) / point.p95_s - 1 for point in points}


@dataclass(frozen=True, slots=True)
class Day:
    """A working day: sessions an hour, how far around the hour they begin, and how long they last."""

    sessions: int
    """Begun in each hour, on average; busy hours have more."""
    hours: int = 9
    spread_s: float = 240.0
    """Standard deviation of a start around its hour: people are early and late."""
    length_s: float = SESSION_S
    length_spread_s: float = 240.0
    shape: tuple[float, ...] = (0.6, 0.9, 1.1, 1.2, 0.7, 1.0, 1.3, 1.2, 1.0)
    """How busy each hour is against the average: noon slack, late afternoon full. Assumed, not measured."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Servers alike, `places` sessions each; a lost one is back after its repair."""

    nodes: int
    places: int
    losses_per_node_day: float = 0.0
    repair_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a day. `moved` sessions lost their server and found another; `stranded` found none in time."""

    sessions: int
    refused: int
    moved: int
    stranded: int
    peak: int
    busiest_share: float
    """The most places taken at once, of all."""
    session_hours: float


_BEGIN, _END, _LOST, _BACK = 3, 0, 1, 2
"""Of things at one moment ends come first: a place that falls free is free."""


def simulate(day: Day, fleet: Fleet, seed: int = 1) -> Outcome:
    """A day of a fleet: each session goes to the server with most room, a lost server's sessions go to the others."""
    return _Run(day, fleet, random.Random(seed)).outcome()


class _Run:
    def __init__(self, day: Day, fleet: Fleet, chance: random.Random) -> None:
        self._fleet = fleet
        self._queue: list[tuple[float, int, int]] = []
        self._lengths: list[float] = []
        self._taken: list[set[int]] = [set() for _ in range(fleet.nodes)]
        self._up = [True] * fleet.nodes
        self._at: dict[int, int] = {}
        self._plan(day, chance)
        self._free = [(0, node) for node in range(fleet.nodes)]
        """Servers by how many sessions they have, some entries old: checked when taken."""
        self._refused = self._moved = self._stranded = self._peak = 0
        self._hours = 0.0

    def _plan(self, day: Day, chance: random.Random) -> None:
        shape = [day.shape[hour % len(day.shape)] for hour in range(day.hours)]
        level = sum(shape) / len(shape)
        for hour, busy in enumerate(shape):
            for _ in range(round(day.sessions * busy / level)):
                begin = max(0.0, chance.gauss((hour + 0.25) * HOUR_S, day.spread_s))
                heapq.heappush(self._queue, (begin, _BEGIN, len(self._lengths)))
                self._lengths.append(max(600.0, chance.gauss(day.length_s, day.length_spread_s)))
        for node in range(self._fleet.nodes):
            at = 0.0
            while self._fleet.losses_per_node_day > 0:
                at += chance.expovariate(self._fleet.losses_per_node_day / (day.hours * HOUR_S))
                if at > day.hours * HOUR_S:
                    break
                heapq.heappush(self._queue, (at, _LOST, node))
                at += self._fleet.repair_s
                heapq.heappush(self._queue, (at, _BACK, node))

    def outcome(self) -> Outcome:
        while self._queue:
            at, kind, which = heapq.heappop(self._queue)
            if kind == _BEGIN:
                self._begin(at, which)
            elif kind == _END:
                self._end(which)
            elif kind == _LOST:
                self._lose(which)
            else:
                self._up[which] = True
                heapq.heappush(self._free, (0, which))
        places = self._fleet.nodes * self._fleet.places
        return Outcome(
            sessions=len(self._lengths),
            refused=self._refused,
            moved=self._moved,
            stranded=self._stranded,
            peak=self._peak,
            busiest_share=self._peak / places if places else math.inf,
            session_hours=self._hours / HOUR_S,
        )

    def _begin(self, at: float, session: int) -> None:
        if self._place(session):
            self._hours += self._lengths[session]
            heapq.heappush(self._queue, (at + self._lengths[session], _END, session))
            self._peak = max(self._peak, len(self._at))
        else:
            self._refused += 1

    def _place(self, session: int) -> bool:
        while self._free:
            count, node = self._free[0]
            if not self._up[node] or count != len(self._taken[node]):
                heapq.heappop(self._free)  # an old entry
                continue
            if count >= self._fleet.places:
                return False
            heapq.heapreplace(self._free, (count + 1, node))
            self._taken[node].add(session)
            self._at[session] = node
            return True
        return False

    def _end(self, session: int) -> None:
        node = self._at.pop(session, None)
        if node is not None:
            self._taken[node].discard(session)
            heapq.heappush(self._free, (len(self._taken[node]), node))

    def _lose(self, node: int) -> None:
        self._up[node] = False
        homeless, self._taken[node] = sorted(self._taken[node]), set()
        for session in homeless:
            del self._at[session]
            if self._place(session):
                self._moved += 1
            else:
                self._stranded += 1


def nodes_needed(day: Day, places: int, losses_per_node_day: float = 0.0, seed: int = 1) -> int:
    """The fewest servers, to half a percent, with which nobody is refused or stranded on that day."""
    # With room for all of them, the crowd at its greatest is what has to fit.
    crowd = simulate(day, Fleet(1, day.sessions * day.hours + 1), seed).peak
    nodes = max(1, math.ceil(crowd / places))
    while not _carries(day, nodes, places, losses_per_node_day, seed):
        nodes += max(1, nodes // 200)
    return nodes


def _carries(day: Day, nodes: int, places: int, losses: float, seed: int) -> bool:
    came = simulate(day, Fleet(nodes, places, losses), seed)
    return came.refused == 0 and came.stranded == 0


def sessions_per_device(batch_s: float, batch: int, windows_per_s: float, share: float = 0.7) -> float:
    """Sessions that a device carries which recognizes `batch` windows in `batch_s`, at `windows_per_s` of a session.

    It is kept busy for `share` of the time only: past that windows wait longer than they take.
    """
    return share * batch / (batch_s * windows_per_s)


def cost_per_session_hour(prices: Mapping[str, float], nodes: int, outcome: Outcome, hours: float) -> float:
    """`prices` are per server and hour by what is paid for (server, disk, traffic, …), in any one currency."""
    return sum(prices.values()) * nodes * hours / outcome.session_hours if outcome.session_hours else math.inf
