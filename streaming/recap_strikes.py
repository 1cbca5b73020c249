"""Strikes in a dictation: a recap that was written from it loses what was struck, and is written anew from the rest.

A recap that was typed is the clinician's own and is not touched. One whose note is signed is a record, and what it
rests on is not struck, as of a session whose note is signed. One of which nothing is left is deleted.
"""

from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from streaming import deletion, recap_book, striking, visit_book
from streaming.again import until_through
from streaming.deletion import Order
from streaming.errors import NoteSigned, Overtaken, UnknownRecord
from streaming.events import Event, NoteDrafted, Stored, Struck
from streaming.ports import Record, Records
from streaming.sessions import Sessions
from streaming.state import SessionState
from streaming.types import UtteranceId
from streaming.wall_clock import now


async def strike(
    records: Records, sessions: Sessions, session: str, struck: Collection[UtteranceId], *, by: str
) -> None:
    """Take utterances out of the recaps that were dictated in a session.

    Raises NoteSigned, StoreFailed, and Overtaken or Conflict where others go on changing one.
    """
    async with AsyncExitStack() as held:
        for one in await _resting_on(records, session, struck):
            await held.enter_async_context(sessions.lock(one.key))
        # As they are now that none can be signed or answered here any more; all are looked at before any is changed.
        rest_on = await _resting_on(records, session, struck)
        for one in rest_on:
            _check_unsigned((await _read(sessions, one.key))[1])
        for one in rest_on:
            await take_out(records, sessions, one.key, struck, by=by)


async def _resting_on(records: Records, session: str, struck: Collection[UtteranceId]) -> list[Record]:
    """In the order of their ids, so that no two strikes wait for each other."""
    found = await recap_book.dictated_in(records, session)
    return sorted((one for one in found if recap_book.rests_on(one) & set(struck)), key=lambda one: one.key)


async def take_out(
    records: Records, sessions: Sessions, key: str, struck: Collection[UtteranceId], *, by: str
) -> None:
    """Take utterances out of one recap, whatever others do to it at the same moment. Raises as `strike`."""
    await until_through(lambda: _take_out(records, sessions, key, frozenset(struck), by))


async def _take_out(records: Records, sessions: Sessions, key: str, struck: frozenset[UtteranceId], by: str) -> None:
    log, state = await _read(sessions, key)
    _check_unsigned(state)
    try:
        stored = await recap_book.look(records, key)
    except UnknownRecord:
        return  # deleted meanwhile
    left = await recap_book.without(stored, struck)
    if left is None:
        await delete(records, sessions, key, by, has_log=bool(log))
        return
    # The record first, which notes are drafted from: who read it before is overtaken in the log, which comes after.
    marked = await recap_book.keep(records, left)
    try:
        log, state = await _read(sessions, key)
        _check_unsigned(state)
        if state.started_at is not None:
            told = Struck((), tuple(struck), {}, now(), by)
            changes = _changes(log, left.body["recap"], struck)
            await sessions.store.rewrite(key, changes, [told], on=state.last_event)
            sessions.readings.forget(key)
    except (NoteSigned, Overtaken):  # on another node: the record is as it was, and as it was signed
        await recap_book.keep(records, replace(stored, version=marked.version))
        raise
    await recap_book.keep(records, recap_book.done(marked))


async def _read(sessions: Sessions, key: str) -> tuple[list[Stored], SessionState]:
    """The log of a recap's note, and how it stands."""
    log, state = [stored async for stored in sessions.store.replay(key)], SessionState()
    for stored in log:
        state.apply(stored.event)
        state.last_event = stored.sequence
    return log, state


def _check_unsigned(state: SessionState) -> None:
    if state.review is not None and state.review.signed is not None:
        raise NoteSigned("A recap that rests on this is signed and stays.", mend="Write an addendum to its note.")


async def delete(records: Records, sessions: Sessions, key: str, by: str, *, has_log: bool) -> None:
    """Delete a recap of which nothing is left, or whose dictation is gone.

    `has_log` is false of one from before they had logs, and of one whose making was cut off.
    """
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
