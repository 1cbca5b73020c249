"""Two nodes with accounts, asked without a proxy in between: who asks is judged where the session is."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from accounts_of_two import PASSWORD, PEOPLE
from live_server import ALONE, CONSENT, audio_url, data_folder, events_url
from redis_server import RedisServer, running_redis
from websockets.asyncio.client import connect

from benchmarks.server_process import Running, running_server
from streaming import engines, passwords
from streaming.accounts import Account, Accounts
from streaming.settings import Settings

pytestmark = pytest.mark.redis


async def _accounts(settings: Settings) -> dict[str, str]:
    store = engines.open_store(settings)
    try:
        accounts, made = Accounts(engines.open_records(store)), passwords.hashed(PASSWORD)
        for login in ("anna", "bert"):
            practice, role, name, credentials = PEOPLE[login]
            await accounts.add(Account(login, name, practice, role, credentials, password=made))
        return {login: await accounts.make_token(login, 1) for login in ("anna", "bert")}
    finally:
        await store.close()


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    yield from running_redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="module")
def tokens(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.getbasetemp() / "seated"
    folder.mkdir()
    return asyncio.run(
        _accounts(Settings(store=redis_server.url, data_dir=folder / "0", key_file=folder / "master.key"))
    )


@pytest.fixture(scope="module")
def nodes(
    redis_server: RedisServer, tokens: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Running]]:
    folder: Path = tmp_path_factory.getbasetemp() / "seated"
    with ExitStack() as stack:
        yield [
            stack.enter_context(running_server(data_folder(folder / str(n), SAMEDAY_STORE=redis_server.url)))
            for n in range(2)
        ]


async def test_who_asks_at_the_other_node_is_who_asks(nodes: list[Running], tokens: dict[str, str]) -> None:
    here, there = nodes
    known = {login: {"Authorization": f"Bearer {token}"} for login, token in tokens.items()}
    async with httpx.AsyncClient(base_url=here.url, headers=known["anna"]) as anna:
        session = (await anna.post("/api/sessions", json={"consent": CONSENT, "tracks": ALONE})).json()["id"]
    path = f"/api/sessions/{session}"
    async with httpx.AsyncClient(base_url=there.url) as machine:
        moved = await machine.get(path, headers=known["anna"])
        assert (moved.status_code, moved.headers["location"]) == (307, f"{here.url}{path}")
        assert (await machine.get(moved.headers["location"])).status_code == 401, (
            "the token is sent again, or nobody asks"
        )
        assert (await machine.get(moved.headers["location"], headers=known["anna"])).status_code == 200
        assert (await machine.get(path, headers=known["bert"])).status_code == 404
        assert (await machine.get(path)).status_code == 401
    page = {"Origin": there.url, "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=there.url, headers=page) as browser:
        entered = await browser.post("/api/sign-in", json={"login": "anna", "password": PASSWORD})
        assert entered.status_code == 200
        passed = await browser.post(f"{path}/marks", json={"at_s": 0.0, "on": True})
        assert (passed.status_code, passed.json()["id"]) == (200, session)
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    by_cookie = cookie | {"Origin": f"http://{urlsplit(there.url).netloc}"}
    async with connect(audio_url(there, session), additional_headers=by_cookie) as audio:
        assert json.loads(await audio.recv())["type"] == "ready"
    async with connect(events_url(there, session), additional_headers=known["anna"]) as events:
        assert json.loads(await events.recv())["type"] == "started"
    async with connect(audio_url(there, session), additional_headers=known["bert"]) as foreign:
        assert json.loads(await foreign.recv())["error"]["code"] == "unknown_session"
