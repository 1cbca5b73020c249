"""Strikes in a dictation: a recap that was written from it loses what was struck, and is written anew from the rest.

A recap that was typed is the clinician's own and is not touched. One whose note is signed is a record, and what it
rests on is not struck, as of a session whose note is signed. One of which nothing is left is deleted.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from streaming import deletion, recap_book, striking
from streaming.deletion import Order
from streaming.errors import NoteSigned
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
    rest_on = [one for one in await recap_book.dictated_in(records, session) if recap_book.rests_on(one, struck)]
    for one in rest_on:  # all are looked at before any is changed
        if await _signed(sessions, one.key):
            raise NoteSigned("A recap that rests on this is signed and stays.", mend="Write an addendum to its note.")
    for one in rest_on:
        async with sessions.lock(one.key):
            await _strike(records, sessions, one, frozenset(struck), by)


async def _signed(sessions: Sessions, key: str) -> bool:
    note = SessionLog(key, sessions.store)
    await note.catch_up()
    return note.state.review is not None and note.state.review.signed is not None


async def _strike(
    records: Records, sessions: Sessions, recap: Record, struck: frozenset[UtteranceId], by: str
) -> None:
    left = await recap_book.without(records, recap, struck)
    if left is None:
        await deletion.delete_session(sessions.store, records, recap.key, Order("session", "asked", by, now()))
        await sessions.forget(recap.key)
        return
    log = [stored async for stored in sessions.store.replay(recap.key)]
    told = Struck((), tuple(struck), {}, now(), by)
    await sessions.store.rewrite(recap.key, _changes(log, left.body["recap"], struck), [told])
    sessions.readings.forget(recap.key)


def _changes(
    log: Collection[Stored], draft: Mapping[str, object], struck: frozenset[UtteranceId]
) -> dict[int, Event | None]:
    """Every draft is the newest one; of what a person did to the note what rests on struck words goes."""
    made = striking.changes(log, (), (), struck)
    drafts = {one.sequence: one.event for one in log if isinstance(one.event, NoteDrafted)}
    return made | {at: replace(one, note=dict(draft)) for at, one in drafts.items()}
