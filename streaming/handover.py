"""Sessions on several nodes: which come to this one, which it has lost, and how it hands over those it has."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from streaming.errors import SamedayError, StoreFailed, UnknownSession
from streaming.nodes import Nodes, Standing
from streaming.session import Session
from streaming.sessions import Sessions

log = logging.getLogger("sameday.nodes")

BEATS_IN_TIMEOUT = 5
"""A node is taken for dead when so many heartbeats in a row have not come."""
FINISH_S = 20.0
"""What a drain grants to a session whose end was asked for, to write its note here."""

Flush = Callable[[Session], Awaitable[None]]
"""Have all that came over connections that cannot send it again in the session's tracks."""
Tell = Callable[[Session, str], None]
"""Tell a session's senders that it goes on elsewhere, at an address if that is known."""


class Handover:
    """Serves from `run` on; the node is one of several from its first heartbeat."""

    def __init__(self, sessions: Sessions, nodes: Nodes, flush: Flush, tell: Tell) -> None:
        self._sessions = sessions
        self._nodes = nodes
        self._flush = flush
        self._tell = tell
        self._news = asyncio.Event()
        self._fenced: dict[str, Session] = {}
        self._unusable: set[tuple[str, int]] = set()

    def fenced(self, name: str) -> None:
        """Another node has the session: from this moment on nothing is written here, and it ends by no event."""
        session = self._sessions.find(name)
        if session is not None and not session.log.moved:
            session.log.moved = True
            self._fenced[name] = session
            self._news.set()

    async def run(self) -> None:
        """Beat until cancelled. While the store is away the node goes on, and learns afterwards what it has lost."""
        pause_s = self._nodes.timeout_s / BEATS_IN_TIMEOUT
        while True:
            await self._part_with_lost()
            try:
                await self.beat()
            except StoreFailed as error:
                log.warning("no heartbeat: %s", error.code)
            await self._part_with_lost()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._news.wait()
            self._news.clear()

    async def _part_with_lost(self) -> None:
        while self._fenced:
            name, session = self._fenced.popitem()
            log.warning("another node has the session", extra={"session": name})
            self._sessions.tally.fenced += 1
            await self._sessions.stop_here(session)
            await self._part(session, "")

    async def beat(self) -> None:
        """One heartbeat, and what follows from it. Raises StoreFailed."""
        before = {session.id: self._nodes.epoch(session.id) for session in self._sessions.all_live}
        standing = await self._nodes.beat(draining=self._sessions.draining)
        for name, epoch in before.items():
            # What was begun or came to its end since the heartbeat went out is not in it.
            if epoch is not None and self._nodes.epoch(name) == epoch and standing.held.get(name) != epoch:
                self.fenced(name)
        if not self._sessions.draining:
            await self._take_up(standing)

    async def drain(self) -> None:
        """Hand over the sessions that go on, and wait for those that are about to end."""
        await self._nodes.beat(draining=True)
        await asyncio.gather(*(self._leave(session) for session in self._sessions.all_live))
        for name in (await self._nodes.beat(draining=True)).held:  # given to this node, and not begun here
            if self._sessions.find(name) is None and self._nodes.epoch(name) is None:
                self._nodes.hold(name, self._nodes.standing.held[name])
                await self._nodes.give(name)

    async def _leave(self, session: Session) -> None:
        if session.progress != "live":
            try:
                async with asyncio.timeout(FINISH_S):
                    await session.ended.wait()
                return
            except TimeoutError:
                log.warning("handed over while its note was written", extra={"session": session.id})
        await self._flush(session)
        await session.save()
        await self._sessions.stop_here(session)
        try:
            where = await self._nodes.give(session.id)
        except StoreFailed:
            where = ""  # the others find out by the heartbeat that does not come
        self._sessions.tally.handed_over += 1
        await self._part(session, where)

    async def _part(self, session: Session, where: str) -> None:
        self._tell(session, where)
        await session.give_up()
        self._nodes.forget(session.id)

    async def _take_up(self, standing: Standing) -> None:
        for name, epoch in standing.held.items():
            if self._nodes.epoch(name) == epoch or (name, epoch) in self._unusable:
                continue
            if self._sessions.find(name) is not None:
                self.fenced(name)  # lost and given back meanwhile: it begins anew with the next heartbeat
                continue
            try:
                await self._sessions.take_up(name)
            except UnknownSession:  # its first event was never written: nobody was told of it
                self._nodes.hold(name, epoch)
                await self._nodes.drop(name)
                continue
            except StoreFailed:
                raise  # tried again with the next heartbeat
            except SamedayError as error:
                self._unusable.add((name, epoch))
                log.error("session not taken up: %s", error.code, extra={"session": name})
            # Only now: until then a request is told to come again. It has written nothing yet.
            self._nodes.hold(name, epoch)
