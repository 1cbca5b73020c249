"""The drafting stage: asks a writer for the sections, and makes them a note with ledger, findings and billing."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from drafting.core import Reading, assemble, read, render, with_roles
from drafting.formats import NoteFormat, named
from drafting.note import Note
from drafting.written import AWAY, Gathered, filled
from drafting.written_risk import of_risk
from streaming.errors import EngineMissing, Overloaded
from streaming.ports import NoteWriter, SectionSoFar, Written
from streaming.types import Section, Transcript

log = logging.getLogger("sameday.draft")

EMBEDDED = "embedded"
"""The name of the writer whose work is the pure core's."""
Show = Callable[[str, tuple[str, ...], bool], Awaitable[None]]
"""Told of a section that is being written: its name, its sentences so far, whether it is done."""


async def draft_note(
    transcript: Transcript,
    writer: NoteWriter,
    format: str = "soap",
    *,
    version: int = 1,
    show: Show | None = None,
) -> Note:
    """A note by this writer; what it cannot give is the embedded one's, and the note says so.

    Risk comes from the ledger whatever the writer says, and every sentence is verified. Raises BadFormat.
    """
    note_format = named(format)
    # An hour of talk takes a second to read: live sessions must not wait for it.
    if writer.name == EMBEDDED:  # it would read the same talk again, at an hour's cost
        reading = await asyncio.to_thread(read, transcript)
        return await asyncio.to_thread(_rendered, reading, note_format, version)
    known, _ = await asyncio.to_thread(with_roles, transcript)
    came, reading = await asyncio.gather(_gathered(writer, known, format, show), asyncio.to_thread(read, transcript))
    return await asyncio.to_thread(_assembled, reading, note_format, came, version, writer.name)


async def _gathered(writer: NoteWriter, transcript: Transcript, format: str, show: Show | None) -> Gathered:
    """All that a writer gives; a writer that breaks has given what came before."""
    came = Gathered()
    try:
        # Closed at once where this is cancelled: a server must not go on writing what nobody reads.
        async with aclosing(cast(AsyncGenerator[Written, None], writer.write(transcript, format))) as written:
            async for one in written:
                came.take(one)
                if show is not None and isinstance(one, SectionSoFar):
                    await show(one.name, _calm(one.sentences), False)
                elif show is not None and isinstance(one, Section):
                    await show(one.name, _calm(said.text for said in one.statements), True)
    except (EngineMissing, Overloaded) as error:
        log.warning("the writer is away: %s", error.code)
    except Exception as error:
        # Its text may hold what was said: only the kind is told.
        log.error("the writer broke: %s", type(error).__name__)
    return came


def _calm(sentences: Iterable[str]) -> tuple[str, ...]:
    """What may be shown before the ledger has been asked: nobody must read a denial that is then taken back."""
    return tuple(one for one in sentences if not of_risk(one))


def _rendered(reading: Reading, note_format: NoteFormat, version: int) -> Note:
    return assemble(reading, render(reading, note_format), note_format, version=version)


def _assembled(reading: Reading, note_format: NoteFormat, came: Gathered, version: int, writer: str) -> Note:
    sections, says = filled(reading, note_format, came)
    by = EMBEDDED if AWAY in says else writer
    note = assemble(reading, sections, note_format, version=version, writer=by)
    return replace(note, checks=(*says, *note.checks))


def skeleton(transcript: Transcript, format: str = "soap") -> Note:
    """The note of a session of which nothing is known but its clock and chart: times, code, "not assessed" risk."""
    note_format = named(format)
    reading = read(replace(transcript, utterances=(), roles={}))
    return assemble(reading, render(reading, note_format), note_format, version=0, writer="skeleton")
