"""All sessions of this process, live ones and those in the log."""

import asyncio
import logging
import uuid
from typing import Any
from weakref import WeakValueDictionary

from streaming import roles
from streaming.errors import NoConsent, NotDrafted, Overloaded, PeerError, SessionOver, UnknownSession
from streaming.events import NoteDrafted, RolesAssigned
from streaming.ports import Store
from streaming.session import Engines, Session, drafted
from streaming.session_log import SessionLog
from streaming.settings import Settings
from streaming.types import Role, RoleGuess, SpeakerId, TrackPlan, to_tick

log = logging.getLogger("sameday.sessions")

_IDLE_CHECK_S = 5.0


class Sessions:
    """Creates sessions, runs each as a task of one group, and finds them again."""

    def __init__(self, engines: Engines, store: Store, settings: Settings) -> None:
        self._engines = engines
        self._store = store
        self._settings = settings
        self._live: dict[str, Session] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._role_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._group: asyncio.TaskGroup | None = None

    async def run(self, ready: asyncio.Event) -> None:
        """Serve until cancelled; a session that fails ends by itself and takes no other with it."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            ready.set()
            while True:
                await asyncio.sleep(_IDLE_CHECK_S)
                for session in list(self._live.values()):
                    if session.progress == "live" and session.idle_s() > self._settings.idle_timeout_s:
                        await session.end("idle")

    async def create(self, tracks: tuple[TrackPlan, ...], consent: tuple[str, ...], note_format: str) -> Session:
        """Start a session. Raises NoConsent, PeerError, Overloaded, StoreFailed."""
        assert self._group is not None, "run() first"
        _check(tracks, consent)
        self.check_room()
        name = uuid.uuid4().hex
        session = Session(name, SessionLog(name, self._store), self._engines)
        # The place is taken before anything is awaited, or many at once would pass the check.
        self._live[name] = session
        try:
            await session.start(tracks, consent, note_format)
        except BaseException:
            del self._live[name]
            raise
        self._tasks[name] = self._group.create_task(self._run(session))
        return session

    def live(self, name: str) -> Session:
        """A session that takes audio or is being finished. Raises SessionOver for any other."""
        found = self.find(name)
        if found is None:
            raise SessionOver("The session has ended and takes no more audio.")
        return found

    def find(self, name: str) -> Session | None:
        """The session if it is of this process and not finished."""
        return self._live.get(name)

    async def assign_roles(self, name: str, wanted: dict[SpeakerId, Role] | None) -> None:
        """Take the clinician's word for who is who, also after the end; None swaps. Raises UnknownSession."""
        async with self._role_locks.setdefault(name, asyncio.Lock()):
            found = await self.log_of(name)
            current = found.state.roles or RoleGuess({}, "talk", 0.0)
            guess = roles.swap(current) if wanted is None else RoleGuess(current.roles | wanted, "clinician", 1.0)
            await found.append(RolesAssigned(guess))
            state = found.state
            if state.note is not None:
                # A note is written by role: with others it would say what the client said of the clinician.
                await found.append(NoteDrafted(await drafted(state, self._engines.writer, state.note_format)))

    async def log_of(self, name: str) -> SessionLog:
        """A session's log, also of one that ended before this process began. Raises UnknownSession."""
        if name in self._live:
            return self._live[name].log
        found = SessionLog(name, self._store)
        async for stored in self._store.replay(name):
            found.state.apply(stored.event)
            found.state.last_event = stored.sequence
        if found.state.started_at is None:
            raise UnknownSession("No such session on this server.", mend="Start one with POST /api/sessions.")
        found.complete = True
        return found

    async def note(self, name: str, note_format: str | None) -> dict[str, Any]:
        """The note, in another format if asked. Raises UnknownSession, NotDrafted."""
        state = (await self.log_of(name)).state
        if state.note is None:
            raise NotDrafted("The note is drafted when the session has ended.", mend="End the session first.")
        if note_format in (None, state.note_format):
            return state.note
        return await drafted(state, self._engines.writer, note_format or state.note_format)

    async def end_all(self) -> None:
        """End every live session and wait until its note is there and its audio is gone."""
        for session in list(self._live.values()):
            await session.end("requested")
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, session: Session) -> None:
        try:
            await session.run()
            if not self._settings.keep_audio and session.log.state.ended_at is not None:
                # All of it is transcribed or named as a gap by now; what was said is kept, the voice is not.
                await self._store.drop_audio(session.id)
        except Exception as error:
            # One session must not end the others; what an error says may hold content.
            log.error("session left unfinished: %s", type(error).__name__, extra={"session": session.id})
        finally:
            # What readers still want is in the log: the models' state and the audio can go.
            self._live.pop(session.id, None)
            self._tasks.pop(session.id, None)

    def check_room(self) -> None:
        """Whether one more session can be taken. Raises Overloaded."""
        backlog = sum(track.lag_ticks for session in self._live.values() for track in session.tracks)
        if len(self._live) >= self._settings.max_sessions or backlog > to_tick(self._settings.max_backlog_s):
            raise Overloaded("The server is at its limit of sessions.", mend="Try again in a minute.")


def _check(tracks: tuple[TrackPlan, ...], consent: tuple[str, ...]) -> None:
    if not consent:
        raise NoConsent(
            "Nobody has consented to the recording.", mend="Name every participant who agreed in `consent`."
        )
    names = [plan.id for plan in tracks]
    if not tracks or len(set(names)) != len(names):
        raise PeerError("A session needs at least one track, and each an id of its own.", mend="Mend `tracks`.")
    if sum(plan.speakers > 1 for plan in tracks) > 1:
        # Voices are told apart within a track: S1 of one and S1 of the other would be taken for one person.
        raise PeerError("Only one track of a session can have several speakers.", mend="Give the others one each.")
