"""Entries of the audit log that are older than they must be kept are deleted, and the chain still holds.

In this order, so that a deletion that is cut off holds too: an entry says up to where older ones go, with that one's
hash; it is noted that the chain begins there; then they are deleted. A beginning is only ever moved on, by whichever
node is first.
"""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from itertools import groupby

from streaming import wall_clock
from streaming.audit_chain import PRUNED, Head, Reach, start, told
from streaming.audit_trail import BEGIN_KIND, AuditTrail, place
from streaming.errors import Conflict, UnknownRecord
from streaming.ports import Records

_AT_ONCE = 256
_PAUSE_S = 0.02
"""Sessions' audio is written by the same thread, and the first deletion may be one of years."""


async def prune(trail: AuditTrail, practice: str, days: float) -> int:
    """Delete a chain's entries of before so many days, in whole days (UTC); how many. Raises StoreFailed.

    What is left of a deletion that was cut off goes with the next.
    """
    now = datetime.fromisoformat(wall_clock.utc()).astimezone(UTC)
    until = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    due, last = list[int](), start(practice)
    async for one in trail.oldest(practice, until.isoformat()):
        due.append(one.number)
        last = Head(one.number, one.hash)
    begin = await trail.begin(practice)
    if due and (begin is None or last.number > begin.number):
        await trail.append(practice, told(PRUNED, last, wall_clock.utc()))
        await trail.note_reach(practice, Reach(last.number, last.number))
        await _begin_after(trail.records, practice, last)
    for kind, numbers in groupby(due, lambda number: place(practice, number)[0]):
        keys = [place(practice, number)[1] for number in numbers]
        for at in range(0, len(keys), _AT_ONCE):
            await trail.records.remove_all(kind, keys[at : at + _AT_ONCE])
            await asyncio.sleep(_PAUSE_S)
    return len(due)


async def _begin_after(records: Records, practice: str, last: Head) -> None:
    while True:
        try:
            known = await records.get(BEGIN_KIND, practice)
        except UnknownRecord:
            known = None
        if known is not None and known.body["number"] >= last.number:
            return
        with contextlib.suppress(Conflict):
            body = {"number": last.number, "hash": last.hash}
            await records.put(BEGIN_KIND, practice, body, version=0 if known is None else known.version)
            return
