"""The log in one SQLite file: the default store, for one node.

Durable means: the transaction is committed in WAL mode with synchronous=FULL, so the write-ahead log has been
fsynced before the future of an append resolves (sqlite.org/pragma.html#pragma_synchronous). One thread writes; what
has queued up while it was busy goes into one transaction, so the cost of an fsync is shared by all sessions.
Another thread reads, in batches that each take a short read transaction: a slow reader never holds a checkpoint up.
"""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streaming.errors import StoreFailed
from streaming.events import AudioSpan, Event, Stored, encode, restore

_GROUP = 1024  # appends in one transaction at most: bounds how long the first of them waits for the last
_BATCH = 256  # events per read; with 200 ms of audio each that is 1.6 MB
_DROPPED = 256  # audio spans deleted in one transaction, which other sessions' appends share and wait for

# Applied in order, each in a transaction of its own with the number that it leads to. Never change one: add one.
# Audio has a table of its own, so that a replay without it reads none of its pages. `head` is kept, not computed,
# since dropped audio must not free its numbers.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE session (key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
        " head INTEGER NOT NULL)",
        "CREATE TABLE event (session INTEGER NOT NULL REFERENCES session, sequence INTEGER NOT NULL,"
        " body TEXT NOT NULL, PRIMARY KEY (session, sequence)) WITHOUT ROWID",
        "CREATE TABLE audio (session INTEGER NOT NULL REFERENCES session, sequence INTEGER NOT NULL,"
        " body TEXT NOT NULL, samples BLOB NOT NULL, PRIMARY KEY (session, sequence))",
    ),
    (
        "CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,"
        " body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID",
    ),
)

_EVENTS = "SELECT sequence, body, x'' FROM event WHERE session = :key AND sequence > :after"
_AUDIO = "SELECT sequence, body, samples FROM audio WHERE session = :key AND sequence > :after"
_HOLDS = "EXISTS (SELECT 1 FROM event WHERE event.session = session.key AND json_extract(body, '$.type') = ?)"
_LEFT_OPEN = f"SELECT id FROM session WHERE NOT ({_HOLDS} AND {_HOLDS}) ORDER BY key"
_WITH_AUDIO = "SELECT id FROM session WHERE key IN (SELECT DISTINCT session FROM audio) ORDER BY key"


@dataclass(frozen=True, slots=True)
class _Append:
    """Work for the writer; the result is the last sequence number."""

    session: str
    events: Sequence[Event]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[int]"


@dataclass(frozen=True, slots=True)
class _DropAudio:
    """Work for the writer: some of a session's audio; the result is how many spans that was, 0 when none is left."""

    session: str
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[int]"


Step = Callable[[sqlite3.Connection], int]
"""Part of a transaction that other sessions' steps share: it must not raise but for failures of the file."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Work for the writer; the result is the step's. `wipes`: what it deletes must be gone from all files."""

    step: Step
    wipes: bool
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[int]"


_Work = _Append | _DropAudio | _Change
_Outcome = tuple[_Work, int | Exception]


