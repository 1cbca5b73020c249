"""A recap's note: in a log of its own under the recap's id, and so reviewed, signed and exported as a session's.

Nothing was recorded for it: its log has no track. The visit that it was written for follows how it stands.
"""

from drafting.review import Review
from drafting.visits import NoteState
from streaming import recap_book, visit_book, wall_clock
from streaming.errors import UnknownRecord
from streaming.events import ContextGiven, NoteDrafted, SessionEnded, SessionStarted
from streaming.note_desk import NoteDesk
from streaming.ports import Record, Records
from streaming.seats import Seat
from streaming.session_log import SessionLog
from streaming.sessions import Sessions

_STANDS: dict[str, NoteState] = {"awaiting": "awaiting", "signed": "signed", "addended": "signed"}


async def begin(records: Records, sessions: Sessions, made: Record, seat: Seat) -> None:
    """The log of a new recap's note, with its first draft. Raises StoreFailed."""
    body, at = made.body, wall_clock.now()
    await visit_book.no_visit(records, made.key)  # before it is there, or a look at the list would take it for one
    await SessionLog(made.key, sessions.store).append(
        SessionStarted(at, (), (), body["format"], seat.practice, seat.account),
        ContextGiven(body["client"], body["entered"], body["context"]),
        SessionEnded(at, "requested", ()),
        NoteDrafted(body["recap"], at, "recap"),
    )


async def answer(records: Records, sessions: Sessions, key: str, answers: dict[str, str]) -> Record:
    """The recap with more answers, and its note drafted anew: what a person has edited stays.

    Raises UnknownRecord, BadRecap, NoteSigned, Conflict, StoreFailed.
    """
    await recap_book.look(records, key)
    async with sessions.lock(key):
        found = await sessions.log_of(key)
        NoteDesk(found, sessions.readings).check_unsigned()
        made = await recap_book.answer(records, key, answers, found.state.context)
        await found.append(NoteDrafted(made.body["recap"], wall_clock.now(), "recap"))
    return made


async def stands(records: Records, key: str, review: Review) -> None:
    """Have the visit that a recap was written for say how its note stands; nothing for another session's note.

    Raises StoreFailed, Conflict.
    """
    try:
        visit = (await recap_book.look(records, key)).body["visit"]
        if visit is not None:
            signed_at = review.signed.signed_at if review.final and review.signed is not None else None
            await visit_book.noted(records, visit, _STANDS.get(review.state, "draft"), signed_at)
    except UnknownRecord:
        return  # no recap's note, or its visit is gone


__all__ = ["answer", "begin", "stands"]
