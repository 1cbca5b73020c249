"""A recap's note: in a log of its own under the recap's id, and so reviewed, signed and exported as a session's.

Nothing was recorded for it: its log has no track. The visit that it was written for follows how it stands.

The record comes first and the log is made of it: what is struck or deleted finds every recap by its record, and a
making that was cut off in between is completed from it.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from drafting.recap import BadRecap, Spoken
from drafting.review import Review
from drafting.visits import NoteState
from streaming import recap_book, recap_strikes, visit_book, wall_clock
from streaming.deletion import SERVER
from streaming.errors import Overtaken, SessionPurged, UnknownRecord, UnknownSession
from streaming.events import ContextGiven, Event, NoteDrafted, SessionEnded, SessionStarted
from streaming.note_desk import NoteDesk
from streaming.ports import Record, Records
from streaming.recap_book import Asked
from streaming.seats import Seat
from streaming.sessions import Sessions

_STANDS: dict[str, NoteState] = {"awaiting": "awaiting", "signed": "signed", "addended": "signed"}
_UNDER_WAY = timedelta(hours=1)
"""A recap that is younger may be in the making."""


async def create(records: Records, sessions: Sessions, asked: Asked, seat: Seat, *, at: str) -> Record:
    """A recap, typed or dictated, and its note. `at` is now, in the practice's zone.

    Raises BadRecap, BadFormat, UnknownRecord for a chart or a visit that is not there, UnknownSession, StoreFailed.
    """
    if asked.session is None:
        return await _create(records, sessions, asked, None, seat, at)
    # A strike in the dictation comes before all of this here, or after it and finds the recap; on another node it may
    # have looked for recaps just before this one was there, and is then found in the talk.
    async with sessions.lock(asked.session):
        dictated = recap_book.spoken(await sessions.log_of(asked.session))
        made = await _create(records, sessions, asked, dictated, seat, at)
        await visit_book.no_visit(records, asked.session)
        await _agree(records, sessions, made, seat.account)
        try:
            return await recap_book.look(records, made.key)
        except UnknownRecord:
            raise BadRecap("All that was dictated has been struck.", mend="Dictate again, or type it.") from None


async def complete(records: Records, sessions: Sessions, practice: str, *, at: datetime) -> int:
    """Begin the log of each of a practice's recaps that has none; returns of how many. `at` is now.

    Their making was cut off, or they are from before they had logs. With one they can be answered, signed and
    deleted as any other, and are due by time. Raises StoreFailed.
    """
    there, count = set(await sessions.store.sessions()), 0
    for one in await records.all(recap_book.KIND):
        if one.key in there or at - datetime.fromisoformat(one.body["created_at"]).astimezone(UTC) < _UNDER_WAY:
            continue
        async with sessions.lock(one.key):
            try:
                await _begin(records, sessions, one, practice, "")
                count += 1
                await _agree(records, sessions, one, SERVER)
            except Overtaken:
                continue  # another node was quicker
            except SessionPurged:  # deleted, and another node was at it
                with suppress(UnknownRecord):
                    await records.remove(recap_book.KIND, one.key)
    return count


async def _create(
    records: Records, sessions: Sessions, asked: Asked, dictated: Spoken | None, seat: Seat, at: str
) -> Record:
    made = await recap_book.create(records, asked, dictated, at=at)
    await _begin(records, sessions, made, seat.practice, seat.account)
    if asked.visit is not None:
        await visit_book.recapped(records, asked.visit, made.key, at=at)
    return made


async def _begin(records: Records, sessions: Sessions, made: Record, practice: str, account: str) -> None:
    """The log of a recap's note, with its first draft. Raises StoreFailed, SessionPurged, Overtaken for a second."""
    body, at = made.body, wall_clock.now()
    await visit_book.no_visit(records, made.key)  # before it is there, or a look at the list would take it for one
    begun = (
        SessionStarted(at, (), (), body["format"], practice, account),
        ContextGiven(body["client"], body.get("entered", {}), body["context"]),
        SessionEnded(at, "requested", ()),
        NoteDrafted(body["recap"], at, "recap"),
    )
    await sessions.store.append(made.key, begun, on=0)


async def _agree(records: Records, sessions: Sessions, made: Record, by: str) -> None:
    """Take out of a recap that was just made what was struck meanwhile on another node, or deleted with its talk.

    Raises SessionPurged where the talk is gone, StoreFailed.
    """
    if not made.body.get("spoken"):
        return
    try:
        talk = (await sessions.log_of(made.body["session"])).state
    except SessionPurged:
        await recap_strikes.delete(records, sessions, made.key, by, has_log=True)
        raise
    except UnknownSession:
        return  # from before: a recap outlived what it was dictated in
    gone = {name for one in talk.struck for name in one.removed} - set(talk.utterances)  # some were heard again
    with suppress(UnknownRecord):
        gone |= recap_book.rests_on(made) - recap_book.rests_on(await recap_book.look(records, made.key))
    if gone := gone & recap_book.rests_on(made):
        await recap_strikes.take_out(records, sessions, made.key, gone, by=by)


async def answer(records: Records, sessions: Sessions, key: str, answers: dict[str, str]) -> Record:
    """The recap with more answers, and its note drafted anew: what a person has edited stays.

    Raises UnknownRecord, BadRecap, NoteSigned, Conflict, StoreFailed.
    """
    await recap_book.look(records, key)
    async with sessions.lock(key):
        found = await sessions.log_of(key)
        NoteDesk(found, sessions.readings).check_unsigned()
        made = await recap_book.answer(records, key, answers, found.state.context)

        async def drafted() -> list[Event]:
            nonlocal made
            NoteDesk(found, sessions.readings).check_unsigned()
            made = await recap_book.look(records, key)  # as it is now: words may have been struck from it meanwhile
            return [NoteDrafted(made.body["recap"], wall_clock.now(), "recap")]

        await found.decide(drafted)
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


__all__ = ["answer", "complete", "create", "stands"]
