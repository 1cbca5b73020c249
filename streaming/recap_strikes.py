"""Strikes in a dictation: a recap that was written from it loses what was struck, and is written anew from the rest.

A recap that was typed is the clinician's own and is not touched. One whose note is signed is a record, and what it
rests on is not struck, as of a session whose note is signed. One of which nothing is left is deleted.
"""

from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from streaming import deletion, recap_book, striking, visit_book
from streaming.deletion import Order
from streaming.errors import NoteSigned, UnknownRecord
from streaming.events import Event, NoteDrafted, Stored, Struck
from streaming.ports import Record, Records
from streaming.session_log import SessionLog
from streaming.sessions import Sessions
from streaming.types import UtteranceId
from streaming.wall_clock import now


async def strike(
    records: Records, sessions: Sessions, session: str, struck: Collection[UtteranceId], *, by: str
) -> None:
    """Take utterances out of the recaps that were dictated in a session. Raises NoteSigned, Conflict, StoreFailed."""
    async with AsyncExitStack() as held:
        for one in await _resting_on(records, session, struck):
            await held.enter_async_context(sessions.lock(one.key))
        # As they are now that none can be signed or answered any more; all are looked at before any is changed.
        rest_on = await _resting_on(records, session, struck)
        for one in rest_on:
            if await _signed(sessions, one.key):
                raise NoteSigned(
                    "A recap that rests on this is signed and stays.", mend="Write an addendum to its note."
                )
        for one in rest_on:
            await _strike(records, sessions, one, frozenset(struck), by)


async def _resting_on(records: Records, session: str, struck: Collection[UtteranceId]) -> list[Record]:
    """In the order of their ids, so that no two strikes wait for each other."""
    found = await recap_book.dictated_in(records, session)
    return sorted((one for one in found if recap_book.rests_on(one, struck)), key=lambda one: one.key)


async def _signed(sessions: Sessions, key: str) -> bool:
    note = SessionLog(key, sessions.store)
    await note.catch_up()
    return note.state.review is not None and note.state.review.signed is not None


async def _strike(
    records: Records, sessions: Sessions, recap: Record, struck: frozenset[UtteranceId], by: str
) -> None:
    left = await recap_book.without(recap, struck)
    log = [stored async for stored in sessions.store.replay(recap.key)]
    if left is None:
        await _delete(records, sessions, recap.key, by, has_log=bool(log))
        return
    if log:
        told = Struck((), tuple(struck), {}, now(), by)
        await sessions.store.rewrite(recap.key, _changes(log, left.body["recap"], struck), [told])
        sessions.readings.forget(recap.key)
    # The record last: it says that the recap rests on this, so a strike that was cut off can be asked for again.
    await recap_book.keep(records, left)


async def _delete(records: Records, sessions: Sessions, key: str, by: str, *, has_log: bool) -> None:
    """`has_log` is false of a recap from before they had logs, and of one whose making was cut off."""
    if has_log:
        await deletion.delete_session(sessions.store, records, key, Order("session", "asked", by, now()))
        await sessions.forget(key)
        return
    await visit_book.unrecapped(records, key)
    with suppress(UnknownRecord):
        await records.remove(recap_book.KIND, key)


def _changes(
    log: Collection[Stored], draft: Mapping[str, object], struck: frozenset[UtteranceId]
) -> dict[int, Event | None]:
    """Every draft is the newest one; of what a person did to the note what rests on struck words goes."""
    made = striking.changes(log, (), (), struck)
    drafts = {one.sequence: one.event for one in log if isinstance(one.event, NoteDrafted)}
    return made | {at: replace(one, note=dict(draft)) for at, one in drafts.items()}
