"""Which progress belongs to which goal of the plan. Pure.

A fact belongs to the goal that it was told for; else to the goal whose words, or whose objectives' words, it shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from drafting.facts import Fact
from drafting.words import content_stems
from streaming.types import Goal, NoteContext, Objective


@dataclass(frozen=True, slots=True)
class GoalProgress:
    """A goal with the progress told for it, in order of time; `objective` is the one nearest to the talk."""

    goal: Goal
    facts: tuple[Fact, ...]
    objective: Objective | None


def goals_of(context: NoteContext) -> tuple[Goal, ...]:
    """The goals of the plan; those that are known as texts alone have no objectives."""
    return context.plan_goals or tuple(Goal(f"g{n}", text) for n, text in enumerate(context.goals, 1))


def by_goal(facts: Sequence[Fact], context: NoteContext) -> tuple[GoalProgress, ...]:
    """Every goal with its progress, in the plan's order; a fact is told for one goal only."""
    goals = goals_of(context)
    found: dict[str, list[Fact]] = {goal.id: [] for goal in goals}
    for one in facts:
        if one.kind == "progress" and (goal := _goal(one, goals)) is not None:
            found[goal.id].append(one)
    return tuple(
        GoalProgress(goal, tuple(sorted(found[goal.id], key=lambda one: one.start)), _objective(goal, found[goal.id]))
        for goal in goals
    )


@lru_cache(maxsize=4096)
def stems_of(text: str) -> frozenset[str]:
    """What a text is about: its content stems without numbers and words that all talk shares."""
    return frozenset(stem for stem in content_stems(text) if not stem.replace(".", "").isdigit()) - _COMMON


def speaks_of(goal: Goal, text: str) -> bool:
    """Whether a text shares a content word with the goal or one of its objectives."""
    return bool(_stems(goal) & set(content_stems(text)))


def _goal(fact: Fact, goals: Sequence[Goal]) -> Goal | None:
    named = fact.detail.get("goal")
    for goal in goals:
        if named == goal.text:
            return goal
    own = stems_of(f"{named or ''} {fact.detail.get('topic', '')} {fact.text}")
    shared = [(len(own & _stems(goal)), goal) for goal in goals]
    most = max((count for count, _ in shared), default=0)
    return next((goal for count, goal in shared if count == most), None) if most else None


def _objective(goal: Goal, facts: Sequence[Fact]) -> Objective | None:
    """The objective whose words are most among what was told; the goal's only one where none is nearer."""
    if not facts or not goal.objectives:
        return None
    own = {stem for one in facts for stem in content_stems(one.text)}
    count, best = max(((len(own & set(content_stems(step.text))), step) for step in goal.objectives), key=_first)
    return best if count or len(goal.objectives) == 1 else None


def _first(pair: tuple[int, Objective]) -> int:
    return pair[0]


def _stems(goal: Goal) -> frozenset[str]:
    """What a goal is about; the words that all goals share say nothing."""
    return stems_of(" ".join((goal.text, *(step.text for step in goal.objectives))))


_COMMON = frozenset(
    content_stems(
        "reduce increase improve decrease learn develop use client goal week month day year daily most often time"
        " able better less more good bad manage report half hour minute go get come make take think thought talk"
        " tell see look feel want need try start stop keep put find people person way today last next work on"
    )
) - frozenset(content_stems("work"))
