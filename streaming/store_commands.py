"""`sameday key rotate`, `sameday backup` and `sameday restore`: what is done to the log as a whole."""

import argparse
import asyncio
import os
import sqlite3
import sys
from pathlib import Path

from streaming import audit_commands, audit_heads, sole_server
from streaming.audit_chain import HOUSE
from streaming.errors import BadSettings, PeerError, StoreFailed
from streaming.key_source import KeyFile
from streaming.settings import Settings
from streaming.sqlite_file import failures, make_private


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The commands, on the parser of `sameday`."""
    key = commands.add_parser("key", help="the key that the log is encrypted with").add_subparsers(required=True)
    rotate = key.add_parser("rotate", help="a new master key; the data keys are wrapped anew under it")
    rotate.add_argument("--forget", action="store_true", help="keep no older key: backups made before need theirs")
    rotate.set_defaults(run=_rotate)
    backup = commands.add_parser("backup", help="copy the log into a file, also while the server runs")
    backup.add_argument("file", type=Path, help="must not be there yet")
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="put a backup where there is no log yet")
    restore.add_argument("file", type=Path)
    restore.set_defaults(run=_restore)


def _rotate(chosen: argparse.Namespace, settings: Settings) -> int:
    if not settings.encryption:
        raise BadSettings("encryption is switched off: there is no key.")
    source = None if settings.key_command else KeyFile(settings.master_key_file)
    if source is None and chosen.forget:
        raise BadSettings("key_command gives the keys: have it leave out the older ones.")
    if source is not None:
        asyncio.run(_rewrapped(settings))  # whether the key fits is known before another one is made
        source.add()
    count = asyncio.run(_rewrapped(settings))
    if source is not None and chosen.forget:
        if settings.store == "sqlite":
            with sole_server.of(settings.database):  # a server that runs still wraps under the key it has read
                count = asyncio.run(_rewrapped(settings))
                source.keep_first()
        else:
            raise BadSettings("On Redis: restart every node, then take the older keys out of the key file.")
    _record(settings, "key.rotate")
    print(f"{count} data keys are under the key that counts now.")
    return 0


async def _rewrapped(settings: Settings) -> int:
    from streaming.engines import open_store

    store = open_store(settings)
    try:
        return await store.rewrap()
    finally:
        await store.close()


def _backup(chosen: argparse.Namespace, settings: Settings) -> int:
    _need_sqlite(settings)
    if not settings.database.exists():
        raise StoreFailed("There is no log yet.", mend="Check data_dir.")
    _copy(settings.database, chosen.file)
    _record(settings, "backup.make")
    print(f"The log is in {chosen.file}. It holds no master key: keep that apart.")
    return 0


def _restore(chosen: argparse.Namespace, settings: Settings) -> int:
    _need_sqlite(settings)
    if not chosen.file.is_file():
        raise PeerError("There is no such backup.", mend="Name a file that `sameday backup` made.")
    if settings.database.exists():
        raise PeerError("There is a log already.", mend="Move it away, or choose another data_dir.")
    _copy(chosen.file, settings.database)
    asyncio.run(_opened(settings))
    audit_heads.forget(settings.audit_folder)  # what was noted after the backup is not in it
    _record(settings, "backup.restore")
    print(f"The log is at {settings.database}.")
    return 0


async def _opened(settings: Settings) -> None:
    """Whether the key fits what was restored. Raises KeyRefused, which says what to do."""
    from streaming.engines import open_store

    await open_store(settings).close()


def _record(settings: Settings, action: str) -> None:
    """Write down what was done; a backup can be made where there is no key, and is then missed in the audit log."""
    try:
        audit_commands.with_trail(settings, lambda trail: trail.append(HOUSE, audit_commands.by_command(action)))
    except StoreFailed as error:
        print(f"sameday: done, but not written into the audit log: {error}", file=sys.stderr)


def _need_sqlite(settings: Settings) -> None:
    if settings.store != "sqlite":
        raise BadSettings("store: a log on Redis is copied with Redis' own means (docs/privacy.md).")


def _copy(source: Path, target: Path) -> None:
    """A consistent copy of a log, whole or not there at all; never over a file. Raises PeerError, StoreFailed."""
    part = target.with_name(f"{target.name}.part")
    with failures():
        make_private(part)
        found = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
        made = sqlite3.connect(part)
        try:
            if found.execute("SELECT count(*) FROM sqlite_master WHERE name = 'session'").fetchone()[0] != 1:
                raise PeerError("The file is no log.", mend="Name a file that `sameday backup` made.")
            found.backup(made)
            made.execute("PRAGMA journal_mode = DELETE").fetchall()
        finally:
            made.close()
            found.close()
        try:
            os.link(part, target)
        except FileExistsError:
            raise PeerError("There is a file of that name already.", mend="Choose another.") from None
        finally:
            os.unlink(part)
