"""`sameday audit verify|show`, and what other commands write into the audit log."""

import argparse
import asyncio
import getpass
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from streaming import audit_view, wall_clock
from streaming.audit_chain import HOUSE, Broken, Deed, Entry, Head
from streaming.audit_trail import AuditTrail
from streaming.errors import PeerError
from streaming.ports import Records
from streaming.settings import Settings

Found = TypeVar("Found")
_BROKEN = 1


def add_audit(parser: argparse.ArgumentParser) -> None:
    """What `sameday audit` takes."""
    kinds = parser.add_subparsers(required=True, metavar="ACTION")
    verify = kinds.add_parser(
        "verify", help="whether nothing was changed, removed or added; exit status 1 where it was"
    )
    verify.add_argument("--practice", help="its chain alone; all of them unless set")
    verify.add_argument("--json", action="store_true", help="print one JSON object")
    verify.set_defaults(run=_verify)
    show = kinds.add_parser("show", help="who saw or changed what, the newest first")
    show.add_argument(
        "--practice", default="local", help=f'whose; "{HOUSE}" is of keys, backups and strangers (local)'
    )
    show.add_argument("--actor", metavar="LOGIN")
    show.add_argument("--action", help="such as transcript.read, or note for all that is done to notes")
    show.add_argument("--subject", metavar="ID", help="a session, chart, recap or visit")
    show.add_argument("--since", metavar="DATE", help="such as 2026-03-04, in UTC")
    show.add_argument("--until", metavar="DATE", help="the same; that day is in it")
    show.add_argument("--limit", type=int, default=100, help="entries at most (100)")
    show.add_argument("--json", action="store_true", help="print one JSON object")
    show.set_defaults(run=_show)


def _verify(chosen: argparse.Namespace, settings: Settings) -> int:
    async def work(trail: AuditTrail) -> dict[str, tuple[Head, Broken | None, Head | None]]:
        names = [chosen.practice] if chosen.practice else await trail.chains()
        found = {name: (*await trail.verify(name), await trail.begin(name)) for name in names}
        for name in found:
            await trail.append(name, by_command("audit.verify"))
        return found

    found = with_trail(settings, work)
    if chosen.json:
        print(json.dumps({"chains": {name: audit_view.chain_json(*one) for name, one in found.items()}}))
    elif not found:
        print("Nothing has been recorded yet.")
    else:
        for name, (head, broken, begin) in found.items():
            state = broken.says if broken else f"{head.number} entries, intact"
            since = f"; the first {begin.number} were deleted by age" if begin else ""
            print(f"{name}: {state}{since}; head {head.hash}")
    return _BROKEN if any(broken for _, broken, _ in found.values()) else 0


def _show(chosen: argparse.Namespace, settings: Settings) -> int:
    wanted = audit_view.Wanted(chosen.actor, chosen.action, chosen.subject, chosen.since, chosen.until)

    async def work(trail: AuditTrail) -> list[Entry]:
        if chosen.practice not in await trail.chains():
            raise PeerError(
                "Nothing has been recorded of such a practice.", mend="`sameday audit verify` names them."
            )
        found = await audit_view.page(trail, chosen.practice, wanted, before=None, limit=chosen.limit)
        await trail.append(chosen.practice, by_command("audit.read"))
        return list(found.entries)

    found = with_trail(settings, work)
    if chosen.json:
        print(json.dumps({"entries": [one.as_json() for one in found]}))
        return 0
    for one in found:
        print(_line(one.number, one.deed))
    return 0


def _line(number: int, deed: Deed) -> str:
    who = deed.actor or ("the one user" if deed.way == "single" else deed.way or deed.role)
    what = f"{deed.kind} {deed.subject}".strip()
    outcome = "" if deed.outcome == "done" else f"  [{deed.outcome}]"
    source = f"  from {deed.source}" if deed.source else ""
    return f"{number:>7}  {deed.at}  {who:<24} {deed.action:<20} {what}{outcome}{source}".rstrip()


def by_command(action: str, kind: str = "", subject: str = "") -> Deed:
    """What somebody does at the command line, under the name that the machine knows them by."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = ""
    return Deed(wall_clock.utc(), who, "", "command", action, kind, subject)


async def record(records: Records, settings: Settings, practice: str, deed: Deed) -> None:
    """Write down what a command has done. Raises StoreFailed."""
    trail = _trail(records, settings)
    await trail.append(practice, deed)
    await trail.close()


def _trail(records: Records, settings: Settings) -> AuditTrail:
    return AuditTrail(records, settings.audit_folder, by_age=settings.audit_days is not None)


def with_trail(settings: Settings, work: Callable[[AuditTrail], Coroutine[Any, Any, Found]]) -> Found:
    """Something done with the audit log of the store, also while a server runs on it. Raises StoreFailed."""
    from streaming import engines

    async def run() -> Found:
        store = engines.open_store(settings)
        trail = _trail(engines.open_records(store), settings)
        try:
            return await work(trail)
        finally:
            await trail.close()
            await store.close()

    return asyncio.run(run())
