"""The writer over a language model: sections asked in parallel, each streamed, read strictly and given at once.

The prompt only grows (`prompt.py`), so a server with a prefix cache, such as vLLM, has read nearly all of a session
before it ends: `prepare` has it read what is new, once a minute or after 500 tokens, whichever comes first.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from drafting.answer import Asked, BadAnswer, read_answer, texts_so_far
from drafting.formats import NoteFormat, SectionPlan, named
from drafting.model_server import Address, Failed, ModelServer
from drafting.prompt import Limits, Prompt, extended, messages, most, schema, task, tokens_of
from drafting.written import asked
from streaming.ports import SectionCorrected, SectionMissing, SectionSoFar, Written
from streaming.types import Section, Transcript

log = logging.getLogger("sameday.writer")

WARM_EVERY_S = 60.0
WARM_TOKENS = 500
_LINE_TOKENS = 14
"""About what a line of the prompt takes beside its words."""


@dataclass(slots=True)
class Counts:
    """What has happened since the start, for the metrics; no content, no session."""

    warmed: int = 0
    warming_failed: int = 0
    begun_anew: int = 0
    sections: int = 0
    missing: int = 0
    faults: dict[str, int] = field(default_factory=dict)


class VllmWriter:
    """A `streaming.ports.PreparingWriter` over one model server."""

    name = "vllm"

    def __init__(
        self, address: Address, limits: Limits | None = None, formats: Callable[[str], NoteFormat] = named
    ) -> None:
        """`formats` finds a format by its key. Takes a second: not on an event loop. Raises EngineMissing."""
        self.server = ModelServer(address)
        self.formats = formats
        self.limits = limits or Limits()
        self.counts = Counts()

    def follow(self, session: str) -> "VllmSession":
        """The writer of one session."""
        return VllmSession(self, session)

    def write(self, transcript: Transcript, format: str) -> AsyncGenerator[Written, None]:
        """The sections of a transcript that nothing was prepared for. Raises BadFormat."""
        return self.follow("").write(transcript, format)

    async def close(self) -> None:
        """Release the connections."""
        await self.server.close()


class VllmSession:
    """A `streaming.ports.SessionWriter`: holds the session's prompt as it was sent."""

    name = VllmWriter.name

    def __init__(self, writer: VllmWriter, session: str) -> None:
        self._writer = writer
        self._session = session
        self._prompt = Prompt()
        self._warmed_at_s: float | None = None

    def due(self, transcript: Transcript, now_s: float) -> bool:
        """Whether a minute has passed since the last time and there is news, or there are 500 tokens of it."""
        if self._warmed_at_s is None:
            self._warmed_at_s = now_s
        known = set(self._prompt.ids)
        fresh = [one for one in transcript.utterances if one.id not in known]
        news = sum(tokens_of(one.text) + _LINE_TOKENS for one in fresh)
        if news >= WARM_TOKENS or (news and now_s - self._warmed_at_s >= WARM_EVERY_S):
            self._warmed_at_s = now_s
            return True
        return False

    async def prepare(self, transcript: Transcript) -> None:
        """Have the server read what is new. A failure is counted: the note is then only slower."""
        counts = self._writer.counts
        try:
            await self._writer.server.warm(messages(self._grown(transcript)))
            counts.warmed += 1
        except Failed as failed:
            counts.warming_failed += 1
            log.warning("warming failed: %s", failed.cause, extra={"session": self._session})

    def _grown(self, transcript: Transcript) -> Prompt:
        resets = self._prompt.resets
        self._prompt = extended(self._prompt, transcript)
        self._writer.counts.begun_anew += self._prompt.resets - resets
        return self._prompt

    async def write(self, transcript: Transcript, format: str) -> AsyncGenerator[Written, None]:
        """Sections as they are ready, with what is written of the others in between. Raises BadFormat."""
        note_format = self._writer.formats(format)
        question = _Question(self._writer, self._grown(transcript), note_format, transcript)
        plans = asked(note_format)
        # Bounded by what the schema allows: a few messages for each statement.
        came: asyncio.Queue[Written] = asyncio.Queue()
        tasks = [asyncio.create_task(question.section(plan, came.put_nowait)) for plan in plans]
        try:
            left = len(plans)
            while left:
                one = await came.get()
                left -= isinstance(one, Section | SectionMissing)
                yield one
        finally:
            # Whoever stops listening stops the writing: the streams close with their tasks.
            for job in tasks:
                job.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Question:
    """One draft's questions, all over the same prompt."""

    writer: VllmWriter
    prompt: Prompt
    note_format: NoteFormat
    transcript: Transcript

    async def section(self, plan: SectionPlan, tell: Callable[[Written], None]) -> None:
        """Ask for one section; tells how it grows, then what was mended, then the section or that it is missing."""
        counts = self.writer.counts
        try:
            section, faults = await self._asked(plan, tell)
        except Failed as failed:
            missing = SectionMissing(plan.name, failed.cause)
        except BadAnswer as bad:
            log.warning("an answer could not be used: %s", bad.why)
            counts.faults[bad.why] = counts.faults.get(bad.why, 0) + 1
            missing = SectionMissing(plan.name, "unusable")
        else:
            for rule, count in faults.items():
                counts.faults[rule] = counts.faults.get(rule, 0) + count
            if faults:
                tell(SectionCorrected(plan.name, faults))
            counts.sections += 1
            tell(section)
            return
        counts.missing += 1
        tell(missing)

    async def _asked(self, plan: SectionPlan, tell: Callable[[Written], None]) -> tuple[Section, dict[str, int]]:
        limits = self.writer.limits
        wanted = Asked(plan.name, self.prompt.ids, limits, most(plan, limits))
        rows = -1

        def hear(text: str) -> None:
            # Only a brace can end a sentence's row: between two there is nothing new to show.
            nonlocal rows
            if text.count("}") != rows:
                rows = text.count("}")
                tell(SectionSoFar(plan.name, texts_so_far(text, wanted)))

        reply = await self.writer.server.ask(self._request(plan, limits), hear)
        answer = read_answer(reply.text, wanted, cut=reply.cut)
        return Section(plan.name, answer.statements), dict(answer.faults)

    def _request(self, plan: SectionPlan, limits: Limits) -> dict[str, Any]:
        tail = task(plan, self.note_format, self.transcript.context, limits)
        shape = schema(plan, len(self.prompt.ids), limits)
        statements = most(plan, limits)
        return {
            "messages": messages(self.prompt, tail),
            "max_tokens": 64 + statements * (limits.statement_characters + 8 * limits.evidence),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "section", "strict": True, "schema": shape},
            },
        }
