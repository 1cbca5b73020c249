"""Notes at two nodes on one Redis: who was first, and what pages at the other node hear."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from kept_sessions import keep_session, texts
from live_server import data_folder, events_url
from redis.asyncio import Redis
from redis_server import RedisServer, running_redis
from store_contract import span
from websockets.asyncio.client import connect

from benchmarks.server_process import Running, running_server
from streaming.events import ContentDeleted, Event, Struck
from streaming.key_source import KeyFile
from streaming.redis_store import RedisStore
from streaming.vault import Vault

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    yield from running_redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="module")
def nodes(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    folders: list[Path] = [tmp_path_factory.mktemp(name) for name in ("one", "other")]
    environments = [data_folder(folder, SAMEDAY_STORE=redis_server.url) for folder in folders]
    with running_server(environments[0]) as one, running_server(environments[1]) as other:
        yield one, other


async def kept(redis_server: RedisServer, *, spans: int = 0) -> str:
    """A session that is over; with `spans` of audio it takes long to be made anew."""
    store = RedisStore(redis_server.url, Vault(KeyFile(redis_server.folder.parent / "master.key")))
    session = await keep_session(store)
    if spans:
        await store.append(session, [span(number, 16) for number in range(spans)])
    await store.close()
    return session


async def test_two_nodes_agree_on_who_was_first(redis_server: RedisServer, nodes: tuple[Running, Running]) -> None:
    path = f"/api/sessions/{await kept(redis_server)}/note"

    def change(client: httpx.AsyncClient, text: str, version: int) -> Any:
        body = {"version": version, "changes": [{"op": "add", "section": "Plan", "text": text}]}
        return client.patch(path, json=body)

    async with (
        httpx.AsyncClient(base_url=nodes[0].url, timeout=30) as one,
        httpx.AsyncClient(base_url=nodes[1].url, timeout=30) as other,
    ):
        for version in range(1, 6):
            answers = await asyncio.gather(change(one, f"a{version}", version), change(other, f"b{version}", version))
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            (refused,) = (answer.json()["error"] for answer in answers if answer.status_code == 409)
            assert (refused["code"], refused["version"]) == ("conflict", version + 1)
            assert (await one.get(path)).json() == (await other.get(path)).json()
        stands = texts((await other.get(path)).json(), "Plan")
        assert [text[1:] for text in stands[-5:]] == list("12345")


class Session:
    """An ended session that two nodes are asked to change."""

    def __init__(self, name: str, one: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
        self.name, self.one, self.other = name, one, other
        self._path = f"/api/sessions/{name}"

    async def strike(self, at: httpx.AsyncClient, utterance: str) -> httpx.Response:
        return await at.post(f"{self._path}/strike", json={"utterances": [utterance]})

    async def sign(self, at: httpx.AsyncClient) -> httpx.Response:
        version = (await at.get(f"{self._path}/note")).json()["version"]
        body = {"version": version, "signer": "Anna", "credentials": "LCSW", "override": "seen"}
        return await at.post(f"{self._path}/note/sign", json=body)

    async def delete(self, at: httpx.AsyncClient) -> httpx.Response:
        return await at.delete(self._path)

    async def add(self, at: httpx.AsyncClient, text: str, version: int = 1) -> httpx.Response:
        body = {"version": version, "changes": [{"op": "add", "section": "Plan", "text": text}]}
        return await at.patch(f"{self._path}/note", json=body)


async def log_of(redis_server: RedisServer, session: str) -> list[Event]:
    store = RedisStore(redis_server.url, Vault(KeyFile(redis_server.folder.parent / "master.key")))
    try:
        return [stored.event async for stored in store.replay(session, audio=True)]
    finally:
        await store.close()


async def test_what_two_nodes_do_to_an_ended_session_at_once_is_done_or_refused_whole(
    redis_server: RedisServer, nodes: tuple[Running, Running]
) -> None:
    async with (
        httpx.AsyncClient(base_url=nodes[0].url, timeout=30) as one,
        httpx.AsyncClient(base_url=nodes[1].url, timeout=30) as other,
    ):
        for _ in range(3):
            both, signed, gone = [Session(await kept(redis_server), one, other) for _ in range(3)]
            answers = await asyncio.gather(both.strike(one, "mic.5"), both.strike(other, "mic.3"))
            assert [answer.status_code for answer in answers] == [200, 200], [one.text for one in answers]
            log = await log_of(redis_server, both.name)
            assert [word for word in ("calmer", "reports at work") if word in str(log)] == []
            assert sorted(event.removed for event in log if isinstance(event, Struck)) == [("mic.3",), ("mic.5",)]

            struck, under = await asyncio.gather(signed.strike(one, "mic.5"), signed.sign(other))
            if struck.status_code == 200:
                assert (under.status_code, under.json().get("error", {}).get("code")) in (
                    (200, None),
                    (409, "conflict"),
                )
            else:
                assert (struck.json()["error"]["code"], under.status_code) == ("note_signed", 200)
            assert ("calmer" in str(await log_of(redis_server, signed.name))) == (struck.status_code == 409)

            deleted, added = await asyncio.gather(gone.delete(one), gone.add(other, "Zebulon"))
            assert deleted.status_code == 200
            assert added.status_code in (200, 404, 410)
            assert [type(event) for event in await log_of(redis_server, gone.name)] == [ContentDeleted]
            assert (await other.get(f"/api/sessions/{gone.name}/note")).status_code == 410


async def test_a_node_that_is_paused_in_the_middle_of_a_strike_undoes_nothing_when_it_wakes(
    redis_server: RedisServer, nodes: tuple[Running, Running]
) -> None:
    redis = Redis.from_url(redis_server.url)
    async with (
        httpx.AsyncClient(base_url=nodes[0].url, timeout=30) as one,
        httpx.AsyncClient(base_url=nodes[1].url, timeout=30) as other,
    ):
        session, striking = await half_struck(redis_server, redis, nodes[0], one, other)
        try:
            assert (await session.strike(other, "mic.3")).status_code == 200
            version = (await other.get(f"/api/sessions/{session.name}/note")).json()["version"]
            assert (await session.add(other, "Zebulon", version)).status_code == 200
        finally:
            os.kill(nodes[0].process.pid, signal.SIGCONT)
        assert (await striking).status_code == 200
        log = await log_of(redis_server, session.name)
        assert [word for word in ("calmer", "reports at work") if word in str(log)] == []
        assert [event.removed for event in log if isinstance(event, Struck)] == [("mic.3",), ("mic.5",)]
        assert "Zebulon" in texts((await one.get(f"/api/sessions/{session.name}/note")).json(), "Plan")[-1]
    await redis.aclose()


async def half_struck(
    redis_server: RedisServer, redis: Redis, node: Running, one: httpx.AsyncClient, other: httpx.AsyncClient
) -> tuple[Session, "asyncio.Task[httpx.Response]"]:
    """A session whose strike has made a part of its log anew that has no place yet, and whose node sleeps."""
    for _ in range(5):
        session = Session(await kept(redis_server, spans=6000), one, other)
        beside = f"sameday:session:{session.name}:*:*"
        striking = asyncio.create_task(session.strike(one, "mic.5"))
        while not await redis.keys(beside):
            assert not striking.done()
        os.kill(node.process.pid, signal.SIGSTOP)
        await redis.ping()  # what it had sent is done
        if await redis.keys(beside):
            return session, striking
        os.kill(node.process.pid, signal.SIGCONT)  # it was through already
        await striking
    pytest.fail("the strike was through each time before its node could be stopped")


async def test_a_page_at_the_other_node_hears_of_an_edit(
    redis_server: RedisServer, nodes: tuple[Running, Running]
) -> None:
    session = await kept(redis_server)
    async with (
        httpx.AsyncClient(base_url=nodes[0].url, timeout=30) as one,
        connect(f"{events_url(nodes[1], session)}&stay=true") as socket,
        asyncio.timeout(30),
    ):
        while json.loads(await socket.recv())["type"] != "draft":
            pass
        body = {"version": 1, "changes": [{"op": "add", "section": "Plan", "text": "x"}]}
        assert (await one.patch(f"/api/sessions/{session}/note", json=body)).status_code == 200
        assert json.loads(await socket.recv())["action"] == "edit"


async def test_charts_are_every_nodes(nodes: tuple[Running, Running]) -> None:
    async with (
        httpx.AsyncClient(base_url=nodes[0].url, timeout=30) as one,
        httpx.AsyncClient(base_url=nodes[1].url, timeout=30) as other,
    ):
        made = (await one.post("/api/charts", json={"client": "Ada Byron"})).json()
        where = f"/api/charts/{made['id']}"
        assert (await other.get(where)).json() == made
        assert (await other.put(where, json=made | {"payer": "p"})).status_code == 200
        assert (await one.put(where, json=made | {"payer": "q"})).json()["error"]["version"] == 2
