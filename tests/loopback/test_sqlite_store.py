"""The log in SQLite, on a real disk: the contract, and what the disk can do to it."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from live_server import until
from store_contract import DurableStoreContract, OpenStore, a_vault, assert_log, gap, replayed, span, started

from streaming.errors import StoreFailed
from streaming.ports import Store
from streaming.sqlite_store import SqliteStore

pytestmark = pytest.mark.loopback


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "log.sqlite3"


@pytest.fixture
def address(path: Path) -> str:
    return str(path)


@pytest.fixture
def open_store(path: Path) -> OpenStore:
    async def opened() -> Store:
        return SqliteStore(path, a_vault())

    return opened


class TestSqliteStore(DurableStoreContract):
    """The contract."""


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _damage(path: Path) -> None:
    """Overwrite all but the first three pages: the schema can be read, the events cannot."""
    content = bytearray(path.read_bytes())
    content[3 * 4096 :] = b"\xa5" * (len(content) - 3 * 4096)
    path.write_bytes(content)


async def test_only_the_owner_reads_the_folder_and_every_file(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "log.sqlite3"
    earlier = os.umask(0o022)
    try:
        store = SqliteStore(path)
        await store.append("a", [started()])
    finally:
        os.umask(earlier)
    assert {_mode(file) for file in path.parent.iterdir()} == {0o600}
    assert len(list(path.parent.iterdir())) == 3  # the file, its write-ahead log and that one's index
    assert _mode(path.parent) == _mode(path.parent.parent) == 0o700
    await store.close()


async def test_commits_are_synced_to_a_write_ahead_log(path: Path) -> None:
    store = SqliteStore(path)
    assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    await store.close()


async def test_waiting_appends_share_a_transaction(path: Path) -> None:
    store = SqliteStore(path)
    await store.append("a", [started()])
    statements: list[str] = []
    store._writer.set_trace_callback(statements.append)
    await asyncio.gather(*(store.append(f"s{n % 16}", [gap(n)]) for n in range(400)))
    assert 1 <= statements.count("COMMIT") <= 100
    await store.close()


async def test_a_replay_without_audio_reads_no_audio(path: Path) -> None:
    store = SqliteStore(path)
    await store.append("a", [started(), span(0), gap(1)])
    statements: list[str] = []
    store._reader.set_trace_callback(statements.append)
    await replayed(store, "a")
    assert statements
    assert not any("audio" in statement for statement in statements)
    await store.close()


async def test_a_full_disk_fails_the_append_and_keeps_what_was_acknowledged(path: Path) -> None:
    store = SqliteStore(path)
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 20}")
    acknowledged = 0

    async def fill() -> None:
        nonlocal acknowledged
        for number in range(100):
            acknowledged = await store.append("a", [span(number)])

    with pytest.raises(StoreFailed, match="SQLITE_FULL") as failure:
        await fill()
    assert failure.value.mend == "Free disk space."
    assert acknowledged > 0
    assert len(await replayed(store, "a", audio=True)) == acknowledged
    # Room again: the store goes on, without a hole.
    store._writer.execute("PRAGMA max_page_count = 100000")
    assert await store.append("a", [span(acknowledged)]) == acknowledged + 1
    assert_log(await replayed(store, "a", audio=True), [span(number) for number in range(acknowledged + 1)])
    await store.close()


_FULL_FILE_SYSTEM = """
import asyncio, resource, signal, sys
from pathlib import Path
from store_contract import span
from streaming.errors import StoreFailed
from streaming.sqlite_store import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
    head = 0
    try:
        for number in range(1000):
            head = await store.append("a", [span(number)])
    except StoreFailed as failure:
        print(head)

asyncio.run(main())
"""


async def test_a_write_that_the_system_refuses_is_not_acknowledged(path: Path) -> None:
    """The operating system's own error in the middle of a write, by a limit on the size of files."""
    root = Path(__file__).parents[2]
    found = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _FULL_FILE_SYSTEM, str(path)],
        env=os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    acknowledged = int(found.stdout)
    assert 10 < acknowledged < 200
    store = SqliteStore(path)
    assert_log(await replayed(store, "a", audio=True), [span(number) for number in range(acknowledged)])
    await store.close()


