"""The audit log: a chain for each practice, and one for the house, kept among the records of any store.

Whoever wants something recorded calls `AuditTrail.append(practice, Deed(...))`, or `append_surely` where it has been
done already. What comes in by HTTP is recorded by `audit_gate.py` alone, by its table: routes call nothing here.

A chain is one for all nodes, not one for each: what a node did is missed where its entry is taken out, and a practice
reads one list. Its entries are records named by their numbers, each written only where there is none of that number,
so of two nodes that append at the same time one takes the next number; no store needs to know of chains. A thousand
entries are a kind of records, so that the newest are read without the others.

That the end of a chain is cut off is noticed by heads that are noted: in the store every 32 entries and at the end,
and after each append in a file of the data folder. Whoever can write the store and that file on every node can cut
off what came after a head that was noted nowhere else, and nothing here would show it; `sameday audit verify` prints
the head, to be kept where they cannot.

Where entries are deleted by age (`audit_pruning.py`), the chain begins after the last of them; up to where that was
is noted in the folder too, at each sweep with the head that the store has then.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from streaming import audit_heads, wall_clock
from streaming.audit_chain import (
    ROLLED_BACK,
    Broken,
    Deed,
    Entry,
    Head,
    Reach,
    begins_early,
    first_broken,
    linked,
    restored,
    start,
    told,
)
from streaming.errors import Conflict, Overloaded, StoreFailed, UnknownRecord
from streaming.ports import Records

log = logging.getLogger("sameday.audit")

_BLOCK = 1000
_HEAD_EVERY = 32
_NOT_NOTED = "how far the audit log reaches could not be noted: %s"
RETRY_S = 5.0
_PENDING_AT_MOST = 1000
"""Deeds that could not be written down yet; past it nothing more is done that would have to be."""


class AuditTrail:
    """Appends to the chains and reads them; any process of the house may. Used on one event loop."""

    def __init__(self, records: Records, folder: Path | None = None, *, by_age: bool = False) -> None:
        """`folder` is where heads are noted beside the store; `by_age` says that old entries are deleted."""
        self.records = records
        """Where the entries lie."""
        self._folder = folder
        self._by_age = by_age
        self._heads: dict[str, Head] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._pending: deque[tuple[str, Deed]] = deque()
        self._failed_at = -RETRY_S

    @property
    def pending(self) -> int:
        """How many deeds wait to be written down, since the store was away."""
        return len(self._pending)

    @property
    def heads(self) -> dict[str, Head]:
        """The newest entries as this process knows them, by chain."""
        return dict(self._heads)

    async def append(self, practice: str, deed: Deed) -> Entry:
        """Write a deed down; returns once it is durable. Raises StoreFailed: then it is not known to be there."""
        async with self._locks.setdefault(practice, asyncio.Lock()):
            while True:
                head = self._heads.get(practice) or await self._find_head(practice)
                entry = linked(head, deed)
                try:
                    await self.records.put(*place(practice, entry.number), entry.as_json(), version=0)
                except Conflict:  # another node was quicker
                    self._heads.pop(practice, None)
                    continue
                except BaseException:
                    self._heads.pop(practice, None)
                    raise
                self._heads[practice] = Head(entry.number, entry.hash)
                break
        await self._note(practice, entry)
        return entry

    async def append_surely(self, practice: str, deed: Deed) -> None:
        """Write down what has been done; where the store is away it waits, and is tried again soon."""
        self._pending.append((practice, deed))
        if time.monotonic() - self._failed_at < RETRY_S:
            return  # a store that hangs must not hold up everybody in turn
        try:
            await self.catch_up()
        except StoreFailed as error:
            self._failed_at = time.monotonic()
            log.error("the audit log could not be written, %d wait: %s", len(self._pending), error.code)

    async def catch_up(self) -> None:
        """Write down what waits. Raises StoreFailed."""
        while self._pending:
            practice, deed = self._pending.popleft()
            try:
                await self.append(practice, deed)
            except BaseException:
                self._pending.appendleft((practice, deed))
                raise

    def check_room(self) -> None:
        """Raises Overloaded where so much waits to be written down that nothing more may be done."""
        if len(self._pending) >= _PENDING_AT_MOST:
            raise Overloaded("The audit log cannot be written.", mend="Try again once the store is back.")

    async def newest(self, practice: str, before: int | None = None) -> AsyncIterator[Entry]:
        """Entries from the newest on backwards, or from the one before a number. Raises StoreFailed."""
        last = (await self._find_head(practice)).number if before is None else before - 1
        begin = await self.begin(practice)
        first = 1 if begin is None else begin.number + 1
        for block in range(last // _BLOCK, first // _BLOCK - 1, -1):
            for one in reversed(await self._block(practice, block)):
                if first <= one.number <= last:
                    yield one

    async def verify(self, practice: str) -> tuple[Head, Broken | None]:
        """The end of a chain, and its first link that does not hold. Raises StoreFailed."""
        here, known = None, None
        if self._folder is not None:
            here = await asyncio.to_thread(audit_heads.read, self._folder, practice)
            known = await asyncio.to_thread(audit_heads.read_reach, self._folder, practice)
        noted = [one for one in (await self._noted(practice), here) if one is not None]
        last = max((one.number for one in noted), default=0)
        while True:
            begin = await self.begin(practice)
            entries = await self._all_after(practice, begin, last)
            if await self.begin(practice) == begin:  # else what is missing may have been deleted meanwhile
                break
        head, broken = await asyncio.to_thread(first_broken, practice, entries, noted, begin)
        if begin is not None and begins_early(begin, known, by_age=self._by_age):
            broken = Broken(begin.number, "early")
        return head, broken

    async def _all_after(self, practice: str, begin: Head | None, last: int) -> list[Entry]:
        """All entries after the beginning, at least up to the block of the last one that is known of."""
        entries: list[Entry] = []
        block = begin.number // _BLOCK if begin is not None else 0
        while (found := await self._block(practice, block)) or block <= last // _BLOCK:
            entries += [one for one in found if begin is None or one.number > begin.number]
            block += 1
        return entries

    async def begin(self, practice: str) -> Head | None:
        """The last entry of a chain that was deleted by age; None where none was. Raises StoreFailed."""
        with contextlib.suppress(UnknownRecord):
            return Head(**(await self.records.get(BEGIN_KIND, practice)).body)
        return None

    async def rolled_back(self, practice: str) -> bool:
        """Whether the store holds less of a chain than was noted in the folder: it was put back to an older state, or
        the oldest entries are gone as if by age.

        The chain gets an entry that says so, once, since where it has grown past that head it shows it no more. Else
        its head and its beginning are noted in the folder, which other nodes may have moved. Raises StoreFailed.
        """
        if self._folder is None:
            return False
        noted = await asyncio.to_thread(audit_heads.read, self._folder, practice)
        known = await asyncio.to_thread(audit_heads.read_reach, self._folder, practice)
        begin = await self.begin(practice)
        early = begins_early(begin, known, by_age=self._by_age)
        less = noted is not None and (early or not await self._holds(practice, noted, begin))
        if less and noted is not None:
            deed = told(ROLLED_BACK, noted, wall_clock.utc())
            if not await self._says(practice, deed):
                await self.append(practice, deed)
        head = await self._find_head(practice)
        if not less:
            await self._note_here(practice, head)
        await self.note_reach(practice, Reach(0 if begin is None else begin.number, head.number))
        return less

    async def note_reach(self, practice: str, reach: Reach) -> None:
        """Note in the folder up to where a chain was deleted by age, and its newest entry."""
        if self._folder is not None:
            try:
                await asyncio.to_thread(audit_heads.write_reach, self._folder, practice, reach)
            except OSError as error:
                log.error(_NOT_NOTED, type(error).__name__)

    async def oldest(self, practice: str, until: str) -> AsyncIterator[Entry]:
        """Entries from the oldest on that lies in the store, up to the first one of that time or later (ISO 8601)."""
        limit, last = datetime.fromisoformat(until), (await self._find_head(practice)).number
        for block in range(last // _BLOCK + 1):
            for one in await self._block(practice, block):
                if datetime.fromisoformat(one.deed.at) >= limit:
                    return
                yield one

    async def _holds(self, practice: str, head: Head, begin: Head | None) -> bool:
        if begin is not None and head.number <= begin.number:
            return head.number < begin.number or head.hash == begin.hash  # of what came before nothing can be said
        entries = await self._block(practice, head.number // _BLOCK)
        return any((one.number, one.hash) == (head.number, head.hash) for one in entries)

    async def _says(self, practice: str, deed: Deed) -> bool:
        """Whether an entry among the newest thousand says the same."""
        looked = 0
        async for one in self.newest(practice):
            if (one.deed.action, one.deed.subject) == (deed.action, deed.subject):
                return True
            looked += 1
            if looked == _BLOCK:
                break
        return False

    async def chains(self) -> list[str]:
        """The chains that have been begun, by name. Raises StoreFailed."""
        return sorted(one.key for one in await self.records.all(_HEAD_KIND))

    async def chains_known(self) -> list[str]:
        """Those, and others of which a head was noted in the folder. Raises StoreFailed."""
        noted = [] if self._folder is None else await asyncio.to_thread(audit_heads.chains, self._folder)
        return sorted({*noted, *await self.chains()})

    async def close(self) -> None:
        """Write down what waits, and note the heads in the store, as far as it is there."""
        with contextlib.suppress(StoreFailed):
            await self.catch_up()
            for practice, head in self._heads.items():
                await self._note_in_store(practice, head)

    async def _find_head(self, practice: str) -> Head:
        """The newest entry, looked for from the last head that was noted on."""
        known = [start(practice), await self.begin(practice), await self._noted(practice)]
        head = max((one for one in known if one is not None), key=lambda one: one.number)
        block = (head.number + 1) // _BLOCK
        while found := await self._block(practice, block):
            if found[-1].number > head.number:
                head = Head(found[-1].number, found[-1].hash)
            block += 1
        return head

    async def _block(self, practice: str, block: int) -> list[Entry]:
        found = await self.records.all(place(practice, block * _BLOCK)[0])
        try:
            return [restored(one.body) for one in found]
        except (KeyError, TypeError):
            raise StoreFailed("An entry of the audit log cannot be read.", mend="Was it made by hand?") from None

    async def _noted(self, practice: str) -> Head | None:
        with contextlib.suppress(UnknownRecord):
            return Head(**(await self.records.get(_HEAD_KIND, practice)).body)
        return None

    async def _note(self, practice: str, entry: Entry) -> None:
        """Note the head elsewhere; what was done is written down even where that fails."""
        head = Head(entry.number, entry.hash)
        await self._note_here(practice, head)
        if entry.number == 1 or entry.number % _HEAD_EVERY == 0:  # by the first the chain is known to be there
            with contextlib.suppress(StoreFailed):
                await self._note_in_store(practice, head)

    async def _note_here(self, practice: str, head: Head) -> None:
        if self._folder is not None and head.number:
            try:
                await asyncio.to_thread(audit_heads.write, self._folder, practice, head)
            except OSError as error:
                log.error(_NOT_NOTED, type(error).__name__)

    async def _note_in_store(self, practice: str, head: Head) -> None:
        await self.records.put(_HEAD_KIND, practice, {"number": head.number, "hash": head.hash})


_HEAD_KIND = "@audit:head"
BEGIN_KIND = "@audit:begin"
"""Where chains begin of which the oldest entries were deleted."""


def place(practice: str, number: int) -> tuple[str, str]:
    """The kind and the key of an entry; no name of a practice holds ":" or "@"."""
    return f"@audit:{practice}:{number // _BLOCK}", f"{number:09d}"
