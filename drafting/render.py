"""Facts into the sections of a format. Pure and quick: switching the format asks no writer again."""

from collections.abc import Iterable, Sequence

from drafting import billing as bill
from drafting.facts import Fact
from drafting.formats import NoteFormat, Part
from drafting.risk import Ledger
from drafting.risk_text import statements as risk_statements
from drafting.words import content_stems
from streaming.types import NoteContext, Section, Statement, Transcript

REPEATED = 0.75
"""A sentence with this share of its content words in one told before is not told again."""
MAX_PER_TOPIC = 3
LEAST_WEIGHT = 2.0
"""Reports below this weight are told only where there are few better ones."""
FEW = 2
_REPORTS = ("symptom", "substance", "function", "stressor", "history")


class _Told:
    """What a note has told already."""

    def __init__(self) -> None:
        self._seen: list[frozenset[str]] = []

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
    made = []
    for plan in note_format.sections:
        lines: list[Statement] = []
        for part in plan.parts:
            lines.extend(_part(part, facts, ledger, transcript, told))
        made.append(Section(plan.name, tuple(lines)))
    return tuple(made)


def _part(
    part: Part, facts: Sequence[Fact], ledger: Ledger, transcript: Transcript, told: _Told
) -> Iterable[Statement]:
    if part.kind == "risk":
        return risk_statements(ledger)
    if part.kind == "session":
        return _session(transcript)
    if part.kind == "chart":
        return _chart(part, transcript.context)
    if part.kind == "prompt":
        return [Statement(part.text, "suggestion", ())]
    if part.kind == "interventions":
        return _interventions(facts, part, told)
    kinds = ("response",) if part.kind == "responses" else part.of
    if {"progress", "homework", "appointment"} & set(kinds):
        told = _Told()  # a change or an agreement is told as such even where the words have been told for another
    return [_statement(one) for one in _best(facts, kinds, part.limit, told)]


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


_MODALITIES = {
    "in_person": "in person",
    "telehealth_video": "telehealth (video)",
    "telehealth_audio": "telehealth (audio only)",
}


def _session(transcript: Transcript) -> list[Statement]:
    """Times and code from the session's clock; where there is none, the span that was heard, said so."""
    found = bill.billing(transcript)
    context = transcript.context
    lines = []
    if context.started_at and context.ended_at:
        start, stop = context.started_at, context.ended_at
        lines.append(
            Statement(
                f"Session on {start[:10]}, start {start[11:16]}, stop {stop[11:16]}. {bill.told(found)}.", "chart", ()
            )
        )
    else:
        text = f"Start and stop times: to be entered; the transcript spans {bill.told(found)}."
        lines.append(Statement(text, "suggestion", ()))
    lines.extend(_place(context))
    return lines


def _place(context: NoteContext) -> list[Statement]:
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
    modifier = "95" if context.modality == "telehealth_video" else "93"
    place = ""
    if context.client_location:
        place = " POS 10," if "home" in context.client_location.lower() else " POS 02,"
    return [Statement(f"{text}.{place} modifier {modifier}.", "chart", ())]


def _chart(part: Part, context: NoteContext) -> list[Statement]:
    lines = []
    if "diagnosis" in part.of and context.diagnosis:
        lines.append(Statement(f"Diagnosis: {context.diagnosis}.", "chart", ()))
    if "goals" in part.of:
        lines.extend(Statement(f"Treatment goal: {goal.rstrip('.')}.", "chart", ()) for goal in context.goals)
    return lines
