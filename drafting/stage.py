"""The drafting stage: asks a writer for the sections, and makes them a note with ledger, findings and billing."""

import asyncio
from dataclasses import replace

from drafting.core import Reading, assemble, read, render
from drafting.formats import NoteFormat, named
from drafting.note import CheckFinding, Note
from streaming.errors import EngineMissing, Overloaded
from streaming.ports import NoteWriter
from streaming.types import Transcript

EMBEDDED = "embedded"
"""The name of the writer whose work is the pure core's."""
AWAY = CheckFinding(
    "writer_away",
    "warning",
    "The chosen writer could not be reached: this draft is the embedded writer's. Draft again when it is back.",
    "",
)


async def draft_note(transcript: Transcript, writer: NoteWriter, format: str = "soap", *, version: int = 1) -> Note:
    """A note by this writer; by the embedded one, saying so, where the writer is missing or overloaded.

    Risk comes from the ledger whatever the writer says, and every sentence is verified. Raises BadFormat.
    """
    note_format = named(format)
    # An hour of talk takes a second to read: live sessions must not wait for it.
    reading = await asyncio.to_thread(read, transcript)
    if writer.name == EMBEDDED:  # it would read the same talk again, at an hour's cost
        written = await asyncio.to_thread(render, reading, note_format)
        return await asyncio.to_thread(assemble, reading, written, note_format, version=version, writer=writer.name)
    try:
        written = tuple([section async for section in writer.write(reading.transcript, format)])
    except (EngineMissing, Overloaded):
        return await asyncio.to_thread(_without_writer, reading, note_format, version)
    return await asyncio.to_thread(assemble, reading, written, note_format, version=version, writer=writer.name)


def _without_writer(reading: Reading, note_format: NoteFormat, version: int) -> Note:
    note = assemble(reading, render(reading, note_format), note_format, version=version)
    return replace(note, checks=(AWAY, *note.checks))


def skeleton(transcript: Transcript, format: str = "soap") -> Note:
    """The note of a session of which nothing is known but its clock and chart: times, code, "not assessed" risk."""
    note_format = named(format)
    reading = read(replace(transcript, utterances=(), roles={}))
    return assemble(reading, render(reading, note_format), note_format, version=0, writer="skeleton")
