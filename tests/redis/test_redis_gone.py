"""Redis goes in the middle of a session and comes back: nothing that was said is lost, and nothing is there twice."""

import asyncio
from collections.abc import Iterator
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
from redis_server import RedisServer, running_redis
from stubborn import send_stubbornly

from benchmarks.server_process import running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.types import SAMPLE_RATE

pytestmark = pytest.mark.redis


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    yield from running_redis(tmp_path)


async def test_a_session_outlives_its_redis(redis_server: RedisServer, tmp_path: Path) -> None:
    said = np.concatenate([piece(12.0, 22.0), silence(1.0)])
    refused: list[str] = []
    with running_server(data_folder(tmp_path / "node", SAMEDAY_STORE=redis_server.url)) as server:
        async with client_of(server) as client:
            session = await start(client)
            peer = WebSocketPeer(frames_of(said, "pcm16"), pace=6.0)
            sending = asyncio.create_task(send_stubbornly(peer, audio_url(server, session), refused))

            async def acknowledged() -> bool:
                return peer.acknowledged > 4 * SAMPLE_RATE

            await until(acknowledged, 20)
            await asyncio.to_thread(redis_server.kill)

            async def seen() -> bool:
                return "store_failed" in refused

            await until(seen, 20)
            await asyncio.to_thread(redis_server.start)
            await sending
            events = await end(server, client, session)
            found = await transcript_of(client, session)
    assert found["gaps"] == []
    assert_accounts_for_all(events.of("ended")[0], [len(said)])
    ids = [message["id"] for message in events.of("utterance")]
    assert ids, "nothing was understood"
    assert len(ids) == len(set(ids))
    assert events.of("draft")
