"""The stage that lets a writer prepare while a session goes on, so that the note comes soon after its end."""

import asyncio
import logging
import time

from streaming.ports import NoteWriter, PreparingWriter, SessionWriter
from streaming.state import SessionState

log = logging.getLogger("sameday.draft")

_LOOK_EVERY_S = 1.0


def following(writer: NoteWriter, session: str) -> NoteWriter:
    """The writer for one session: one that follows it, where the writer can."""
    return writer.follow(session) if isinstance(writer, PreparingWriter) else writer


async def keep_prepared(writer: NoteWriter, state: SessionState) -> None:
    """Until cancelled: each second, have the writer prepare where it wants to. Never fails, never holds others up.

    Cancelled at the session's end, which also ends a request that is under way.
    """
    if not isinstance(writer, SessionWriter):
        return
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            transcript = state.transcript()
            if writer.due(transcript, time.monotonic()):
                await writer.prepare(transcript)
        except Exception as error:
            log.error("preparing failed: %s", type(error).__name__)
