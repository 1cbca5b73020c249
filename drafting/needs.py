"""The needs that rules name: does the note have it? Pure.

A need gives None where it is met, and else what is missing, in words for the rule's message (or ""). What a rule asks
for may be told by a fact of the session, or be entered by the clinician; suggestions never count.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from drafting.billing import all_codes
from drafting.client_facts import pattern, topics
from drafting.clinician_facts import techniques
from drafting.data import load
from drafting.facts import Fact
from drafting.goals import by_goal, goals_of, speaks_of
from drafting.note import Note
from drafting.packs import Rule, folded
from drafting.vague import vague, vague_sections
from streaming.types import NoteContext, RoleGuess, Section, Statement, Transcript, UtteranceId

MAX_QUOTED_WORDS = 250
MAX_GROUP = 12


@dataclass(frozen=True)
class Subject:
    """All that a rule may look at."""

    note: Note
    facts: Sequence[Fact]
    transcript: Transcript
    guessed: RoleGuess | None

    @property
    def context(self) -> NoteContext:
        return self.transcript.context

    @cached_property
    def told(self) -> tuple[Statement, ...]:
        """All sentences that stand in the note as its own: no suggestions."""
        return tuple(one for part in self.note.sections for one in part.statements if one.provenance != "suggestion")

    @cached_property
    def entered(self) -> tuple[str, ...]:
        """What the clinician wrote."""
        return tuple(one.text for one in self.told if one.provenance == "clinician")

    @cached_property
    def _shown(self) -> tuple[frozenset[str], frozenset[UtteranceId]]:
        said = [one for one in self.told if one.provenance == "transcript" and one.supported]
        return frozenset(one.text for one in said), frozenset(place for one in said for place in one.evidence)

    def tells(self, fact: Fact) -> bool:
        """Whether the note tells a fact: in its sentence, or in one that rests on the same words."""
        texts, places = self._shown
        return fact.sentence in texts or fact.evidence[-1] in places

    def has(self, *kinds: str) -> bool:
        """Whether a fact of one of these kinds is told, or the clinician entered one."""
        if any(one.kind in kinds and self.tells(one) for one in self.facts):
            return True
        return any(speaks(kind, text) for kind in kinds for text in self.entered)

    def mentions(self, words: re.Pattern[str], by: Sequence[str]) -> bool:
        return any(one.provenance in by and one.supported and words.search(one.text) for one in self.told)


@lru_cache(maxsize=16)
def _entry(name: str) -> re.Pattern[str]:
    return re.compile(load("entries.toml")[name])


def _speaks(name: str) -> Callable[[str], bool]:
    return lambda text: _entry(name).search(text.lower()) is not None


def _impaired(text: str) -> bool:
    low = text.lower()
    return bool(topics("function", low)) and pattern("impairment", "pattern").search(low) is not None


def _symptom(text: str) -> bool:
    return bool(topics("symptoms", text.lower()) or topics("substances", text.lower()))


def _measured_text(text: str) -> bool:
    low = text.lower()
    counted = re.search(r"\b\d+(?:\s*(?:-|to|/)\s*\d+)?\b", low) is not None
    ways = ("frequency", "severity", "duration")
    return _symptom(text) and (counted or any(pattern(name, "pattern").search(low) for name in ways))


def _technique_text(text: str) -> bool:
    low = text.lower()
    named = any(one.name in low or one.words.search(low) for one in techniques())
    return named and _entry("target").search(low) is not None


_SPEAKS: dict[str, Callable[[str], bool]] = {
    "function": _impaired,
    "symptom": _symptom,
    "response": _speaks("response"),
    "progress": _speaks("progress"),
    "plan": _speaks("plan"),
    "homework": _speaks("plan"),
    "appointment": _speaks("plan"),
    "history": _speaks("history"),
    "intervention": _technique_text,
}


def speaks(kind: str, text: str) -> bool:
    """Whether a sentence that the clinician entered speaks of a kind of fact."""
    return kind in _SPEAKS and _SPEAKS[kind](text)


Need = Callable[[Subject, Rule], str | None]


def _met(yes: object, what: str = "") -> str | None:
    return None if yes else what


def _fields(subject: Subject, rule: Rule) -> str | None:
    missing = [one for one in rule.fields if not any(value_of(subject.context, name) for name in one.split("|"))]
    return _met(not missing, ", ".join(_spoken(one) for one in missing))


def value_of(context: NoteContext, name: str) -> object:
    """A field of the context; `plan.x` is one of the treatment plan's terms."""
    if name.startswith("plan."):
        return getattr(context.plan, name.removeprefix("plan."), "") if context.plan else ""
    value: object = getattr(context, name)
    return value