async def test_a_log_locked_by_another_process_fails_the_append(path: Path) -> None:
    store = SqliteStore(path, busy_timeout_s=0.05)
    await store.append("a", [started()])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed, match="SQLITE_BUSY"):
        await store.append("a", [gap(1)])
    other.execute("ROLLBACK")
    other.close()
    assert await store.append("a", [gap(2)]) == 2
    await store.close()


def test_a_file_that_is_no_log_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(StoreFailed, match="SQLITE_NOTADB"):
        SqliteStore(path)
    assert path.read_bytes() == b"Dear diary, " * 1000


async def test_a_damaged_log_fails_the_replay_and_says_nothing_of_its_content(path: Path) -> None:
    store = SqliteStore(path)
    await store.append("a", [gap(number) for number in range(3000)])
    await store.close()
    _damage(path)

    async def read() -> None:
        store = SqliteStore(path)
        try:
            await replayed(store, "a")
        finally:
            await store.close()

    with pytest.raises(StoreFailed, match="SQLITE_CORRUPT") as failure:
        await read()
    assert "mic" not in str(failure.value)


async def test_an_entry_of_a_newer_version_is_a_clear_failure(path: Path) -> None:
    store = SqliteStore(path)
    await store.append("a", [gap(1)])
    with sqlite3.connect(path) as database:
        database.execute("UPDATE event SET body = ?", (b'{"type": "Telepathy"}',))
    database.close()
    with pytest.raises(StoreFailed, match="Entry 1"):
        await replayed(store, "a")
    await store.close()


async def test_a_log_of_a_newer_schema_is_refused(path: Path) -> None:
    await SqliteStore(path).close()
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO schema_version VALUES (99)")
    database.close()
    with pytest.raises(StoreFailed, match="newer version"):
        SqliteStore(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed, match=r"Not a directory|File exists"):
        SqliteStore(tmp_path / "file" / "log.sqlite3")


async def test_an_event_that_cannot_be_written_fails_alone(path: Path) -> None:
    store = SqliteStore(path)
    bad = gap(1)
    object.__setattr__(bad.gap, "start", object())
    results = await asyncio.gather(
        store.append("a", [gap(0)]), store.append("a", [bad]), store.append("b", [gap(2)]), return_exceptions=True
    )
    assert isinstance(results[1], TypeError)
    assert (results[0], results[2]) == (1, 1)
    await store.close()


async def test_dropped_audio_is_in_none_of_the_files(path: Path) -> None:
    store = SqliteStore(path)
    marked = span(7, 1600)
    await store.append("a", [started(), marked])
    sought = marked.pcm.tobytes()[:200]
    assert _found_in(path.parent, sought)
    await store.drop_audio("a")
    assert not _found_in(path.parent, sought)
    await store.close()
    assert not _found_in(path.parent, sought)


def _found_in(folder: Path, sought: bytes) -> bool:
    return any(sought in file.read_bytes() for file in folder.iterdir())


async def test_a_reader_in_the_way_does_not_fail_dropping(path: Path) -> None:
    """What was dropped goes from the write-ahead log once the reader is out of the way."""
    store = SqliteStore(path)
    marked = span(7, 1600)
    await store.append("a", [started(), marked])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchone()
    await store.drop_audio("a")
    assert len(await replayed(store, "a", audio=True)) == 1
    assert _found_in(path.parent, marked.pcm.tobytes()[:200])
    reader.close()

    async def gone() -> bool:
        return not _found_in(path.parent, marked.pcm.tobytes()[:200])

    assert await until(gone)
    assert await store.append("a", [gap(1)]) == 3
    assert store._writer.execute("PRAGMA busy_timeout").fetchone() == (5000,)
    await store.close()
