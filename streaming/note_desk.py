"""A note under review at its session's log: reads it, checks it as it stands, and adds what people do to it.

One desk for one request. An action is made of the log as it stands when it is written, whoever writes to it beside
(`SessionLog.decide`): of two on one version the first counts, and the other is refused as a conflict.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from drafting import note_json, review_log
from drafting.clones import Earlier, Print
from drafting.contradictions import contradictions
from drafting.core import Reading, assemble, read, render
from drafting.formats import named
from drafting.note import Note
from drafting.recap_checks import RECAP, again
from drafting.rechart import recharted
from drafting.review import SKELETON, NotAllowed, Review, overlaid, section_of
from drafting.review_changes import Change, changed
from drafting.stage import EMBEDDED, skeleton
from streaming import context_json, wall_clock
from streaming.errors import Conflict, NotDrafted, NoteSigned
from streaming.events import ContextGiven, Event, NoteDrafted, NoteReviewed
from streaming.note_standing import standing
from streaming.readings import Readings
from streaming.redrafting import Drafted
from streaming.session_log import SessionLog
from streaming.types import NoteContext, Section, Transcript

_Action = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signing:
    """What comes with a signature."""

    signer: str
    credentials: str
    override: str = ""
    late_reason: str = ""
    cosignature: bool = False
    """Whether a supervisor has to sign it too."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Notes that this one must not repeat: the client's earlier ones, and other clients'."""

    earlier: tuple[Earlier, ...] = ()
    others: tuple[Print, ...] = ()


