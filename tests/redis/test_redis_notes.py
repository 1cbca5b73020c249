"""Notes at two nodes on one Redis: who was first, and what pages at the other node hear."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from kept_sessions import keep_session, texts
from live_server import data_folder, events_url
from redis_server import RedisServer, running_redis
from websockets.asyncio.client import connect

from benchmarks.server_process import Running, running_server
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


async def kept(redis_server: RedisServer) -> str:
    store = RedisStore(redis_server.url, Vault(KeyFile(redis_server.folder.parent / "master.key")))
    session = await keep_session(store)
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
