"""Backup, restore and a new key through the command line, on real files."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from store_contract import gap, replayed, span, started

from streaming import cli
from streaming.engines import open_store
from streaming.key_source import KeyFile
from streaming.settings import load

pytestmark = pytest.mark.loopback


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Choose a data folder by name; all of them have one key."""
    monkeypatch.setenv("SAMEDAY_KEY_FILE", str(tmp_path / "key" / "master.key"))

    def chosen(name: str) -> Path:
        monkeypatch.setenv("SAMEDAY_DATA_DIR", str(tmp_path / name))
        return tmp_path / name

    return chosen


def written(*, open_meanwhile: Callable[[], int] | None = None) -> int:
    async def write() -> int:
        store = open_store(load())
        await store.append("a", [started(), span(1), gap(2)])
        status = await asyncio.to_thread(open_meanwhile) if open_meanwhile else 0
        await store.append("a", [gap(3)])
        await store.close()
        return status

    return asyncio.run(write())


def read() -> list[int]:
    async def numbers() -> list[int]:
        store = open_store(load())
        try:
            return [one.sequence for one in await replayed(store, "a", audio=True)]
        finally:
            await store.close()

    return asyncio.run(numbers())


def test_a_backup_of_a_log_in_use_is_restored_where_there_is_none(
    use: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use("one")
    backup = tmp_path / "backup"
    assert written(open_meanwhile=lambda: cli.main(["backup", str(backup)])) == 0
    key = (tmp_path / "key" / "master.key").read_bytes().strip()
    assert key not in backup.read_bytes()
    assert span(1).pcm.tobytes()[:64] not in backup.read_bytes()
    assert backup.stat().st_mode & 0o077 == 0
    assert cli.main(["backup", str(backup)]) == 2
    assert cli.main(["restore", str(backup)]) == 2
    assert "already" in capsys.readouterr().err
    use("other")
    assert cli.main(["restore", str(backup)]) == 0
    assert read() == [1, 2, 3]
    (tmp_path / "none").write_text("no log")
    use("third")
    assert cli.main(["restore", str(tmp_path / "none")]) != 0
    assert not (tmp_path / "third" / "log.sqlite3").exists()


def test_a_new_key_takes_the_place_of_the_old_one(use: Callable[[str], Path], tmp_path: Path) -> None:
    use("one")
    written()
    source = KeyFile(tmp_path / "key" / "master.key")
    (old,) = source.read(make=False)
    assert cli.main(["key", "rotate"]) == 0
    assert source.read(make=False)[1:] == [old]
    assert cli.main(["key", "rotate", "--forget"]) == 0
    assert len(source.read(make=False)) == 1
    assert read() == [1, 2, 3, 4]
