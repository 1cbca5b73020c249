"""What the chart and the session's clock say, as sentences of a note marked so. Pure."""

import re
from collections.abc import Sequence

from drafting import billing as bill
from drafting.goals import goals_of
from streaming.types import Goal, NoteContext, Objective, Service, Statement, Transcript, TreatmentPlan

_MODALITIES = {
    "in_person": "in person",
    "telehealth_video": "telehealth (video)",
    "telehealth_audio": "telehealth (audio only)",
}
PLACES_OF_SERVICE = {"home": "10", "elsewhere": "02"}
MODIFIERS = {"telehealth_video": "95", "telehealth_audio": "93"}
_AT_HOME = re.compile(
    r"(?<!nursing )(?<!group )(?<!care )(?<!not at )(?<!away from )(?<!halfway )"
    r"\b(?:home|house|apartment|residence)\b",
    re.I,
)


def chart_lines(of: Sequence[str], context: NoteContext) -> list[Statement]:
    """The items of the chart in this order; nothing for those that it lacks."""
    lines: list[str] = []
    for item in of:
        if item == "diagnosis" and context.diagnosis:
            lines.append(f"Diagnosis: {context.diagnosis}.")
        elif item == "goals":
            lines += [text for goal in goals_of(context) for text in goal_lines(goal, objectives="objectives" in of)]
        elif item == "objectives" and ("goals" not in of or not context.plan_goals):
            lines += [f"Objective: {text.rstrip('.')}." for text in context.objectives]
        elif item == "usual_interventions" and context.usual_interventions:
            lines.append(f"Usual interventions in the chart: {'; '.join(context.usual_interventions)}.")
        elif item == "medications" and context.medications:
            lines.append(f"Medications in the chart: {'; '.join(context.medications)}.")
        elif item == "plan_terms" and context.plan:
            lines.append(_terms(context.plan))
    return [Statement(text, "chart", ()) for text in lines if text]


def goal_lines(goal: Goal, *, objectives: bool) -> list[str]:
    """A goal and, where asked for, its objectives."""
    lines = [f"Treatment goal: {goal.text.rstrip('.')}."]
    if objectives:
        lines += [f"Objective: {objective_text(step)}." for step in goal.objectives]
    return lines


def objective_text(step: Objective) -> str:
    """An objective with where it stood, where it should be, by when and measured how."""
    parts = [("baseline", step.baseline), ("target", step.target), ("by", step.date), ("measured by", step.measure)]
    known = "; ".join(f"{name} {value.rstrip('.')}" for name, value in parts if value)
    return step.text.rstrip(".") + (f" ({known})" if known else "")


def lacks(item: str, context: NoteContext) -> bool:
    """Whether the chart has nothing for an item, or the clinician entered no observations."""
    if item == "objectives":
        return not context.objectives and not any(goal.objectives for goal in context.plan_goals)
    if item == "observations":
        return not context.observations
    return not chart_lines((item,), context)


def _terms(plan: TreatmentPlan) -> str:
    terms = ", ".join(one for one in (plan.type, plan.amount, plan.frequency) if one)
    if plan.duration:
        terms += f"{', ' if terms else ''}for {plan.duration.removeprefix('for ')}"
    dated = f" of {plan.date}" if plan.date else ""
    signed = (
        f" Signed by {plan.signed_by}{f' on {plan.signed_on}' if plan.signed_on else ''}." if plan.signed_by else ""
    )
    return f"Treatment plan{dated}: {terms}.{signed}" if terms or plan.date else ""


def session_lines(transcript: Transcript, service: Service) -> list[Statement]:
    """Times and code from the session's clock; where there is none, the span that was heard, said so."""
    found = bill.billing(transcript, service)
    context = transcript.context
    if context.started_at and context.ended_at:
        start, stop = context.started_at, context.ended_at
        clock = f"Session on {start[:10]}, start {start[11:16]}, stop {stop[11:16]}. {bill.told(found)}."
        lines = [Statement(clock, "chart", ())]
    else:
        text = f"Start and stop times: to be entered; the transcript spans {bill.told(found)}."
        lines = [Statement(text, "suggestion", ())]
    return lines + _present(context) + place_lines(context)


def _present(context: NoteContext) -> list[Statement]:
    lines = []
    if context.participants:
        lines.append(f"Participants: {', '.join(context.participants)}.")
    if context.service == "family_without_client":
        lines.append("The client was not present.")
    if context.group_size is not None:
        lines.append(f"Group of {context.group_size} members.")
    if context.em_minutes is not None:
        lines.append(f"Evaluation and management: {context.em_minutes} min, apart from psychotherapy.")
    return [Statement(text, "chart", ()) for text in lines]


def place_lines(context: NoteContext) -> list[Statement]:
    """Modality and place; for telehealth both locations, platform, consent, place of service and modifier."""
    if not context.modality:
        return []
    text = f"Modality: {_MODALITIES[context.modality]}"
    if context.modality == "in_person":
        text += f", {context.place}" if context.place else ""
        return [Statement(f"{text}.", "chart", ())]
    parts = [
        ("client at", context.client_location),
        ("provider at", context.provider_location),
        ("platform", context.platform),
        ("consent to telehealth:", context.telehealth_consent),
    ]
    text += "".join(f"; {name} {value}" for name, value in parts if value)
    place = ""
    if context.client_location:
        at_home = _AT_HOME.search(context.client_location) is not None
        place = f" POS {PLACES_OF_SERVICE['home' if at_home else 'elsewhere']},"
    return [Statement(f"{text}.{place} modifier {MODIFIERS[context.modality]}.", "chart", ())]
