"""The audit log's chain: what is appended holds, and whatever is done to it afterwards is found."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from streaming import audit_heads, audit_pruning, wall_clock
from streaming.audit_chain import PRUNED, Broken, Deed, Head, first_broken, linked, start, told
from streaming.audit_trail import AuditTrail, place
from streaming.errors import StoreFailed
from streaming.memory_records import MemoryRecords
from streaming.ports import Record
from streaming.sqlite_records import SqliteRecords
from streaming.sqlite_store import SqliteStore

pytestmark = pytest.mark.unit

_KIND = "@audit:north:0"


def deed(number: int = 0) -> Deed:
    return Deed("2026-02-01T10:00:00Z", "anna", "clinician", "cookie", "transcript.read", "session", f"s{number}")


async def a_trail(count: int, folder: Path | None = None) -> tuple[AuditTrail, MemoryRecords]:
    records = MemoryRecords()
    trail = AuditTrail(records, folder)
    for number in range(count):
        await trail.append("north", deed(number))
    return trail, records


async def test_a_chain_that_nobody_touched_holds() -> None:
    trail, records = await a_trail(40)
    head, broken = await AuditTrail(records).verify("north")
    assert (head.number, broken) == (40, None)
    assert [one.number async for one in trail.newest("north")] == list(range(40, 0, -1))
    assert [one.number async for one in trail.newest("north", before=4)] == [3, 2, 1]
    assert await trail.chains() == ["north"]
    assert (await trail.verify("south")) == (start("south"), None)


async def test_a_new_process_goes_on_where_another_left_off() -> None:
    trail, records = await a_trail(35)
    other = AuditTrail(records)
    assert (await other.append("north", deed())).number == 36
    assert (await trail.append("north", deed())).number == 37
    assert (await other.append("south", deed())).number == 1
    assert (await trail.verify("north"))[1] is None


async def test_nodes_that_append_at_once_make_one_chain() -> None:
    records = MemoryRecords()
    nodes = [AuditTrail(records) for _ in range(3)]
    await asyncio.gather(*(nodes[number % 3].append("north", deed(number)) for number in range(60)))
    head, broken = await nodes[0].verify("north")
    assert (head.number, broken) == (60, None)
    found = {one.deed.subject async for one in nodes[1].newest("north")}
    assert found == {f"s{number}" for number in range(60)}


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        ("change", Broken(3, "changed")),
        ("remove", Broken(3, "missing")),
        ("first", Broken(1, "missing")),
        ("swap", Broken(3, "missing")),
        ("rewrite", Broken(4, "unlinked")),
        ("cut", Broken(6, "cut")),
    ],
)
async def test_what_is_done_to_a_chain_is_found(tmp_path: Path, done: str, expected: Broken) -> None:
    trail, records = await a_trail(6, tmp_path)
    third = (await records.get(_KIND, "000000003")).body
    if done == "change":
        await records.put(_KIND, "000000003", third | {"actor": "bert"})
    elif done == "swap":
        await records.put(_KIND, "000000003", (await records.get(_KIND, "000000004")).body)
    elif done == "rewrite":
        second = (await records.get(_KIND, "000000002")).body
        made = linked(Head(2, second["hash"]), Deed("2026-02-01T10:00:00Z", "bert", "", "", "transcript.read"))
        await records.put(_KIND, "000000003", made.as_json())
    elif done == "cut":
        await records.remove(_KIND, "000000006")
        await records.remove(_KIND, "000000005")
    else:
        await records.remove(_KIND, "000000001" if done == "first" else "000000003")
    assert (await trail.verify("north"))[1] == expected


async def test_a_chain_that_was_cut_and_grew_again_is_found(tmp_path: Path) -> None:
    _, records = await a_trail(6, tmp_path)
    await records.remove(_KIND, "000000006")
    again = AuditTrail(records)  # on another node, whose folder knows nothing of it
    assert (await again.append("north", deed(9))).number == 6
    assert (await again.verify("north"))[1] is None
    assert (await AuditTrail(records, tmp_path).verify("north"))[1] == Broken(6, "changed")


async def test_a_whole_chain_that_is_gone_is_found_by_its_head(tmp_path: Path) -> None:
    _, records = await a_trail(2, tmp_path)
    for key in ("000000001", "000000002"):
        await records.remove(_KIND, key)
    assert (await AuditTrail(records, tmp_path).verify("north"))[1] == Broken(1, "cut")


def test_no_entry_fits_into_another_chain() -> None:
    entry = linked(start("north"), deed())
    assert first_broken("north", [entry])[1] is None
    assert first_broken("south", [entry])[1] == Broken(1, "unlinked")


def test_an_older_head_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    audit_heads.write(folder, "north", Head(5, "e"))
    audit_heads.write(folder, "north", Head(4, "d"))
    assert audit_heads.read(folder, "north") == Head(5, "e")
    (folder / "audit-north.head").write_text("{}")
    assert audit_heads.read(folder, "north") is None
    audit_heads.forget(folder)
    assert list(folder.iterdir()) == []


class Away(MemoryRecords):
    """Records whose store can be away."""

    away = False

    async def put(self, *given: object, **more: object) -> int:
        if self.away:
            raise StoreFailed("The store is away.")
        return await super().put(*given, **more)  # type: ignore[arg-type]


async def test_what_was_done_while_the_store_was_away_is_written_down_later() -> None:
    records = Away()
    trail = AuditTrail(records)
    await trail.append("north", deed(0))
    records.away = True
    with pytest.raises(StoreFailed):
        await trail.append("north", deed(1))
    await trail.append_surely("north", deed(2))
    assert trail.pending == 1
    records.away = False
    await trail.append_surely("north", deed(3))
    assert trail.pending == 2, "a store that has just failed is not asked again at once"
    await trail.catch_up()
    assert trail.pending == 0
    assert [one.deed.subject async for one in trail.newest("north")] == ["s3", "s2", "s0"]
    assert (await trail.verify("north"))[1] is None


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "log.sqlite3")
    yield store
    await store.close()


async def test_a_thousand_entries_in_a_file_are_read_by_blocks(stored: SqliteStore, tmp_path: Path) -> None:
    trail = AuditTrail(SqliteRecords(stored))
    await asyncio.gather(*(trail.append("north", deed(number)) for number in range(1003)))
    assert (await trail.verify("north"))[0].number == 1003
    assert [one.number async for one in AuditTrail(SqliteRecords(stored)).newest("north")][:5] == [
        1003, 1002, 1001, 1000, 999,
    ]  # fmt: skip
    with sqlite3.connect(tmp_path / "log.sqlite3") as database:
        changed = "CAST(replace(CAST(body AS TEXT), 's500', 's501') AS BLOB)"
        database.execute(f"UPDATE record SET body = {changed} WHERE key = '000000501'")
    database.close()
    assert (await trail.verify("north"))[1] == Broken(501, "changed")


async def an_old_trail(count: int, folder: Path | None = None) -> tuple[AuditTrail, MemoryRecords]:
    """So many entries of long ago and one of today."""
    trail, records = await a_trail(count, folder)
    await trail.append("north", replace(deed(), at=wall_clock.utc()))
    return trail, records


async def test_old_entries_are_deleted_and_the_chain_holds_from_there_on(monkeypatch: pytest.MonkeyPatch) -> None:
    trail, records = await an_old_trail(1001)
    assert await audit_pruning.prune(trail, "north", 36_000) == 0
    pieces, remove_all = list[int](), records.remove_all

    async def counted(kind: str, keys: Sequence[str]) -> int:
        pieces.append(len(keys))
        return await remove_all(kind, keys)

    monkeypatch.setattr(records, "remove_all", counted)
    assert await audit_pruning.prune(trail, "north", 30) == 1001
    assert pieces == [256, 256, 256, 231, 2]
    other = AuditTrail(records)
    head, broken = await other.verify("north")
    assert (head.number, broken) == (1003, None)
    begin = await other.begin("north")
    assert begin is not None
    found = [one async for one in other.newest("north")]
    assert [one.number for one in found] == [1003, 1002]
    assert (found[0].deed.action, found[0].deed.subject) == ("audit.prune", f"1001:{begin.hash}")
    assert await records.all(_KIND) == []
    assert (await other.append("north", deed())).number == 1004
    assert await audit_pruning.prune(AuditTrail(records), "north", 30) == 0
    assert (await other.verify("north"))[1] is None


async def test_a_deletion_by_age_that_was_cut_off_holds_and_is_finished_by_the_next() -> None:
    class Failing(MemoryRecords):
        """Goes away in the middle."""

        away = True

        async def remove_all(self, kind: str, keys: Sequence[str]) -> int:
            if self.away:
                self.away = False
                await super().remove_all(kind, keys[:2])
                raise StoreFailed("The store is away.")
            return await super().remove_all(kind, keys)

    records = Failing()
    trail = AuditTrail(records)
    for number in range(6):
        await trail.append("north", deed(number))
    await trail.append("north", replace(deed(), at=wall_clock.utc()))
    with pytest.raises(StoreFailed):
        await audit_pruning.prune(trail, "north", 30)
    assert (await AuditTrail(records).verify("north"))[1] is None
    assert len(await records.all(_KIND)) == 6  # two of eight are gone
    assert [one.number async for one in trail.newest("north")] == [8, 7]
    assert await audit_pruning.prune(trail, "north", 30) == 4
    assert [one.key for one in await records.all(_KIND)] == ["000000007", "000000008"]
    assert (await trail.verify("north"))[1] is None


@pytest.mark.parametrize("said", [False, True])
async def test_entries_that_are_taken_out_as_if_by_age_are_missed(said: bool) -> None:
    trail, records = await an_old_trail(5)
    (last,) = [one async for one in trail.newest("north") if one.number == 5]
    if said:  # of another place than is claimed
        await trail.append("north", Deed(deed().at, "", "", "server", "audit.prune", "audit", f"4:{last.previous}"))
    await records.put("@audit:begin", "north", {"number": 5, "hash": last.hash})
    for number in range(1, 6):
        await records.remove(_KIND, f"{number:09d}")
    assert (await trail.verify("north"))[1] == Broken(5, "untold")
    await records.put("@audit:begin", "north", {"number": 5, "hash": "0" * 64})
    assert (await trail.verify("north"))[1] == Broken(6, "unlinked")


async def test_a_store_that_was_put_back_to_an_older_state_is_noticed_and_it_stays_so(tmp_path: Path) -> None:
    trail, _ = await a_trail(7, tmp_path)
    assert await trail.chains_known() == ["north"]
    assert not await trail.rolled_back("north")
    noted = audit_heads.read(tmp_path, "north")
    assert noted is not None
    older, records = await a_trail(4)
    older = AuditTrail(records, tmp_path)
    assert await older.rolled_back("north")
    assert await older.rolled_back("north")  # and is written down once
    assert (await older.verify("north"))[1] == Broken(7, "cut")
    for number in range(9):
        await older.append("north", deed(number))
    assert (await older.verify("north"))[1] is None
    (said,) = [one.deed async for one in older.newest("north") if one.deed.action == "audit.rolled_back"]
    assert said.subject == f"7:{noted.hash}"
    assert not await older.rolled_back("north")


async def replaced_as_if_by_age(records: MemoryRecords, begin: Head) -> None:
    """All entries up to one taken out, and one made that tells of it as the server would."""
    for one in await records.all(_KIND):
        if int(one.key) <= begin.number:
            await records.remove(_KIND, one.key)
    made = linked(begin, told(PRUNED, begin, wall_clock.utc()))
    await records.put(*place("north", made.number), made.as_json())
    await records.put("@audit:begin", "north", {"number": begin.number, "hash": begin.hash})


@pytest.mark.parametrize("by_age", [False, True])
async def test_a_chain_that_was_replaced_as_if_by_age_is_found_by_what_was_noted_beside_it(
    tmp_path: Path, by_age: bool
) -> None:
    trail, records = await a_trail(50, tmp_path)
    trail = AuditTrail(records, tmp_path, by_age=by_age)
    assert not await trail.rolled_back("north")
    await replaced_as_if_by_age(records, Head(1000, "0" * 64))
    assert (await trail.verify("north"))[1] == Broken(1000, "early")
    await AuditTrail(records, tmp_path).append("north", deed())  # a new process takes the forged end for the chain's
    assert await AuditTrail(records, tmp_path, by_age=by_age).rolled_back("north")
    newest = await anext(one.deed async for one in trail.newest("north"))
    assert (newest.action, newest.subject.partition(":")[0]) == ("audit.rolled_back", "1002")


async def test_entries_taken_out_as_if_by_age_are_missed_where_none_are_deleted(tmp_path: Path) -> None:
    trail, records = await a_trail(50, tmp_path)
    assert not await trail.rolled_back("north")
    (last,) = [one async for one in trail.newest("north") if one.number == 50]
    await replaced_as_if_by_age(records, Head(50, last.hash))
    assert (await trail.verify("north"))[1] == Broken(50, "early")
    assert await trail.rolled_back("north")


async def test_a_beginning_that_another_node_moved_is_noted_here_too(tmp_path: Path) -> None:
    other, records = await an_old_trail(5)
    here = AuditTrail(records, tmp_path, by_age=True)
    assert not await here.rolled_back("north")
    assert audit_heads.read(tmp_path, "north") == Head(6, (await here.verify("north"))[0].hash)
    assert await audit_pruning.prune(other, "north", 30) == 5
    assert not await here.rolled_back("north")
    for by_age in (True, False):  # also once nothing more is to be deleted
        assert (await AuditTrail(records, tmp_path, by_age=by_age).verify("north"))[1] is None
        assert not await AuditTrail(records, tmp_path, by_age=by_age).rolled_back("north")
    audit_heads.forget(tmp_path)
    assert not await AuditTrail(records, tmp_path).rolled_back("north")


async def test_a_chain_that_is_pruned_while_it_is_verified_holds() -> None:
    class Pruned(MemoryRecords):
        """Just after it was read where the chain begins."""

        due = False

        async def all(self, kind: str) -> list[Record]:
            if self.due and kind == _KIND:
                self.due = False
                await audit_pruning.prune(AuditTrail(self), "north", 30)
            return await super().all(kind)

    records = Pruned()
    trail = AuditTrail(records)
    for number in range(4):
        await trail.append("north", deed(number))
    await trail.append("north", replace(deed(), at=wall_clock.utc()))
    records.due = True
    assert await trail.verify("north") == (Head(6, (await trail.verify("north"))[0].hash), None)
    assert not records.due
