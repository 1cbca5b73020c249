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
from drafting.vague import vague_sections
from streaming.types import RoleGuess, Transcript


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
    found: list[CheckFinding] = []
    for pack in packs_of(transcript.context) if packs is None else packs:
        for rule in pack.rules:
            if not applies(rule, subject):
                continue
            if rule.needs == "thread":
                found += _loose(rule, subject, note_format)
            elif (what := NEEDS[rule.needs](subject, rule)) is not None:
                message = rule.message.replace("{what}", what) if what else _without_what(rule.message)
                found.append(CheckFinding(rule.id, rule.severity, message, _section(rule, note, note_format)))
    return (*found, *clones(note, earlier, others))


def _loose(rule: Rule, subject: Subject, note_format: NoteFormat) -> list[CheckFinding]:
    """Links of the thread that are there and hang loose; those that are missing have rules of their own."""
    loose = (one for one in golden_thread(subject, note_format).links if one.state == "loose")
    return [CheckFinding(f"{rule.id}_{one.key}", rule.severity, one.mend, one.section) for one in loose]


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
