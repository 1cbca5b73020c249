"""Sessions and pages over HTTP against the whole server: consent, bodies, roles, notes, limits, and who may ask."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_server import (
    ALONE,
    CONSENT,
    Message,
    assert_accounts_for_all,
    client_of,
    data_folder,
    end,
    events_url,
    follow,
    piece,
    refusal,
    send,
    server,
    silence,
    start,
    transcript_of,
    until,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from benchmarks.server_process import Running, running_server

__all__ = ["server"]
pytestmark = pytest.mark.loopback


async def test_a_session_from_start_to_note(server: Running) -> None:
    async with client_of(server) as client:
        answer = await client.post("/api/sessions", json={"consent": CONSENT, "tracks": ALONE, "format": "dap"})
        assert answer.status_code == 201
        session = answer.json()
        assert answer.headers["location"] == f"/api/sessions/{session['id']}"
        assert (await client.get(answer.headers["location"])).json().keys() == session.keys()
        assert (session["state"], session["ended_at"], session["ice_servers"]) == ("live", None, [])
        standing = {"received_s": 0.0, "transcribed_s": 0.0, "lag_s": 0.0}
        assert session["tracks"] == [{"id": "mic", "speakers": 1, "role": None, "language": "en"} | standing]
        early = await client.get(f"/api/sessions/{session['id']}/note")
        assert (early.status_code, refusal(early)["code"]) == (409, "not_drafted")

        await send(server, session["id"], piece(14.1, 16.6))
        seen = await end(server, client, session["id"])
        assert seen.of("started")[0]["consent"] == CONSENT
        (ended,) = seen.of("ended")
        assert_accounts_for_all(ended, [len(piece(14.1, 16.6))])
        described = (await client.get(f"/api/sessions/{session['id']}")).json()
        assert (described["state"], described["ended_at"]) == ("ended", ended["ended_at"])
        assert described["tracks"][0]["received_s"] == described["tracks"][0]["transcribed_s"] == 2.5
        note = (await client.get(f"/api/sessions/{session['id']}/note")).json()
        drafted = seen.of("draft")[0]["note"]
        assert {name: note[name] for name in drafted} == drafted
        assert (note["state"], note["version"], note["signed"]) == ("draft", 1, None)
        assert note["format"] == "dap"


async def test_without_consent_nothing_begins_and_nothing_is_stored(tmp_path: Path) -> None:
    with running_server(data_folder(tmp_path)) as running:
        async with client_of(running) as client:
            bodies: list[Message] = [{}, {"consent": []}, {"consent": [], "tracks": [{"id": "therapy-room"}]}]
            for body in bodies:
                answer = await client.post("/api/sessions", json=body)
                assert (answer.status_code, refusal(answer)["code"]) == (403, "no_consent")
    with sqlite3.connect(tmp_path / "log.sqlite3") as database:
        for table in ("session", "event", "audio"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert not _is_on_disk(tmp_path, b"therapy-room")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Daniel",
        b'"Daniel"',
        b'{"consent": ["Daniel"], "tracks": ["Daniel"]}',
        b'{"consent": "Daniel"}',
        b'{"consent": ["Daniel"], "Daniel": true}',
        b'{"consent": ["Daniel"], "tracks": [{"id": "Daniel"}]}',
        b'{"consent": ["Daniel"], "format": "Daniel"}',
        b'{"consent": ["client"], "tracks": [{"id": "a", "role": "Daniel"}]}',
        b'{"consent": ["client"], "tracks": [{"id": "a", "speakers": 0}]}',
        b'{"consent": ["client"], "tracks": []}',
        b'{"consent": ["\xff\xfe"]}',
        b'{"consent": ' + b"[" * 5_000,
    ],
)
async def test_a_body_that_cannot_be_meant_is_refused_without_repeating_it(server: Running, body: bytes) -> None:
    async with client_of(server) as client:
        answer = await client.post("/api/sessions", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), answer.text
        assert refusal(answer)["code"] == "bad_request"
        assert '"Daniel"' not in json.dumps(refusal(answer)["message"]).replace("\\", "")
        assert "ff" not in refusal(answer)["message"].split()


async def test_two_tracks_of_one_name_are_refused(server: Running) -> None:
    async with client_of(server) as client:
        answer = await client.post("/api/sessions", json={"consent": CONSENT, "tracks": [{"id": "a"}, {"id": "a"}]})
        assert (answer.status_code, refusal(answer)["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/transcript"),
        ("GET", "/note"),
        ("POST", "/end"),
        ("POST", "/roles"),
    ],
)
async def test_an_unknown_session_is_not_found(server: Running, method: str, path: str) -> None:
    async with client_of(server) as client:
        for name in ("unknown", "0" * 32, "%00", "..%2f..%2fetc"):
            body = {"json": {"swap": True}} if path == "/roles" else {}
            answer = await client.request(method, f"/api/sessions/{name}{path}", **body)  # type: ignore[arg-type]
            assert answer.status_code == 404, (name, answer.text)
            refusal(answer)


async def test_to_end_twice_changes_nothing(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        await send(server, session, silence(0.5))
        answers = await asyncio.gather(*(client.post(f"/api/sessions/{session}/end") for _ in range(4)))
        assert {answer.status_code for answer in answers} == {202}
        assert {answer.json()["state"] for answer in answers} <= {"ending", "ended"}
        seen = await follow(server, session)
        assert len(seen.of("ended")) == len(seen.of("draft")) == 1
        first = await client.post(f"/api/sessions/{session}/end")
        again = await client.post(f"/api/sessions/{session}/end")
        assert (first.status_code, first.json()["state"]) == (202, "ended")
        assert again.json() == first.json()
        assert (await follow(server, session)).messages == seen.logged


async def test_a_session_in_which_nothing_was_said_has_a_note_that_says_nothing(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client, tracks=[{"id": "mic", "speakers": 2}])
        seen = await end(server, client, session)
        assert_accounts_for_all(seen.of("ended")[0], [0])
        assert seen.of("failed", "utterance") == []
        note = seen.of("draft")[0]["note"]
        said = [one for part in note["sections"] for one in part["statements"] if one["provenance"] == "transcript"]
        assert said == []
        assert (await transcript_of(client, session))["utterances"] == []


async def test_roles_can_be_set_and_swapped_before_and_after_the_end(server: Running) -> None:
    tracks = [{"id": "one", "role": "clinician"}, {"id": "two", "role": "client"}]
    async with client_of(server) as client:
        session = await start(client, tracks=tracks)
        await asyncio.gather(
            send(server, session, piece(14.1, 16.6, "clinician"), track="one"),
            send(server, session, piece(63.0, 68.3, "client"), track="two"),
        )
        roles = f"/api/sessions/{session}/roles"
        swapped = (await client.post(roles, json={"swap": True})).json()
        assert swapped["roles"] == {"one": "client", "two": "clinician"}
        assert (swapped["roles_source"], swapped["roles_confidence"]) == ("clinician", 1.0)
        seen = await end(server, client, session)
        assert seen.of("roles")[-1]["roles"] == swapped["roles"]
        wrong = (await client.get(f"/api/sessions/{session}/note")).json()
        assert _speakers(await transcript_of(client, session)) == {"one": "client", "two": "clinician"}

        again = await client.post(roles, json={"swap": True})
        assert again.status_code == 200
        assert again.json()["roles"] == {"one": "clinician", "two": "client"}
        assert _speakers(await transcript_of(client, session)) == {"one": "clinician", "two": "client"}
        note = (await client.get(f"/api/sessions/{session}/note")).json()
        assert note["format"] == wrong["format"]
        assert _quoted(note) != _quoted(wrong), "the note is about the right person now"
        named = (await client.post(roles, json={"roles": {"two": "other"}})).json()
        assert named["roles"] == {"one": "clinician", "two": "other"}
        assert (await follow(server, session)).of("roles")[-1]["roles"] == named["roles"]


def _speakers(transcript: Message) -> dict[str, str]:
    return {row["speaker"]: row["role"] for row in transcript["utterances"]}


def _quoted(note: Message) -> list[list[str]]:
    parts = note["sections"]
    return [one["evidence"] for part in parts for one in part["statements"] if one["provenance"] == "transcript"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"roles": {"mic": "client"}, "swap": True},
        {"roles": {"mic": "therapist"}},
        {"swap": False},
        {"swap": "Daniel"},
        {"role": "client"},
        [],
    ],
)
async def test_roles_that_cannot_be_meant(server: Running, body: Any) -> None:
    async with client_of(server) as client:
        session = await start(client)
        answer = await client.post(f"/api/sessions/{session}/roles", json=body)
        assert answer.status_code in (400, 422)
        assert "Daniel" not in refusal(answer)["message"]
        assert (await client.get(f"/api/sessions/{session}")).json()["roles"] == {}


async def test_a_swap_before_anybodys_role_is_known_leaves_the_guess_to_come(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client, tracks=[{"id": "mic", "speakers": 2}])
        answer = await client.post(f"/api/sessions/{session}/roles", json={"swap": True})
        assert answer.status_code == 409
        assert refusal(answer)["code"] == "roles_unknown"
        assert (await client.get(f"/api/sessions/{session}")).json()["roles_source"] is None


async def test_the_note_in_another_format(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        await send(server, session, piece(63.0, 68.3))
        await end(server, client, session)
        note = f"/api/sessions/{session}/note"
        soap, dap = [(await client.get(note, params={"format": name})).json() for name in ("soap", "dap")]
        assert [part["name"] for part in soap["sections"]][:1] == ["Subjective"]
        assert [part["name"] for part in dap["sections"]][:1] == ["Data"]
        assert soap == (await client.get(note)).json()
        unknown = await client.get(note, params={"format": "sonnet"})
        assert (unknown.status_code, refusal(unknown)["code"]) == (422, "bad_request")
        assert "sonnet" not in refusal(unknown)["message"]


async def test_past_its_limit_the_server_says_when_to_come_again(tmp_path: Path) -> None:
    """With the limit of one session, and audio kept: both are settings of this server."""
    turn = '{"url": "turn:127.0.0.1:9", "username": "u", "credential": "c"}'
    more = {"SAMEDAY_MAX_SESSIONS": "1", "SAMEDAY_KEEP_AUDIO": "1", "SAMEDAY_ICE_SERVERS": f"[{turn}]"}
    with running_server(data_folder(tmp_path, **more)) as running:
        async with client_of(running) as client:
            assert (await client.get("/readyz")).status_code == 200
            first = await start(client)
            described = (await client.get(f"/api/sessions/{first}")).json()
            assert described["ice_servers"] == [{"urls": ["turn:127.0.0.1:9"], "username": "u", "credential": "c"}]
            for answer in (
                await client.post("/api/sessions", json={"consent": CONSENT}),
                await client.get("/readyz"),
            ):
                assert (answer.status_code, refusal(answer)["code"]) == (503, "overloaded")
                assert int(answer.headers["retry-after"]) > 0
            assert (await client.get("/healthz")).status_code == 200
            await send(running, first, silence(0.5))
            await end(running, client, first)
            second = await start(client)
            await end(running, client, second)
    assert _audio_rows(tmp_path) > 0, "SAMEDAY_KEEP_AUDIO=1"


async def test_the_voice_is_not_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    with running_server(data_folder(tmp_path)) as running:
        async with client_of(running) as client:
            session = await start(client)
            await send(running, session, piece(14.1, 16.6))
            assert _audio_rows(tmp_path) > 0
            await end(running, client, session)

            async def gone() -> bool:
                return not _audio_rows(tmp_path)

            await until(gone)
            assert (await transcript_of(client, session))["utterances"]
    samples = piece(14.1, 16.6).astype("<i2").tobytes()
    assert not _is_on_disk(tmp_path, samples[16_000:16_200]), "overwritten, not only unlinked"


def _is_on_disk(folder: Path, what: bytes) -> bool:
    return any(what in file.read_bytes() for file in folder.iterdir())


def _audio_rows(folder: Path) -> int:
    with sqlite3.connect(folder / "log.sqlite3") as database:
        count: int = database.execute("SELECT count(*) FROM audio").fetchone()[0]
        return count


FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example:80"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://["},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_foreign_pages_and_names_are_refused_everywhere(server: Running, headers: dict[str, str]) -> None:
    async with client_of(server) as client:
        session = await start(client)
        for method, path in (
            ("GET", "/"),
            ("GET", "/static/index.html"),
            ("GET", f"/api/sessions/{session}"),
            ("POST", "/api/sessions"),
            ("POST", f"/api/sessions/{session}/end"),
            ("POST", f"/api/sessions/{session}/whip"),
        ):
            answer = await client.request(method, path, headers=headers)
            assert (answer.status_code, refusal(answer)["code"]) == (403, "foreign_origin"), path
        assert (await client.get(f"/api/sessions/{session}")).json()["state"] == "live"
        if "Origin" in headers:
            for path in ("events", "audio"):
                with pytest.raises(InvalidStatus) as refused:
                    async with connect(
                        events_url(server, session).replace("/events", f"/{path}"), additional_headers=headers
                    ):
                        pass
                assert refused.value.response.status_code == 403


async def test_the_servers_own_pages_are_served_and_bound(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        for path in ("/", "/static/index.html", f"/api/sessions/{session}", "/healthz"):
            answer = await client.get(path, headers={"Origin": server.url})
            assert answer.status_code == 200, path
            headers = answer.headers
            assert "default-src 'self'" in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "microphone=(self)" in headers["permissions-policy"]
            assert headers["cache-control"] == ("no-store" if "/api/" in path else "no-cache")
            assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/nothing", "/static/nothing.js", "/static/..%2f..%2fpyproject.toml"]
)
async def test_where_nothing_is(server: Running, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get(path)
        assert (answer.status_code, refusal(answer)["code"]) == (404, "not_found")
