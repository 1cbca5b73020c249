"""Appends to a store until it is killed or the store fails, and prints each acknowledgement: `session sequence`."""

import asyncio
import sys
from pathlib import Path

from store_contract import a_vault, gap, span

from streaming.errors import StoreFailed
from streaming.ports import Store
from streaming.redis_store import RedisStore
from streaming.sqlite_store import SqliteStore


async def write(store: Store, session: str) -> None:
    for number in range(100_000):
        head = await store.append(session, [span(number), gap(number)])
        sys.stdout.write(f"{session} {head}\n")
        sys.stdout.flush()


async def main(address: str) -> None:
    store: Store = RedisStore(address, a_vault()) if "://" in address else SqliteStore(Path(address), a_vault())
    await asyncio.gather(*(write(store, f"s{number}") for number in range(4)))


try:
    asyncio.run(main(sys.argv[1]))
except StoreFailed as failure:
    sys.exit(failure.message)
