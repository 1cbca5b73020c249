"""Facts into the sections of a format. Pure and quick: switching the format asks no writer again."""

from collections.abc import Iterable, Sequence

from drafting.chart_text import chart_lines, goal_lines, lacks, objective_text, session_lines
from drafting.facts import Fact
from drafting.formats import NoteFormat, Part
from drafting.goals import by_goal
from drafting.risk import Ledger
from drafting.risk_text import statements as risk_statements
from drafting.words import content_stems
from streaming.types import Goal, NoteContext, Section, Statement, Transcript

REPEATED = 0.75
"""A sentence with this share of its content words in one told before is not told again."""
MAX_PER_TOPIC = 3
LEAST_WEIGHT = 2.0
"""Reports below this weight are told only where there are few better ones."""
FEW = 2
PER_GOAL = 2
_REPORTS = ("symptom", "substance", "function", "stressor", "history")


class _Told:
    """What a note has told already."""

    def __init__(self) -> None:
        self._seen: list[frozenset[str]] = []
        self.goals = False
        """Whether the chart's goals stand in the note already."""

    def fresh(self, text: str) -> bool:
        """Whether the text says something new; remembers it if so."""
        stems = frozenset(content_stems(text))
        if stems and any(len(stems & seen) / len(stems) >= REPEATED for seen in self._seen):
            return False
        self._seen.append(stems)
        return True


def sections(
    note_format: NoteFormat, facts: Sequence[Fact], ledger: Ledger, transcript: Transcript
) -> tuple[Section, ...]:
    """The sections of a note in the format's order; facts of a part by weight, told in order of time."""
    told = _Told()
    service = note_format.service_of(transcript.context)
    made = []
    for plan in note_format.sections:
        lines: list[Statement] = []
        for part in plan.parts:
            if part.kind == "session":
                lines.extend(session_lines(transcript, service))
            else:
                lines.extend(_part(part, facts, ledger, transcript.context, told))
        made.append(Section(plan.name, tuple(lines)))
    return tuple(made)


def _part(
    part: Part, facts: Sequence[Fact], ledger: Ledger, context: NoteContext, told: _Told
) -> Iterable[Statement]:
    if part.kind == "risk":
        return risk_statements(ledger)
    if part.kind == "chart":
        told.goals = told.goals or "goals" in part.of
        return chart_lines(part.of, context)
    if part.kind == "observed":
        return [Statement(text, "clinician", ()) for text in context.observations]
    if part.kind == "prompt":
        needed = not part.unless or any(lacks(item, context) for item in part.unless)
        return [Statement(part.text, "suggestion", ())] if needed else []
    if part.kind == "interventions":
        return _interventions(facts, part, told)
    if part.kind == "progress":
        return _progress(facts, part, context, told)
    kinds = ("response",) if part.kind == "responses" else part.of
    if {"progress", "homework", "appointment"} & set(kinds):
        told = _Told()  # a change or an agreement is told as such even where the words have been told for another
    return [_statement(one) for one in _best(facts, kinds, part.limit, told)]


def _progress(facts: Sequence[Fact], part: Part, context: NoteContext, told: _Told) -> list[Statement]:
    """What changed beside the goals, then each goal of the plan with its progress.

    A goal of which no change was told is left to the clinician: that nothing was said is no finding.
    """
    fresh, lines = _Told(), []
    of_goals = by_goal(facts, context)
    for one in of_goals:
        chosen = _best(one.facts, ("progress",), PER_GOAL, fresh)
        named = all(one.goal.text.strip(" .,!?") in fact.sentence for fact in chosen)
        if not told.goals or not named:
            lines.append(Statement(goal_lines(one.goal, objectives=False)[0], "chart", ()))
        if one.objective is not None and chosen:
            lines.append(Statement(f"Objective: {objective_text(one.objective)}.", "chart", ()))
        lines.extend(_of_this_goal(fact, one.goal) for fact in chosen)
        if not chosen:
            name = one.goal.text.rstrip(".")
            text = f'No progress on the goal "{name}" was discussed: what changed, if anything, is to be entered.'
            lines.append(Statement(text, "suggestion", ()))
    taken = {fact for one in of_goals for fact in map(id, one.facts)}
    rest = [one for one in facts if id(one) not in taken]
    return [_statement(one) for one in _best(rest, ("progress",), part.limit, fresh)] + lines


def _of_this_goal(fact: Fact, goal: Goal) -> Statement:
    """Progress under the line of its goal; the goal's own words are the chart's, not the talk's."""
    if goal.text.strip(" .,!?") in fact.sentence:
        return _statement(fact)
    return Statement(
        f"Progress on this goal: {fact.sentence[:1].lower()}{fact.sentence[1:]}", "transcript", fact.evidence
    )


def _best(facts: Sequence[Fact], kinds: Sequence[str], limit: int, told: _Told) -> list[Fact]:
    """The weightiest facts of these kinds that say something new, of varied topics, in order of time."""
    chosen: list[Fact] = []
    topics: dict[str, int] = {}
    for one in sorted((one for one in facts if one.kind in kinds), key=lambda one: -one.weight):
        topic = one.detail.get("topic", one.detail.get("key", ""))
        least = LEAST_WEIGHT if one.kind in _REPORTS and len(chosen) >= FEW else 1.0
        if len(chosen) >= limit or one.weight < least or topics.get(topic, 0) >= MAX_PER_TOPIC:
            continue
        if told.fresh(one.text):
            chosen.append(one)
            topics[topic] = topics.get(topic, 0) + 1
    return sorted(chosen, key=lambda one: one.start)


def _interventions(facts: Sequence[Fact], part: Part, told: _Told) -> list[Statement]:
    """Techniques by weight, each with the response that followed it."""
    lines: list[Statement] = []
    views = [one for one in facts if one.kind == "response" and one.detail.get("key") == "alternative"]
    for done in _best(facts, ("intervention",), part.limit, told):
        lines.append(_statement(done))
        if done.detail.get("key") == "cognitive_restructuring" and part.responses:
            lines.extend(_statement(one) for one in views[:1] if told.fresh(one.text))
        answers = [one for one in facts if one.kind == "response" and one.detail.get("key") == done.detail.get("key")]
        if part.responses and answers and told.fresh(answers[0].text):
            lines.append(_statement(answers[0]))
    return lines


def _statement(fact: Fact) -> Statement:
    return Statement(fact.sentence, "transcript", fact.evidence)
