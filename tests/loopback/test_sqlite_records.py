"""Records in the log's SQLite file: the contract, and what they share with the log."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from records_contract import DurableRecordsContract, OpenRecords
from store_contract import a_vault, assert_log, gap, replayed, started

from streaming.errors import Conflict, StoreFailed
from streaming.ports import Records
from streaming.sqlite_records import SqliteRecords
from streaming.sqlite_schema import MIGRATIONS
from streaming.sqlite_store import SqliteStore

pytestmark = pytest.mark.loopback


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "log.sqlite3"


@pytest.fixture
def open_records(path: Path) -> OpenRecords:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Records]:
        store = SqliteStore(path, a_vault())
        yield SqliteRecords(store)
        await store.close()

    return opened


class TestSqliteRecords(DurableRecordsContract):
    """The contract."""


async def test_a_file_from_before_there_were_records_gets_them(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        for statement in MIGRATIONS[0]:
            assert isinstance(statement, str)
            database.execute(statement)
        database.execute("INSERT INTO schema_version VALUES (1)")
        database.execute("INSERT INTO session (id, head) VALUES ('a', 1)")
        body = '{"type": "StageFailed", "stage": "draft", "code": "overloaded"}'
        database.execute("INSERT INTO event VALUES (1, 1, ?)", (body,))
    database.close()
    store = SqliteStore(path)
    assert [stored.sequence for stored in await replayed(store, "a")] == [1]
    assert await SqliteRecords(store).put("chart", "a", {}) == 1
    await store.close()


async def test_a_conflict_costs_no_other_write_of_its_transaction(path: Path) -> None:
    store = SqliteStore(path)
    records = SqliteRecords(store)
    await records.put("chart", "a", {})
    results = await asyncio.gather(
        store.append("s", [started()]),
        records.put("chart", "a", {}, version=7),
        records.put("chart", "\ud800", {}),
        store.append("s", [gap(1)]),
        records.put("chart", "b", {}),
        return_exceptions=True,
    )
    assert isinstance(results[1], Conflict)
    assert isinstance(results[2], UnicodeEncodeError)
    assert (results[0], results[3], results[4]) == (1, 2, 1)
    assert_log(await replayed(store, "s"), [started(), gap(1)])
    await store.close()


async def test_a_removed_record_is_in_none_of_the_files(path: Path) -> None:
    store = SqliteStore(path)
    records = SqliteRecords(store)
    sought = b"a sentence of a chart"
    await records.put("chart", "a", {"text": sought.decode() * 300})
    assert any(sought in file.read_bytes() for file in path.parent.iterdir())
    await records.remove("chart", "a")
    assert not any(sought in file.read_bytes() for file in path.parent.iterdir())
    await store.close()


async def test_a_closed_store_keeps_and_gives_nothing(path: Path) -> None:
    store = SqliteStore(path)
    records = SqliteRecords(store)
    await store.close()
    with pytest.raises(StoreFailed, match="closed"):
        await records.put("chart", "a", {})
    with pytest.raises(StoreFailed, match="closed"):
        await records.all("chart")
