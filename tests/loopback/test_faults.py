"""What a machine does on a bad day: a disk that fills in the middle of a session, and the order of its writes."""

import asyncio
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from live_server import (
    assert_accounts_for_all,
    audio_url,
    client_of,
    data_folder,
    end,
    piece,
    silence,
    start,
    transcript_of,
    until,
)
from stubborn import send_stubbornly

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.types import SAMPLE_RATE

pytestmark = pytest.mark.loopback
_UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def largest(folder: Path) -> int:
    """Bytes of the largest file in it."""
    return max(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def limit_files(server: Running, size: int) -> None:
    """No file of the server's may grow past this: what a full disk is to it."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def test_a_disk_that_fills_takes_nothing_from_a_session(tmp_path: Path) -> None:
    said = np.concatenate([piece(12.0, 22.0), silence(1.0)])
    refused: list[str] = []
    with running_server(data_folder(tmp_path)) as server:
        async with client_of(server) as client:
            session = await start(client)
            peer = WebSocketPeer(frames_of(said, "pcm16"), pace=6.0)
            sending = asyncio.create_task(send_stubbornly(peer, audio_url(server, session), refused))

            async def acknowledged() -> bool:
                return peer.acknowledged > 3 * SAMPLE_RATE

            await until(acknowledged, 20)
            limit_files(server, largest(tmp_path))

            async def seen() -> bool:
                return "store_failed" in refused

            await until(seen, 20)
            stood = peer.acknowledged
            await asyncio.sleep(0.5)
            assert peer.acknowledged == stood, "acknowledged without room for it"
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, _UNLIMITED)
            await sending
            seen_events = await end(server, client, session)
            found = await transcript_of(client, session)
    assert found["gaps"] == []
    assert_accounts_for_all(seen_events.of("ended")[0], [len(said)])
    assert seen_events.of("draft")


_ONE_AFTER_ANOTHER = """
import asyncio, os, sys
from pathlib import Path
from store_contract import gap, span
from streaming.sqlite_store import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    for number in range(40):
        head = await store.append("a", [span(number), gap(number)])
        os.write(1, f"acknowledged {head}\\n".encode())

asyncio.run(main())
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
async def test_an_acknowledgement_leaves_only_after_its_fsync(tmp_path: Path) -> None:
    """As the operating system saw it: between the last write to the log and the answer lies a finished fsync."""
    trace = tmp_path / "trace"
    root = Path(__file__).parents[2]
    await asyncio.to_thread(
        subprocess.run,
        ["strace", "-f", "-y", "-e", "trace=pwrite64,write,fdatasync,fsync", "-o", str(trace),
         sys.executable, "-c", _ONE_AFTER_ANOTHER, str(tmp_path / "log.sqlite3")],
        env=os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"},
        stdout=subprocess.DEVNULL,
        check=True,
    )  # fmt: skip
    assert _answers(trace.read_text()) == (40, 0)


def _answers(trace: str) -> tuple[int, int]:
    """How many answers there were, and how many of them while something written to the log was not synced yet."""
    answers = early = 0
    unsynced = True
    syncing: set[str] = set()
    for line in trace.splitlines():
        thread, _, call = line.partition(" ")
        if re.search(r"pwrite64\(\d+<[^>]*-wal>", call):
            unsynced = True
        if re.search(r"f(data)?sync\(\d+<[^>]*-wal>", call):
            syncing.add(thread)
        if thread in syncing and call.rstrip().endswith("= 0"):
            syncing.discard(thread)
            unsynced = False
        if "write(1<" in call and '"acknowledged' in call:
            answers += 1
            early += unsynced
    return answers, early
