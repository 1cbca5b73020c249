"""Strikes in a session's log: of one that goes on, which is then heard anew, and of one that is over and not signed.

A session that goes on is stopped here for a moment, its log rewritten, and taken up as after a restart: nothing that
waited in a model or on a connection comes back, and its senders and readers connect again. The words
go, and it is written down that they did, in one step: where that fails the strike is asked for again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from streaming import recap_strikes, striking
from streaming.errors import Fenced, NotDrafted, StoreFailed
from streaming.events import Event, GapMarked, Struck
from streaming.note_desk import NoteDesk
from streaming.ports import Records
from streaming.session import Session
from streaming.session_log import SessionLog
from streaming.sessions import Sessions
from streaming.striking import Asked
from streaming.types import SAMPLE_RATE, Gap, Tick, TrackId, UtteranceId
from streaming.wall_clock import now

log = logging.getLogger("sameday.strikes")

Stretches = Callable[[TrackId, Tick], tuple[Tick, Tick]]
"""What is asked for on a track, by the tick that it has come to."""
_Names = Sequence[UtteranceId]
_PATIENCE_S = 300
"""How long it is tried to go on with a session while the store is away."""


class Senders(Protocol):
    """The connections of a live session."""

    async def let_go(self, session: Session) -> None:
        """Have what has come in the tracks, and every sender connect again; none writes any more."""
        ...

    def ends(self, session: Session) -> Mapping[TrackId, Tick]:
        """How far each track has come: nothing that was said before now lies after it."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """A strike as it is ordered: a stretch of every track, or utterances; and by which account."""

    stretch: Stretches | None
    utterances: tuple[UtteranceId, ...]
    by: str


async def strike(sessions: Sessions, records: Records, name: str, order: Order, senders: Senders) -> None:
    """Strike for good, in the recaps too that were written from the talk; `records` are those of its practice.

    Raises UnknownSession, UnknownUtterance, PeerError for nothing, NoteSigned, NotDrafted, StoreFailed.
    """
    async with sessions.lock(name):
        found = await sessions.log_of(name)
        session = sessions.find(name)
        if session is None:
            await _strike_ended(sessions, records, found, order)
        elif session.progress == "live":
            await session.ready.wait()
            await _strike_live(sessions, session, order, senders)
        else:
            raise NotDrafted("The note is being drafted.", mend="Strike once it is there.")


async def _strike_live(sessions: Sessions, session: Session, order: Order, senders: Senders) -> None:
    striking.stretches(session.log.state, _asked(order, senders.ends(session)))  # before anything is disturbed
    await senders.let_go(session)
    async with sessions.rebuilding(session.id):
        await session.save()
        await sessions.stop_here(session)
        received = {track.track: track.received for track in session.tracks}
        for track in session.tracks:
            await track.audio.close()  # whoever still holds on to it writes nothing more
        await session.give_up()
        try:
            await _silence(sessions, session, order, received, senders.ends(session))
        finally:
            await _take_up(sessions, session.id)


async def _silence(
    sessions: Sessions,
    session: Session,
    order: Order,
    received: Mapping[TrackId, Tick],
    ends: Mapping[TrackId, Tick],
) -> None:
    """Take what is struck out of the log of a session that stands still."""
    state, name = session.log.state, session.id
    gone = striking.stretches(state, _asked(order, ends))
    anew, struck = striking.heard_anew(state, gone), striking.struck_in(state, gone)
    late = {
        gap.track: (max(gap.start, received[gap.track]), gap.end) for gap in gone if gap.end > received[gap.track]
    }
    came = [Gap(gap.track, gap.start, min(gap.end, received[gap.track]), gap.cause) for gap in gone]
    told = [GapMarked(gap) for gap in came if gap.start < gap.end]
    kept = striking.carried(state, gone, anew)
    changes = await _changes(session.log, gone, (anew, struck))
    await sessions.store.rewrite(name, changes, [*told, Struck(gone, anew, late, now(), order.by, kept)])


async def _changes(found: SessionLog, gone: Sequence[Gap], names: tuple[_Names, _Names]) -> dict[int, Event | None]:
    """`names` are the utterances that are removed, and those of them that are struck."""
    removed, struck = map(frozenset, names)
    changes: dict[int, Event | None] = {}
    async for stored in found.store.replay(found.session, audio=True):  # an hour is 115 MB: only what changes is held
        changes |= striking.changes([stored], gone, removed, struck)
    return changes


async def _take_up(sessions: Sessions, name: str) -> None:
    """The session goes on whatever became of the strike; while the store is away it is tried again."""
    for _ in range(_PATIENCE_S):
        try:
            await sessions.take_up(name)
            return
        except Fenced:
            return
        except StoreFailed:
            await asyncio.sleep(1.0)
    log.error("session not taken up after its log was changed", extra={"session": name})


async def _strike_ended(sessions: Sessions, records: Records, found: SessionLog, order: Order) -> None:
    struck: _Names = ()

    async def made() -> tuple[dict[int, Event | None], list[Event]]:
        nonlocal struck
        state = found.state
        NoteDesk(found, sessions.readings).check_unsigned()
        ends = {one.track: Tick(one.received_ticks) for one in state.totals}
        gone = striking.stretches(state, _asked(order, ends))
        struck = striking.struck_in(state, gone)
        # Before the talk: a strike that is cut off in between can be asked for again.
        await recap_strikes.strike(records, sessions, found.session, struck, by=order.by)
        told: list[Event] = [*(GapMarked(gap) for gap in gone), Struck(gone, struck, {}, now(), order.by)]
        return await _changes(found, gone, (struck, struck)), told

    await found.decide_anew(made)
    sessions.readings.forget(found.session)
    # And after it: one that was begun on another node before the words went may have them still.
    await recap_strikes.strike(records, sessions, found.session, struck, by=order.by)
    await sessions.draft_anew(await sessions.log_of(found.session), "struck")


def _asked(order: Order, ends: Mapping[TrackId, Tick]) -> Asked:
    if order.stretch is None:
        return Asked({}, order.utterances)
    wanted = {track: order.stretch(track, tick) for track, tick in ends.items()}
    return Asked({track: one for track, one in wanted.items() if one[0] < one[1]}, order.utterances)


def last(length_s: float) -> Stretches:
    """The newest so many seconds."""
    return lambda _, tick: (Tick(max(0, tick - round(length_s * SAMPLE_RATE))), tick)


def between(start: Tick, end: Tick) -> Stretches:
    """From one moment to another, as far as the track has come."""
    return lambda _, tick: (start, min(end, tick))