class NoteDesk:
    """Made on the log of a session that is over."""

    def __init__(self, found: SessionLog, readings: Readings) -> None:
        self._log = found
        self._readings = readings
        self.compared = Compared()
        """What an edited or signed note is held against."""

    @property
    def review(self) -> Review:
        """The review as the log has it. Raises NotDrafted."""
        if self._log.state.review is None:
            raise NotDrafted("There is no note yet.", mend="POST …/note/redraft drafts one from what was heard.")
        return self._log.state.review

    async def told(self, note_format: str | None = None) -> dict[str, Any]:
        """The note as JSON, with how it stands; in another format if asked. Raises BadFormat, NoteSigned.

        A session that broke off before its note was drafted has a skeleton, which is version 0.
        """
        state = self._log.state
        if state.review is None:
            made = await asyncio.to_thread(skeleton, state.transcript(), note_format or state.note_format)
            return made.as_json() | standing(Review(made, version=0)) | {"audio": self.context.audio}
        review = self.review
        self._check_format(review, note_format)
        wanted = note_format or review.note.format
        if review.record is not None:
            body = {name: value for name, value in review.record.items() if name in _NOTE_KEYS}
        elif wanted in review.drafts and not review.edits:
            body = {name: value for name, value in review.drafts[wanted].items() if name in _NOTE_KEYS}
            self._readings.begin(self._log, talk=review.note.writer != SKELETON)
        else:
            body = (await self.checked(wanted)).as_json()
        return body | standing(review) | {"audio": self.context.audio}

    async def checked(self, note_format: str | None = None, context: NoteContext | None = None) -> Note:
        """The note as it stands with ledger and findings of just these words; a signed one as it was signed.

        `context` replaces what is known beside the talk. Raises NotDrafted, BadFormat, NoteSigned.
        """
        review = self.review
        self._check_format(review, note_format)
        if review.signed is not None:
            return review.note
        wanted = note_format or review.note.format
        body = review.drafts.get(wanted)
        reading = await self._reading(review, context)
        base = None if body is None else note_json.read(body)
        return await asyncio.to_thread(_assembled, review, wanted, base, reading, self.compared)

    @property
    def context(self) -> NoteContext:
        """What is known beside the talk; of a signed note what was known when it was signed."""
        review = self._log.state.review
        signed = review.signed if review is not None else None
        return signed.context if signed and signed.context else self._log.state.transcript().context

    async def reading(self) -> Reading:
        """What the talk says, which the note is made of. Raises NotDrafted."""
        return await self._reading(self.review, None)

    async def standing(self) -> Review:
        """The review with a note that is whole: ledger, findings, billing. What exports are made from."""
        return replace(self.review, note=await self.checked())

    async def edit(self, version: int, changes: Sequence[Change], *, who: str) -> None:
        """Change sections. Raises Conflict, NotAllowed, UnknownSection, BadEdit, NotDrafted, StoreFailed."""

        async def action() -> _Action:
            review = self.expect(version)
            if review.signed is not None:
                raise NotAllowed(f"A note that is {review.state} does not allow edit.", mend="Add an addendum.")
            return review_log.editing(review, changed(review, changes), at=wall_clock.now(), who=who)

        await self._act(action)

    async def switch(self, version: int, note_format: str, *, who: str) -> None:
        """Make another format the note's own, from the facts; no writer is asked. Raises as `edit`, and BadFormat."""

        async def action() -> _Action:
            review = self.expect(version)
            self._check_format(review, note_format)
            body = review.drafts.get(note_format)
            if body is None:
                reading = await self._reading(review, None)
                plain = replace(review, edits={})
                body = (await asyncio.to_thread(_assembled, plain, note_format, None, reading)).as_json()
            return review_log.formatting(review, body, at=wall_clock.now(), who=who)

        await self._act(action)

    async def sign(self, version: int, given: Signing) -> None:
        """Sign the note as it stands. Raises NotSignable with the findings, Conflict, NotAllowed, NotDrafted."""
        await self._act(lambda: self._signing(version, given))

    async def _signing(self, version: int, given: Signing) -> _Action:
        review = self.expect(version)
        at = wall_clock.now()
        known = self._log.state.transcript().context
        context = replace(
            known,
            provider=known.provider or given.signer,
            credentials=known.credentials or given.credentials,
            written_at=at,
            late_reason=given.late_reason or None,
        )
        whole = replace(review, note=await self.checked(None, context))
        return review_log.signing(
            whole,
            cosignature=given.cosignature,
            at=at,
            who=given.signer,
            credentials=given.credentials,
            override=given.override,
            late_reason=given.late_reason,
            context=context,
        )

    async def cosign(self, version: int, *, who: str, credentials: str) -> None:
        """Sign what awaits a co-signature. Raises NotAllowed, Conflict, NotDrafted, StoreFailed."""

        async def action() -> _Action:
            return review_log.cosigning(self.expect(version), at=wall_clock.now(), who=who, credentials=credentials)

        await self._act(action)

    async def send_back(self, version: int, remark: str, *, who: str) -> None:
        """Give what awaits a co-signature back to its author. Raises as `cosign`."""

        async def action() -> _Action:
            return review_log.returning(self.expect(version), remark, at=wall_clock.now(), who=who)

        await self._act(action)

    async def addend(self, version: int | None, text: str, *, who: str, credentials: str) -> None:
        """Add to a signed note. Raises NotAllowed, NotDrafted, StoreFailed, Conflict where a version is given."""

        async def action() -> _Action:
            if version is not None:
                self.expect(version)
            return review_log.addending(text, at=wall_clock.now(), who=who, credentials=credentials)

        await self._act(action)

    async def with_context(self, given: ContextGiven) -> list[Event]:
        """What to append where more is known beside the talk: chart lines and findings follow. Raises NoteSigned."""
        state = self._log.state
        self.check_unsigned()
        if state.review is None:
            return [given]
        context = context_json.recall(given.context)
        after = replace(state.transcript(), context=state.measured(context))
        body = await asyncio.to_thread(_recharted, state.review, after)
        return [given, NoteDrafted(body, wall_clock.now(), "context")]

    def check_redraft(self, version: int | None, section: str | None) -> None:
        """Whether the writer may be asked. Raises Conflict, NoteSigned, NotAllowed, UnknownSection."""
        self.check_unsigned()
        review = self._log.state.review
        if review is None:
            return
        if version is not None:
            self.expect(version)
        if review.note.writer == RECAP:
            raise NotAllowed("A note from a recap is not drafted again.", mend="Edit it, or write the recap anew.")
        if section is not None:
            section_of(review.note, section)
            if section in review.edited:
                raise NotAllowed("A person has written this section.", mend="Restore it first, to have it drafted.")

    async def redraft(self, drafted: Drafted, section: str | None, *, who: str) -> None:
        """Take in a new draft, or one section of it; what people edited stays.

        Raises NotAllowed, UnknownSection, and Conflict where other words count by now, or another format.
        """
        if self._log.state.review is None:
            await self._log.decide(lambda: self._first(drafted))
        else:
            await self._act(lambda: self._redrafting(drafted, section, who))

    async def _first(self, drafted: Drafted) -> list[Event]:
        self._check_current(drafted)
        if self._log.state.review is not None:
            raise self._conflict()
        return [NoteDrafted(dict(drafted.note), wall_clock.now(), "redraft")]

    async def _redrafting(self, drafted: Drafted, section: str | None, who: str) -> _Action:
        self._check_current(drafted)
        review, body = self.review, dict(drafted.note)
        if section is not None:
            reading = await self._reading(review, None)
            body = await asyncio.to_thread(_with_section, review, drafted.note, section, reading)
        return review_log.redrafting(body, at=wall_clock.now(), who=who, what=section or "all")

    def _check_current(self, drafted: Drafted) -> None:
        """Whether a draft is of what counts now: struck words must not come back in it. Raises Conflict."""
        if not drafted.of(self._log):
            version = self._log.state.review.version if self._log.state.review else 0
            raise Conflict(
                "What the note is made of, or its format, has been changed meanwhile.",
                current=version,
                mend="Draft it again.",
            )

    def expect(self, version: int) -> Review:
        """The review, which must be of this version. Raises Conflict, NotDrafted."""
        review = self.review
        if review.version != version:
            raise Conflict(
                "The note has been changed meanwhile.", current=review.version, mend="Read it again, then change it."
            )
        return review

    @property
    def signed(self) -> bool:
        """Whether the note is signed as the log has it."""
        review = self._log.state.review
        return review is not None and review.signed is not None

    def check_unsigned(self) -> None:
        """Raises NoteSigned: what a signed note was made of does not change."""
        if self.signed:
            raise NoteSigned("The note is signed and stays as it is.", mend="Write an addendum.")

    def _check_format(self, review: Review, note_format: str | None) -> None:
        if review.signed is not None and note_format not in (None, review.note.format):
            raise NoteSigned("The note was signed in another format.", mend=f"Ask for {review.note.format}.")
        if review.note.writer == RECAP and note_format not in (None, review.note.format):
            raise NotAllowed("A note from a recap stays in its format.", mend="Write the recap anew in another one.")

    async def _reading(self, review: Review, context: NoteContext | None) -> Reading:
        reading = await self._readings.of(self._log, talk=review.note.writer != SKELETON)
        if context is None:
            return reading
        return replace(reading, transcript=replace(reading.transcript, context=context))

    async def _act(self, made: Callable[[], Awaitable[_Action]]) -> None:
        """Add an action to the log. Raises what it would be refused with, Conflict where another came first."""
        mine = uuid.uuid4().hex

        async def events() -> list[Event]:
            action = await made()
            review_log.apply(self.review, action)
            return [NoteReviewed({"id": mine, **action})]

        await self._log.decide(events)
        if mine not in self.review.actions:
            raise self._conflict()

    def _conflict(self) -> Conflict:
        return Conflict(
            "The note has been changed at the same moment.",
            current=self.review.version,
            mend="Read it again, then change it.",
        )


