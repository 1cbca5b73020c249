"""Entries of the audit log that are older than they must be kept are deleted, and the chain still holds.

In this order, so that a deletion that is cut off holds too: an entry says up to where older ones go, with that one's
hash; it is noted that the chain begins there; then they are deleted. A beginning is only ever moved on, by whichever
node is first.
"""

import contextlib
from datetime import UTC, datetime, timedelta

from streaming import wall_clock
from streaming.audit_chain import PRUNED, Head, told
from streaming.audit_trail import BEGIN_KIND, AuditTrail, place
from streaming.errors import Conflict, UnknownRecord
from streaming.ports import Records


async def prune(trail: AuditTrail, practice: str, days: float) -> int:
    """Delete a chain's entries of before so many days, in whole days (UTC); how many. Raises StoreFailed.

    What is left of a deletion that was cut off goes with the next.
    """
    now = datetime.fromisoformat(wall_clock.utc()).astimezone(UTC)
    until = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    due = [one async for one in trail.oldest(practice, until.isoformat())]
    begin = await trail.begin(practice)
    if due and (begin is None or due[-1].number > begin.number):
        last = Head(due[-1].number, due[-1].hash)
        await trail.append(practice, told(PRUNED, last, wall_clock.utc()))
        await _begin_after(trail.records, practice, last)
    for one in due:
        with contextlib.suppress(UnknownRecord):  # another node was at it too
            await trail.records.remove(*place(practice, one.number))
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
