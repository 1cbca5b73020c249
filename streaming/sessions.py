"""All sessions of this process, live ones and those in the log."""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from weakref import WeakValueDictionary

from streaming import redrafting, seating, session_opening
from streaming.admission import Admission
from streaming.consents import Agreement
from streaming.errors import (
    NotDrafted,
    Overloaded,
    SamedayError,
    SessionOver,
    SessionPurged,
    StoreFailed,
    UnknownSession,
)
from streaming.events import (
    ContentDeleted,
    ContextGiven,
    Event,
    MomentMarked,
    SessionStarted,
)
from streaming.nodes import Nodes
from streaming.note_desk import NoteDesk
from streaming.ports import Store
from streaming.readings import Readings
from streaming.scheduler import RecognitionScheduler
from streaming.seats import SINGLE
from streaming.session import Owner, Session
from streaming.session_engines import Engines
from streaming.session_log import SessionLog
from streaming.settings import Settings
from streaming.state import SessionState
from streaming.tally import Tally
from streaming.types import TrackPlan, to_tick

log = logging.getLogger("sameday.sessions")

_IDLE_CHECK_S = 5.0
_STILL_THERE_S = 30.0
"""A session that has sent audio within so long goes on after a restart of the server."""
_RECENT = 8
"""Logs of ended sessions that are kept at hand: an edit follows a look, and an hour's log takes time to read."""


