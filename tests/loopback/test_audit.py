"""Who did what is recorded, on a server with two practices: by whom it may be seen, what is deleted, what expires."""

import asyncio
import contextlib
import io
import json
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from accounts_of_two import PASSWORD, House, house_of_two
from kept_sessions import keep_session
from live_server import CONSENT, refusal, until
from websockets.asyncio.client import connect

from streaming import cli

pytestmark = pytest.mark.loopback

SIGNED_FOR_DAYS = "0.00002"  # not quite two seconds


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with house_of_two(
        SAMEDAY_MAX_SESSIONS="100", SAMEDAY_SWEEP_S="1", SAMEDAY_UNSIGNED_DAYS="30",
        SAMEDAY_TRANSCRIPT_DAYS=SIGNED_FOR_DAYS,
    ) as made:  # fmt: skip
        yield made


def sameday(house: House, *arguments: str, typed: str = "") -> tuple[int, str]:
    """A command beside the running server, without a process: its exit status, and what it printed."""
    printed = io.StringIO()
    with (
        patch.dict(os.environ, house.environment),
        patch("sys.stdin", io.StringIO(typed)),
        patch("streaming.log_lines.set_up"),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        ThreadPoolExecutor(1) as thread,
    ):
        status = thread.submit(cli.main, arguments).result()
    return status, printed.getvalue()


def data(house: House) -> Path:
    return Path(house.environment["SAMEDAY_DATA_DIR"])


async def a_session(client: httpx.AsyncClient) -> tuple[str, int]:
    """A session that ended with its note, and the note's version."""
    body = {"consent": CONSENT, "tracks": [{"id": "mic", "speakers": 1, "role": "client"}]}
    session = str((await client.post("/api/sessions", json=body)).json()["id"])
    await client.post(f"/api/sessions/{session}/end")

    async def drafted() -> httpx.Response | None:
        answer = await client.get(f"/api/sessions/{session}/note")
        return answer if answer.status_code == 200 else None

    return session, (await until(drafted, 30)).json()["version"]


async def sign(client: httpx.AsyncClient, session: str, version: int) -> None:
    given = {"version": version, "signer": "x", "credentials": "x", "override": "short session"}
    signed = await client.post(f"/api/sessions/{session}/note/sign", json=given)
    assert signed.status_code == 200, signed.text


async def entries(house: House, login: str, **asked: Any) -> list[dict[str, Any]]:
    async with house.client(login) as client:
        answer = await client.get("/api/audit", params={"limit": 500, **asked})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["entries"]
        return found


async def test_the_key_of_what_devices_keep_goes_once_a_session_takes_no_more(house: House) -> None:
    async with house.client("anna") as anna:
        session = (await anna.post("/api/sessions", json={"consent": CONSENT})).json()["id"]
        url = f"{house.server.url.replace('http', 'ws', 1)}/api/sessions/{session}/audio"
        told = []
        for token in (
            house.tokens["anna"],
            (await anna.post(f"/api/sessions/{session}/media-token")).json()["token"],
        ):
            async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
                told.append(json.loads(await socket.recv())["device_key"])
        assert told[0] == told[1]
        async with connect(url, additional_headers={"Authorization": f"Bearer {house.tokens['bert']}"}) as socket:
            assert json.loads(await socket.recv())["error"]["code"] == "unknown_session"
        assert _kept_keys(house) == {session}
        await anna.post(f"/api/sessions/{session}/end")

        async def gone() -> bool:
            return not _kept_keys(house)

        assert await until(gone, 30)


def _kept_keys(house: House) -> set[str]:
    (file,) = data(house).glob("*.sqlite3")
    with contextlib.closing(sqlite3.connect(file)) as database:
        return {str(row[0]) for row in database.execute("SELECT key FROM record WHERE kind LIKE '%:device_key'")}


async def test_what_is_seen_and_changed_is_recorded_once(house: House) -> None:
    async with house.client("anna") as anna, house.client("bert") as bert, house.client("olga") as olga:
        session, _ = await a_session(anna)
        for _ in range(2):
            assert (await anna.get(f"/api/sessions/{session}/transcript")).status_code == 200
        url = f"{house.server.url.replace('http', 'ws', 1)}/api/sessions/{session}/events"
        async with connect(url, additional_headers={"Authorization": f"Bearer {house.tokens['anna']}"}) as socket:
            assert len([message async for message in socket]) > 2
        assert (await bert.get(f"/api/sessions/{session}/transcript")).status_code == 404
        assert (await olga.get(f"/api/sessions/{session}/transcript")).status_code == 403
        assert (await anna.patch(f"/api/sessions/{session}/note", json={"version": 99})).status_code == 400
    found = await entries(house, "sven", subject=session)
    assert [(one["actor"], one["action"], one["outcome"]) for one in found if one["action"] != "session.look"] == [
        ("olga", "transcript.read", "refused"),
        ("anna", "transcript.follow", "done"),
        ("anna", "transcript.read", "done"),
        ("anna", "note.read", "done"),
        ("anna", "session.end", "done"),
        ("anna", "session.start", "done"),
    ]
    assert {(one["role"], one["way"], one["kind"]) for one in found if one["actor"] == "anna"} == {
        ("clinician", "token", "session")
    }
    tried = await entries(house, "bert", action="transcript.read")
    assert [(one["actor"], one["outcome"], one["subject"]) for one in tried] == [("bert", "not_found", "")]


