"""The audit log as people look at it: the newest first, filtered, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streaming.audit_chain import Broken, Deed, Entry, Head
from streaming.audit_trail import AuditTrail

_OLD_IN_A_ROW = 200
"""Clocks of nodes differ: an entry that is too old ends a look only after so many others."""
_LOOKED_THROUGH = 20_000
"""Entries that one look goes through, where few of them are wanted; the next goes on from there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; None wants all. `since` and `until` are ISO 8601 in UTC or beginnings of it, such as a day."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: str | None = None
    until: str | None = None

    def has(self, deed: Deed) -> bool:
        """Whether an entry is wanted; an action also by what stands before its dot, such as `note`."""
        return (
            self.actor in (None, deed.actor)
            and self.action in (None, deed.action, deed.action.partition(".")[0])
            and self.subject in (None, deed.subject)
            and (self.until is None or deed.at[: len(self.until)] <= self.until)
            and not self.too_old(deed)
        )

    def too_old(self, deed: Deed) -> bool:
        """Whether an entry is from before what is asked for."""
        return self.since is not None and deed.at[: len(self.since)] < self.since


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; `next` is what to go on with as `before`, None where there are no more."""

    entries: Sequence[Entry]
    next: int | None

    def as_json(self) -> dict[str, Any]:
        """As the route gives it."""
        return {"entries": [one.as_json() for one in self.entries], "next": self.next}


async def page(trail: AuditTrail, practice: str, wanted: Wanted, *, before: int | None, limit: int) -> Page:
    """The newest entries that are wanted, older than number `before`. Raises StoreFailed."""
    found: list[Entry] = []
    looked = old = 0
    async for one in trail.newest(practice, before):
        old = old + 1 if wanted.too_old(one.deed) else 0
        if old == _OLD_IN_A_ROW:
            break
        if len(found) == limit or looked == _LOOKED_THROUGH:
            return Page(found, one.number + 1)
        looked += 1
        if wanted.has(one.deed):
            found.append(one)
    return Page(found, None)


def chain_json(head: Head, broken: Broken | None, begin: Head | None) -> dict[str, Any]:
    """A chain's state; `deleted` counts its oldest entries, which were deleted by age."""
    return {
        "intact": broken is None,
        "entries": head.number,
        "deleted": 0 if begin is None else begin.number,
        "hash": head.hash,
        "broken": None if broken is None else {"number": broken.number, "fault": broken.fault, "says": broken.says},
    }
