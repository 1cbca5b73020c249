"""The drafting stage: asks a writer for the sections, and makes them a note with ledger, findings and billing."""

from drafting.core import assemble, read
from drafting.formats import named
from drafting.note import Note
from streaming.ports import NoteWriter
from streaming.types import Transcript


async def draft_note(transcript: Transcript, writer: NoteWriter, format: str = "soap", *, version: int = 1) -> Note:
    """A note by this writer. Raises BadFormat, and what the writer raises."""
    note_format = named(format)
    reading = read(transcript)
    written = [section async for section in writer.write(reading.transcript, format)]
    return assemble(reading, tuple(written), note_format, version=version, writer=writer.name)