class Sessions:
    """Creates sessions, runs each as a task of one group, and finds them again."""

    def __init__(self, engines: Engines, store: Store, settings: Settings, nodes: Nodes | None = None) -> None:
        self._engines = engines
        self._nodes = nodes
        self.draining = False
        """Whether this server is about to stop: it takes no more sessions."""
        self._store = store
        self._settings = settings
        self._live: dict[str, Session] = {}
        self.admission = Admission(settings, self._live, engines)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._logs: WeakValueDictionary[str, SessionLog] = WeakValueDictionary()
        self._recent: deque[SessionLog] = deque(maxlen=_RECENT)
        self.readings = Readings()
        """What the talk of sessions says that are over."""
        self._rebuilding: dict[str, asyncio.Event] = {}
        self._practices: dict[str, str] = {}
        self._group: asyncio.TaskGroup | None = None
        self.tally = Tally()

    async def run(self, ready: asyncio.Event) -> None:
        """Serve until cancelled; a session that fails ends by itself and takes no other with it."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._take_up()
            ready.set()
            while True:
                await asyncio.sleep(_IDLE_CHECK_S)
                self.admission.measure()
                for session in list(self._live.values()):
                    if session.progress == "live" and session.left(self._settings.idle_timeout_s, session.idle_s()):
                        await session.end("idle")

    async def create(
        self,
        tracks: tuple[TrackPlan, ...],
        consent: Agreement,
        note_format: str,
        context: ContextGiven | None = None,
    ) -> Session:
        """Start a session. Raises NoConsent, PeerError, TooMany, Overloaded, StoreFailed."""
        assert self._group is not None, "run() first"
        session_opening.check(tracks, consent)
        seat = seating.whoever() or SINGLE
        self.admission.check_account(seat.account)
        self.check_room(len(tracks))
        name = uuid.uuid4().hex
        owner = Owner(seat.practice, seat.account)
        session = Session(name, SessionLog(name, self._store), self._engines, owner=owner)
        # The place is taken before anything is awaited, or many at once would pass the check.
        self._live[name] = session
        try:
            if self._nodes is not None:
                await self._nodes.take(name)
            await session.start(tracks, consent, note_format, context)
        except BaseException:
            del self._live[name]
            if self._nodes is not None:
                with suppress(StoreFailed):
                    await self._nodes.drop(name)
            raise
        self._logs[name] = session.log
        self._tasks[name] = self._group.create_task(self._run(session))
        self.tally.started += 1
        return session

    @property
    def all_live(self) -> list[Session]:
        """Sessions that take audio or are being finished."""
        return list(self._live.values())

    @property
    def store(self) -> Store:
        """The log of all of them."""
        return self._store

    @property
    def scheduler(self) -> RecognitionScheduler:
        """Who recognizes for all of them."""
        return self._engines.scheduler

    async def _take_up(self) -> None:
        """Go on with what another process left: sessions without an end or a note, and audio nobody needs any more.

        Where nodes share a store each session finds its node by itself (`handover.py`).
        """
        if self._settings.store != "sqlite":
            return
        unfinished = await self._store.left_open()
        for name in unfinished:
            try:
                await self.take_up(name)
            except SamedayError as error:
                # One log that cannot be read must not keep the server from its other sessions.
                log.error("session not taken up: %s", error.code, extra={"session": name})
        if not self._settings.keep_audio:
            # Not that of a session that could not be taken up: it is all there is of what was said.
            for name in set(await self._store.with_audio()) - set(unfinished):
                await self._store.drop_audio(name)

    async def take_up(self, name: str) -> None:
        """Go on with a session that another process left. Raises UnknownSession, StoreFailed."""
        assert self._group is not None
        session = Session(name, await self._log_of(name), self._engines)
        session.log.complete = False
        self._live[name] = session
        self._tasks[name] = self._group.create_task(self._run(session, resumed=True))
        self.tally.taken_up += 1

    async def forget(self, name: str) -> None:
        """Hold nothing of a session that was deleted; readers of its log are told. Raises StoreFailed."""
        self.readings.forget(name)
        if found := self._logs.get(name):
            await found.catch_up()
        if self._nodes is not None:
            await self._nodes.drop(name)

    @asynccontextmanager
    async def rebuilding(self, name: str) -> AsyncIterator[None]:
        """A session's log is being changed under it: whoever asks for the session waits until that is done."""
        done = self._rebuilding[name] = asyncio.Event()
        try:
            yield
        finally:
            del self._rebuilding[name]
            done.set()

    async def stop_here(self, session: Session) -> None:
        """Work no more at a session that goes on elsewhere; nothing is written after this."""
        session.log.moved = True
        self._logs.pop(session.id, None)  # it may know less than another node will have written
        if session.log in self._recent:
            self._recent.remove(session.log)
        if task := self._tasks.get(session.id):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def live(self, name: str) -> Session:
        """A session that takes audio or is being finished. Raises SessionOver for any other."""
        found = self.find(name)
        if found is None:
            raise SessionOver("The session has ended and takes no more audio.")
        return found

    def find(self, name: str) -> Session | None:
        """The session if it is of this process and not finished."""
        return self._live.get(name)

    async def mark(self, name: str, at_s: float, on: bool) -> None:
        """Remember a moment for the clinician, or forget it. Raises UnknownSession, StoreFailed."""
        found = await self.log_of(name)
        await found.append(MomentMarked(to_tick(at_s), on))

    async def draft_anew(self, found: SessionLog, why: str) -> None:
        """A note that is there already, of what counts now; what people edited stays."""
        if found.state.note is not None and not self._drafting(found.session):
            await redrafting.draft_anew(found, self._engines.writer, why)

    async def names(self) -> list[str]:
        """Ids of the practice's sessions, live ones and those in the log, oldest first. Raises StoreFailed."""
        names, seat = await self._store.sessions(), seating.whoever()
        if seat is None:
            return names
        return [name for name in names if await self._practice_of(name) == seat.practice]

    async def has_news(self, name: str, after: int) -> bool:
        """Whether a session's log holds anything after a sequence number. Raises StoreFailed."""
        news = 0
        async for _ in self._store.replay(name, after):
            news += 1
        return news > 0

    async def log_of(self, name: str) -> SessionLog:
        """A session's log, also of one that ended before this process began. Raises UnknownSession.

        All who ask for one at the same time share it: what one does to a note the others see.
        """
        seat = seating.whoever()
        if seat is not None:
            await self.check_practice(name, seat.practice)
        while (rebuilding := self._rebuilding.get(name)) is not None:
            await rebuilding.wait()
        return await self._log_of(name)

    async def _log_of(self, name: str) -> SessionLog:
        if name in self._live:
            return self._live[name].log
        found = self._logs.get(name) or SessionLog(name, self._store)
        if await found.catch_up():
            self.readings.forget(name)  # struck on another node: this one holds no word of it either
        if found.state.deleted is not None and found.state.deleted.scope == "session":
            raise SessionPurged("The session was deleted for good.", mend="Its receipt says when and why.")
        if found.state.started_at is None:
            raise _unknown()
        found = self._logs.setdefault(name, found)
        found.complete = True
        if found not in self._recent:
            self._recent.append(found)
        return found

    async def note(self, name: str) -> NoteDesk:
        """The note of a session, to look at. Raises UnknownSession, NotDrafted while it is live or being drafted."""
        found = await self.log_of(name)
        if self._drafting(name):
            raise NotDrafted("The note is drafted when the session has ended.", mend="End the session first.")
        return NoteDesk(found, self.readings)

    @asynccontextmanager
    async def at_desk(self, name: str) -> AsyncIterator[NoteDesk]:
        """The note of a session, to work at; one at a time. Raises as `note`."""
        async with self.lock(name):
            yield await self.note(name)

    async def redraft(self, name: str, version: int | None, section: str | None, *, who: str) -> NoteDesk:
        """Have the writer draft the note again, or a section of it; what people edited stays.

        The writer may take its time: nobody waits for it with the note. Raises as `note`, and Conflict, NotAllowed,
        UnknownSection, StoreFailed.
        """
        async with self.at_desk(name) as desk:
            desk.check_redraft(version, section)
        drafted = await redrafting.redrafted(await self.log_of(name), self._engines.writer)
        async with self.at_desk(name) as desk:
            await desk.redraft(drafted, section, who=who)
            return desk

    async def give_context(self, name: str, over: Callable[[SessionState], Awaitable[ContextGiven]]) -> None:
        """What is known beside the talk, `over` what was known, also while the session goes on.

        Raises UnknownSession, NoteSigned, and what `over` raises.
        """
        async with self.lock(name):
            found = await self.log_of(name)

            async def given() -> list[Event]:
                known = await over(found.state)
                return [known] if self._drafting(name) else await NoteDesk(found, self.readings).with_context(known)

            await found.decide(given)

    async def check_practice(self, name: str, practice: str) -> None:
        """Whether a session is the practice's. Raises UnknownSession where it is another's or is not there."""
        if await self._practice_of(name) != practice:
            raise _unknown()

    async def _practice_of(self, name: str) -> str | None:
        """Whose a session is; it stays so. Read from the first event of its log. Raises StoreFailed."""
        if name in self._live:
            return self._live[name].owner.practice
        if name not in self._practices:
            events = self._store.replay(name)
            first = await anext(events, None)
            if first is None or not isinstance(first.event, SessionStarted | ContentDeleted):
                return None  # of one that was deleted the receipt says it
            self._practices[name] = first.event.practice
        return self._practices[name]

    def lock(self, name: str) -> asyncio.Lock:
        """Held by who changes a session here: one waits for the other, where else both would begin again.

        Over processes it is the log that keeps them apart (`SessionLog.decide`).
        """
        return self._locks.setdefault(name, asyncio.Lock())

    def _drafting(self, name: str) -> bool:
        """Whether the session goes on, or its note is still being drafted."""
        session = self.find(name)
        return session is not None and session.progress != "ended"

    async def stop(self) -> None:
        """Leave the sessions in which somebody speaks to the next server; end the others and wait for their notes.

        Where nodes share a store, those that go on have been handed over by now.
        """
        keep = self._settings.on_stop == "keep"
        for session in list(self._live.values()):
            if keep and session.progress == "live" and not session.left(_STILL_THERE_S, session.idle_s()):
                await session.save()
                self._tasks[session.id].cancel()
            else:
                await session.end("requested")
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, session: Session, *, resumed: bool = False) -> None:
        try:
            if resumed:
                await session.resume()
                if session.left(self._settings.idle_timeout_s, session.silent_s()):
                    await session.end("idle")
            await session.run()
            if not self._settings.keep_audio and session.log.state.ended_at is not None:
                # All of it is transcribed or named as a gap by now; what was said is kept, the voice is not.
                await self._store.drop_audio(session.id)
            if self._nodes is not None and session.log.state.note is not None and not session.log.moved:
                await self._nodes.drop(session.id)
        except Exception as error:
            # One session must not end the others; what an error says may hold content.
            log.error("session left unfinished: %s", type(error).__name__, extra={"session": session.id})
            await session.give_up()
        finally:
            session.ready.set()
            self.tally.close(session)
            # What readers still want is in the log: the models' state and the audio can go.
            self._live.pop(session.id, None)
            self._tasks.pop(session.id, None)

    def check_room(self, tracks: int = 1) -> None:
        """Whether one more session can be taken. Raises Overloaded."""
        if self.draining:
            raise Overloaded("The server is about to stop.", mend="Try again: another one takes over.")
        self.admission.check_room(tracks)


def _unknown() -> UnknownSession:
    return UnknownSession("No such session on this server.", mend="Start one with POST /api/sessions.")
