"""The recognizer's queue: finals first, sessions in turn, and one that floods gives way to those who speak."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fairness import BURST_S, DEBT_S, PATIENCE_S, REST, SPEAKING_S, FairQueue

pytestmark = pytest.mark.unit


@dataclass(eq=False)
class Window:
    owner: str
    end_s: float = 0.0
    final: bool = True
    wanted: bool = True


def names(jobs: list[Window]) -> list[str]:
    return [job.owner for job in jobs]


def flooded(now_s: float = 100.0) -> FairQueue[Window]:
    """A queue after a session `flood` has sent minutes at once and `calm` has spoken at its pace."""
    queue: FairQueue[Window] = FairQueue()
    queue.put(Window("calm", now_s), now_s)
    for end_s in (8.0, 16.0, 24.0, 32.0):
        queue.put(Window("flood", end_s), now_s)
        queue.take(16, now_s)
    return queue


def test_finals_go_before_partials_and_sessions_take_turns() -> None:
    queue: FairQueue[Window] = FairQueue()
    for owner, final in (("a", False), ("a", True), ("a", True), ("b", True), ("c", False)):
        queue.put(Window(owner, final=final), 0.0)
    taken = queue.take(4, 0.0)
    assert [(job.owner, job.final) for job in taken] == [("a", True), ("b", True), ("a", True), ("a", False)]
    assert names(queue.take(4, 0.0)) == ["c"]
    assert queue.waiting == (0, 0)


def test_what_nobody_wants_any_more_is_dropped() -> None:
    queue: FairQueue[Window] = FairQueue()
    queue.put(Window("a", final=False, wanted=False), 0.0)
    queue.put(Window("a", final=False), 0.0)
    assert [job.wanted for job in queue.take(4, 0.0)] == [True]


def test_a_session_that_floods_rests_while_another_speaks() -> None:
    queue = flooded()
    queue.done("flood", 1.0, 100.0)
    queue.put(Window("flood", 40.0), 100.0)
    assert queue.take(16, 100.0) == []
    assert queue.rest_s(100.0) == pytest.approx(REST)
    queue.put(Window("calm", 101.0), 101.0)
    assert names(queue.take(16, 101.0)) == ["calm"]
    assert names(queue.take(16, 100.0 + REST)) == ["flood"]


def test_a_session_that_floods_does_not_lengthen_the_batch_of_another_for_a_while() -> None:
    queue = flooded()
    queue.done("flood", 1.0, 100.0)
    after_s = 100.0 + REST
    for at_s in (after_s, after_s + PATIENCE_S):
        queue.put(Window("calm", at_s), at_s)
        queue.put(Window("flood", 40.0), at_s)
    assert names(queue.take(16, after_s)) == ["calm", "calm"]
    queue.put(Window("calm", after_s + PATIENCE_S), after_s + PATIENCE_S)
    assert sorted(names(queue.take(16, after_s + PATIENCE_S))) == ["calm", "flood", "flood"]


def test_alone_it_has_the_whole_recognizer() -> None:
    queue = flooded()
    queue.done("flood", 1.0, 100.0)
    silent_s = 100.0 + SPEAKING_S
    queue.done("flood", 1.0, silent_s)
    queue.put(Window("flood", 90.0), silent_s)
    assert names(queue.take(16, silent_s)) == ["flood"]


def test_a_flood_is_forgiven_once_the_clock_has_caught_up() -> None:
    queue = flooded()
    later_s = 100.0 + DEBT_S
    queue.put(Window("flood", 32.0), later_s)
    queue.done("flood", 1.0, later_s)
    queue.put(Window("calm", later_s), later_s)
    assert set(names(queue.take(16, later_s))) == {"calm", "flood"}


def test_what_a_network_held_back_for_a_moment_is_no_flood() -> None:
    queue: FairQueue[Window] = FairQueue()
    queue.put(Window("calm", 100.0), 100.0)
    queue.put(Window("late", 50.0), 90.0)
    queue.put(Window("late", 50.0 + BURST_S - 1.0), 100.0)
    queue.done("late", 1.0, 100.0)
    assert set(names(queue.take(16, 100.0))) == {"calm", "late"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 60)), max_size=40), st.integers(1, 5))
def test_every_job_comes_out_once_and_a_sessions_finals_in_order(
    wanted: list[tuple[str, bool, float]], most: int
) -> None:
    queue: FairQueue[Window] = FairQueue()
    jobs = [Window(owner, end_s, final) for owner, final, end_s in wanted]
    for job in jobs:
        queue.put(job, 0.0)
    out: list[Window] = []
    now_s = 0.0
    while queue.waiting != (0, 0):
        batch = queue.take(most, now_s)
        assert len(batch) <= most
        for job in batch:
            queue.done(job.owner, 1.0, now_s)
        out += batch
        now_s += max(0.1, queue.rest_s(now_s) or 0.0)
    assert sorted(map(id, out)) == sorted(map(id, jobs))
    for owner in "abc":
        assert [id(job) for job in out if job.owner == owner and job.final] == [
            id(job) for job in jobs if job.owner == owner and job.final
        ]
