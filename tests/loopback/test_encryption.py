"""What lies on the disk tells nothing without the key: the raw files are searched, and entries are swapped."""

import asyncio
import base64
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from store_contract import a_vault, assert_log, replayed, span, started

from streaming import doctor, survey
from streaming.errors import KeyRefused, StoreFailed
from streaming.events import ContextGiven, Event, NoteDrafted, SessionEnded
from streaming.key_source import KeyCommand, KeyFile
from streaming.ports import Store
from streaming.settings import Settings
from streaming.sqlite_records import SqliteRecords
from streaming.sqlite_schema import MIGRATIONS
from streaming.sqlite_store import SqliteStore
from streaming.survey import Survey
from streaming.vault import Vault

pytestmark = pytest.mark.loopback

WORD = "Ultramarineflamingo"
"""A word that nobody says: where it is found, something was written as it came."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "log.sqlite3"


def the_key(path: Path) -> KeyFile:
    return KeyFile(path.parent.with_name("keys") / "master.key")


def marked() -> list[Event]:
    """Every kind of content, each with the word."""
    note = {"format": "soap", "sections": [{"name": "Plan", "statements": [{"text": WORD, "provenance": "chart"}]}]}
    return [started(), span(3), ContextGiven(None, {"place": WORD}, {"client": WORD}), NoteDrafted(note)]


def found_in(folder: Path, *sought: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() for one in sought if one in file.read_bytes()]


def samples() -> bytes:
    event = span(3)
    return event.pcm.tobytes()[:64]


def old_file(path: Path) -> None:
    """A file as it was written before there was encryption: the schema's second state, with one of everything."""
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        for number, statements in enumerate(MIGRATIONS[:2], 1):
            for statement in statements:
                assert isinstance(statement, str)
                database.execute(statement)
            database.execute("INSERT INTO schema_version VALUES (?)", (number,))
        database.execute("INSERT INTO session (id, head) VALUES ('a', 3)")
        body = f'{{"type": "StageFailed", "stage": "draft", "code": "{WORD}"}}'
        database.execute("INSERT INTO event VALUES (1, 1, ?)", (body,))
        audio = span(3)
        place = f'{{"type": "AudioSpan", "track": "mic", "start": {audio.start}}}'
        database.execute("INSERT INTO audio VALUES (1, 2, ?, ?)", (place, audio.pcm.tobytes()))
        ended = '{"type": "SessionEnded", "ended_at": "2026-01-31T10:50:00+01:00", "reason": "idle", "totals": []}'
        database.execute("INSERT INTO event VALUES (1, 3, ?)", (ended,))
        database.execute("INSERT INTO record VALUES ('chart', 'c', 4, ?)", (f'{{"client": "{WORD}"}}',))
    database.close()


async def test_no_file_holds_what_was_written(path: Path) -> None:
    store = SqliteStore(path, Vault(the_key(path)))
    await store.append("a", marked())
    await SqliteRecords(store).put("chart", "c", {"client": WORD})
    assert (path.parent / "log.sqlite3-wal").stat().st_size > 0
    assert found_in(path.parent.parent, WORD.encode(), samples()) == []
    await store.close()
    assert found_in(path.parent.parent, WORD.encode(), samples()) == []
    again = SqliteStore(path, Vault(the_key(path)))
    assert_log(await replayed(again, "a", audio=True), marked())
    assert (await SqliteRecords(again).get("chart", "c")).body == {"client": WORD}
    await again.close()


async def test_a_file_from_before_is_encrypted_at_its_first_opening(path: Path) -> None:
    old_file(path)
    assert set(found_in(path.parent, WORD.encode(), samples())) == {"log.sqlite3"}
    store = SqliteStore(path, Vault(the_key(path)))
    found = await replayed(store, "a", audio=True)
    assert [type(one.event).__name__ for one in found] == ["StageFailed", "AudioSpan", "SessionEnded"]
    assert_log(found[1:2], [span(3)], first=2)
    record = await SqliteRecords(store).get("chart", "c")
    assert (record.version, record.body) == (4, {"client": WORD})
    assert await store.left_open() == ["a"]
    assert found_in(path.parent, WORD.encode(), samples()) == []
    await store.close()
    assert found_in(path.parent, WORD.encode(), samples()) == []


def test_a_look_at_a_file_from_before_changes_nothing(path: Path) -> None:
    old_file(path)
    before = path.read_bytes()
    assert survey.of_sqlite(path, Vault(the_key(path))) == Survey(1, 0, encrypted=False)
    assert path.read_bytes() == before
    assert not the_key(path).path.exists()
    settings = Settings(data_dir=path.parent, key_file=the_key(path).path)
    findings = {one.name: one for one in doctor._store(settings)}
    assert (findings["store"].state, "not encrypted; 1 sessions" in findings["store"].says) == ("warn", True)
    assert path.read_bytes() == before
    asyncio.run(SqliteStore(path, Vault(the_key(path))).close())
    assert survey.of_sqlite(path, Vault(the_key(path))) == Survey(1, 0, encrypted=True)
    with pytest.raises(KeyRefused):
        survey.of_sqlite(path, a_vault())


