"""`sameday purge`: sessions deleted for good, by id, by client or by age, each with a receipt."""

import argparse
import asyncio
import json
from datetime import UTC, datetime, timedelta

from streaming import audit_commands, wall_clock
from streaming.deletion import DeletionReceipt, Order, delete_session, receipts
from streaming.errors import PeerError, SamedayError
from streaming.ports import Records, Store
from streaming.scoped import PracticeRecords
from streaming.session_log import SessionLog
from streaming.settings import Settings
from streaming.state import SessionState


def add_purge(parser: argparse.ArgumentParser) -> None:
    """What `sameday purge` takes."""
    parser.add_argument("session", nargs="*", help="ids of sessions")
    parser.add_argument("--client", metavar="CHART", help="all sessions of a client, by the id of the chart")
    parser.add_argument("--older-than", type=float, metavar="DAYS", help="sessions that ended so long ago")
    parser.add_argument("--practice", help="of this practice alone")
    parser.add_argument(
        "--scope", choices=("session", "transcript", "audio"), default="session", help="what of them (all: session)"
    )
    parser.add_argument("--signed-too", action="store_true", help="signed notes as well: look at what the law says")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and delete nothing")
    parser.add_argument("--receipts", action="store_true", help="list what was deleted before instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_purge)


def _purge(chosen: argparse.Namespace, settings: Settings) -> int:
    if not chosen.receipts and not (chosen.session or chosen.client or chosen.older_than is not None):
        raise PeerError("Nothing is named that could be deleted.", mend="Name sessions, --client or --older-than.")
    made, left = asyncio.run(_work(chosen, settings))
    if chosen.json:
        print(json.dumps({"receipts": [one.as_json() for one in made], "left": left, "dry_run": chosen.dry_run}))
    else:
        for one in made:
            print(_line(one))
        for name, code in left.items():
            print(f"{name}  left: {code}")
        if chosen.dry_run:
            print(f"{len(made)} would be deleted; nothing was.")
    return 1 if left else 0


async def _work(chosen: argparse.Namespace, settings: Settings) -> tuple[list[DeletionReceipt], dict[str, str]]:
    from streaming import engines

    store = engines.open_store(settings)
    try:
        records = engines.open_records(store)
        if chosen.receipts:
            return await receipts(PracticeRecords(records, chosen.practice or "local")), {}
        return await _delete(chosen, settings, store, records)
    finally:
        await store.close()


async def _delete(
    chosen: argparse.Namespace, settings: Settings, store: Store, records: Records
) -> tuple[list[DeletionReceipt], dict[str, str]]:
    """Receipts, and the sessions that were left with the code of why."""
    made: list[DeletionReceipt] = []
    left: dict[str, str] = {}
    known = await store.sessions()
    for name in chosen.session or known:
        deed = audit_commands.by_command("session.delete", "session", name)
        try:
            if name not in known:
                raise PeerError("There is no such session.")
            state = await _state(name, store)
            if not _is_meant(state, chosen):
                continue
            order = Order(chosen.scope, "asked", deed.actor, wall_clock.now(), signed_too=chosen.signed_too)
            own = PracticeRecords(records, state.practice)
            made.append(await delete_session(store, own, name, order, dry_run=chosen.dry_run))
        except SamedayError as error:
            left[name] = error.code
            continue
        if not chosen.dry_run:
            await audit_commands.record(records, settings, state.practice, deed)
    return made, left


async def _state(name: str, store: Store) -> SessionState:
    found = SessionLog(name, store)
    await found.catch_up()
    return found.state


def _is_meant(state: SessionState, chosen: argparse.Namespace) -> bool:
    """Whether a session is among those that are asked for; one that is deleted already is only by its id."""
    if chosen.practice is not None and state.practice != chosen.practice:
        return False
    if state.started_at is None:
        return bool(chosen.session)
    if chosen.client is not None and state.client != chosen.client:
        return False
    if chosen.older_than is None:
        return True
    ended = state.ended_at and datetime.fromisoformat(state.ended_at)
    return bool(ended and datetime.now(UTC) - ended >= timedelta(days=chosen.older_than))


def _line(receipt: DeletionReceipt) -> str:
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(receipt.removed.items()))
    state = "" if receipt.done else "  (not finished)"
    return (
        f"{receipt.session}  {receipt.scope:<10} {receipt.at}  {receipt.why} by {receipt.by or '-'}: {counts}{state}"
    )
