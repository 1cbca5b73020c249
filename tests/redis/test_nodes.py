"""Three real servers on one Redis: requests at the wrong one, and nodes that are killed, paused and drained."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from forked_server import OTHER_ORDER
from live_server import (
    CONSENT,
    Message,
    Seen,
    assert_accounts_for_all,
    audio_url,
    data_folder,
    follow,
    piece,
    silence,
    until,
)
from redis_server import RedisServer, running_redis
from websockets.exceptions import ConnectionClosed

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import Refused, WebSocketPeer, frames_of
from streaming.types import SAMPLE_RATE, Int16Mono

pytestmark = [pytest.mark.redis, pytest.mark.timeout(240)]
SHARED: list[Message] = [{"id": "mic", "speakers": 2}]
PASSING = {"moved", "overloaded", "store_failed"}
"""What a client is refused with that comes again."""


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    yield from running_redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="module")
def nodes(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    folder: Path = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running_server(
                    data_folder(folder / str(n), SAMEDAY_STORE=redis_server.url, SAMEDAY_NODE_TIMEOUT_S="3", **order)
                )
            )
            # Each has the session in its turn; what one goes on with was begun in another order of sets.
            for n, order in enumerate([{}, OTHER_ORDER, {}])
        ]


def talk() -> Int16Mono:
    """Twenty seconds of two people, and the silence after it."""
    return np.concatenate([piece(12.0, 32.0), silence(1.0)])


async def begin(node: Running) -> str:
    async with httpx.AsyncClient(base_url=node.url, timeout=30) as client:
        answer = await client.post("/api/sessions", json={"consent": CONSENT, "tracks": SHARED})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


async def ask(node: Running, method: str, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=node.url, timeout=30) as client:
        return await client.request(method, path, headers=headers)


async def number(node: Running, name: str) -> float:
    lines = (await ask(node, "GET", "/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(name)).rpartition(" ")[2])


async def has_session(node: Running) -> bool:
    return await number(node, 'sameday_sessions{state="live"}') == 1


async def send_on(peer: WebSocketPeer, node: Running, session: str) -> None:
    """Send to a node, and come back as long as it says so."""
    while True:
        peer.go_on()
        try:
            await peer.run(audio_url(node, session))
            return
        except Refused as refused:
            if refused.error["code"] not in PASSING:
                raise
        except (ConnectionClosed, ConnectionError):
            if node.process.poll() is not None:
                return
        await asyncio.sleep(0.3)


async def send_until(peer: WebSocketPeer, node: Running, session: str, second: float) -> None:
    """Send until so much has been acknowledged, and leave the connection as it is then."""
    sending = asyncio.create_task(send_on(peer, node, session))

    async def enough() -> bool:
        if sending.done():
            sending.result()
        return peer.acknowledged >= second * SAMPLE_RATE

    await until(enough, 60)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def finish(node: Running, session: str) -> tuple[Message, Seen]:
    path = f"/api/sessions/{session}"
    assert (await ask(node, "POST", f"{path}/end", Origin=node.url)).status_code == 202
    seen = await follow(node, session)
    return (await ask(node, "GET", f"{path}/transcript")).json(), seen


async def at_the_wrong_nodes(nodes: list[Running]) -> Message:
    """A whole session that one node has, and whose client never speaks with that one."""
    session = await begin(nodes[0])
    path = f"/api/sessions/{session}"
    sent_on = await ask(nodes[1], "POST", f"{path}/whip?track=mic")
    assert sent_on.status_code == 307
    assert sent_on.headers["location"] == f"{nodes[0].url}{path}/whip?track=mic"
    passed_on = await ask(nodes[1], "GET", path, Origin=nodes[1].url)
    assert (passed_on.status_code, passed_on.json()["state"]) == (200, "live")
    assert passed_on.headers.get_list("content-security-policy") == sent_on.headers.get_list(
        "content-security-policy"
    )
    await WebSocketPeer(frames_of(talk(), "pcm16"), pace=20.0).run(audio_url(nodes[1], session))
    transcript, seen = await finish(nodes[2], session)
    assert seen.code == 1000
    assert seen.of("draft")
    return transcript


async def test_a_session_goes_on_when_its_node_is_killed_paused_or_drained(nodes: list[Running]) -> None:
    expected = await at_the_wrong_nodes(nodes)
    session = await begin(nodes[0])
    peer = WebSocketPeer(frames_of(talk(), "pcm16"), pace=4.0)

    await send_until(peer, nodes[1], session, 5.3)
    os.kill(nodes[0].process.pid, signal.SIGKILL)
    nodes[0].process.wait()

    await send_until(peer, nodes[1], session, 9.2)
    paused, awake = (nodes[1], nodes[2]) if await has_session(nodes[1]) else (nodes[2], nodes[1])
    os.kill(paused.process.pid, signal.SIGSTOP)
    try:
        await send_until(peer, awake, session, 13.1)
    finally:
        os.kill(paused.process.pid, signal.SIGCONT)
    assert await until(lambda: number(paused, "sameday_sessions_fenced_total"))
    assert await has_session(awake)
    assert not await has_session(paused)

    draining = asyncio.create_task(send_on(peer, awake, session))
    await asyncio.sleep(0.5)
    awake.process.terminate()
    await asyncio.to_thread(awake.process.wait, 40)
    with suppress(ConnectionClosed, ConnectionError):
        await draining
    acknowledged = peer.acknowledged
    described = (await until(lambda: answered(paused, session), 20)).json()
    assert described["tracks"][0]["received_s"] >= acknowledged / SAMPLE_RATE - 0.01
    await send_on(peer, paused, session)

    found, seen = await finish(paused, session)
    assert found["utterances"] == expected["utterances"]
    assert found["gaps"] == []
    assert_accounts_for_all(seen.of("ended")[0], [len(talk())])
    ids = [message["id"] for message in seen.of("utterance")]
    assert len(ids) == len(set(ids))
    assert len(seen.of("draft")) == 1


async def answered(node: Running, session: str) -> httpx.Response | None:
    answer = await ask(node, "GET", f"/api/sessions/{session}")
    return answer if answer.status_code == 200 and answer.json()["state"] == "live" else None