async def test_without_encryption_an_old_file_goes_on_as_it_is(path: Path) -> None:
    old_file(path)
    store = SqliteStore(path)
    assert len(await replayed(store, "a", audio=True)) == 3
    assert await store.append("a", [span(1)]) == 4
    await store.close()


@pytest.mark.parametrize("swap", ["event", "session", "record", "plain"])
async def test_an_entry_in_anothers_place_is_refused(path: Path, swap: str) -> None:
    store = SqliteStore(path, a_vault())
    first = NoteDrafted({"format": "soap"})
    await store.append("a", [first, NoteDrafted({"format": "dap"})])
    await store.append("b", [first])
    records = SqliteRecords(store)
    await records.put("chart", "c", {"client": "C"})
    await records.put("chart", "d", {"client": "D"})
    statement = {
        "event": "UPDATE event SET body = (SELECT body FROM event WHERE sequence = 2) WHERE sequence = 1",
        "session": "UPDATE event SET body = (SELECT body FROM event WHERE session = 2) WHERE session = 1",
        "record": "UPDATE record SET body = (SELECT body FROM record WHERE key = 'd')",
        "plain": 'UPDATE event SET body = CAST(\'{"type": "NoteDrafted", "note": {}}\' || char(10) AS BLOB)',
    }[swap]
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
    with pytest.raises(StoreFailed, match=r"changed or moved|not sealed"):
        await (records.get("chart", "c") if swap == "record" else replayed(store, "a"))
    await store.close()


async def test_a_missing_or_another_key_is_refused_and_none_is_made(path: Path) -> None:
    store = SqliteStore(path, Vault(the_key(path)))
    await store.append("a", [started()])
    await store.close()
    kept = the_key(path).path.rename(path.with_name("kept"))
    with pytest.raises(KeyRefused, match="missing") as missing:
        SqliteStore(path, Vault(the_key(path)))
    assert str(the_key(path).path) in missing.value.mend
    assert not the_key(path).path.exists()
    with pytest.raises(KeyRefused, match="another key"):
        SqliteStore(path, a_vault())
    with pytest.raises(KeyRefused, match="is encrypted"):
        SqliteStore(path)
    kept.rename(the_key(path).path)
    again = SqliteStore(path, Vault(the_key(path)))
    assert_log(await replayed(again, "a"), [started()])
    await again.close()


def test_the_key_file_is_its_owners_alone(path: Path) -> None:
    source = the_key(path)
    (made,) = source.read(make=True)
    assert stat.S_IMODE(source.path.stat().st_mode) == 0o600
    assert source.read(make=True) == [made]
    assert [file.name for file in source.path.parent.iterdir()] == ["master.key"]
    source.path.chmod(0o640)
    with pytest.raises(KeyRefused, match="Others can read"):
        source.read(make=True)


def test_a_command_gives_the_key_and_what_it_says_is_not_shown(tmp_path: Path) -> None:
    key = os.urandom(32)
    (tmp_path / "key").write_text(base64.b64encode(key).decode())
    assert KeyCommand(f"cat {tmp_path / 'key'}").read(make=True) == [key]
    for command, says in (("false", "status 1"), ("echo secret", "no sense"), ("/no/such", "cannot be run")):
        with pytest.raises(KeyRefused, match=says) as failure:
            KeyCommand(command).read(make=True)
        assert "secret" not in str(failure.value)


async def test_after_a_rotation_the_old_key_opens_nothing(path: Path) -> None:
    source = the_key(path)
    store = SqliteStore(path, Vault(source))
    await store.append("a", [started()])
    (old,) = source.read(make=False)
    source.add()
    # A store that is open goes on, and takes up the new key where it meets it.
    other = SqliteStore(path, Vault(source))
    assert await other.rewrap() == 2
    assert await store.append("a", [SessionEnded("2026-01-31T10:50:00+01:00", "idle", ())]) == 2
    await other.close()
    source.keep_first()
    assert old not in source.read(make=False)
    assert [one.sequence for one in await replayed(store, "a")] == [1, 2]
    await store.close()
    source.path.write_text(base64.b64encode(old).decode())
    with pytest.raises(KeyRefused, match="another key"):
        SqliteStore(path, Vault(source))


async def test_a_command_rotates_by_the_key_that_it_gives_first(path: Path) -> None:
    kept = path.with_name("kept")
    path.parent.mkdir()
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))

    def opened(*keys: str) -> SqliteStore:
        kept.write_text("\n".join(keys))
        return SqliteStore(path, Vault(KeyCommand(f"cat {kept}")))

    store = opened(old)
    await store.append("a", [started()])
    await store.close()
    store = opened(new, old)
    assert await store.rewrap() == 2
    await store.close()
    store = opened(new)
    assert_log(await replayed(store, "a"), [started()])
    await store.close()
    with pytest.raises(KeyRefused, match="another key"):
        opened(old)


async def test_what_a_purged_session_held_cannot_be_read_from_a_copy(path: Path) -> None:
    store: Store = SqliteStore(path, a_vault())
    await store.append("a", marked())
    with sqlite3.connect(path) as database:
        before = database.execute("SELECT body FROM event").fetchall()
    database.close()
    await store.purge("a", SessionEnded("2026-01-31T10:50:00+01:00", "requested", ()))
    assert found_in(path.parent, *(bytes(row[0]) for row in before)) == []
    await store.close()
