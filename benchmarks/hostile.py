"""Requests that nobody should send, by the ten thousand: `python -m benchmarks.hostile --out out/hostile.json`.

A server with two practices: north has content with marks in it, and all that is sent comes from south's clinician, an
ops account or nobody. No answer may be a 5xx (but 503 with the word to come again), none may hold a mark or an id of
north's, nothing may hang, and the server's log may hold neither marks nor unforeseen errors. Needs the extra `dev`.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import hostile_http, hostile_lines, kept
from benchmarks.hostile_kept import MARK, keep
from benchmarks.hostile_tally import Tally
from benchmarks.hostile_wire import Wire
from benchmarks.two_practices import House, house_of_two

UNLIMITED = {
    "SAMEDAY_REQUESTS_A_MINUTE": "100000000",
    "SAMEDAY_SESSIONS_A_MINUTE": "1000000",
}
"""What would keep the requests from getting anywhere; it is tested by itself."""
CONNECTIONS = 10_000


def requests_of(house: House, wanted: int, seed: int, until: float) -> list[Tally]:
    """All that is generated: over HTTP, over WebSocket, and offers."""
    there = asyncio.run(keep(house))
    target = hostile_http.described(house, there)
    tallies = [hostile_http.odd_paths(target)]
    with Wire(house, there) as wire:
        tallies += [
            wire.frames(max(20, wanted // 20), seed, until),
            wire.bytes_(max(20, wanted // 20), seed, until),
            wire.offers(max(20, wanted // 20), seed, until),
        ]
    tallies.append(hostile_http.generated(target, wanted, seed, until))
    tallies.append(log_of(house))
    return tallies


def log_of(house: House) -> Tally:
    """What the server has written."""
    tally = Tally("the server's log")
    printed = Path(os.readlink(f"/proc/{house.server.process.pid}/fd/2")).read_text(errors="replace")
    if MARK in printed or "Traceback" in printed:
        tally.fault("log", "log", "content or a traceback")
    for line in printed.splitlines():
        if "unforeseen" in line:
            tally.fault("log", "log", line)
    return tally


async def connections_of(house: House, count: int) -> tuple[list[Tally], dict[str, Any]]:
    """All that is opened and not used as it should be."""
    most = min(count, hostile_lines.allow_many_files() - 200)
    half, of_half = await hostile_lines.half_open(house, most)
    slow, of_slow = await hostile_lines.slow_loris(house, min(200, most), hostile_lines.PATIENCE_S + 4.0)
    large = await hostile_lines.oversized(house)
    silent, of_silent = await hostile_lines.silent_sockets(house, min(1000, most))
    unfed = await hostile_lines.sessions_never_fed(house, min(1000, most))
    found = {"half_open": of_half, "slow": of_slow, "silent_sockets": of_silent}
    return [half, slow, large, silent, unfed], found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, keep; 1 where anything did harm."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--requests", type=int, default=10_000, metavar="N", help="generated over HTTP (10000)")
    given.add_argument(
        "--connections", type=int, default=CONNECTIONS, metavar="N", help="half-open (10000); 0 for none"
    )
    given.add_argument("--seed", type=int, default=1, metavar="N")
    given.add_argument("--minutes", type=float, default=30.0, metavar="M", help="for what is generated (30)")
    given.add_argument("--out", type=Path, default=kept.OUT / "hostile.json", metavar="FILE")
    chosen = given.parse_args(arguments)
    head = kept.head("hostile", seed=chosen.seed)
    began = time.monotonic()
    with house_of_two(**UNLIMITED) as house:
        tallies = requests_of(house, chosen.requests, chosen.seed, time.monotonic() + chosen.minutes * 60.0)
    found: dict[str, Any] = {}
    if chosen.connections:
        limits = UNLIMITED | {"SAMEDAY_PATIENCE_S": str(hostile_lines.PATIENCE_S)}
        with house_of_two(**limits) as house:
            more, found = asyncio.run(connections_of(house, chosen.connections))
            tallies += [*more, log_of(house)]
    head["took_s"] = round(time.monotonic() - began, 1)
    body = head | {"parts": [one.as_json() for one in tallies], "connections": found}
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    for one in tallies:
        print(f"{one.part}: {one.sent} sent, {dict(one.answers)}, {len(one.faults)} faults")
        for fault in one.faults:
            print(f"  {fault.kind}: {fault.request}: {fault.what}")
    print(f"{chosen.out}", file=sys.stderr)
    return 1 if any(one.faults for one in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
