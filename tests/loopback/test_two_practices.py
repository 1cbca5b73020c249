"""Two practices on one server: who is let in, what a role sees, and that neither finds what is the other's."""

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from accounts_of_two import PASSWORD, PEOPLE, House, house_of_two, user
from live_server import CONSENT, piece, refusal, transcript_of, until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.whip_peer import WhipPeer, opus_packets
from streaming.accounts import Account
from streaming.app import create_app
from streaming.seats import need
from streaming.settings import Settings

pytestmark = pytest.mark.loopback

MARKED = "Zebulon Quince"
"""Stands in all that practice north keeps."""
_PARTS = {"{resource}": "none", "{provider}": "none", "{path:path}": "js/api.js"}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with house_of_two(SAMEDAY_MAX_SESSIONS="100", SAMEDAY_ASK_AGAIN_S="1") as made:
        yield made


@pytest.fixture(scope="module")
def kept(house: House) -> dict[str, str]:
    """What practice north keeps, by the name that its id has in a path."""
    return asyncio.run(_keep(house))


async def _keep(house: House) -> dict[str, str]:
    async with house.client("anna") as anna:
        chart = (await anna.post("/api/charts", json={"client": MARKED})).json()["id"]
        visit = await anna.post("/api/visits", json={"date": "2026-03-04", "label": MARKED})
        recap = await anna.post("/api/recaps", json={"text": f"{MARKED} sleeps badly."})
        body = {"consent": CONSENT, "client": chart, "tracks": [{"id": "mic", "speakers": 1}]}
        session = (await anna.post("/api/sessions", json=body)).json()["id"]
        await anna.post(f"/api/sessions/{session}/end")
        await asyncio.sleep(0)
        phrases = await anna.put("/api/phrases", json={"version": 0, "phrases": [], "hidden": ["sf_miracle"]})
        assert phrases.status_code == 200, phrases.text
        return {
            "session": session, "chart": chart, "visit": visit.json()["id"], "recap": recap.json()["id"],
        }  # fmt: skip


def _routes(of: Any = None) -> list[tuple[str, str]]:
    """Every route of the application as (method, path), WebSockets as WS."""
    found: list[tuple[str, str]] = []
    for route in (of or create_app(Settings())).routes:
        if hasattr(route, "original_router"):
            found += _routes(route.original_router)
            continue
        path = getattr(route, "path", "")
        methods = getattr(route, "methods", None)
        found += [(method, path) for method in sorted(methods)] if methods else [("WS", path)]
    return found


def _with_ids(path: str, kept: dict[str, str]) -> str:
    kind = re.match(r"/api/(chart|visit|recap)s/", path)
    for part, value in (_PARTS | {"{name}": kept["session"], "{key}": kept[kind[1]] if kind else "none"}).items():
        path = path.replace(part, value)
    return path


BODIES: dict[str, Any] = {
    "/context": {}, "/roles": {"swap": True}, "/note": {"version": 1, "changes": [{"op": "restore", "section": "x"}]},
    "/redraft": {}, "/sign": {"version": 1, "signer": "x", "credentials": "x"}, "/addenda": {"text": "x", "who": "x"},
    "/answers": {"answers": {"plan": "x"}},
}  # fmt: skip


def _body(path: str, kept: dict[str, str]) -> Any:
    if path == "/api/recaps":
        return {"session": kept["session"]}
    return next((body for end, body in BODIES.items() if path.endswith(end)), {})


async def _socket(house: House, path: str, login: str | None) -> tuple[str, int]:
    """All that a WebSocket said, and what it was closed with."""
    headers = {"Authorization": f"Bearer {house.tokens[login]}"} if login else {}
    url = house.server.url.replace("http", "ws", 1) + path
    async with connect(url, additional_headers=headers, max_size=None) as socket:
        return await _heard(socket)


async def _heard(socket: ClientConnection) -> tuple[str, int]:
    said: list[str] = []
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionClosed):
            while True:  # what came before a refusal's close code counts
                said.append(str(await socket.recv()))
    return "".join(said), socket.close_code or 0


def test_every_route_is_behind_the_gate_and_all_but_a_few_ask_for_content() -> None:
    asks = {path: need(path) for _, path in _routes()}
    assert {path for path, wanted in asks.items() if wanted != "content"} <= {
        "/healthz", "/readyz", "/metrics", "/sign-in", "/api/sign-in", "/api/sign-out", "/api/seat", "/static",
        "/ops", "/service-worker.js", "/authority.crt", "/api/oidc/{provider}/start", "/api/oidc/{provider}/back",
    }  # fmt: skip
    assert len([one for one in asks.values() if one == "content"]) > 25


