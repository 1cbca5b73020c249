"""Two nodes with accounts, asked without a proxy in between: who asks is judged where the session is.

At last one of them is killed: what its clinician decided about the recording counts at the other.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from accounts_of_two import PASSWORD, PEOPLE
from live_server import (
    ALONE,
    CONSENT,
    Message,
    audio_url,
    data_folder,
    events_url,
    piece,
    silence,
    transcript_of,
    until,
    words_of,
)
from redis.asyncio import Redis
from redis_server import RedisServer, running_redis
from websockets.asyncio.client import connect

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming import engines, passwords
from streaming.accounts import Account, Accounts
from streaming.events import AudioSpan, Stored
from streaming.settings import Settings
from streaming.types import SAMPLE_RATE, Int16Mono

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
            stack.enter_context(
                running_server(
                    data_folder(folder / str(n), SAMEDAY_STORE=redis_server.url, SAMEDAY_NODE_TIMEOUT_S="2")
                )
            )
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


GREETING, WORRY, SLEEP = (piece(*span) for span in ((0.9, 6.8), (7.1, 14.1), (14.1, 16.6)))
MEDICATION = piece(45.2, 49.3)


class Clinician:
    """Anna, who speaks with one node about one session."""

    def __init__(self, node: Running, known: dict[str, str], session: str) -> None:
        self.path, self._session, self._node = f"/api/sessions/{session}", session, node
        self._known = known | {"Origin": node.url}  # so that it is passed on, as from a page
        self.client = httpx.AsyncClient(base_url=node.url, headers=self._known, timeout=30)

    async def says(self, *talk: Int16Mono) -> None:
        """Sends audio from where the server stands."""
        url = audio_url(self._node, self._session)
        async with connect(url, additional_headers=self._known) as socket:
            tick = json.loads(await socket.recv())["tick"]
        pcm = np.concatenate([silence(0.5), *talk, silence(1.2)])
        await WebSocketPeer(frames_of(pcm, "pcm16", first_tick=tick), pace=200.0).run(url, self._known)

    async def decides(self, what: str, **body: object) -> Message:
        answer = await self.client.post(f"{self.path}/{what}", json=body)
        assert answer.status_code == 200, answer.text
        told: Message = answer.json()
        return told

    async def reads(self, word: str) -> Message:
        """The transcript once a word is in it."""

        async def look() -> Message | None:
            found = await transcript_of(self.client, self._session)
            return found if word in words_of(found) else None

        found: Message = await until(look, 40)
        return found

    async def finds(self) -> Message | None:
        answer = await self.client.get(self.path)
        return answer.json() if answer.status_code == 200 and answer.json()["state"] == "live" else None


async def rows(server: RedisServer, session: str) -> set[bytes]:
    """The entries of a session's streams, as they are kept."""
    redis = Redis.from_url(server.url)
    found: set[bytes] = set()
    for stream in ("events", "audio"):
        entries: Any = await redis.xrange(f"sameday:session:{session}:{stream}")
        found |= {fields[b"s"] for _, fields in entries}
    await redis.aclose()
    return found


async def log_of(server: RedisServer, folder: Path, session: str) -> list[Stored]:
    """All entries of a session's log, decrypted."""
    store = engines.open_store(Settings(store=server.url, data_dir=folder, key_file=folder / "master.key"))
    try:
        return [stored async for stored in store.replay(session, audio=True)]
    finally:
        await store.close()


async def test_what_was_decided_about_the_recording_counts_at_the_node_that_takes_over(
    nodes: list[Running],
    tokens: dict[str, str],
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.getbasetemp() / "seated"
    anna = {"Authorization": f"Bearer {tokens['anna']}"}
    async with httpx.AsyncClient(base_url=nodes[0].url, headers=anna) as client:
        session = str((await client.post("/api/sessions", json={"consent": CONSENT, "tracks": ALONE})).json()["id"])
    here, there = (Clinician(node, anna, session) for node in nodes)
    await here.says(GREETING, silence(1.0), WORRY, silence(1.0), SLEEP)
    found = await here.reads("sleeping")
    worry = [one["id"] for one in found["utterances"] if "worry" in one["text"] or "better" in one["text"]]
    before = await rows(redis_server, session)
    assert "most days" in str(await log_of(redis_server, folder, session))
    await here.decides("strike", utterances=worry)
    await here.decides("off-record")
    rewritten = before - await rows(redis_server, session)
    assert len(rewritten) > len(worry)
    nodes[0].process.kill()
    await asyncio.to_thread(nodes[0].process.wait)
    assert await redis_server.lets_go([one[-48:] for one in rewritten])

    described = await until(there.finds, 30)
    assert described["recording"] == "off_the_record"
    assert [one["by"] for one in described["struck"]] == ["anna"]
    assert not {"worry", "better", "days"} & set(words_of(await there.reads("sleeping")))
    await there.says(WORRY)
    await there.decides("on-record")
    await there.says(MEDICATION)
    found = await there.reads("medication")
    assert "worry" not in words_of(found)
    log = await log_of(redis_server, folder, session)
    assert "most days" not in str(log)
    (off,) = [gap for gap in found["gaps"] if gap["cause"] == "off_the_record"]
    assert off["end"] - off["start"] > 7
    kept = [one.event.start / SAMPLE_RATE for one in log if isinstance(one.event, AudioSpan)]
    assert not [start for start in kept if off["start"] <= start < off["end"]]
    assert max(kept) >= off["end"]

    before = await rows(redis_server, session)
    await there.decides("strike", utterances=[found["utterances"][-1]["id"]])
    assert "medication" not in words_of(await there.reads("sleeping"))
    assert "medication" not in str(await log_of(redis_server, folder, session))
    assert await redis_server.lets_go([one[-48:] for one in before - await rows(redis_server, session)])
    for one in (here, there):
        await one.client.aclose()
