"""The pure path from a transcript to a note; the stage and the embedded writer both take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from drafting.billing import billing
from drafting.checks import findings
from drafting.clauses import by_utterance, clauses
from drafting.client_facts import quoted
from drafting.clones import Earlier, Print
from drafting.extract import facts_of
from drafting.facts import Fact
from drafting.formats import NoteFormat, named
from drafting.note import Note
from drafting.render import sections
from drafting.risk import Ledger, ledger_of
from drafting.verify import verdict, verify
from drafting.wording import current, reworded, unworded
from streaming.roles import guess
from streaming.types import RoleGuess, Section, Transcript, UtteranceId


@dataclass(frozen=True, slots=True)
class Reading:
    """What a transcript says, before any format: its facts, its risk ledger, and how the roles are known."""

    transcript: Transcript
    facts: tuple[Fact, ...]
    ledger: Ledger
    guessed: RoleGuess | None


def with_roles(transcript: Transcript) -> tuple[Transcript, RoleGuess | None]:
    """The transcript with roles; guessed from the talk where no speaker is known to be the clinician."""
    if "clinician" in transcript.roles.values() or not transcript.utterances:
        return transcript, None
    found = guess(transcript.utterances, tuple(dict.fromkeys(one.speaker for one in transcript.utterances)))
    return replace(transcript, roles=found.roles | transcript.roles), found


def read(transcript: Transcript) -> Reading:
    """Facts and ledger of a transcript, of any length from none on."""
    known, guessed = with_roles(transcript)
    groups = by_utterance(clauses(known), len(known.utterances))
    found = ledger_of(groups)
    more = {clause.utterance: clause.more for group in groups for clause in group if clause.more}
    facts = tuple(_whole(one, more) for one in facts_of(groups, found.answered, known.context.goals))
    facts = _proven(facts, known)
    return Reading(known, facts, found, guessed)


def _whole(fact: Fact, more: Mapping[UtteranceId, tuple[UtteranceId, ...]]) -> Fact:
    """The fact with the utterances that its turn went on in as evidence too."""
    if not more.keys() & set(fact.evidence):
        return fact
    ids = (one for place in fact.evidence for one in (place, *more.get(place, ())))
    return replace(fact, evidence=tuple(dict.fromkeys(ids)))


def _proven(facts: tuple[Fact, ...], transcript: Transcript) -> tuple[Fact, ...]:
    """The facts whose sentences the verifier bears out; a report that fails is told as a quote, or not at all."""
    said = {one.id: (transcript.roles.get(one.speaker, "other"), one.text) for one in transcript.utterances}
    kept = []
    for fact in facts:
        evidence = [said[place] for place in fact.evidence]
        if verdict(fact.sentence, evidence).supported:
            kept.append(fact)
        elif fact.kind in _REPORTED:
            quote = replace(fact, sentence=f'Client said, "{quoted(fact.text)}"')
            kept += [quote] if verdict(quote.sentence, evidence).supported else []
    return tuple(kept)


_REPORTED = (
    "concern",
    "symptom",
    "function",
    "stressor",
    "history",
    "substance",
    "motivation",
    "goal",
    "progress",
    "plan",
)


def render(reading: Reading, note_format: NoteFormat) -> tuple[Section, ...]:
    """The sections of a format; no writer is asked."""
    return sections(note_format, reading.facts, reading.ledger, reading.transcript)


def assemble(
    reading: Reading,
    written: tuple[Section, ...],
    note_format: NoteFormat,
    *,
    version: int = 1,
    writer: str = "embedded",
    earlier: Sequence[Earlier | str] = (),
    others: Sequence[str | Print] = (),
) -> Note:
    """A note of sections that some writer wrote, with ledger, findings and billing, in the practice's wording.

    `earlier` are the client's notes before it and `others` other clients', which it must not repeat.
    """
    found = billing(reading.transcript, note_format.service_of(reading.transcript.context))
    judged = verify(unworded(written, current()), reading.transcript)
    note = Note(version, note_format.key, judged, reading.ledger, (), found, writer)
    checks = findings(
        note, reading.facts, reading.transcript, note_format, reading.guessed, earlier=earlier, others=others
    )
    return replace(note, checks=checks, sections=reworded(judged, current()))


def draft(transcript: Transcript, format: str = "soap", *, version: int = 1) -> Note:
    """The embedded writer's note. Raises BadFormat."""
    note_format = named(format)
    reading = read(transcript)
    return assemble(reading, render(reading, note_format), note_format, version=version)


__all__ = ["Reading", "assemble", "draft", "read", "render", "with_roles"]
