"""What a note lacks before it can be signed: dated rule packs over the note and its facts. Pure.

What is missing because nobody said it stays a finding: nothing is filled in to satisfy a rule.
"""

from collections.abc import Sequence

from drafting.clones import Earlier, Print
from drafting.clones import findings as clones
from drafting.facts import Fact
from drafting.formats import NoteFormat
from drafting.golden_thread import Thread, golden_thread
from drafting.needs import NEEDS, Subject, applies
from drafting.note import CheckFinding, Note
from drafting.packs import Pack, Rule, packs_of
from drafting.risk_mentions import RiskItem, label
from drafting.vague import vague_sections
from streaming.types import RoleGuess, Transcript, UtteranceId


def findings(
    note: Note,
    facts: Sequence[Fact],
    transcript: Transcript,
    note_format: NoteFormat,
    guessed: RoleGuess | None = None,
    packs: Sequence[Pack] | None = None,
    *,
    earlier: Sequence[Earlier | str] = (),
    others: Sequence[str | Print] = (),
) -> tuple[CheckFinding, ...]:
    """The rules of these packs that the note does not meet, in the packs' order; then what it repeats.

    `packs` are those of the context's payer and setting unless they are given. `earlier` are this client's notes
    before it, `others` other clients' notes as texts (`clones.own_words`).
    """
    subject = Subject(note, facts, transcript, guessed)
    first: list[CheckFinding] = []
    found: list[CheckFinding] = []
    for pack in packs_of(transcript.context) if packs is None else packs:
        for rule in pack.rules:
            if not applies(rule, subject):
                continue
            if rule.needs == "thread":
                found += _loose(rule, subject, note_format)
            elif rule.needs == "risk_clear":
                first += _unclear(rule, subject, _section(rule, note, note_format))
            elif (what := NEEDS[rule.needs](subject, rule)) is not None:
                message = rule.message.replace("{what}", what) if what else _without_what(rule.message)
                found.append(CheckFinding(rule.id, rule.severity, message, _section(rule, note, note_format)))
    return (*first, *found, *clones(note, earlier, others))


def _loose(rule: Rule, subject: Subject, note_format: NoteFormat) -> list[CheckFinding]:
    """Links of the thread that are there and hang loose; those that are missing have rules of their own."""
    loose = (one for one in golden_thread(subject, note_format).links if one.state == "loose")
    return [CheckFinding(f"{rule.id}_{one.key}", rule.severity, one.mend, one.section) for one in loose]


MAX_SHOWN = 4
"""Utterances named in a message, at most; the finding holds them all."""


def _unclear(rule: Rule, subject: Subject, section: str) -> list[CheckFinding]:
    """Talk that may be of risk and decides nothing; what rests on the same words is told together.

    An error where an item has no finding and the pack says so, else a warning; none once the clinician entered one.
    """
    if NEEDS[rule.needs](subject, rule) is None:
        return []
    ledger = subject.note.risk
    by_words: dict[tuple[UtteranceId, ...], list[RiskItem]] = {}
    for one in ledger.unclear:
        by_words.setdefault(one.evidence, []).append(one.item)
    found = []
    for places, items in by_words.items():
        open_item = any(ledger[item].state == "not_asked" for item in items)
        what = f"{' or '.join(map(label, items))} ({', '.join(places[:MAX_SHOWN])})"
        severity = rule.severity if open_item else "warning"
        found.append(CheckFinding(rule.id, severity, rule.message.replace("{what}", what), section, places))
    return sorted(found, key=lambda one: one.severity != "error")


def thread_of(note: Note, facts: Sequence[Fact], transcript: Transcript, note_format: NoteFormat) -> Thread:
    """The golden thread of a note, for a page."""
    return golden_thread(Subject(note, facts, transcript, None), note_format)


def _without_what(message: str) -> str:
    return message.replace(" ({what})", "").replace("{what}", "it")


def _section(rule: Rule, note: Note, note_format: NoteFormat) -> str:
    if rule.needs == "specific":
        return next(iter(vague_sections(note)), "")
    if rule.needs == "supported":
        doubtful = (one.name for one in note.sections if any(not said.supported for said in one.statements))
        return next(doubtful, "")
    return note_format.home(*rule.home)


__all__ = ["findings", "packs_of", "thread_of", "vague_sections"]
