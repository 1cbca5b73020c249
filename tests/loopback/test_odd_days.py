"""A recognizer that fails for a while, and a machine whose time of day is set, in the middle of a session."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
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
    printed_by,
    silence,
    start,
    transcript_of,
    until,
)
from odd_server import SECRET

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.types import SAMPLE_RATE

pytestmark = pytest.mark.loopback
PROGRAM = (str(Path(__file__).parents[1] / "odd_server.py"),)


@contextmanager
def odd_server(folder: Path, faults: Mapping[str, str]) -> Iterator[Running]:
    environment = dict(data_folder(folder / "data", SAMEDAY_IDLE_TIMEOUT_S="60")) | dict(faults)
    with running_server(environment, program=PROGRAM) as running:
        yield running


async def test_a_recognizer_that_fails_leaves_a_named_gap_and_goes_on(tmp_path: Path) -> None:
    fail = tmp_path / "fail"
    pieces = [np.concatenate([piece(12.0, 18.0), silence(2.0)]) for _ in range(3)]
    with odd_server(tmp_path, {"ODD_FAIL": str(fail)}) as server:
        async with client_of(server) as client:
            session = await start(client)
            for number, said in enumerate(pieces):
                if number == 1:
                    fail.touch()
                before = number * len(said)
                frames = frames_of(np.concatenate(pieces[: number + 1]), "pcm16")
                await WebSocketPeer(frames, pace=400.0).run(audio_url(server, session))
                wanted_s = (before + len(said)) / SAMPLE_RATE - 1.0

                async def heard(wanted_s: float = wanted_s) -> bool:
                    track = (await client.get(f"/api/sessions/{session}")).json()["tracks"][0]
                    return bool(track["transcribed_s"] >= wanted_s)

                await until(heard, 40)
                fail.unlink(missing_ok=True)
            ended = await end(server, client, session)
            found = await transcript_of(client, session)
        printed = printed_by(server)
    length_s = len(pieces[0]) / SAMPLE_RATE
    assert {gap["cause"] for gap in found["gaps"]} == {"recognizer_error"}
    assert all(length_s - 0.5 <= gap["start"] and gap["end"] <= 2 * length_s + 0.5 for gap in found["gaps"])
    starts = [one["start"] for one in found["utterances"]]
    assert min(starts) < length_s
    assert max(starts) >= 2 * length_s
    assert_accounts_for_all(ended.of("ended")[0], [sum(map(len, pieces))])
    assert ended.of("draft")
    assert SECRET not in printed


async def test_a_time_of_day_that_is_set_changes_no_length_and_ends_nothing(tmp_path: Path) -> None:
    step = tmp_path / "step"
    said = np.concatenate([piece(12.0, 19.0), silence(1.0)])
    with odd_server(tmp_path, {"ODD_STEP": str(step)}) as server:
        async with client_of(server) as client:
            session = await start(client)
            began = (await client.get(f"/api/sessions/{session}")).json()["started_at"]
            sending = asyncio.create_task(
                WebSocketPeer(frames_of(said, "pcm16"), pace=1.0).run(audio_url(server, session))
            )
            await asyncio.sleep(1.0)
            step.write_text("3600")
            await asyncio.sleep(5.2)  # longer than the server waits between two looks at who is idle
            assert (await client.get(f"/api/sessions/{session}")).json()["state"] == "live"
            step.write_text("-3600")
            await sending
            seen = await end(server, client, session)
            found = await transcript_of(client, session)
    (ended,) = seen.of("ended")
    length_s = (datetime.fromisoformat(ended["ended_at"]) - datetime.fromisoformat(began)).total_seconds()
    assert 7.0 <= length_s < 60.0
    assert ended["reason"] == "requested"
    assert found["gaps"] == []
    assert_accounts_for_all(ended, [len(said)])