async def test_signing_in_and_failing_to_is_recorded_and_no_login_that_nobody_has(house: House) -> None:
    async with httpx.AsyncClient(base_url=house.server.url, headers={"Origin": house.server.url}) as client:
        for login, password in (("anna", "not the password"), ("anna", PASSWORD), ("a typed secret", "x")):
            await client.post("/api/sign-in", json={"login": login, "password": password})
        await client.post("/api/sign-out")
    found = await entries(house, "sven", actor="anna", action="sign_in")
    assert [(one["outcome"], one["source"]) for one in found] == [("done", "127.0.0.1"), ("refused", "127.0.0.1")]
    assert [one["outcome"] for one in await entries(house, "sven", action="sign_out")] == ["done"]
    status, shown = sameday(house, "audit", "show", "--practice", "@house", "--json")
    assert status == 0, shown
    assert "typed" not in shown
    strangers = [one for one in json.loads(shown)["entries"] if one["action"] == "sign_in"]
    assert [(one["actor"], one["role"], one["outcome"]) for one in strangers] == [("", "nobody", "refused")]


async def test_a_supervisor_sees_all_of_the_practice_and_others_themselves(house: House) -> None:
    async with house.client("anna") as anna, house.client("sven") as sven, house.client("olga") as olga:
        assert (await anna.get("/api/charts")).status_code == 200
        assert (await sven.get("/api/charts")).status_code == 200
        mine, all_ = (await anna.get("/api/audit")).json(), (await sven.get("/api/audit?limit=500")).json()
        assert (mine["all"], all_["all"]) == (False, True)
        assert {one["actor"] for one in mine["entries"]} == {"anna"}
        assert {"anna", "sven"} <= {one["actor"] for one in all_["entries"]}
        assert "bert" not in {one["actor"] for one in all_["entries"]}
        assert all_["names"]["anna"] == "Anna North"
        assert "bert" not in all_["names"]
        pages, before = [], None
        while True:
            page = (await sven.get("/api/audit", params={"limit": 7} | ({"before": before} if before else {}))).json()
            pages += [one["number"] for one in page["entries"]]
            before = page["next"]
            if before is None:
                break
        assert pages == list(range(pages[0], 0, -1))
        chain = (await sven.get("/api/audit/chain")).json()
        assert (chain["intact"], chain["broken"]) == (True, None)
        assert chain["entries"] >= pages[0]
        assert refusal(await anna.get("/api/audit/chain"))["code"] == "not_allowed_to_role"
        assert (await olga.get("/api/audit")).status_code == 403
        assert (await sven.get("/api/audit", params={"since": "2100-01-01"})).json()["entries"] == []
        assert (await sven.get("/api/audit", params={"until": "2000-01-01"})).json()["entries"] == []


async def test_a_session_is_deleted_by_its_own_practice_alone(house: House) -> None:
    async with house.client("anna") as anna, house.client("bert") as bert, house.client("sven") as sven:
        body = {"consent": CONSENT, "tracks": [{"id": "mic", "speakers": 1}]}
        going_on = (await anna.post("/api/sessions", json=body)).json()["id"]
        assert refusal(await anna.delete(f"/api/sessions/{going_on}"))["code"] == "session_goes_on"
        await anna.post(f"/api/sessions/{going_on}/end")
        session, _ = await a_session(anna)
        assert (await bert.delete(f"/api/sessions/{session}")).status_code == 404
        assert refusal(await anna.delete(f"/api/sessions/{session}?signed=true"))["code"] == "not_allowed_to_role"
        made = (await anna.delete(f"/api/sessions/{session}")).json()
        assert (made["scope"], made["why"], made["by"], made["done"]) == ("session", "asked", "anna", True)
        assert made["removed"]["drafts"] >= 1
        assert (await anna.get(f"/api/sessions/{session}")).status_code == 410
        assert (await bert.get(f"/api/sessions/{session}")).status_code == 404
        assert (await anna.delete(f"/api/sessions/{session}")).json() == made
        assert made in (await sven.get("/api/deletions")).json()["receipts"]
        assert (await bert.get("/api/deletions")).json()["receipts"] == []
        assert session not in (await anna.get("/api/backlog")).text
    found = await entries(house, "sven", subject=session, action="session.delete")
    assert [(one["actor"], one["outcome"]) for one in found] == [
        ("anna", "done"), ("anna", "done"), ("anna", "refused"),
    ]  # fmt: skip