def _spoken(name: str) -> str:
    return name.replace("|", " or ").replace("plan.", "plan's ").replace("_", " ")


def _measured(subject: Subject, rule: Rule) -> str | None:
    kinds, ways = ("symptom", "substance", "measure", "progress"), {"frequency", "severity", "duration"}
    facts = (one for one in subject.facts if one.kind in kinds and ways & set(one.detail))
    return _met(any(map(subject.tells, facts)) or any(map(_measured_text, subject.entered)))


def _technique(subject: Subject, rule: Rule) -> str | None:
    aimed = (one for one in subject.facts if one.kind == "intervention" and one.detail.get("target"))
    return _met(any(map(subject.tells, aimed)) or any(map(_technique_text, subject.entered)))


def _goal_progress(subject: Subject, rule: Rule) -> str | None:
    goals = goals_of(subject.context)
    entered = [text for text in subject.entered if speaks("progress", text)]
    if not goals:  # none is known: one that was named in the talk or by the clinician counts
        spoken = (one for one in subject.facts if one.kind == "progress" and one.detail.get("goal"))
        named = any(re.search(r"\bgoals?\b", text.lower()) and not vague(text) for text in entered)
        return _met(named or any(map(subject.tells, spoken)))
    told = any(subject.tells(fact) for one in by_goal(subject.facts, subject.context) for fact in one.facts)
    return _met(told or any(speaks_of(goal, text) for text in entered for goal in goals))


def _cpt(subject: Subject, rule: Rule) -> str | None:
    found = subject.note.billing
    if found.service == "treatment_plan" or (found.service == "em_addon" and subject.context.em_minutes is None):
        return None  # no code is looked for, or the rule of its minutes says what is missing
    return _met(found.cpt, f"{found.minutes} minutes, {found.margin_min} short")


def codes_in(subject: Subject) -> list[str]:
    """Procedure codes that sentences of the note name, but for the session line, which tells of neighbours too."""
    known = all_codes()
    told = (one.text for one in subject.told if one.provenance in ("clinician", "transcript"))
    return [cpt for text in told for cpt in re.findall(r"\b9\d{4}\b", text) if cpt in known]


def _cpt_agrees(subject: Subject, rule: Rule) -> str | None:
    found = subject.note.billing
    if found.source != "clock" or found.cpt is None:
        return None
    wrong = [cpt for cpt in codes_in(subject) if cpt not in (found.cpt, *found.addons)]
    return _met(not wrong, ", ".join(dict.fromkeys(wrong)))


def _one_code(subject: Subject, rule: Rule) -> str | None:
    crisis = {cpt for cpt, service in all_codes().items() if service == "crisis"}
    others = [cpt for cpt in codes_in(subject) if cpt not in crisis]
    return _met(not others, ", ".join(dict.fromkeys(others)))


def _risk(subject: Subject, rule: Rule) -> str | None:
    """A finding on risk, or that it was not assessed; that line is ours, and a note must say it."""
    said = (one for part in subject.note.sections for one in part.statements)
    return _met(any(one.text.startswith("Risk:") for one in said))


def _risk_entered(subject: Subject) -> bool:
    return any(text.startswith("Risk:") for text in subject.entered)


def _risk_asked(subject: Subject, rule: Rule) -> str | None:
    return _met(subject.note.risk["si"].state != "not_asked" or _risk_entered(subject))


def _risk_clear(subject: Subject, rule: Rule) -> str | None:
    return _met(not subject.note.risk.unclear or _risk_entered(subject))


def _risk_followed(subject: Subject, rule: Rule) -> str | None:
    ledger = subject.note.risk
    if ledger["si"].state not in ("endorsed", "volunteered") or _risk_entered(subject):
        return None
    return _met(all(ledger[item].state != "not_asked" for item in ("plan", "intent", "means")))


