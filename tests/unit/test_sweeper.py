"""One look of the sweeper: what cannot be read holds up nothing else that is due."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from store_contract import started

from streaming import device_keys
from streaming.audit_chain import Deed
from streaming.audit_trail import AuditTrail
from streaming.deletion import DeletionReceipt, Order, delete_session
from streaming.errors import StoreFailed
from streaming.events import SessionEnded, Stored
from streaming.memory_records import MemoryRecords
from streaming.memory_store import MemoryStore
from streaming.ports import Record
from streaming.serving import Server
from streaming.settings import Settings
from streaming.state import SessionState
from streaming.sweeper import Sweeper

pytestmark = pytest.mark.unit

_LONG_AGO = "2020-01-31T10:50:00+01:00"


class Damaged(MemoryStore):
    """A store in which nobody can read one session."""

    async def replay(self, session: str, after: int = 0, *, audio: bool = False) -> AsyncIterator[Stored]:
        if session == "damaged":
            raise StoreFailed("An entry cannot be read.")
        async for one in super().replay(session, after, audio=audio):
            yield one


class DamagedRecords(MemoryRecords):
    """Records among which nobody can read one chain of the audit log any more."""

    damaged = False

    async def all(self, kind: str) -> list[Record]:
        if self.damaged and kind.startswith("@audit:damaged:"):
            raise StoreFailed("An entry cannot be read.")
        return await super().all(kind)


def a_server(
    store: MemoryStore, records: MemoryRecords, audit: AuditTrail, lock: Callable[[str], object] | None = None
) -> Server:
    """As much of one as the sweeper uses."""

    async def practices() -> list[str]:
        return ["north"]

    async def delete(name: str, practice: str, order: Order) -> DeletionReceipt:
        return await delete_session(store, records, name, order)

    async def log_of(name: str) -> SimpleNamespace:
        state = SessionState()
        async for one in store.replay(name):
            state.apply(one.event)
        return SimpleNamespace(state=state)

    house = SimpleNamespace(
        store=store, names=store.sessions, log_of=log_of, find=lambda _: None,
        lock=lock or (lambda _: asyncio.Lock()),
    )  # fmt: skip
    server = SimpleNamespace(
        audit=audit, house=house, settings=Settings(audit_days=30, unsigned_days=30), practices=practices,
        records_of=lambda _: records, delete=delete,
    )  # fmt: skip
    return cast(Server, server)


async def test_one_thing_that_cannot_be_read_holds_up_nothing_else(tmp_path: Path) -> None:
    store, records = Damaged(), DamagedRecords()
    for name in ("damaged", "over", "cut off", "old"):
        await store.append(name, [started(), SessionEnded(_LONG_AGO, "requested", ())])
    for name in ("damaged", "over"):
        await device_keys.of(records, name)
    for name in ("cut off", "damaged"):
        begun = DeletionReceipt(name, "session", _LONG_AGO, "asked", "anna", {}, done=False)
        await records.put("deletion", f"{name}.session", begun.as_json())
    audit = AuditTrail(records, tmp_path)
    for chain in ("damaged", "north"):
        await audit.append(chain, Deed(_LONG_AGO, "anna", "clinician", "cookie", "note.read"))
    records.damaged = True

    sweeper = Sweeper(a_server(store, records, audit))
    assert await sweeper.sweep() == 4  # one was cut off, two are due, and an old entry
    assert await device_keys.sessions(records) == ["damaged"]
    assert (await audit.verify("north"))[1] is None
    assert await audit.begin("north") is not None


async def test_a_deletion_that_is_under_way_is_not_finished_or_entered_by_the_sweep() -> None:
    store, records = MemoryStore(), MemoryRecords()
    await store.append("a", [started(), SessionEnded(_LONG_AGO, "requested", ())])
    begun = DeletionReceipt("a", "session", _LONG_AGO, "asked", "anna", {}, done=False)
    await records.put("deletion", "a.session", begun.as_json())

    @asynccontextmanager
    async def lock(name: str) -> AsyncIterator[None]:
        await delete_session(store, records, name, begun.again())  # by who holds it until then
        yield

    audit = AuditTrail(records)
    assert await Sweeper(a_server(store, records, audit, lock)).sweep() == 0
    assert await audit.chains() == []
