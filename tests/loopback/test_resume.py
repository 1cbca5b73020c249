"""A server that is killed in the middle of a session: started again it goes on, and nothing that was said is lost."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from forked_server import OTHER_ORDER
from live_server import (
    Message,
    assert_accounts_for_all,
    audio_url,
    client_of,
    data_folder,
    end,
    follow,
    piece,
    send,
    silence,
    start,
    transcript_of,
    until,
)
from websockets.exceptions import ConnectionClosed

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.types import SAMPLE_RATE, Int16Mono, Tick

pytestmark = pytest.mark.loopback
SHARED: list[Message] = [{"id": "mic", "speakers": 2}]


def talk() -> Int16Mono:
    """Half a minute of two people, and the silence after it."""
    return np.concatenate([piece(12.0, 42.0), silence(1.0)])


def kill(server: Running) -> None:
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()


def stop(server: Running) -> None:
    server.process.terminate()
    server.process.wait(40)


async def cut_off(server: Running, session: str, after_s: float, how: Callable[[Running], None]) -> Tick:
    """Send at three times the pace of speech, and kill or stop the server once so much has been acknowledged."""
    peer = WebSocketPeer(frames_of(talk(), "pcm16"), pace=3.0)
    sending = asyncio.create_task(peer.run(audio_url(server, session)))

    async def enough() -> bool:
        return peer.acknowledged >= after_s * SAMPLE_RATE

    await until(enough, 60)
    await asyncio.to_thread(how, server)
    with pytest.raises((ConnectionClosed, ConnectionError)):
        await sending
    return peer.acknowledged


async def uninterrupted(folder: Path) -> Message:
    with running_server(data_folder(folder)) as server:
        async with client_of(server) as client:
            session = await start(client, tracks=SHARED)
            await send(server, session, talk())
            await end(server, client, session)
            return await transcript_of(client, session)


async def test_a_session_goes_on_as_if_its_server_had_not_been_killed_nor_stopped(tmp_path: Path) -> None:
    expected = await uninterrupted(tmp_path / "whole")
    folder = data_folder(tmp_path / "cut")
    with running_server(folder) as server:
        async with client_of(server) as client:
            session = await start(client, tracks=SHARED)
            await cut_off(server, session, 9.3, kill)
    with running_server({**folder, **OTHER_ORDER}) as server:
        acknowledged = await cut_off(server, session, 20.1, stop)
    with running_server(folder) as server:
        async with client_of(server) as client:
            described = (await client.get(f"/api/sessions/{session}")).json()
            assert described["state"] == "live"
            assert described["tracks"][0]["received_s"] >= acknowledged / SAMPLE_RATE - 0.01
            await send(server, session, talk())
            seen = await end(server, client, session)
            found = await transcript_of(client, session)
    assert acknowledged > 20 * SAMPLE_RATE
    assert found["utterances"] == expected["utterances"]
    assert found["gaps"] == []
    assert_accounts_for_all(seen.of("ended")[0], [len(talk())])
    ids = [message["id"] for message in seen.of("utterance")]
    assert len(ids) == len(set(ids))
    assert len(seen.of("draft")) == 1


async def test_a_session_whose_client_does_not_come_back_gets_its_note(tmp_path: Path) -> None:
    folder = data_folder(tmp_path, SAMEDAY_IDLE_TIMEOUT_S="1")
    said = np.concatenate([piece(14.1, 16.6), silence(1.5)])
    with running_server(folder) as server:
        async with client_of(server) as client:
            session = await start(client)
            await send(server, session, said)
            kill(server)
    with running_server(folder) as server:
        seen = await follow(server, session)
    assert seen.of("ended")[0]["reason"] == "idle"
    assert_accounts_for_all(seen.of("ended")[0], [len(said)])
    assert seen.of("utterance")
    assert seen.of("draft")


async def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        running_server(data_folder(tmp_path)),
        pytest.raises(RuntimeError, match="Another server uses this data folder"),
        running_server(data_folder(tmp_path)),
    ):
        raise AssertionError("the second server started")
