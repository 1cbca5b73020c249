"""One session's events: appended to the store, folded into the state, and followed by any number of readers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from streaming.again import until_through
from streaming.errors import Fenced, Overtaken, StoreFailed
from streaming.events import AudioSpan, ContentDeleted, Event, Stored, Struck
from streaming.ports import Store
from streaming.state import SessionState

log = logging.getLogger("sameday.session")

_PATIENCE_S = 300.0
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0
_LOOK_S = 5.0
"""How often a reader who stays past a session's end looks for what other processes have added."""


class SessionLog:
    """Appends in order. A reader that is slow reads from the store, so none is ever waited for."""

    def __init__(self, session: str, store: Store) -> None:
        self.session = session
        self.store = store
        self.state = SessionState()
        self.complete = False
        """Whether nothing more will be appended."""
        self.waits_for_store = False
        """Whether the store failed and is being tried again."""
        self.moved = False
        """Whether another node goes on with the session: what is known here may be less than its log holds."""
        self.passing: dict[str, dict[str, Any]] = {}
        """What stands at this moment only, by kind and track: a newer one replaces it."""
        self._passing_version = 0
        self._news = asyncio.Condition()
        self._order = asyncio.Lock()

    async def append(self, *events: Event, on: int | None = None) -> int:
        """Append all or none. Returns the last sequence number once durable. Raises StoreFailed, SessionPurged.

        A session that is over may be appended to by other processes too: theirs are folded in with these. `on` is as
        `Store.append` has it, and counts for such a session only: one that goes on is written by this process alone.
        """
        if self.complete:
            last = await self.store.append(self.session, events, on=on)
            await self.catch_up()
            return last
        if all(isinstance(event, AudioSpan) for event in events):
            return await self.store.append(self.session, events)
        async with self._order:
            last = await self.store.append(self.session, events)
            for number, event in enumerate(events, last - len(events) + 1):
                self.state.apply(event)
                if not isinstance(event, AudioSpan):  # readers are not sent audio, and must not wait for it
                    self.state.last_event = number
        await self._notify()
        return last

    async def decide(self, made: Callable[[], Awaitable[Sequence[Event]]]) -> None:
        """Append what `made` makes of the log as it stands, and of nothing older.

        Where somebody else changes the log meanwhile, on whichever node, what they did is folded in and it is made
        again. Raises what `made` raises, Overtaken where that goes on, StoreFailed, SessionPurged.
        """

        async def step(on: int) -> None:
            if events := await made():
                await self.append(*events, on=on)

        await self._surely_on(step)

    async def decide_anew(
        self, made: Callable[[], Awaitable[tuple[Mapping[int, Event | None], Sequence[Event]]]]
    ) -> None:
        """The same with a rewriting of a session that is over: what takes the place of what, and what is appended."""

        async def step(on: int) -> None:
            changes, told = await made()
            await self.store.rewrite(self.session, changes, told, on=on)
            await self.catch_up()

        await self._surely_on(step)

    async def _surely_on(self, step: Callable[[int], Awaitable[None]]) -> None:
        async def once() -> None:
            try:
                await step(self.state.last_event)  # as it is before anything of it is looked at
            except Overtaken:
                await self.catch_up()
                raise

        await until_through(once, (Overtaken,))

    async def catch_up(self) -> bool:
        """Fold in what the log of a session that is over has more than is known here. Raises StoreFailed.

        Returns whether something that was known is in the log no more.
        """
        async with self._order:
            before = self.state.last_event
            rewritten = False
            async for stored in self.store.replay(self.session, before):
                rewritten = rewritten or (before > 0 and isinstance(stored.event, Struck | ContentDeleted))
                if not rewritten:
                    self._fold(self.state, stored)
            if rewritten:  # what was folded before is not what the log holds now
                anew = SessionState()
                async for stored in self.store.replay(self.session):
                    self._fold(anew, stored)
                self.state = anew  # as a whole, since others read meanwhile
        if self.state.last_event > before:
            await self._notify()
        return rewritten

    @staticmethod
    def _fold(state: SessionState, stored: Stored) -> None:
        state.apply(stored.event)
        state.last_event = stored.sequence

    async def append_surely(self, *events: Event) -> int:
        """Append, trying again for five minutes while the store is away: a hiccup must not cost what was understood.

        Raises StoreFailed after that. Where a store failed after it had written, the events are there twice, which
        changes nothing: each replaces what it says anew.
        """
        delay_s, deadline = _FIRST_DELAY_S, asyncio.get_running_loop().time() + _PATIENCE_S
        while True:
            try:
                last = await self.append(*events)
                self.waits_for_store = False
                return last
            except Fenced:
                raise
            except StoreFailed:
                self.waits_for_store = True
                if asyncio.get_running_loop().time() + delay_s > deadline:
                    raise
                log.warning("the store failed, trying again", extra={"session": self.session})
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    async def pass_on(self, key: str, message: dict[str, Any]) -> None:
        """Tell readers how something stands now; it is not kept."""
        self._passing_version += 1
        self.passing[key] = message | {"version": self._passing_version}
        await self._notify()

    async def finish(self) -> None:
        """Nothing follows: readers come to their end."""
        self.complete = True
        self.passing.clear()
        await self._notify()

    async def follow(self, after: int = 0, *, stay: bool = False) -> AsyncIterator[Stored | dict[str, Any]]:
        """All events above `after`, then new ones as they come, mixed with what only passes, until the end.

        Raises Fenced where the session has moved to another node.
        With `stay` it goes on past the end, for what is done to the note; what another process does comes within
        seconds.
        """
        sequence, version = after, 0
        while True:
            complete, passing = self.complete, self._passing_version
            if self.state.last_event > sequence:
                async for stored in self.store.replay(self.session, sequence):
                    sequence = stored.sequence
                    yield stored
            for message in list(self.passing.values()):
                if message["version"] > version:
                    yield {name: value for name, value in message.items() if name != "version"}
            version = passing
            if self.moved:
                raise Fenced("Another node has this session.", mend="Connect again.")
            if complete and not stay:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S if complete else None), self._news:
                    while not self._has_news(sequence, version, complete):
                        await self._news.wait()
            if complete:
                await self.catch_up()

    def _has_news(self, sequence: int, version: int, complete: bool) -> bool:
        """Whether there is more than was seen, or the end has come since."""
        ended = self.complete and not complete
        return ended or self.state.last_event > sequence or self._passing_version > version

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()
