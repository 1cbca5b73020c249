"""Deleting a session for good: all that is kept of it, wherever it lies, and the receipt that stays.

`delete_session` is the one way to delete. It writes down what it is about to do, removes it from the log, then what
the practice's records hold of the session, and completes the receipt. Where it is cut off, the same call again, or
the sweeper (`retention.py`), finishes it: until then the receipt says that it is not done.

The log goes first, and only as it was read: where it is changed meanwhile, on whichever node, it is looked at again,
since the note may have been signed. Who makes a record of a session looks at its log after that (`recap_notes.py`,
`visit_book.py`, `signed_notes.py`): so either this finds the record, or they find the session gone.

A note that is signed is the practice's record and stays unless the order says otherwise: then the audio, the words,
who said them and the drafts that led to the note go, and the note with its trail stays (`withdrawn.py`).
"""

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from streaming import device_keys, recap_book, signed_notes, visit_book, withdrawn
from streaming.again import until_through
from streaming.errors import Conflict, SessionGoesOn, SessionPurged, UnknownRecord, UnknownSession
from streaming.events import (
    AudioSpan,
    ContentDeleted,
    ContextGiven,
    Event,
    MomentMarked,
    NoteDrafted,
    NoteReviewed,
    RolesAssigned,
    Scope,
    SkeletonDrafted,
    SpeakerRelabelled,
    Stored,
    TurnsSettled,
    UtteranceClosed,
    UtteranceCorrected,
)
from streaming.ports import Record, Records, Store
from streaming.state import SessionState

KIND = "deletion"
"""Receipts among a practice's records, by session and scope. None of what was deleted is ever removed."""

Why = Literal["asked", "revoked", "expired"]
"""Somebody asked for it; consent was taken back; its time was over."""
SERVER = "server"
"""By whom, where no person did it."""

_KINDS: dict[type[Event], str] = {
    AudioSpan: "audio",
    UtteranceClosed: "utterances",
    UtteranceCorrected: "corrections",
    SpeakerRelabelled: "speakers",
    TurnsSettled: "speakers",
    RolesAssigned: "speakers",
    MomentMarked: "marks",
    ContextGiven: "context",
    SkeletonDrafted: "drafts",
    NoteDrafted: "drafts",
    NoteReviewed: "note_actions",
}


@dataclass(frozen=True, slots=True)
class Order:
    """A deletion as it is ordered. `at` is ISO 8601 with zone, `by` a login, "" of a machine without accounts.

    `signed_too` deletes a signed note as well, where the law allows it. `stop` says that the session may go on: the
    caller has stopped it (`Sessions.delete` does) and nothing more is written to it.
    """

    scope: Scope
    why: Why
    by: str
    at: str
    signed_too: bool = False
    stop: bool = False


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """That something was deleted, of which session, when, why and by whom; never what it said.

    `removed` counts entries of the log and records by kind. `scope` is what went, which is less than was ordered
    where a signed note stays. `done` is false while a deletion that was cut off has still to be finished.
    `signed_too` is the order's: who finishes it deletes no signed note that was not meant.
    """

    session: str
    scope: Scope
    at: str
    why: Why
    by: str
    removed: Mapping[str, int] = field(default_factory=dict)
    done: bool = True
    signed_too: bool = False

    def again(self) -> Order:
        """The order that finishes what was cut off."""
        return Order(self.scope, self.why, self.by, self.at, signed_too=self.signed_too, stop=True)

    def as_json(self) -> dict[str, Any]:
        """As clients see it, and as it is kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Found:
    """A session's log as far as a deletion must know it."""

    practice: str
    ended: bool
    signed: bool
    kinds: Mapping[str, int]
    changes: Mapping[int, Event | None]
    """What goes with the transcript, as `withdrawn` has it."""
    state: SessionState
    """With the number of the last event: what is to be deleted was looked for up to there."""


async def delete_session(
    store: Store, records: Records, session: str, order: Order, *, dry_run: bool = False
) -> DeletionReceipt:
    """Delete what the order says; returns once it is gone for good. `records` are those of the session's practice.

    Asking again gives the receipt that there is. A whole session with a signed note loses its transcript alone,
    unless the order says otherwise. With `dry_run` nothing is deleted or written down, and the receipt says what of
    the log would be. Raises UnknownSession, SessionGoesOn, StoreFailed, and Overtaken or Conflict where others go on
    changing it or its receipt.
    """
    return await until_through(lambda: _delete(store, records, session, order, dry_run=dry_run))


async def _delete(store: Store, records: Records, session: str, order: Order, *, dry_run: bool) -> DeletionReceipt:
    try:
        found = await _look(store, session)
    except SessionPurged:
        return await _finished(store, records, session, order)
    if not found.ended and not order.stop:
        raise SessionGoesOn("The session goes on.", mend="End it first, then delete it.")
    scope: Scope = "transcript" if order.scope == "session" and found.signed and not order.signed_too else order.scope
    whole = order.signed_too and scope == "session"
    counted = _counted(found, scope)
    begun = DeletionReceipt(session, scope, order.at, order.why, order.by, counted, done=False, signed_too=whole)
    if dry_run:
        return begun
    stored = await _begin(records, begun)
    known = DeletionReceipt(**stored.body)
    at = known.at
    if scope != order.scope:
        await _give_way(records, session)
    if known.done:
        if scope != "transcript" or not found.changes:
            return known
        # The note was not signed yet: its drafts, which were the note, go now.
        known, at = replace(known, removed={**known.removed, **begun.removed}, done=False), order.at
    told = ContentDeleted(scope, at, known.why, known.by, found.practice, dict(known.removed))
    await _remove(store, session, found, told)
    if scope == "session":
        return await _complete(store, records, known, stored.version)
    await device_keys.forget(records, session)
    if scope == "transcript" and withdrawn.drafts_go(found.state):
        await recap_book.withdraw(records, session)
    done = replace(known, done=True)
    await records.put(KIND, _key(done), done.as_json(), version=stored.version)
    return done