async def test_no_route_gives_a_practice_what_is_another_s(house: House, kept: dict[str, str]) -> None:
    """Each route with the ids of what practice north keeps: its own clinician finds it, nobody else does."""
    of_objects = 0
    async with house.client("bert") as bert:
        for method, path in _routes():
            if need(path) != "content" or path in ("/static", "/api/dictation"):
                continue
            filled = _with_ids(path, kept)
            if method == "WS":
                said, code = await _socket(house, filled, "bert")
                assert (code, MARKED in said) == (4404, False), path
                of_objects += 1
                continue
            answer = await bert.request(method, filled, json=_body(path, kept), headers=_kind(path))
            assert answer.status_code < 500, (method, path)
            assert MARKED not in answer.text, (method, path)
            assert kept["session"] not in answer.text, (method, path)
            if "{name}" in path or "{key}" in path:
                of_objects += 1
                wanted = 405 if answer.status_code == 405 else 404
                assert answer.status_code == wanted, (method, path, answer.text)
        assert (await bert.post("/api/recaps", json={"session": kept["session"]})).status_code == 404
        assert (await bert.post("/api/recaps", json={"text": "x", "client": kept["chart"]})).status_code == 404
        assert (await bert.post("/api/recaps", json={"text": "x", "visit": kept["visit"]})).status_code == 404
        session = {"consent": CONSENT, "client": kept["chart"]}
        assert (await bert.post("/api/sessions", json=session)).status_code == 404
        assert MARKED not in (await bert.get("/api/charts")).text
        assert kept["visit"] not in (await bert.get("/api/backlog")).text
        assert (await bert.get("/api/phrases")).json()["version"] == 0
    assert of_objects > 20
    async with house.client("anna") as anna:
        assert (await anna.get(f"/api/sessions/{kept['session']}")).status_code == 200
        assert MARKED in (await anna.get("/api/charts")).text
        assert MARKED in (await anna.get(f"/api/recaps/{kept['recap']}")).text
        assert kept["visit"] in (await anna.get("/api/backlog")).text


def _kind(path: str) -> dict[str, str]:
    return {"Content-Type": "application/sdp"} if path.endswith("/whip") else {"If-Match": '"1"'}


async def test_nobody_and_operations_get_no_content_from_any_route(house: House, kept: dict[str, str]) -> None:
    asked = 0
    for login, status, code in ((None, 401, 4401), ("olga", 403, 4403)):
        async with house.client(login) as client:
            for method, path in _routes():
                filled = _with_ids(path, kept)
                if need(path) != "content" or path == "/static":
                    continue
                asked += 1
                if method == "WS":
                    said, closed = await _socket(house, filled, login)
                    assert (closed, MARKED in said) == (code, False), path
                    continue
                answer = await client.request(method, filled, json=_body(path, kept))
                page = login is None and method == "GET" and not path.startswith(("/api/", "/openapi"))
                assert answer.status_code == (303 if page else status), (method, path)
                assert MARKED not in answer.text
    assert asked > 60
    async with house.client("olga") as olga, house.client("anna") as anna, house.client() as nobody:
        assert "sameday_sessions" in (await olga.get("/metrics")).text
        assert refusal(await anna.get("/metrics"))["code"] == "not_allowed_to_role"
        assert (await nobody.get("/metrics")).status_code == 401
        assert (await nobody.get("/healthz")).json() == {"status": "ok"}
        assert (await nobody.get("/")).headers["location"] == "/sign-in"
        assert "Sign in" in (await nobody.get("/sign-in")).text


def _browser(house: House) -> httpx.AsyncClient:
    """What a browser sends with each request of our pages; keeps cookies."""
    return httpx.AsyncClient(base_url=house.server.url, headers={"Origin": house.server.url}, timeout=30.0)


