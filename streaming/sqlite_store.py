"""The log in one SQLite file: the default store, for one node.

Durable means: the transaction is committed in WAL mode with synchronous=FULL, so the write-ahead log has been
fsynced before the future of an append resolves (sqlite.org/pragma.html#pragma_synchronous). One thread writes; what
has queued up while it was busy goes into one transaction, so the cost of an fsync is shared by all sessions.
Another thread reads, in batches that each take a short read transaction: a slow reader never holds a checkpoint up.
With a vault what is written is sealed, on the writing thread, where its sequence number is known.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streaming import envelope, sqlite_steps
from streaming.errors import Overtaken, SessionPurged, StoreFailed
from streaming.events import Event, Stored
from streaming.ports import Record
from streaming.sqlite_file import connect, failures, make_private
from streaming.sqlite_keys import SqliteKeys
from streaming.sqlite_schema import migrate
from streaming.sqlite_steps import OVERTAKEN, PURGED, Step
from streaming.vault import Vault

_GROUP = 1024  # appends in one transaction at most: bounds how long the first of them waits for the last
_EMPTY_EACH_S = 0.5
_BATCH = 256  # events per read; with 200 ms of audio each that is 1.6 MB

_EVENTS = "SELECT sequence, body FROM event WHERE session = :key AND sequence > :after"
_AUDIO = "SELECT sequence, samples FROM audio WHERE session = :key AND sequence > :after"
_HOLDS = "EXISTS (SELECT 1 FROM event WHERE event.session = session.key AND kind = ?)"
_LEFT_OPEN = f"SELECT id FROM session WHERE NOT purged AND NOT ({_HOLDS} AND {_HOLDS}) ORDER BY key"
_WITH_AUDIO = "SELECT id FROM session WHERE key IN (SELECT DISTINCT session FROM audio) ORDER BY key"


@dataclass(frozen=True, slots=True)
class _Append:
    """Work for the writer; the result is the last sequence number."""

    session: str
    events: Sequence[Event]
    on: int | None
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[int]"


@dataclass(frozen=True, slots=True)
class _DropAudio:
    """Work for the writer: some of a session's audio; the result is how many spans that was, 0 when none is left."""

    session: str
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[int]"


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

    def __init__(self, path: Path, vault: Vault | None = None, *, busy_timeout_s: float = 5.0) -> None:
        self.keys = SqliteKeys(vault)
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._closed = False
        self._busy_timeout_s = busy_timeout_s
        with failures():
            make_private(path)
            self._writer = connect(path, busy_timeout_s)
            try:
                migrate(self._writer)
                self.keys.open(self._writer)
                self._reader = connect(path, busy_timeout_s)
                # That of a process that was killed may hold what it had just deleted.
                self._to_empty = not self._empty_write_ahead_log()
            except BaseException:
                self._writer.close()
                raise
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="log-read")
        self._thread = threading.Thread(target=self._write_all, name="log-write", daemon=True)
        self._thread.start()

    async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
        loop = asyncio.get_running_loop()
        return _written(await self._submit(_Append(session, events, on, loop, loop.create_future())))

    async def drop_audio(self, session: str) -> None:
        loop = asyncio.get_running_loop()
        while await self._submit(_DropAudio(session, loop, loop.create_future())):
            pass

    async def rewrite(
        self,
        session: str,
        changes: Mapping[int, Event | None],
        then: Sequence[Event] = (),
        *,
        on: int | None = None,
    ) -> int:
        # Off the event loop: an hour of audio is 115 MB.
        step = await asyncio.to_thread(sqlite_steps.rewriting, self.keys, session, changes, then, on)
        return _written(await self.change(step, wipes=bool(changes)))

    async def purge(self, session: str, receipt: Event, *, on: int | None = None) -> int:
        step = sqlite_steps.purging(self.keys, session, sqlite_steps.entry(receipt), on)
        last = _written(await self.change(step, wipes=True))
        await self.drop_audio(session)
        return last

    async def rewrap(self) -> int:
        return await self.change(self.keys.rewrap, wipes=True)

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

    async def records(self, kind: str, key: str | None = None) -> list[Record]:
        """A kind's records by key, or the one. Raises StoreFailed."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._open_reader(), self._read_records, kind, key)

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
        with failures():
            row = self._reader.execute("SELECT key FROM session WHERE id = ?", (session,)).fetchone()
            if row is None:
                return []
            query = f"{_EVENTS} UNION ALL {_AUDIO}" if audio else _EVENTS
            rows = self._reader.execute(
                f"{query} ORDER BY sequence LIMIT :batch", {"key": row[0], "after": after, "batch": _BATCH}
            ).fetchall()
            data_key = self.keys.to_read(self._reader, envelope.session_scope(session)) if rows else None
        return [envelope.open_event(data_key, session, *one) for one in rows]

    def _read_records(self, kind: str, key: str | None) -> list[Record]:
        named, parameters = ("", [kind]) if key is None else (" AND key = ?", [kind, key])
        with failures():
            rows = self._reader.execute(
                f"SELECT key, version, body FROM record WHERE kind = ?{named} ORDER BY key", parameters
            ).fetchall()
            data_key = self.keys.to_read(self._reader, envelope.records_scope(kind)) if rows else None
        return [envelope.open_record(data_key, kind, *one) for one in rows]

    def _read_sessions(self) -> list[str]:
        with failures():
            return [row[0] for row in self._reader.execute("SELECT id FROM session ORDER BY key")]

    def _rows(self, statement: str, parameters: Sequence[str]) -> list[tuple[Any, ...]]:
        with failures():
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
        work = self._next_work()
        while work is not None:
            group.append(work)
            if len(group) == _GROUP:
                return group, True
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _next_work(self) -> _Work | None:
        """Waits for it; meanwhile what was deleted goes from the write-ahead log, once no reader is in the way."""
        while self._to_empty:
            try:
                return self._queue.get(timeout=_EMPTY_EACH_S)
            except queue.Empty:
                self._to_empty = not self._empty_write_ahead_log()
        return self._queue.get()

    def _write(self, group: list[_Work]) -> list[_Outcome]:
        """One transaction for all. Where it fails nothing of it is in the log and nothing is acknowledged."""
        ready, outcomes = _encode_all(self.keys, group)
        try:
            with failures():
                self._writer.execute("BEGIN IMMEDIATE")
                results = [(work, step(self._writer)) for work, step in ready]
                self._writer.execute("COMMIT")
        except Exception as failure:
            self._roll_back()
            return outcomes + [(work, _copy(failure)) for work, _ in ready]
        self._to_empty = self._to_empty or any(_wipes(work, result) for work, result in results)
        if self._to_empty:
            self._to_empty = not self._empty_write_ahead_log()
        return outcomes + list(results)

    def _empty_write_ahead_log(self) -> bool:
        """Dropped audio is overwritten in the file, and stays in the log of writes until that is cut short.

        A reader in the way is waited for a moment only, since appends wait too: then False, and it is tried
        again with the next write or soon; closing does it in any case.
        """
        emptied = False
        with suppress(sqlite3.Error):
            self._writer.execute("PRAGMA busy_timeout = 100")
            ((busy, _, _),) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            emptied = not busy
        with suppress(sqlite3.Error):
            self._writer.execute(f"PRAGMA busy_timeout = {round(self._busy_timeout_s * 1000)}")
        return emptied

    def _roll_back(self) -> None:
        # Where SQLite has rolled back on its own there is nothing to do; the next BEGIN says whether it can go on.
        with suppress(sqlite3.Error):
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")


def _wipes(work: _Work, result: int) -> bool:
    """Whether something was deleted that must not stay in the write-ahead log."""
    return (isinstance(work, _DropAudio) and result == 0) or (isinstance(work, _Change) and work.wipes)


def _encode_all(keys: SqliteKeys, group: list[_Work]) -> tuple[list[tuple[_Work, Step]], list[_Outcome]]:
    """Each work as a step of the transaction; one whose events cannot be encoded fails alone."""
    ready: list[tuple[_Work, Step]] = []
    failed: list[_Outcome] = []
    for work in group:
        if isinstance(work, _DropAudio):
            ready.append((work, sqlite_steps.dropping(work.session)))
            continue
        if isinstance(work, _Change):
            ready.append((work, work.step))
            continue
        try:
            entries = [sqlite_steps.entry(event) for event in work.events]
            work.session.encode()
        except Exception as failure:
            failed.append((work, failure))
        else:
            ready.append((work, sqlite_steps.appending(keys, work.session, entries, work.on)))
    return ready, failed


def _written(result: int) -> int:
    """The result of a step. Raises SessionPurged, Overtaken."""
    if result == PURGED:
        raise SessionPurged("The session was deleted for good.", mend="Nothing more can be written to it.")
    if result == OVERTAKEN:
        raise Overtaken()
    return result


def _copy(failure: Exception) -> StoreFailed:
    """One exception per waiting caller: each gets a traceback of its own."""
    if isinstance(failure, StoreFailed):
        return type(failure)(failure.message, mend=failure.mend)
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