async def test_a_signed_note_outlives_its_transcript_and_goes_by_a_supervisor_alone(house: House) -> None:
    async with house.client("anna") as anna, house.client("sven") as sven:
        session, version = await a_session(anna)
        await sign(anna, session, version)

        async def expired() -> dict[str, Any] | None:
            found = (await anna.get("/api/deletions")).json()["receipts"]
            return next((one for one in found if one["session"] == session and one["done"]), None)

        receipt = await until(expired, 20)
        assert (receipt["scope"], receipt["why"], receipt["by"]) == ("transcript", "expired", "server")
        note = (await anna.get(f"/api/sessions/{session}/note")).json()
        assert (note["state"], note["signed"]["intact"]) == ("signed", True)
        assert (await anna.get(f"/api/sessions/{session}/note/export?format=txt")).status_code == 200
        assert (await anna.get(f"/api/sessions/{session}/transcript")).json()["utterances"] == []
        assert (await anna.delete(f"/api/sessions/{session}")).json()["scope"] == "transcript"
        gone = await sven.delete(f"/api/sessions/{session}?signed=true")
        assert gone.json()["scope"] == "session"
        assert (await anna.get(f"/api/sessions/{session}/note")).status_code == 410
    found = await entries(house, "sven", subject=session, action="session.delete")
    assert [(one["actor"], one["way"]) for one in found] == [
        ("sven", "token"), ("anna", "token"), ("server", "server"),
    ]  # fmt: skip


async def test_what_is_never_signed_expires_and_a_younger_session_does_not(house: House) -> None:
    old, young = [await keep_session(data(house), days_ago=days) for days in (40, 20)]

    def told() -> dict[str, Any]:
        status, printed = sameday(house, "purge", "--receipts", "--json")
        assert status == 0, printed
        return {one["session"]: one for one in json.loads(printed)["receipts"]}

    async def expired() -> dict[str, Any] | None:
        found = await asyncio.to_thread(told)
        return found if old in found and found[old]["done"] else None

    receipts = await until(expired, 30)
    assert (receipts[old]["scope"], receipts[old]["why"]) == ("session", "expired")
    assert receipts[old]["removed"]["utterances"] == 9
    assert young not in receipts
    status, dry = sameday(house, "purge", "--older-than", "10", "--practice", "local", "--dry-run")
    assert (status, young in dry, old in dry) == (0, True, False)
    assert young not in told()
    status, done = sameday(house, "purge", young)
    assert status == 0, done
    assert told()[young]["why"] == "asked"
    assert sameday(house, "purge", "nothing-of-the-kind")[0] == 1
    assert sameday(house, "purge")[0] == 2
    assert {"session.delete"} == {
        one["action"]
        for one in json.loads(sameday(house, "audit", "show", "--subject", young, "--json")[1])["entries"]
    }


def test_accounts_and_keys_are_recorded_and_what_is_taken_out_is_found(house: House) -> None:
    carl = ("--name", "Carl", "--practice", "west", "--needs-cosignature")
    assert sameday(house, "user", "add", "carl", *carl, typed=f"{PASSWORD}\n")[0] == 0
    for action in (("cosignature", "carl", "not-needed"), ("disable", "carl")):
        assert sameday(house, "user", *action)[0] == 0
    assert sameday(house, "key", "rotate")[0] == 0
    assert sameday(house, "backup", str(data(house).parent / "copy"))[0] == 0
    shown = json.loads(sameday(house, "audit", "show", "--practice", "west", "--json")[1])["entries"]
    assert [(one["action"], one["subject"], one["way"]) for one in shown] == [
        (f"account.{one}", "carl", "command") for one in ("disable", "cosignature", "add")
    ]  # fmt: skip
    text = sameday(house, "audit", "show", "--practice", "@house")[1]
    assert "key.rotate" in text
    assert "backup.make" in text
    status, told = sameday(house, "audit", "verify")
    assert status == 0, told
    assert {line.partition(":")[0] for line in told.splitlines()} >= {"@house", "north", "south", "west"}
    with sqlite3.connect(data(house) / "log.sqlite3") as database:
        database.execute("DELETE FROM record WHERE kind = '@audit:west:0' AND key = '000000002'")
    database.close()
    status, told = sameday(house, "audit", "verify", "--practice", "west", "--json")
    assert status == 1, told
    broken = json.loads(told)["chains"]["west"]
    assert (broken["intact"], broken["broken"]["number"], broken["broken"]["fault"]) == (False, 2, "missing")
    assert sameday(house, "audit", "verify", "--practice", "north")[0] == 0
