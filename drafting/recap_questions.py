"""What a recap leaves open, asked for in order of the harm that its absence does. Pure.

First the client's safety, then what carries care to the next session, then what makes the note hold: time, what was
done, symptoms with their effect, the response, progress.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from drafting.recap_risk import Entered

MAX_QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the clinician; its answer comes back under `kind`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """Where an answer belongs, and what it opens with where it does not say by itself what it is."""

    home: str
    label: str


LABELS: dict[str, Label] = {
    "risk": Label("risk", "Risk"),
    "risk_clear": Label("risk", "Risk"),
    "risk_follow_up": Label("risk", "Risk"),
    "risk_safety": Label("risk", "Risk"),
    "plan": Label("plan", "Plan"),
    "times": Label("session", "Time"),
    "intervention": Label("intervention", "Intervention"),
    "symptom": Label("symptom", "Symptoms"),
    "function": Label("function", "Functioning"),
    "response": Label("response", "Response"),
    "progress": Label("progress", "Progress"),
}

_PLAIN: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("plan", ("plan",), "What is the plan until the next session, and when is it?"),
    ("times", (), "When did the session start and stop?"),
    ("intervention", ("intervention",), "Which technique did you use, and what was it applied to?"),
    ("symptom", ("symptom", "measure"), "Which symptoms were reported, how often or how severe?"),
    ("response", ("response",), "How did the client respond?"),
    ("function", ("function",), "What do the symptoms keep the client from at work, home or school?"),
    ("progress", ("progress", "goal", "measure"), "Which goal of the plan moved, or did not?"),
)
_NAMES = {
    "si": "suicidal ideation",
    "plan": "a plan",
    "intent": "intent",
    "means": "access to means",
    "attempts": "attempts",
    "self_injury": "self-injury",
    "hi": "harm to others",
    "being_harmed": "being harmed",
}
ANSWERED: dict[str, set[str]] = {
    "symptoms": {"symptom", "measure"},
    "functional_impairment": {"function"},
    "technique_target": {"intervention"},
    "client_response": {"response"},
    "progress_goal": {"progress", "goal"},
    "risk": {"risk"},
    "plan": {"plan"},
    "continued_care": {"assessment"},
    "diagnosis": {"diagnosis"},
}
"""The rules that the clinician's own words answer, and the kinds of piece that do it."""


def missing(
    spoken_of: Collection[str], of_risk: Sequence[Entered], *, times: bool, steps: bool, answered: Mapping[str, str]
) -> tuple[Question, ...]:
    """At most three questions on what is missing; one whose answer was given is not asked again.

    `times` and `steps` tell that the session's time, and steps for safety, are there.
    """
    given = {"risk_safety": ""} | dict(answered) if steps else answered
    open_ones = _of_risk("risk" in spoken_of, of_risk, given)
    for kind, kinds, text in _PLAIN:
        there = times if kind == "times" else bool(set(kinds) & set(spoken_of))
        if not there and kind not in answered:
            open_ones.append(Question(kind, text))
    return tuple(open_ones[:MAX_QUESTIONS])


def _of_risk(spoken: bool, of_risk: Sequence[Entered], answered: Mapping[str, str]) -> list[Question]:
    found = {one.item: one.finding for one in of_risk}
    asked = []
    if not spoken and "risk" not in answered:
        asked.append(
            Question(
                "risk",
                "Was risk assessed (suicidal ideation, self-injury, harm to others), and what was the finding?",
            )
        )
    with_ideation = () if found.get("si") == "endorsed" else ("plan", "intent", "means")
    unclear = [_NAMES[one] for one, finding in found.items() if finding == "unclear" and one not in with_ideation]
    if unclear and "risk_clear" not in answered:
        named = ", ".join(unclear)
        asked.append(Question("risk_clear", f"Your line on risk can be read twice ({named}): what was the finding?"))
    if found.get("si") == "endorsed" and "risk_follow_up" not in answered:
        open_items = [_NAMES[item] for item in ("plan", "intent", "means") if item not in found]
        if open_items:
            named = ", ".join(open_items)
            asked.append(Question("risk_follow_up", f"With suicidal ideation present: what was found on {named}?"))
    if found.get("self_injury") == "endorsed" and "si" not in found and "risk_follow_up" not in answered:
        asked.append(Question("risk_follow_up", "With self-injury present: was suicidal ideation asked about?"))
    if "endorsed" in (found.get("hi"), found.get("being_harmed")) and "risk_safety" not in answered:
        asked.append(Question("risk_safety", "Which steps were taken for safety, and who was told?"))
    return asked