async def _sign_in(client: httpx.AsyncClient, login: str = "anna", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/sign-in", json={"login": login, "password": password})


async def test_a_sign_in_lasts_until_it_is_signed_out(house: House) -> None:
    async with _browser(house) as client:
        answer = await _sign_in(client)
        assert answer.json() | {"name": "Anna North", "credentials": "LCSW", "practice": "north"} == answer.json()
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert PASSWORD not in cookie
        assert (await client.get("/api/charts")).status_code == 200
        stolen = client.cookies["sameday"]
        assert (await client.post("/api/sign-out")).status_code == 204
        client.cookies.set("sameday", stolen)
        assert (await client.get("/api/charts")).status_code == 401


async def test_a_cookie_that_was_there_before_is_not_taken_over(house: House) -> None:
    async with _browser(house) as client:
        client.cookies.set("sameday", "chosen-by-another")
        await _sign_in(client)
        first = [str(one.value) for one in client.cookies.jar if one.value != "chosen-by-another"]
        client.cookies.clear()
        client.cookies.set("sameday", first[0])
        await _sign_in(client)
        client.cookies.clear()
        client.cookies.set("sameday", first[0])
        assert (await client.get("/api/charts")).status_code == 401
        client.cookies.set("sameday", "chosen-by-another")
        assert (await client.get("/api/charts")).status_code == 401


async def test_a_change_by_cookie_comes_from_our_own_page(house: House) -> None:
    async with _browser(house) as client:
        await _sign_in(client)
        assert (await client.post("/api/charts", json={"client": "A"})).status_code == 201
        del client.headers["Origin"]
        assert (await client.get("/api/charts")).status_code == 200
        answer = await client.post("/api/charts", json={"client": "A"})
        assert (answer.status_code, refusal(answer)["code"]) == (403, "not_allowed_to_role")
        answer = await client.post("/api/charts", json={"client": "A"}, headers={"Origin": "https://evil.example"})
        assert (answer.status_code, refusal(answer)["code"]) == (403, "foreign_origin")
        cookie = f"sameday={client.cookies['sameday']}"
        url = house.server.url.replace("http", "ws", 1) + "/api/sessions/x/events"
        async with connect(url, additional_headers={"Cookie": cookie}) as socket:
            assert (await _heard(socket))[1] == 4403
        async with connect(url, additional_headers={"Cookie": cookie}, origin=house.server.url) as socket:  # type: ignore[arg-type]
            assert (await _heard(socket))[1] == 4404


async def test_a_disabled_account_and_a_changed_password_end_what_is_signed_in(house: House) -> None:
    user(house.environment, "add", "carl", "--name", "Carl", "--practice", "north", typed=f"{PASSWORD}\n")
    token = user(house.environment, "token", "carl").strip()
    async with _browser(house) as client:
        await _sign_in(client, "carl")
        assert (await client.get("/api/charts")).status_code == 200
        user(house.environment, "password", "carl", typed="five other loud words apart\n")
        assert (await client.get("/api/charts")).status_code == 401
        assert (await _sign_in(client, "carl")).status_code == 401
        assert (await _sign_in(client, "carl", "five other loud words apart")).status_code == 200
        user(house.environment, "disable", "carl")
        assert (await client.get("/api/charts")).status_code == 401
        assert (await client.get("/api/charts", headers={"Authorization": f"Bearer {token}"})).status_code == 401
        assert (await _sign_in(client, "carl", "five other loud words apart")).status_code == 401
    assert "disabled" in user(house.environment, "list")


async def test_a_webrtc_connection_ends_with_the_sign_in_or_the_account_that_it_was_opened_by(house: House) -> None:
    user(house.environment, "add", "dora", "--name", "Dora", "--practice", "north", typed=f"{PASSWORD}\n")
    token = user(house.environment, "token", "dora").strip()
    tracks = [{"id": name, "speakers": 1} for name in ("page", "program", "tablet")]
    async with _browser(house) as page, house.client() as program, house.client("sven") as sven:
        program.headers["Authorization"] = f"Bearer {token}"
        session = (await program.post("/api/sessions", json={"consent": CONSENT, "tracks": tracks})).json()["id"]
        media = (await program.post(f"/api/sessions/{session}/media-token")).json()["token"]
        assert (await _sign_in(page, "dora")).status_code == 200
        peers = {name: WhipPeer(opus_packets(piece(0.9, 60))) for name in ("page", "program", "tablet")}

        async def gone(*names: str) -> bool:
            return {name for name, one in peers.items() if one._peer.connectionState == "closed"} == set(names)

        async with house.client() as tablet:
            tablet.headers["Authorization"] = f"Bearer {media}"
            for name, client in (("page", page), ("program", program), ("tablet", tablet)):
                await peers[name].connect(client, f"/api/sessions/{session}/whip?track={name}")
        await asyncio.sleep(2.5)  # asked again meanwhile, and all may go on
        assert await gone()
        assert (await page.post("/api/sign-out")).status_code == 204
        await until(lambda: gone("page"), 10)
        user(house.environment, "disable", "dora")
        await until(lambda: gone("page", "program", "tablet"), 10)
        assert not any(one.track.finished.is_set() for one in peers.values())
        assert (await sven.delete(peers["tablet"].resource or "")).status_code == 404
        after = WhipPeer(opus_packets(piece(14.1, 16.6)))
        await after.connect(sven, f"/api/sessions/{session}/whip?track=tablet")
        await after.finish()
        await after.hang_up(sven)
        for one in peers.values():
            await one.close()
        assert (await sven.post(f"/api/sessions/{session}/end")).status_code == 202

        async def ended() -> bool:
            return bool((await sven.get(f"/api/sessions/{session}")).json()["state"] == "ended")

        await until(ended, 60)
        found = await transcript_of(sven, session)
        for name in peers:
            assert any(one["id"].startswith(f"{name}.") for one in found["utterances"]), name
        assert [one for one in found["gaps"] if one["track"] == "tablet" and one["end"] - one["start"] > 0.2]


async def test_attempts_are_counted_and_a_wrong_login_reads_like_a_wrong_password(house: House) -> None:
    async with _browser(house) as client:
        told = [(await _sign_in(client, login, "not the password")) for login in ("nobody", "bert")]
        assert [one.status_code for one in told] == [401, 401]
        assert told[0].json() == told[1].json()
        for _ in range(4):
            await _sign_in(client, "bert", "not the password")
        late = await _sign_in(client, "bert")
        assert (late.status_code, refusal(late)["code"]) == (429, "too_many")
        assert int(late.headers["retry-after"]) > 10
        assert (await _sign_in(client, "sven")).status_code == 200


async def test_a_media_token_carries_the_audio_of_its_session_alone(house: House, kept: dict[str, str]) -> None:
    body = {"consent": CONSENT, "tracks": [{"id": "mic", "speakers": 1}]}
    async with house.client("anna") as anna, house.client() as tablet:
        session = (await anna.post("/api/sessions", json=body)).json()["id"]
        answer = await anna.post(f"/api/sessions/{session}/media-token")
        token = answer.json()["token"]
        tablet.headers["Authorization"] = f"Bearer {token}"
        for path in (f"/api/sessions/{session}", f"/api/sessions/{kept['session']}/whip", "/api/charts"):
            assert (await tablet.get(path)).status_code in (401, 403), path
        url = house.server.url.replace("http", "ws", 1)
        said, code = await _socket_by(f"{url}/api/sessions/{session}/events", token)
        assert (code, "sequence" in said) == (4401, False)
        _, code = await _socket_by(f"{url}/api/sessions/{kept['session']}/audio", token)
        assert code == 4403
        _, code = await _socket_by(f"{url}/api/sessions/{session}/audio", token[:-2] + "AA")
        assert code == 4401
        protocols: Any = ["sameday", f"bearer.{token}"]
        async with connect(f"{url}/api/sessions/{session}/audio", subprotocols=protocols) as socket:
            assert socket.subprotocol == "sameday"
            assert "type" in json.loads(await socket.recv())
        await anna.post(f"/api/sessions/{session}/end")


async def _socket_by(url: str, token: str) -> tuple[str, int]:
    protocols: Any = ["sameday", f"bearer.{token}"]
    async with connect(url, subprotocols=protocols) as socket:
        return await _heard(socket)


async def test_who_signs_is_who_is_signed_in(house: House) -> None:
    body = {"consent": CONSENT, "tracks": [{"id": "mic", "speakers": 1, "role": "client"}]}
    async with house.client("anna") as anna:
        session = (await anna.post("/api/sessions", json=body)).json()["id"]
        await anna.post(f"/api/sessions/{session}/end")
        note = f"/api/sessions/{session}/note"

        async def drafted() -> httpx.Response | None:
            answer = await anna.get(note)
            return answer if answer.status_code == 200 else None

        answer = await until(drafted, 30)
        given = {"version": answer.json()["version"], "signer": "Somebody Else", "credentials": "MD", "override": "x"}
        signed = await anna.post(f"{note}/sign", json=given)
        assert signed.status_code == 200, signed.text
        assert (signed.json()["signed"]["signer"], signed.json()["signed"]["credentials"]) == ("Anna North", "LCSW")
        added = await anna.post(f"{note}/addenda", json={"text": "Called back.", "who": "Somebody Else"})
        assert added.json()["addenda"][0]["who"] == "Anna North"
        assert {one["who"] for one in (await anna.get(f"{note}/trail")).json()["trail"]} == {"server", "Anna North"}


async def test_a_note_that_needs_a_co_signature_waits_for_a_supervisor_of_the_practice(house: House) -> None:
    nora_north = Account("nora", "Nora North", "north", "clinician", "LSW", password="-", needs_cosignature=True)
    token = await house.add(nora_north)
    body = {"consent": CONSENT, "tracks": [{"id": "mic", "speakers": 1, "role": "client"}]}
    async with house.client() as nora, house.client("sven") as sven, house.client("anna") as anna:
        nora.headers["Authorization"] = f"Bearer {token}"
        assert (await nora.get("/api/seat")).json()["needs_cosignature"] is True
        session = (await nora.post("/api/sessions", json=body)).json()["id"]
        await nora.post(f"/api/sessions/{session}/end")
        note = f"/api/sessions/{session}/note"

        async def drafted() -> httpx.Response | None:
            answer = await nora.get(note)
            return answer if answer.status_code == 200 else None

        given = {"signer": "x", "credentials": "x", "override": "short"}
        version = (await until(drafted, 30)).json()["version"]
        assert refusal(await sven.post(f"{note}/cosign", json={"version": version}))["code"] == "not_allowed"
        waiting = (await nora.post(f"{note}/sign", json=given | {"version": version})).json()
        assert (waiting["state"], waiting["signed"]["cosigned"]) == ("awaiting", None)
        change = {"version": waiting["version"], "changes": [{"op": "restore", "section": "Plan"}]}
        assert (await nora.patch(note, json=change)).status_code == 409
        assert refusal(await anna.post(f"{note}/cosign", json={"version": 9}))["code"] == "not_allowed_to_role"
        assert refusal(await anna.post(f"{note}/return", json={"version": 9, "remark": "x"}))["code"] == (
            "not_allowed_to_role"
        )
        (found,) = [one for one in (await sven.get("/api/backlog")).json()["visits"] if one["id"] == session]
        assert found["note"] == "awaiting"
        assert "awaiting co-signature" in (await sven.get(f"{note}/export?format=txt")).text
        back = await sven.post(f"{note}/return", json={"version": waiting["version"], "remark": "Say how it went."})
        assert (back.json()["state"], back.json()["signed"]) == ("edited", None)
        assert [(one["who"], one["text"]) for one in back.json()["remarks"]] == [("Sven North", "Say how it went.")]
        (found,) = [one for one in (await sven.get("/api/backlog")).json()["visits"] if one["id"] == session]
        assert found["note"] == "draft"
        again = (await nora.post(f"{note}/sign", json=given | {"version": back.json()["version"]})).json()
        stale = await sven.post(f"{note}/cosign", json={"version": waiting["version"]})
        assert stale.json()["error"]["code"] == "conflict"
        done = (await sven.post(f"{note}/cosign", json={"version": again["version"]})).json()
        assert (done["state"], done["signed"]["intact"]) == ("signed", True)
        assert (done["signed"]["signer"], done["signed"]["cosigned"]["by"]) == ("Nora North", "Sven North")
        assert done["signed"]["record"]["cosigned"]["signed_digest"] == again["signed"]["digest"]
        assert done["signed"]["digest"] != again["signed"]["digest"]
        exported = (await nora.get(f"{note}/export?format=txt")).text
        assert "Co-signed by" in exported
        assert "Sven North, PhD" in exported
        trail = [(one["who"], one["action"]) for one in (await sven.get(f"{note}/trail")).json()["trail"]]
        assert trail[-4:] == [
            ("Nora North", "submit"), ("Sven North", "return"), ("Nora North", "submit"), ("Sven North", "cosign"),
        ]  # fmt: skip
        assert session not in (await sven.get("/api/backlog")).text
        assert (await nora.post(f"{note}/addenda", json={"text": "Later.", "who": "x"})).status_code == 201


def test_people_are_as_they_were_added(house: House) -> None:
    listed = user(house.environment, "list")
    assert all(f"{login} " in listed for login in PEOPLE)
    assert "$argon2" not in listed