class SqliteStore:
    """Implements `ports.Store`. Opening makes the folder (0700) and the file (0600). Raises StoreFailed.

    The queue needs no bound of its own: every caller waits for its append, so it holds one batch per caller. A
    cancelled append may still be in the log. Any process may open the file at the same time; numbers stay dense.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._closed = False
        self._busy_timeout_s = busy_timeout_s
        with _failures():
            _make_private(path)
            self._writer = _connect(path, busy_timeout_s)
            try:
                _migrate(self._writer)
                self._reader = _connect(path, busy_timeout_s)
            except BaseException:
                self._writer.close()
                raise
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="log-read")
        self._thread = threading.Thread(target=self._write_all, name="log-write", daemon=True)
        self._thread.start()

    async def append(self, session: str, events: Sequence[Event]) -> int:
        loop = asyncio.get_running_loop()
        return await self._submit(_Append(session, events, loop, loop.create_future()))

    async def drop_audio(self, session: str) -> None:
        loop = asyncio.get_running_loop()
        while await self._submit(_DropAudio(session, loop, loop.create_future())):
            pass

    async def replay(self, session: str, after: int = 0, *, audio: bool = False) -> AsyncIterator[Stored]:
        loop = asyncio.get_running_loop()
        while batch := await loop.run_in_executor(self._open_reader(), self._read, session, after, audio):
            for stored in batch:
                yield stored
            after = batch[-1].sequence

    async def sessions(self) -> list[str]:
        return await asyncio.get_running_loop().run_in_executor(self._open_reader(), self._read_sessions)

    async def left_open(self) -> list[str]:
        return [str(row[0]) for row in await self.query(_LEFT_OPEN, ["SessionEnded", "NoteDrafted"])]

    async def with_audio(self) -> list[str]:
        return [str(row[0]) for row in await self.query(_WITH_AUDIO, [])]

    async def change(self, step: Step, *, wipes: bool = False) -> int:
        """Run a step on the writing thread; its result once it is durable. Raises StoreFailed."""
        loop = asyncio.get_running_loop()
        return await self._submit(_Change(step, wipes, loop, loop.create_future()))

    async def query(self, statement: str, parameters: Sequence[str]) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, read on the reading thread. Raises StoreFailed."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._open_reader(), self._rows, statement, parameters)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._reading.shutdown)
        self._reader.close()

    async def _submit(self, work: _Work) -> int:
        if self._closed:
            raise StoreFailed("The store is closed.")
        self._queue.put(work)
        return await work.done

    def _open_reader(self) -> ThreadPoolExecutor:
        if self._closed:
            raise StoreFailed("The store is closed.")
        return self._reading

    # On the reading thread

    def _read(self, session: str, after: int, audio: bool) -> list[Stored]:
        with _failures():
            row = self._reader.execute("SELECT key FROM session WHERE id = ?", (session,)).fetchone()
            if row is None:
                return []
            query = f"{_EVENTS} UNION ALL {_AUDIO}" if audio else _EVENTS
            rows = self._reader.execute(
                f"{query} ORDER BY sequence LIMIT :batch", {"key": row[0], "after": after, "batch": _BATCH}
            ).fetchall()
        return [restore(*row) for row in rows]

    def _read_sessions(self) -> list[str]:
        with _failures():
            return [row[0] for row in self._reader.execute("SELECT id FROM session ORDER BY key")]

    def _rows(self, statement: str, parameters: Sequence[str]) -> list[tuple[Any, ...]]:
        with _failures():
            return self._reader.execute(statement, parameters).fetchall()

    # On the writing thread

    def _write_all(self) -> None:
        more = True
        while more:
            group, more = self._next_group()
            if group:
                _resolve(self._write(group))
        self._writer.close()

    def _next_group(self) -> tuple[list[_Work], bool]:
        """What waits now, at least one; False with it once the store is closing and nothing comes after."""
        group: list[_Work] = []
        work = self._queue.get()
        while work is not None:
            group.append(work)
            if len(group) == _GROUP:
                return group, True
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _write(self, group: list[_Work]) -> list[_Outcome]:
        """One transaction for all. Where it fails nothing of it is in the log and nothing is acknowledged."""
        ready, outcomes = _encode_all(group)
        try:
            with _failures():
                self._writer.execute("BEGIN IMMEDIATE")
                results = [(work, step(self._writer)) for work, step in ready]
                self._writer.execute("COMMIT")
        except Exception as failure:
            self._roll_back()
            return outcomes + [(work, _copy(failure)) for work, _ in ready]
        if any(_wipes(work, result) for work, result in results):
            self._empty_write_ahead_log()
        return outcomes + list(results)

    def _empty_write_ahead_log(self) -> None:
        """Dropped audio is overwritten in the file, and stays in the log of writes until that is cut short.

        A reader in the way is waited for a moment only, since appends wait too; closing does it in any case.
        """
        with suppress(sqlite3.Error):
            self._writer.execute("PRAGMA busy_timeout = 100")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with suppress(sqlite3.Error):
            self._writer.execute(f"PRAGMA busy_timeout = {round(self._busy_timeout_s * 1000)}")

    def _roll_back(self) -> None:
        # Where SQLite has rolled back on its own there is nothing to do; the next BEGIN says whether it can go on.
        with suppress(sqlite3.Error):
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")


def _wipes(work: _Work, result: int) -> bool:
    """Whether something was deleted that must not stay in the write-ahead log."""
    return (isinstance(work, _DropAudio) and result == 0) or (isinstance(work, _Change) and work.wipes)


def _encode_all(group: list[_Work]) -> tuple[list[tuple[_Work, Step]], list[_Outcome]]:
    """Each work as a step of the transaction; one whose events cannot be encoded fails alone."""
    ready: list[tuple[_Work, Step]] = []
    failed: list[_Outcome] = []
    for work in group:
        if isinstance(work, _DropAudio):
            ready.append((work, _dropping(work.session)))
            continue
        if isinstance(work, _Change):
            ready.append((work, work.step))
            continue
        try:
            encoded = [(isinstance(event, AudioSpan), *encode(event)) for event in work.events]
            work.session.encode()
        except Exception as failure:
            failed.append((work, failure))
        else:
            ready.append((work, _appending(work.session, encoded)))
    return ready, failed


def _appending(session: str, encoded: list[tuple[bool, str, bytes]]) -> Step:
    def step(database: sqlite3.Connection) -> int:
        row = database.execute("SELECT key, head FROM session WHERE id = ?", (session,)).fetchone()
        if not encoded:
            return int(row[1]) if row else 0
        if row is None:
            key = database.execute("INSERT INTO session (id, head) VALUES (?, 0)", (session,)).lastrowid
            row = (key, 0)
        key, head = row
        numbered = [(key, number, *entry) for number, entry in enumerate(encoded, head + 1)]
        database.executemany(
            "INSERT INTO audio (session, sequence, body, samples) VALUES (?, ?, ?, ?)",
            [(k, number, body, samples) for k, number, is_audio, body, samples in numbered if is_audio],
        )
        database.executemany(
            "INSERT INTO event (session, sequence, body) VALUES (?, ?, ?)",
            [(k, number, body) for k, number, is_audio, body, _ in numbered if not is_audio],
        )
        database.execute("UPDATE session SET head = ? WHERE key = ?", (head + len(encoded), key))
        return int(head) + len(encoded)

    return step


def _dropping(session: str) -> Step:
    def step(database: sqlite3.Connection) -> int:
        deleted = database.execute(
            "DELETE FROM audio WHERE rowid IN (SELECT audio.rowid FROM audio JOIN session"
            " ON session.key = audio.session WHERE session.id = ? LIMIT ?)",
            (session, _DROPPED),
        )
        return deleted.rowcount

    return step


def _copy(failure: Exception) -> StoreFailed:
    """One exception per waiting caller: each gets a traceback of its own."""
    if isinstance(failure, StoreFailed):
        return StoreFailed(failure.message, mend=failure.mend)
    return StoreFailed(f"The log could not be written ({type(failure).__name__}).")


def _resolve(outcomes: list[_Outcome]) -> None:
    """Hand the results to their loops, with one wake-up per loop."""
    for loop in {work.loop for work, _ in outcomes}:
        mine = [outcome for outcome in outcomes if outcome[0].loop is loop]
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, mine)


def _settle(outcomes: list[_Outcome]) -> None:
    for work, outcome in outcomes:
        if work.done.done():  # cancelled
            continue
        if isinstance(outcome, Exception):
            work.done.set_exception(outcome)
        else:
            work.done.set_result(outcome)


def _connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        # Deleted audio is overwritten, not only unlinked from the tables.
        database.execute("PRAGMA secure_delete = ON")
    except BaseException:
        database.close()
        raise
    return database


def _migrate(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    version = int(database.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()[0])
    if version > len(_MIGRATIONS):
        database.execute("ROLLBACK")
        raise StoreFailed(
            f"The log was written by a newer version (schema {version}, this one knows {len(_MIGRATIONS)}).",
            mend="Start the newer version, or choose another data_dir.",
        )
    for number, statements in enumerate(_MIGRATIONS[version:], version + 1):
        for statement in statements:
            database.execute(statement)
        database.execute("INSERT INTO schema_version VALUES (?)", (number,))
    database.execute("COMMIT")


def _make_private(path: Path) -> None:
    """The folder for its owner only, and the file; SQLite gives its side files the file's mode."""
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)  # SQLite syncs the folder of its file, but not that folder's own entry
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_MENDS = {
    "SQLITE_FULL": "Free disk space.",
    "SQLITE_BUSY": "Another process holds the log: end it.",
    "SQLITE_NOTADB": "The file is not a log: move it away or choose another data_dir.",
    "SQLITE_CORRUPT": "The log is damaged: stop, keep a copy, and recover it with sqlite3's .recover.",
    "SQLITE_READONLY": "Make the file writable.",
    "SQLITE_CANTOPEN": "Make the folder writable.",
}


@contextmanager
def _failures() -> Iterator[None]:
    """SQLite's and the file system's errors as StoreFailed, by code: their texts may quote what was stored."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
        primary = "_".join(code.split("_")[:2])
        raise StoreFailed(f"The log could not be used ({code}).", mend=_MENDS.get(primary, "")) from None
    except OSError as error:
        raise StoreFailed(f"The log could not be opened: {os.strerror(error.errno or 0)}.") from None