async def _complete(store: Store, records: Records, known: DeletionReceipt, version: int) -> DeletionReceipt:
    """The log of a session is gone: what records hold of it goes, and its receipt, of this version, is completed.

    Who finishes what another has begun goes by what was ordered then.
    """
    session = known.session
    await device_keys.forget(records, session)
    await _delete_recaps(store, records, session, known.again())
    done = replace(known, removed={**known.removed, **await _remove_records(records, session)}, done=True)
    await records.put(KIND, _key(done), done.as_json(), version=version)
    return done


async def receipts(records: Records) -> list[DeletionReceipt]:
    """All receipts of a practice, newest first. Raises StoreFailed."""
    found = [DeletionReceipt(**one.body) for one in await records.all(KIND)]
    return sorted(found, key=lambda one: (one.at, one.session), reverse=True)


async def _look(store: Store, session: str) -> _Found:
    """Raises UnknownSession, SessionPurged, StoreFailed."""
    state, counts, entries = SessionState(), Counter[str](), list[Stored]()
    async for stored in store.replay(session, audio=True):
        event = stored.event
        state.apply(event)
        if not isinstance(event, AudioSpan):
            state.last_event = stored.sequence
            entries.append(stored)
        counts[_KINDS.get(type(event), "events")] += 1
        if isinstance(event, AudioSpan) and event.heard:
            counts["model_answers"] += len(event.heard)
    if state.deleted is not None and state.deleted.scope == "session":
        raise SessionPurged("The session was deleted for good.")
    if state.started_at is None:
        raise UnknownSession("No such session on this server.", mend="Name one that is in the log.")
    signed = state.review is not None and state.review.signed is not None
    changes = withdrawn.withdrawn(entries, state)
    return _Found(state.practice, state.ended_at is not None, signed, dict(counts), changes, state)


def _counted(found: _Found, scope: Scope) -> dict[str, int]:
    audio = {"audio", "model_answers"}
    words = (
        audio | {_KINDS[one] for one in withdrawn.WORDS} | ({"drafts"} if withdrawn.drafts_go(found.state) else set())
    )
    of = {"audio": audio, "transcript": words, "session": set(found.kinds)}[scope]
    return {kind: count for kind, count in sorted(found.kinds.items()) if kind in of}


async def _begin(records: Records, begun: DeletionReceipt) -> Record:
    """The receipt that counts: one that was begun before is gone on with. Raises Conflict."""
    body = begun.as_json()
    try:
        return Record(KIND, _key(begun), await records.put(KIND, _key(begun), body, version=0), body)
    except Conflict:
        return await _widened(records, await records.get(KIND, _key(begun)), signed_too=begun.signed_too)


async def _widened(records: Records, stored: Record, *, signed_too: bool) -> Record:
    """A receipt that is not done, of signed notes too where that is ordered now. Raises Conflict."""
    if stored.body["done"] or stored.body.get("signed_too") or not signed_too:
        return stored
    wider = stored.body | {"signed_too": True}
    return Record(KIND, stored.key, await records.put(KIND, stored.key, wider, version=stored.version), wider)


async def _give_way(records: Records, session: str) -> None:
    """The note was signed after a whole deletion was begun that was cut off: the transcript's is in its place."""
    with contextlib.suppress(UnknownRecord):
        begun = await records.get(KIND, f"{session}.session")
        if not (begun.body["done"] or begun.body.get("signed_too")):
            await records.remove(KIND, begun.key, version=begun.version)


async def _finished(store: Store, records: Records, session: str, order: Order) -> DeletionReceipt:
    """The receipt of a session whose log is gone; what its records still held goes too. Raises UnknownSession."""
    try:
        stored = await records.get(KIND, f"{session}.session")
    except UnknownRecord:
        raise UnknownSession("The session was deleted, and its receipt is another practice's.") from None
    if stored.body["done"]:
        return DeletionReceipt(**stored.body)
    stored = await _widened(records, stored, signed_too=order.signed_too and order.scope == "session")
    known = DeletionReceipt(**stored.body)
    return await _complete(store, records, known, stored.version)


async def _remove(store: Store, session: str, found: _Found, told: ContentDeleted) -> None:
    last = found.state.last_event
    if told.scope == "session":
        with contextlib.suppress(SessionPurged):  # another node was at it too
            await store.purge(session, told, on=last)
        return
    await store.drop_audio(session)
    changes = found.changes if told.scope == "transcript" else {}
    await store.rewrite(session, changes, [told], on=last)


async def _delete_recaps(store: Store, records: Records, session: str, order: Order) -> None:
    """Delete the notes of recaps that were written from a session or for it, by the same order: signed ones stay."""
    for key in await recap_book.of(records, session):
        if key != session:
            with contextlib.suppress(UnknownSession):  # from before they had logs
                await delete_session(store, records, key, order)


async def _remove_records(records: Records, session: str) -> dict[str, int]:
    """Delete what records say of a session; how many there were by kind. Raises StoreFailed."""
    removed: Counter[str] = Counter()
    removed["recaps"] = await records.remove_all(recap_book.KIND, await recap_book.of(records, session))
    await visit_book.unrecapped(records, session)
    for kind, name in ((signed_notes.KIND, "signed_note_prints"), (visit_book.KIND, "visits")):
        removed[name] = await records.remove_all(kind, [session])
    removed["appointments_freed"] = await visit_book.free(records, session)
    return {name: count for name, count in removed.items() if count}


def _key(receipt: DeletionReceipt) -> str:
    return f"{receipt.session}.{receipt.scope}"
