"""Records in Redis, with a real server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from records_contract import DurableRecordsContract, OpenRecords
from redis_server import RedisServer, running_redis
from store_contract import a_vault

from streaming.audit_chain import Broken, Deed
from streaming.audit_trail import AuditTrail
from streaming.errors import StoreFailed
from streaming.ports import Record, Records
from streaming.redis_records import RedisRecords
from streaming.redis_store import RedisStore

pytestmark = pytest.mark.redis


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    yield from running_redis(tmp_path)


@pytest.fixture
def open_records(redis_server: RedisServer) -> OpenRecords:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Records]:
        store = RedisStore(redis_server.url)
        yield RedisRecords(store)
        await store.close()

    return opened


class TestRedisRecords(DurableRecordsContract):
    """The contract."""

    async def test_what_was_acknowledged_outlives_a_killed_server(
        self, redis_server: RedisServer, open_records: OpenRecords
    ) -> None:
        async with open_records() as records:
            await records.put("chart", "a", {"n": 1})
            await asyncio.to_thread(redis_server.kill)
            with pytest.raises(StoreFailed):
                await records.put("chart", "a", {"n": 2})
            await asyncio.to_thread(redis_server.start)
            assert await records.all("chart") == [Record("chart", "a", 1, {"n": 1})]


async def test_prefixes_keep_practices_apart(redis_server: RedisServer) -> None:
    stores = [RedisStore(redis_server.url), RedisStore(redis_server.url, prefix="other")]
    one, other = (RedisRecords(store) for store in stores)
    await one.put("chart", "a", {})
    assert await other.all("chart") == []
    for store in stores:
        await store.close()


async def test_what_goes_by_age_goes_from_the_file_of_writes(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url)
    records = RedisRecords(store)
    for key in ("a", "b"):
        await records.put("device_key", key, {"key": f"cobalt{key}"})
    assert await records.remove_all("device_key", ["a"]) == 1
    assert await redis_server.lets_go([b"cobalta"])
    assert redis_server.holds(b"cobaltb") == 1
    await store.close()


async def test_nodes_write_one_audit_log(redis_server: RedisServer) -> None:
    stores = [RedisStore(redis_server.url, a_vault()) for _ in range(2)]
    nodes = [AuditTrail(RedisRecords(store)) for store in stores]
    deeds = [Deed("2026-02-01T10:00:00Z", "anna", "clinician", "token", "note.read", "", str(n)) for n in range(40)]
    await asyncio.gather(*(nodes[number % 2].append("north", one) for number, one in enumerate(deeds)))
    head, broken = await nodes[0].verify("north")
    assert (head.number, broken) == (40, None)
    assert {one.deed.subject async for one in nodes[1].newest("north")} == {one.subject for one in deeds}
    await RedisRecords(stores[0]).remove("@audit:north:0", "000000007")
    assert (await nodes[1].verify("north"))[1] == Broken(7, "missing")
    for store in stores:
        await store.close()
