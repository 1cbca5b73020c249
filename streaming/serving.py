"""What the routes share: the sessions, the WebRTC side, and which connection feeds which track."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from streaming import engines, errors, free_memory, ice, recording, seating, sole_server, tracing, wire
from streaming.access import Access, Asking
from streaming.audit_trail import AuditTrail
from streaming.deletion import DeletionReceipt, Order, delete_session
from streaming.dictation import Dictations
from streaming.handover import Handover
from streaming.nodes import Nodes, Standing
from streaming.ports import Records
from streaming.practice_data import use_practice
from streaming.scoped import PracticeRecords
from streaming.seats import LOCAL
from streaming.session import Session
from streaming.sessions import Sessions
from streaming.settings import Settings
from streaming.state import Progress
from streaming.tick_line import TickLine
from streaming.track import Track
from streaming.watch import Watch
from streaming.webrtc import WebRtcIngest
from streaming.websocket_ingest import TrackNumbers

log = logging.getLogger("sameday.serving")

_REMEMBERED = 1000
"""Connections that were replaced, or ended for their anchor, and are still known as such."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A WHIP resource."""

    session: str
    watch: Watch


class Server:
    """What the routes share; there from start-up to shut-down."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        use_practice(settings)
        self.rtc = WebRtcIngest(
            [ice.as_webrtc(server) for server in settings.ice_servers],
            no_rtp_timeout_s=settings.no_rtp_timeout_s,
            on_closed=self._rtc_closed,
        )
        self._replaced: deque[str] = deque(maxlen=_REMEMBERED)
        self._misplaced: deque[str] = deque(maxlen=_REMEMBERED)
        self._calls: dict[str, _Call] = {}
        self._numbers: WeakKeyDictionary[Track, TrackNumbers] = WeakKeyDictionary()
        self._sessions: Sessions | None = None
        self._records: Records | None = None
        self._nodes: Nodes | None = None
        self._handover: Handover | None = None
        self._access: Access | None = None
        self._audit: AuditTrail | None = None
        self._dictations: Dictations | None = None
        self.providers = [{"name": one.name, "href": f"/api/oidc/{one.key}/start"} for one in settings.oidc]
        """Where one may sign in beside the server's own page, as the page shows it."""

    @property
    def started(self) -> bool:
        """Whether start-up is over."""
        return self._sessions is not None

    @property
    def house(self) -> Sessions:
        """The sessions of all practices: for what is no request's. Raises Overloaded before start-up is over."""
        if self._sessions is None:
            raise _starting()
        return self._sessions

    @property
    def sessions(self) -> Sessions:
        """The sessions; which of them the request at hand may have, they ask its seat themselves.

        Raises NotSignedIn without a seat, Overloaded before start-up is over.
        """
        sessions = self.house
        seating.current()
        return sessions

    @property
    def records(self) -> Records:
        """What the practice of the request at hand keeps beside the sessions. Raises as `sessions`."""
        return self.records_of(seating.current().practice)

    def records_of(self, practice: str) -> Records:
        """What a practice keeps beside the sessions: for what is no request's. Raises Overloaded before start-up."""
        if self._records is None:
            raise _starting()
        return PracticeRecords(self._records, practice)

    async def practices(self) -> list[str]:
        """The practices that there are accounts of, and the one of a machine without. Raises StoreFailed."""
        return sorted({one.practice for one in await self.access.accounts.all()} | {LOCAL})

    @property
    def access(self) -> Access:
        """Who may come in. Raises Overloaded before start-up is over."""
        if self._access is None:
            raise _starting()
        return self._access

    @property
    def audit(self) -> AuditTrail:
        """Where it is written down who saw or changed what. Raises Overloaded before start-up is over."""
        if self._audit is None:
            raise _starting()
        return self._audit

    @property
    def dictations(self) -> Dictations:
        """Talk that becomes text and is not kept. Raises as `sessions`."""
        if self._dictations is None:
            raise _starting()
        seating.current()
        return self._dictations

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the engines, open the log, serve; at the end no session loses anything (`Sessions.stop`)."""
        settings = self.settings
        store = engines.open_store(settings)
        nodes = engines.open_nodes(settings, store)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            if settings.store == "sqlite":
                stack.enter_context(sole_server.of(settings.database))
            await stack.enter_async_context(tracing.running(settings.trace_endpoint))
            records = engines.open_records(store)
            access = Access(records, settings)
            self._audit = AuditTrail(records, settings.audit_folder, by_age=settings.audit_days is not None)
            stack.push_async_callback(self._audit.close)
            await _check_accounts(access, settings)
            made = await stack.enter_async_context(engines.running(settings))
            sessions = Sessions(made, store, settings, nodes)
            ready = asyncio.Event()
            serving = asyncio.create_task(sessions.run(ready))
            await ready.wait()
            self._sessions, self._records, self._access = sessions, records, access
            self._dictations = Dictations(made, settings.max_sessions)
            beside = (free_memory.now_and_then(), self._watch_calls())
            working = [serving, *(asyncio.create_task(one) for one in beside)]
            if nodes is not None:
                self._nodes, self._handover = nodes, Handover(sessions, nodes, self._flush, self._tell_moved)
                engines.on_fenced(store, self._handover.fenced)
                await self._handover.beat()
                working.append(asyncio.create_task(self._handover.run()))
            yield
            await self.drain()
            if nodes is not None:
                with suppress(errors.StoreFailed):
                    await nodes.leave()
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    async def drain(self) -> None:
        """Take no more sessions; hand over or leave those that go on, and finish the others (`on_stop`)."""
        if self._sessions is None:
            return
        self._sessions.draining = True
        if self._handover is not None and self.settings.on_stop == "keep":
            with suppress(errors.StoreFailed):
                await self._handover.drain()
        await self.rtc.close_all()
        for track in (track for session in self._sessions.all_live for track in session.tracks):
            if track.line is not None:
                # Of a session that is kept the log decides: its sender goes on from there at the next start.
                await (track.line.finish() if self.settings.on_stop == "finish" else track.line.leave())
        await self._sessions.stop()

    async def _flush(self, session: Session) -> None:
        await asyncio.gather(*(self.rtc.close_track(track) for track in session.tracks))
        for track in session.tracks:
            await self.leave_line(track)

    def _tell_moved(self, session: Session, where: str) -> None:
        for track in session.tracks:
            if track.line is not None:
                track.line.drop()
            self.numbers_of(track).move(where)

    async def elsewhere(self, name: str) -> str | None:
        """The address of the node that has a session; None where this one answers for it.

        Raises Overloaded while it is being handed over, and StoreFailed.
        """
        if self._nodes is None or self._sessions is None or self._sessions.find(name) is not None:
            return None
        owner = await self._nodes.owner(name)
        if owner is None or (owner.node == self._nodes.id and self._nodes.epoch(name) is not None):
            return None
        if not owner.alive or owner.node == self._nodes.id:
            raise errors.Overloaded("The session is being handed over.", mend="Try again in a moment.")
        return owner.url

    @property
    def standing(self) -> Standing | None:
        """How the nodes stand as this one sees it; None where there are no others."""
        return None if self._nodes is None else self._nodes.standing

    async def delete(self, name: str, practice: str, order: Order) -> DeletionReceipt:
        """Delete a session of a practice, or a part of it, for good; with `order.stop` one that goes on is stopped.

        What the log, the practice's records and this process hold of it goes; asking again gives the same receipt.
        Raises UnknownSession, SessionGoesOn, StoreFailed, Overloaded before start-up is over.
        """
        sessions = self.house
        await sessions.check_practice(name, practice)
        live = sessions.find(name)
        if live is not None:
            if not order.stop:
                raise errors.SessionGoesOn("The session goes on.", mend="End it and wait for its note; then delete.")
            await sessions.stop_here(live)
            await live.give_up()
            for track in live.tracks:
                await track.audio.close()
                await self.finish(track)
        receipt = await delete_session(sessions.store, self.records_of(practice), name, order)
        await sessions.forget(name)
        return receipt

    async def let_go(self, session: Session) -> None:
        """Have what has come in a session's tracks, and every sender connect again; none writes any more."""
        await self._flush(session)
        self._tell_moved(session, "")
        for track in session.tracks:
            await self.numbers_of(track).settled()

    async def track(self, name: str, track: str) -> Track:
        """The sink of a live session's track. Raises UnknownSession, UnknownTrack, SessionOver, NoConsent."""
        await self.sessions.log_of(name)
        session = self.sessions.live(name)
        await session.ready.wait()
        recording.check_open(session.log.state)
        return session.track(track)

    def watch(self, asking: Asking) -> Watch | None:
        """Whether who asks may still have what they open; None before start-up is over, when they open nothing."""
        return Watch(self.access, asking, self.settings.ask_again_s) if self.started else None

    def answered(self, session: str, resource: str, asking: Asking) -> None:
        """Remember a WHIP resource: closed under its session alone, and there as long as its sender may send."""
        self._calls[resource] = _Call(session, Watch(self.access, asking, self.settings.ask_again_s))

    async def _watch_calls(self) -> None:
        """End the WebRTC connections of who may not send any more; what has come of the track is kept."""
        asked: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                await asyncio.sleep(self.settings.ask_again_s / 4)
                # Each on its own: one that closes slowly, or not at all, holds up no other.
                asked = {resource: task for resource, task in asked.items() if not task.done()}
                for resource in self._calls.keys() - asked.keys():
                    asked[resource] = asyncio.create_task(self._watch_call(resource, self._calls[resource]))
        finally:
            for task in asked.values():
                task.cancel()
            await asyncio.gather(*asked.values(), return_exceptions=True)

    async def _watch_call(self, resource: str, call: _Call) -> None:
        try:
            if await call.watch.over():
                log.info("WebRTC connection ended: its sender may not send any more", extra={"session": call.session})
                await self.rtc.close(resource)
        except errors.StoreFailed:
            pass  # asked again
        except Exception as error:
            kind = type(error).__name__
            log.error("WebRTC connection not ended, asked again: %s", kind, extra={"session": call.session})

    async def hang_up(self, session: str, resource: str) -> None:
        """Close a WHIP resource. Raises UnknownResource, BadAnchor where it ended for that.

        Raises Replaced too: the sender should then leave off, or two fight.
        """
        call = self._calls.get(resource)
        if call is not None and call.session == session and await self.rtc.close(resource):
            return
        if resource in self._replaced:
            raise errors.Replaced("Another sender has taken this track over.", mend="Send from one device only.")
        if resource in self._misplaced:
            raise errors.BadAnchor(
                "By the anchor the audio lay far from where the session is, or another stream began.",
                mend="Connect again, with the tick (16 kHz) of the time stamp (48 kHz) that is sent next.",
            )
        raise errors.UnknownResource("No such WHIP session, or it has ended.")

    def _rtc_closed(self, resource: str, reason: str) -> None:
        self._calls.pop(resource, None)
        if reason == "replaced":
            self._replaced.append(resource)
        elif reason == "bad_anchor":
            self._misplaced.append(resource)

    def numbers_of(self, track: Track) -> TrackNumbers:
        """What the WebSocket frames of a track are counted by; lives as long as the track."""
        return self._numbers.setdefault(track, TrackNumbers())

    def line_of(self, track: Track) -> TickLine:
        """The line of a track whose sender knows its ticks; a new one where there is none that is open."""
        line = track.line
        if not isinstance(line, TickLine) or not line.open:
            # Half of what ends a session by itself at the most: what is missing is named before.
            wait_s = min(self.settings.return_wait_s, self.settings.idle_timeout_s / 2)
            line = track.line = TickLine(track, track.clock, wait_s=wait_s)
        return line

    async def leave_line(self, track: Track) -> None:
        """A sender that does not know its ticks writes from now on, or nobody here."""
        if track.line is not None:
            await track.line.leave()

    async def make_way(self, track: Track, *, anchored: bool) -> None:
        """A WebRTC connection begins to write: other writers leave, but for one that is beside an anchored one."""
        if anchored and (track.line is None or not track.line.open):
            return  # a sender without ticks has the track by now, and keeps it
        await self.numbers_of(track).release(beside=not anchored)
        if not anchored:
            await self.leave_line(track)

    async def finish(self, track: Track) -> None:
        """Write what either transport has received of a track, and close its connections."""
        await asyncio.gather(self.rtc.close_track(track), self.numbers_of(track).finish())
        if track.line is not None:
            await track.line.finish()

    async def finish_after(self, session: Session, track: Track) -> None:
        """Close a track's connections once its session has ended by itself: one that is idle would not notice."""
        await session.ended.wait()
        await self.finish(track)

    async def describe(self, name: str) -> dict[str, Any]:
        """The session object. Raises UnknownSession."""
        found = await self.sessions.log_of(name)
        session = self.sessions.find(name)
        progress: Progress = session.progress if session else "ended" if found.state.ended_at else "interrupted"
        standing = session.standing() if session else []
        servers = [ice.for_browser(server) for server in self.settings.ice_servers]
        return wire.session_object(name, found.state, progress, standing, servers)


async def _check_accounts(access: Access, settings: Settings) -> None:
    """Raises BadSettings where others can reach a server that asks nobody who they are."""
    if settings.exposed and not await access.accounts.any():
        raise errors.BadSettings(
            "There is no account, and others than this machine can reach the server.",
            mend="Add one with `sameday user add`, or serve on 127.0.0.1 without allowed_origins and behind_proxy.",
        )


def _starting() -> errors.Overloaded:
    return errors.Overloaded("The server is starting.", mend="Try again in a moment.")
