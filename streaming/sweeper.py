"""Deletes what is due, and finishes deletions that were cut off: on every node, as asking twice changes nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TypeVar

from streaming import audit_pruning, deletion, device_keys, recap_notes, wall_clock
from streaming.audit_chain import Deed
from streaming.audit_trail import RETRY_S
from streaming.deletion import SERVER, DeletionReceipt, Order
from streaming.errors import SamedayError, SessionGoesOn, StoreFailed, UnknownSession
from streaming.events import Scope, SessionEnded, SessionStarted
from streaming.retention import Age, Times, age_of, due
from streaming.serving import Server
from streaming.settings import Settings

log = logging.getLogger("sameday.retention")
_T = TypeVar("_T")


@asynccontextmanager
async def sweeping(server: Server) -> AsyncIterator[None]:
    """Sweep until the block ends; the server has started."""
    task = asyncio.create_task(Sweeper(server).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Sweeper:
    """Looks through the log every `sweep_s`; a session whose note is signed it reads once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._audit = server.audit
        self._times = times_of(server.settings)
        self._ages: dict[str, tuple[str, Age]] = {}
        self._heads: dict[str, int] = {}

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except SamedayError as error:
                log.warning("a sweep was cut off: %s", error.code)
            except Exception as error:  # the next one must come all the same; what it says may hold content
                log.error("a sweep failed: %s", type(error).__name__)
            await self._rest(self._server.settings.sweep_s)

    async def _rest(self, length_s: float) -> None:
        """Until the next sweep; what the audit log still lacks is written as soon as the store is back."""
        while length_s > 0:
            await asyncio.sleep(min(RETRY_S, length_s))
            length_s -= RETRY_S
            if self._audit.pending:
                with suppress(StoreFailed):
                    await self._audit.catch_up()

    async def sweep(self) -> int:
        """One look; how much was deleted. What fails holds up nothing else. Raises StoreFailed, Overloaded."""
        count = 0
        await self._alone(self._audit.catch_up())
        await self._alone(self._look_at_chains())
        for practice in await self._server.practices():
            records = self._server.records_of(practice)
            count += await self._alone(self._finish(practice)) or 0
            await self._alone(recap_notes.complete(records, self._server.house, practice, at=datetime.now(UTC)))
            await self._alone(self._forget_keys(practice))
        if self._times.any:
            with_audio = set(await self._server.house.store.with_audio())
            for name in await self._server.house.names():
                count += await self._alone(self._expire(name, audio=name in with_audio), name) or 0
        if self._server.settings.audit_days is not None:
            for chain in await self._audit.chains():
                pruning = audit_pruning.prune(self._audit, chain, self._server.settings.audit_days)
                count += await self._alone(pruning) or 0
        self._tell_heads()
        return count

    async def _alone(self, step: Awaitable[_T], session: str = "") -> _T | None:
        """A step whose failing leaves the others as they are; None where it fails."""
        extra = {"session": session} if session else None
        try:
            return await step
        except SamedayError as error:
            log.error("a step of a sweep failed: %s", error.code, extra=extra)
        except Exception as error:  # what it says may hold content
            log.error("a step of a sweep failed: %s", type(error).__name__, extra=extra)
        return None

    async def _look_at_chains(self) -> None:
        for chain in await self._audit.chains_known():
            if await self._alone(self._audit.rolled_back(chain)):
                log.error("the store holds less of a chain of the audit log than was noted: an old copy?")

    async def _finish(self, practice: str) -> int:
        """Go on with deletions that were cut off; how many."""
        count = 0
        for receipt in await deletion.receipts(self._server.records_of(practice)):
            if not receipt.done:
                again = self._delete(receipt.session, practice, receipt.again(), begun=True)
                count += await self._alone(again, receipt.session) or 0
        return count

    async def _forget_keys(self, practice: str) -> None:
        """What a device still holds of a session that takes no more nobody can read from then on."""
        records = self._server.records_of(practice)
        over = [
            name for name in await device_keys.sessions(records) if await self._alone(self._takes_no_more(name), name)
        ]
        if over:
            await device_keys.forget(records, *over)

    async def _takes_no_more(self, name: str) -> bool:
        kinds = {type(one.event) async for one in self._server.house.store.replay(name)}
        return SessionStarted not in kinds or SessionEnded in kinds

    async def _expire(self, name: str, *, audio: bool) -> int:
        found = await self._age(name)
        if found is None:
            return 0
        practice, age = found
        scope = due(age, self._times, datetime.now(UTC))
        if scope is None or (scope == "audio" and not audio):
            return 0
        return await self._delete(name, practice, self._order(scope))

    @staticmethod
    def _order(scope: Scope) -> Order:
        return Order(scope, "expired", SERVER, wall_clock.now())

    async def _delete(self, name: str, practice: str, order: Order, *, begun: bool = False) -> int:
        """Delete, or with `begun` go on with what was cut off; how many."""
        self._ages.pop(name, None)
        try:
            async with self._server.house.lock(name):
                if begun and not await self._is_open(practice, name, order.scope):
                    return 0  # it was not cut off, but under way
                receipt = await self._server.delete(name, practice, order)
        except (SessionGoesOn, UnknownSession):
            return 0
        except StoreFailed as error:
            log.error("not deleted, though it is due: %s", error.code, extra={"session": name})
            return 0
        await self._audit.append_surely(practice, deed_of(receipt, SERVER, SERVER))
        return 1

    async def _is_open(self, practice: str, name: str, scope: Scope) -> bool:
        receipts = await deletion.receipts(self._server.records_of(practice))
        return any((one.session, one.scope, one.done) == (name, scope, False) for one in receipts)

    async def _age(self, name: str) -> tuple[str, Age] | None:
        """Whose session it is and how old; only that of a signed note stays as it is."""
        if name in self._ages:
            return self._ages[name]
        try:
            state = (await self._server.house.log_of(name)).state
        except SamedayError:
            return None  # deleted, no session, or not to be read: the log has said so where it was opened
        age = age_of(state)
        if age is None or self._server.house.find(name) is not None:
            return None
        if age.signed_at is not None:
            self._ages[name] = (state.practice, age)
        return state.practice, age

    def _tell_heads(self) -> None:
        """The newest hashes in the server's own log too, which is often collected where nobody here can change it."""
        for practice, head in self._audit.heads.items():
            if self._heads.get(practice) != head.number:
                self._heads[practice] = head.number
                log.info("audit log at entry %d, hash %s", head.number, head.hash)


def times_of(settings: Settings) -> Times:
    """The times to live of the settings."""
    return Times(settings.audio_days, settings.transcript_days, settings.unsigned_days)


def deed_of(receipt: DeletionReceipt, actor: str, way: str) -> Deed:
    """A deletion in the audit log, where it did not come by HTTP."""
    return Deed(wall_clock.utc(), actor, "", way, "session.delete", "session", receipt.session)
