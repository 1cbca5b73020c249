"""The audit log's entries and how each is chained to the one before. Pure.

An entry's hash is the SHA-256 of its canonical JSON (keys sorted, no spaces, only ASCII), which holds the hash of the
entry before it; the first is chained to the chain's name. So whoever changes, removes, adds or moves an entry must
write all later ones anew, and then the newest hash is another than the one that was noted elsewhere. What a chain
alone cannot show is that its end was cut off: that takes a head that was noted (`audit_trail.py`).

A chain whose oldest entries were deleted by age begins after the last of them, and one of its own entries says so,
with that one's hash: a beginning that no entry tells of is a fault.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

HOUSE = "@house"
"""The chain of what concerns all practices: keys, backups, sign-ins of nobody who is known."""

Fault = Literal["missing", "changed", "unlinked", "cut", "untold", "early"]
"""An entry is not there; is not what its hash says; is chained to another; the chain's known end is not there; older
ones are not, and no entry says that they were deleted; or they cannot have been old enough."""
PRUNED = "audit.prune"
"""The action of an entry that says up to where older ones were deleted by age."""
ROLLED_BACK = "audit.rolled_back"
"""The action of an entry that says that the chain had been longer once, and up to where."""

FAULTS: dict[Fault, str] = {
    "missing": "is missing",
    "changed": "was changed",
    "unlinked": "does not follow from the one before it",
    "cut": "was the newest once and is not there any more",
    "untold": "is the last of those that were deleted, and no entry says so",
    "early": "is said to be the last of those deleted by age, which by what was noted here it cannot be",
}
"""A fault in words, after `entry 7`."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Who saw or changed what, without any content: codes and ids alone.

    `actor` is a login, or "" for the one user of a machine without accounts; `way` says how they came. `action` is a
    word of `audit_rules.py`, `kind` and `subject` say of what: `session` and its id. `outcome` is `done`, or how it
    was refused. `source` is a network address, where that matters.
    """

    at: str
    actor: str
    role: str
    way: str
    action: str
    kind: str = ""
    subject: str = ""
    outcome: str = "done"
    source: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in its chain: `number` counts from 1, `previous` is the hash of the entry before."""

    number: int
    previous: str
    deed: Deed
    hash: str

    def as_json(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {"number": self.number, **asdict(self.deed), "previous": self.previous, "hash": self.hash}


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain as it was noted; number 0 is that of an empty one."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The last entry that was deleted by age, 0 where none was, and the newest one, as both were noted."""

    deleted: int
    newest: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link that does not hold."""

    number: int
    fault: Fault

    @property
    def says(self) -> str:
        """In words."""
        return f"entry {self.number} {FAULTS[self.fault]}"


def start(chain: str) -> Head:
    """The head of a chain that holds nothing yet: no entry of one chain fits into another."""
    return Head(0, hashlib.sha256(f"sameday audit 1\n{chain}".encode()).hexdigest())


def linked(head: Head, deed: Deed) -> Entry:
    """The entry that follows a head."""
    return Entry(head.number + 1, head.hash, deed, _hash(head.number + 1, head.hash, deed))


def restored(body: dict[str, Any]) -> Entry:
    """The entry of `Entry.as_json`. Raises TypeError, KeyError for what is none."""
    rest = dict(body)
    number, previous, found = rest.pop("number"), rest.pop("previous"), rest.pop("hash")
    return Entry(number, previous, Deed(**rest), found)


def told(action: str, head: Head, at: str) -> Deed:
    """What the server says of the place of a chain that ends with `head`: PRUNED or ROLLED_BACK."""
    return Deed(at, "server", "", "server", action, "audit", f"{head.number}:{head.hash}")


def first_broken(
    chain: str, entries: Iterable[Entry], noted: Sequence[Head] = (), begin: Head | None = None
) -> tuple[Head, Broken | None]:
    """The chain's end and the first link that does not hold, if one does not; `entries` come by number.

    `noted` are heads that the chain must hold, as they were written elsewhere. `begin` is the last entry that was
    deleted by age; what is noted of before it cannot be compared.
    """
    head = begin or start(chain)
    if any(one.number == head.number and one.hash != head.hash for one in noted if one.number):
        return head, Broken(head.number, "changed")
    wanted = {one.number: one.hash for one in noted if one.number > head.number}
    tells = None if begin is None else told(PRUNED, begin, "").subject
    for one in entries:
        if one.deed.action == PRUNED and one.deed.subject == tells:
            tells = None
        if one.number != head.number + 1:
            return head, Broken(head.number + 1, "missing")
        if one.hash != _hash(one.number, one.previous, one.deed):
            return head, Broken(one.number, "changed")
        if one.previous != head.hash:
            return head, Broken(one.number, "unlinked")
        if wanted.pop(one.number, one.hash) != one.hash:
            return head, Broken(one.number, "changed")
        head = Head(one.number, one.hash)
    if begin is not None and tells is not None:
        return head, Broken(begin.number, "untold")
    return head, Broken(min(wanted), "cut") if wanted else None


def begins_early(begin: Head | None, known: Reach | None, *, by_age: bool) -> bool:
    """Whether more of a chain's oldest entries is gone than can have been deleted by age.

    `known` was noted elsewhere at the last sweep: what came after is not a day old. Without `by_age` nothing is
    deleted.
    """
    if begin is None or known is None or begin.number <= known.deleted:
        return False
    return not by_age or begin.number > known.newest


def _hash(number: int, previous: str, deed: Deed) -> str:
    body = {"number": number, "previous": previous, **asdict(deed)}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