def _place(subject: Subject, rule: Rule) -> str | None:
    context = subject.context
    if not context.modality:
        return "neither is known"
    return _met(context.place or context.modality != "in_person", "the place is not known")


def _quoted_words(section: Section) -> int:
    return sum(len(quote.split()) for one in section.statements for quote in re.findall(r'"([^"]*)"', one.text))


def _answers(subject: Subject, rule: Rule) -> str | None:
    """The test for a note that is too minimal: the questions that it leaves open, where there are two or more."""
    asked = {
        "why today": subject.has("concern", "symptom", "function", "stressor", "substance"),
        "what was done": subject.has("intervention"),
        "what changed": subject.has("response", "progress"),
        "what comes next": subject.has("homework", "plan", "appointment"),
    }
    missing = [name for name, answered in asked.items() if not answered]
    return _met(len(missing) < 2, ", ".join(missing))


def _late_marked(subject: Subject, rule: Rule) -> str | None:
    context = subject.context
    until = context.ended_at or context.started_at
    if not (context.written_at and until):
        return None
    last, written = datetime.fromisoformat(until), datetime.fromisoformat(context.written_at)
    if last.tzinfo is not None and written.tzinfo is not None:
        written = written.astimezone(last.tzinfo)  # the day of service is the day where the session was
    return _met(written.date() <= last.date() or context.late_reason)


def _objectives(subject: Subject, rule: Rule) -> str | None:
    steps = [step for goal in subject.context.plan_goals for step in goal.objectives]
    if not steps or any(not goal.objectives for goal in subject.context.plan_goals):
        return "a goal has none"
    lacking = [name for name in ("baseline", "target", "date") if any(not getattr(one, name) for one in steps)]
    return _met(not lacking, f"without {', '.join(lacking)}")


NEEDS: dict[str, Need] = {
    "fields": _fields,
    "kinds": lambda subject, rule: _met(subject.has(*rule.kinds)),
    "words": lambda subject, rule: _met(rule.words is not None and subject.mentions(rule.words, rule.by)),
    "times": lambda subject, rule: _met(subject.note.billing.source == "clock"),
    "cpt": _cpt,
    "cpt_agrees": _cpt_agrees,
    "one_code": _one_code,
    "diagnosis_code": lambda subject, rule: _met(
        not subject.context.diagnosis or re.search(r"\b[A-Z]\d[0-9AB](?:\.\w{1,4})?\b", subject.context.diagnosis)
    ),
    "measured": _measured,
    "technique": _technique,
    "goal_progress": _goal_progress,
    "risk": _risk,
    "risk_asked": _risk_asked,
    "risk_clear": _risk_clear,
    "risk_followed": _risk_followed,
    "place": _place,
    "roles": lambda subject, rule: _met(subject.guessed is None or subject.guessed.source != "talk"),
    "supported": lambda subject, rule: _met(subject.note.unsupported == 0),
    "specific": lambda subject, rule: next((f'"{one}"' for one in vague_sections(subject.note).values()), None),
    "short_quotes": lambda subject, rule: _met(
        all(_quoted_words(section) < MAX_QUOTED_WORDS for section in subject.note.sections)
    ),
    "answers": _answers,
    "group_size": lambda subject, rule: _met(
        (subject.context.group_size or 0) <= MAX_GROUP, str(subject.context.group_size)
    ),
    "late_marked": _late_marked,
    "objectives": _objectives,
    "em_apart": lambda subject, rule: _met(subject.context.em_minutes is not None),
}


def applies(rule: Rule, subject: Subject) -> bool:
    """Whether a rule is about this note: all that its `when` names must fit."""
    if not rule.when:
        return True
    context, found = subject.context, subject.note.billing
    cpt = "+".join((found.cpt or "", *found.addons[:1]))
    service = found.service if context.service == "psychotherapy" else context.service
    values: dict[str, set[str]] = {
        "service": {service},
        "modality": {context.modality or ""},
        "cpt": {found.cpt or "", cpt},
        "format": {folded(subject.note.format)},
        "payer": {folded(context.payer)},
        "setting": {folded(context.setting)},
    }
    return all(
        values["format"].isdisjoint(wanted) if name == "except_format" else not values[name].isdisjoint(wanted)
        for name, wanted in rule.when.items()
    )


__all__ = ["NEEDS", "Subject", "applies", "codes_in", "speaks", "value_of"]
