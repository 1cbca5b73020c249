"""What a writer wrote, made part of a note: its sentences where they belong, ours where it gave none. Pure.

A writer fills the parts of a section that tell what was said. Times, chart, risk and prompts are the core's whoever
writes, and so is a whole section that the writer could not give. What of the writer's was mended or left out is told
as findings, in counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from drafting.answer import LEFT_OUT, folded
from drafting.core import Reading, render
from drafting.formats import NoteFormat, Part, SectionPlan
from drafting.note import CheckFinding
from drafting.prompt import WRITTEN_PARTS, kinds_of
from drafting.render import sections as rendered
from drafting.written_risk import stands
from streaming.ports import MissingCause, SectionCorrected, SectionMissing, Written
from streaming.types import Section, Statement

AWAY = CheckFinding(
    "writer_away",
    "warning",
    "The chosen writer could not be reached: this draft is the embedded writer's. Draft again when it is back.",
    "",
)
_CAUSES: Mapping[MissingCause, str] = {
    "away": "the writer could not be reached",
    "timed_out": "the writer took too long",
    "overloaded": "the writer is overloaded",
    "refused": "the writer refused the request",
    "unusable": "what the writer gave could not be used",
}
_WORDS: Mapping[str, str] = {
    "malformed": "not of the asked shape",
    "empty": "empty",
    "unreadable": "in another script",
    "over_long": "too long",
    "control_characters": "with characters that do not show",
    "markup": "with markup",
    "no_evidence": "without evidence",
    "repeated": "said before",
    "too_many": "more than asked for",
    "provenance": "claiming to be the record's or the clinician's",
}


@dataclass(slots=True)
class Gathered:
    """What has come from a writer so far."""

    sections: dict[str, tuple[Statement, ...]] = field(default_factory=dict)
    missing: dict[str, MissingCause] = field(default_factory=dict)
    faults: dict[str, Counter[str]] = field(default_factory=dict)

    def take(self, one: Written) -> None:
        """Take in what came; a section that comes twice counts as it came first."""
        if isinstance(one, Section):
            if one.name in self.sections:
                self.faults.setdefault("", Counter())["section"] += 1
            self.sections.setdefault(one.name, one.statements)
        elif isinstance(one, SectionMissing):
            self.missing[one.name] = one.cause
        elif isinstance(one, SectionCorrected):
            self.faults.setdefault(one.name, Counter()).update(one.faults)


def asked(note_format: NoteFormat) -> tuple[SectionPlan, ...]:
    """The sections that a writer is asked for."""
    return tuple(plan for plan in note_format.sections if kinds_of(plan))


def filled(
    reading: Reading, note_format: NoteFormat, came: Gathered
) -> tuple[tuple[Section, ...], tuple[CheckFinding, ...]]:
    """The note's sections in the format's order, and what is to be said of how they came about."""
    wanted = asked(note_format)
    if wanted and not any(plan.name in came.sections for plan in wanted):
        return render(reading, note_format), (AWAY,)
    ours = {section.name: section for section in render(reading, note_format)}
    made, says = [], []
    told: set[str] = set()
    for plan in note_format.sections:
        if plan not in wanted:
            made.append(ours[plan.name])
        elif plan.name in came.sections:
            kept, faults = _kept(came.sections[plan.name], reading, told)
            says += _corrections(plan.name, faults + came.faults.get(plan.name, Counter()))
            made.append(_with_ours(plan, kept, reading, note_format))
        else:
            made.append(ours[plan.name])
            says.append(_missing(plan.name, came.missing.get(plan.name, "unusable")))
    extra = len(came.sections.keys() - {plan.name for plan in wanted})
    extra += came.faults.get("", Counter())["section"]
    if extra:
        text = f"The writer gave {_count(extra, 'section')} that nobody asked for: left out."
        says.append(CheckFinding("writer_corrected", "info", text, ""))
    return tuple(made), tuple(says)


def _kept(
    statements: Sequence[Statement], reading: Reading, told: set[str]
) -> tuple[tuple[Statement, ...], Counter[str]]:
    """What may stand, and what was left out by rule; nothing is told twice in a note."""
    kept, faults = [], Counter[str]()
    for one in statements:
        if one.provenance != "transcript":
            faults["provenance"] += 1
        elif not stands(one, reading.ledger):
            faults["risk"] += 1
        elif folded(one.text) in told:
            faults["repeated"] += 1
        else:
            told.add(folded(one.text))
            kept.append(replace(one, supported=True))  # the verifier's word, not the writer's
    return tuple(kept), faults


def _with_ours(
    plan: SectionPlan, statements: tuple[Statement, ...], reading: Reading, note_format: NoteFormat
) -> Section:
    """The writer's sentences in the place of the parts it fills, what is the core's before and after them."""
    first = next(at for at, part in enumerate(plan.parts) if part.kind in WRITTEN_PARTS)
    before = [part for part in plan.parts[:first] if part.kind not in WRITTEN_PARTS]
    after = [part for part in plan.parts[first:] if part.kind not in WRITTEN_PARTS]
    lines = [*_ours(before, reading, note_format), *statements, *_ours(after, reading, note_format)]
    return Section(plan.name, tuple(lines))


def _ours(parts: Sequence[Part], reading: Reading, note_format: NoteFormat) -> tuple[Statement, ...]:
    plan = replace(note_format, sections=(SectionPlan("", tuple(parts)),))
    (section,) = rendered(plan, reading.facts, reading.ledger, reading.transcript)
    return section.statements


def _missing(name: str, cause: MissingCause) -> CheckFinding:
    text = f"This section is the embedded writer's: {_CAUSES[cause]}. Draft again to have it from the chosen writer."
    return CheckFinding("writer_away", "warning", text, name)


def _corrections(name: str, faults: Counter[str]) -> list[CheckFinding]:
    says = []
    if faults["risk"]:
        text = (
            f"{_count(faults['risk'], 'sentence')} of the writer about risk left out: the risk ledger does not bear "
            "it out. Risk is told by the ledger alone; read what it shows."
        )
        says.append(CheckFinding("writer_risk", "warning", text, name))
    left = {rule: faults[rule] for rule in (*LEFT_OUT, "provenance") if faults[rule]}
    if left:
        why = ", ".join(f"{count} {_WORDS[rule]}" for rule, count in left.items())
        text = f"{_count(sum(left.values()), 'sentence')} of the writer left out: {why}."
        says.append(CheckFinding("writer_corrected", "info", text, name))
    if faults["cut"]:
        text = "The writer's answer broke off: what came whole is here, something may be missing. Draft again."
        says.append(CheckFinding("writer_cut", "warning", text, name))
    if faults["unknown_line"]:
        text = f"{_count(faults['unknown_line'], 'reference')} of the writer to lines that do not exist taken out."
        says.append(CheckFinding("writer_corrected", "info", text, name))
    return says


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