_NOTE_KEYS = ("format", "sections", "risk", "checks", "billing", "unsupported", "writer")


def _assembled(
    review: Review, note_format: str, base: Note | None, reading: Reading, compared: Compared | None = None
) -> Note:
    """A draft with the edits that it has places for, its findings and ledger; from the facts where there is none."""
    plan = named(note_format)
    against = compared or Compared()
    if base is not None and base.writer == RECAP:
        stands, context = overlaid(base, review.edits), reading.transcript.context
        made_of = review.drafts[note_format]
        return again(stands, context, plan, made_of, earlier=against.earlier, others=against.others)
    if base is None:
        base = replace(review.note, format=note_format, sections=render(reading, plan), writer=EMBEDDED, checks=())
    sections = overlaid(base, review.edits).sections
    made = assemble(
        reading,
        sections,
        plan,
        version=base.version,
        writer=base.writer,
        earlier=against.earlier,
        others=against.others,
    )
    return _with_notices(made, base)


def _with_notices(note: Note, base: Note) -> Note:
    """With what the drafting stage said of the writer, and where a person's words on risk differ from what was heard.

    The first is no rule, and cannot be found again.
    """
    notices = tuple(one for one in base.checks if one.rule.startswith("writer_"))
    return replace(note, checks=(*notices, *contradictions(note.sections, note.risk), *note.checks))


def _recharted(review: Review, after: Transcript) -> dict[str, Any]:
    """The note's draft with other things known beside the talk."""
    base = note_json.read(review.drafts[review.note.format])
    plan = named(base.format)
    if base.writer == RECAP:
        made_of = review.drafts[base.format]
        return {**made_of, **again(base, after.context, plan, made_of).as_json()}
    reading = read(replace(after, utterances=(), roles={}) if base.writer == SKELETON else after)
    ours = render(reading, plan)
    sections: tuple[Section, ...] = ours if base.writer in (EMBEDDED, SKELETON) else recharted(base.sections, ours)
    made = assemble(reading, sections, plan, version=base.version, writer=base.writer)
    return _with_notices(made, base).as_json()


def _with_section(review: Review, note: Mapping[str, Any], section: str, reading: Reading) -> dict[str, Any]:
    """The newest draft with one section of a newer one."""
    base, newer = note_json.read(review.drafts[review.note.format]), note_json.read(note)
    fresh = {one.name: one for one in newer.sections if one.name == section}
    sections = tuple(fresh.get(one.name, one) for one in base.sections)
    made = assemble(reading, sections, named(base.format), version=newer.version, writer=newer.writer)
    return _with_notices(made, newer).as_json()
