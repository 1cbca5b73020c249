"""A typed or dictated recap of two or three lines as a note: those facts alone, chart marked. Pure."""

import re
from dataclasses import dataclass, replace

from drafting.billing import billing
from drafting.checks import findings
from drafting.clauses import clean
from drafting.client_facts import pattern, topics
from drafting.clinician_facts import techniques
from drafting.formats import NoteFormat, named
from drafting.note import Note
from drafting.render import sections as rendered
from drafting.risk import EMPTY
from drafting.risk_mentions import ITEMS, lexicon, masked
from drafting.verify import verify
from streaming.types import NoteContext, Section, Statement, Transcript

MAX_QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class Recap:
    """A note from a recap, what to ask the clinician (at most three), and the header of a late entry."""

    note: Note
    questions: tuple[str, ...]
    header: str = ""


_PLAN = re.compile(
    r"\b(?:plan|homework|next (?:session|week|time|appointment)|follow[- ]?up|will (?:try|do|practi[cs]e|call"
    r"|keep|start|see|continue)|agreed"
    r"|continue|refer\w*|assigned|return)\b",
    re.IGNORECASE,
)
_PROGRESS = re.compile(
    r"\b(?:progress|improv\w+|goal|better|worse|down from|reduced|no change|plateau)\b", re.IGNORECASE
)
_RESPONSE = re.compile(
    r"\b(?:responded|response|receptive|engaged|insight|able to (?:identify|name|use)|tolerated|resist\w*)\b", re.I
)
_DID = re.compile(
    r"\b(?:used|did|worked on|practi[cs]ed|explored|reviewed|taught|discussed|processed|intervention)\b", re.I
)
_RISK = re.compile(r"\b(?:si|hi|si/hi|suicid\w*|self[- ]?harm\w*|homicid\w*|safety|risk)\b", re.IGNORECASE)
_QUESTIONS = (
    ("risk", "Was risk assessed (suicidal ideation, self-injury, harm to others), and what was the finding?"),
    ("intervention", "Which technique did you use, and what was it applied to?"),
    ("response", "How did the client respond?"),
    ("plan", "What is the plan until the next session, and when is it?"),
    ("symptom", "Which symptoms were reported, how often or how severe?"),
    ("function", "What do the symptoms keep the client from at work, home or school?"),
)


def kinds(sentence: str) -> tuple[str, ...]:
    """What a sentence of a recap speaks of; the first is where it goes."""
    low = sentence.lower()
    found = []
    spoken = masked(low)
    if _RISK.search(low) or any(lexicon().direct[item].search(spoken) for item in ITEMS):
        found.append("risk")
    if _PLAN.search(low):
        found.append("plan")
    named_technique = any(
        one.words.search(low) or one.name in low or one.modality.lower() in low.split() for one in techniques()
    )
    if named_technique or _DID.search(low):
        found.append("intervention")
    if _RESPONSE.search(low):
        found.append("response")
    if _PROGRESS.search(low):
        found.append("progress")
    if topics("function", low) and pattern("impairment", "pattern").search(low):
        found.append("function")
    if topics("symptoms", low) or topics("substances", low):
        found.append("symptom")
    return tuple(found) or ("symptom",)


_HOMES = {
    "risk": ("risk",),
    "plan": ("homework", "plan"),
    "intervention": ("interventions", "session"),
    "response": ("responses", "interventions"),
    "progress": ("progress", "goals"),
    "function": ("function", "symptom"),
    "symptom": ("symptom", "function"),
}


def recap(
    text: str,
    context: NoteContext | None = None,
    format: str = "soap",
    *,
    written_on: str | None = None,
    late_reason: str = "",
) -> Recap:
    """The recap's sentences in the sections they belong to, as the clinician's; nothing else but the chart.

    `written_on` is an ISO date: after the session's date the note is a late entry. Raises BadFormat.
    """
    context = context or NoteContext()
    note_format = named(format)
    transcript = Transcript((), {}, (), context)
    sentences = [one.strip(" -•*") for one in re.split(r"(?<=[.?!;])\s+|\n+", text) if re.search(r"\w", one)]
    spoken = [(sentence, kinds(sentence)) for sentence in map(_tidy, sentences)]
    base = _without_ledger(rendered(note_format, (), EMPTY, transcript), spoken)
    written = tuple(Section(one.name, (*_of(one.name, spoken, note_format), *one.statements)) for one in base)
    note = Note(1, note_format.key, verify(written, transcript), EMPTY, (), billing(transcript), "recap")
    told = {kind for _, all_kinds in spoken for kind in all_kinds}
    checks = tuple(one for one in findings(note, (), transcript, note_format) if _ANSWERED.get(one.rule) not in told)
    questions = tuple(question for kind, question in _QUESTIONS if kind not in told)[:MAX_QUESTIONS]
    return Recap(replace(note, checks=checks), questions, _header(context, written_on, late_reason))


_ANSWERED = {
    "symptoms": "symptom",
    "functional_impairment": "function",
    "technique_target": "intervention",
    "client_response": "response",
    "progress_goal": "progress",
    "risk": "risk",
    "risk_not_assessed": "risk",
    "plan": "plan",
}


def _tidy(sentence: str) -> str:
    sentence = clean(sentence).rstrip(";")
    sentence = sentence[:1].upper() + sentence[1:]
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _of(section: str, spoken: list[tuple[str, tuple[str, ...]]], note_format: NoteFormat) -> list[Statement]:
    """The sentences whose first kind has its home in this section; risk is marked as such."""
    found = []
    for sentence, all_kinds in spoken:
        home = note_format.home(*_HOMES[all_kinds[0]]) or note_format.sections[0].name
        if home == section:
            marked = f"Risk: {sentence}" if all_kinds[0] == "risk" else sentence
            found.append(Statement(marked, "clinician", ()))
    return found


def _without_ledger(sections: tuple[Section, ...], spoken: list[tuple[str, tuple[str, ...]]]) -> tuple[Section, ...]:
    """Without the line of what was not assessed where the clinician has written of risk."""
    if not any("risk" in all_kinds for _, all_kinds in spoken):
        return sections
    return tuple(
        Section(one.name, tuple(said for said in one.statements if not said.text.startswith("Risk: not assessed")))
        for one in sections
    )


def _header(context: NoteContext, written_on: str | None, reason: str) -> str:
    if not (written_on and context.started_at) or written_on[:10] <= context.started_at[:10]:
        return ""
    days = f"written {written_on[:10]} for the session of {context.started_at[:10]}"
    return f"Late entry, {days}. Reason: {reason or 'not given'}."
