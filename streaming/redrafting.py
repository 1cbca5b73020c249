"""Drafting a note again: of what counts when it is taken in, and of nothing that was struck meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drafting.stage import draft_note
from streaming import wall_clock
from streaming.events import Event, NoteDrafted
from streaming.ports import NoteWriter
from streaming.session_log import SessionLog

_DRAFTS_AT_MOST = 3
"""A draft is made again where roles, context or format change while it is written, so many times."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft by the writer, and what it was made of."""

    note: Mapping[str, Any]
    made_of: tuple[int, int, str]

    def of(self, found: SessionLog) -> bool:
        """Whether it is of what the session's log says now, and in its note's format."""
        return (self.made_of, self.note["format"]) == (found.state.made_of, found.state.note_format)


async def redrafted(found: SessionLog, writer: NoteWriter) -> Drafted:
    """A new draft by the writer, of what is known and in the note's format when it is done."""
    for _ in range(_DRAFTS_AT_MOST):
        before = found.state.made_of
        note = await draft_note(found.state.transcript(), writer, found.state.note_format)
        drafted = Drafted(note.as_json(), before)
        if drafted.of(found):
            break
    return drafted


async def draft_anew(found: SessionLog, writer: NoteWriter, why: str) -> None:
    """Draft a note that is there already of what counts now; what people edited stays, and a signed note as it is.

    Raises StoreFailed, Overtaken.
    """
    drafted: Drafted | None = None

    async def draft() -> list[Event]:
        nonlocal drafted
        review = found.state.review
        if review is None or review.signed is not None:
            return []
        if drafted is None or not drafted.of(found):
            drafted = await redrafted(found, writer)
        return [NoteDrafted(dict(drafted.note), wall_clock.now(), why)]

    await found.decide(draft)
