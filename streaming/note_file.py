"""`sameday draft --out`: a drafted note as a file, of the kind that its ending names."""

from pathlib import Path

from drafting.document import document
from drafting.exports import ExportFormat, export
from drafting.note import Note
from streaming.errors import PeerError
from streaming.types import Transcript

ENDINGS: dict[str, ExportFormat] = {".docx": "docx", ".pdf": "pdf", ".txt": "txt", ".json": "fhir"}


class BadFile(PeerError):
    """A file that a note cannot be written to."""

    code = "bad_file"


def format_of(path: Path) -> ExportFormat:
    """The format of a file's ending. Raises BadFile."""
    found = ENDINGS.get(path.suffix.lower())
    if found is None:
        raise BadFile("The note's file has no known ending.", mend=f"Use one of {', '.join(ENDINGS)} (FHIR).")
    return found


def write_note(path: Path, note: Note, transcript: Transcript, *, with_transcript: bool = False) -> None:
    """Write the draft; the transcript is appended only if asked for. Raises BadFile, NotFhir."""
    made = document(note, transcript.context, transcript=transcript if with_transcript else None)
    content = export(made, format_of(path)).content
    try:
        path.write_bytes(content)
    except OSError as error:
        why = error.strerror or "it cannot be written"
        raise BadFile(f"The note's file could not be written: {why}.", mend="Check the path.") from None
