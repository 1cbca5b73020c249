"""Notes over HTTP against the whole server: edit, redraft, switch, sign, add; two at once; a restart between."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from kept_sessions import TALK, keep_session, sections, texts
from live_server import Message, client_of, data_folder, end, events_url, follow, refusal, start
from talk import CLIENT, HOSTILE
from websockets.asyncio.client import connect

from benchmarks.server_process import Running, running_server

pytestmark = pytest.mark.loopback

WHO = {"signer": "Pat Doe", "credentials": "LCSW"}
REASON = {"override": "chart is down"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notes")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    with running_server(data_folder(folder, SAMEDAY_MAX_SESSIONS="100")) as running:
        yield running


def path(session: str, rest: str = "") -> str:
    return f"/api/sessions/{session}/note{rest}"


async def look(client: httpx.AsyncClient, session: str, **query: str) -> Message:
    answer = await client.get(path(session), params=query)
    assert answer.status_code == 200, answer.text
    found: Message = answer.json()
    return found


async def change(client: httpx.AsyncClient, session: str, *changes: Message, version: int = 1) -> httpx.Response:
    return await client.patch(path(session), json={"version": version, "changes": list(changes)})


def add(text: str, section: str = "Plan") -> Message:
    return {"op": "add", "section": section, "text": text}


def told(answer: httpx.Response, status: int = 409) -> Message:
    """The error object of a refusal, which may say more than its three words."""
    assert answer.status_code == status, answer.text
    error: Message = answer.json()["error"]
    assert error.keys() >= {"code", "message", "mend"}
    return error


async def test_an_edit_is_the_clinicians_and_the_rest_keeps_where_it_comes_from(
    server: Running, folder: Path
) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        before = await look(client, session)
        assert (before["state"], before["version"], before["edited"], before["unsupported"]) == ("draft", 1, [], 0)
        kept = before["sections"][0]["statements"][-1]
        made = {"op": "write", "section": "Subjective", "texts": [kept["text"], "Client <b>cried</b> & left."]}
        answer = await change(client, session, made, add("Next session on Monday."))
        assert answer.status_code == 200, answer.text
        after = answer.json()
        assert (after["state"], after["version"], after["edited"]) == ("edited", 2, ["Plan", "Subjective"])
        assert after["sections"][0]["statements"] == [
            kept,
            {
                "text": "Client <b>cried</b> & left.",
                "provenance": "clinician",
                "evidence": [],
                "supported": True,
                "uncertain": [],
            },
        ]
        assert texts(after, "Plan")[-1] == "Next session on Monday."
        assert after == await look(client, session)


async def test_findings_are_of_the_edited_text(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        assert "vague_wording" not in {one["rule"] for one in (await look(client, session))["checks"]}
        vague = {"op": "write", "section": "Assessment", "texts": ["Provided support."]}
        after = (await change(client, session, vague)).json()
        before, rules = await look(client, session), {one["rule"] for one in after["checks"]}
        assert before["checks"] == after["checks"]
        assert any(
            one["section"] == "Assessment" and "support" in one["message"].lower() for one in after["checks"]
        ), rules
        mended = (await change(client, session, {"op": "restore", "section": "Assessment"}, version=2)).json()
        assert {one["rule"] for one in mended["checks"]} < rules
        assert mended["edited"] == []


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ([add("x", "Mood")], 404, "unknown_section"),
        ([{"op": "drop", "section": "Plan", "index": 99}], 404, "unknown_section"),
        ([{"op": "drop", "section": "Plan", "index": -1}], 422, "bad_request"),
        ([{"op": "drop", "section": "Plan"}], 422, "bad_request"),
        ([add("")], 422, "bad_request"),
        ([add(" \n\u200e ")], 422, "bad_request"),
        ([add("x" * 4001)], 422, "bad_request"),
        ([{"op": "write", "section": "Plan", "texts": ["x"] * 201}], 422, "bad_request"),
        ([{"op": "write", "section": "Plan", "texts": "x"}], 422, "bad_request"),
        ([{"op": "burn", "section": "Plan"}], 422, "bad_request"),
        ([{**add("x"), "provenance": "transcript"}], 422, "bad_request"),
        ([], 400, "bad_request"),
        ([add("x"), add("x", "Mood")], 404, "unknown_section"),
    ],
)
async def test_an_edit_that_cannot_be_made_changes_nothing(
    server: Running, folder: Path, changes: list[Message], status: int, code: str
) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        answer = await change(client, session, *changes)
        assert told(answer, status)["code"] == code
        assert "x" * 20 not in answer.text
        assert (await look(client, session))["version"] == 1


async def test_hostile_text_stays_text_in_one_line(server: Running, folder: Path) -> None:
    session = await keep_session(folder, lines=(*TALK, *((CLIENT, text) for text in HOSTILE)))
    async with client_of(server) as client:
        hostile = [text for text in HOSTILE if text.isprintable()] + [
            "one\r\ntwo\u2028three\x00\x1b[31m",
            "</script>",
        ]
        answer = await change(client, session, {"op": "write", "section": "Plan", "texts": hostile})
        assert answer.status_code == 200, answer.text
        lines = texts(answer.json(), "Plan")
        assert lines[-2:] == ["one two three[31m", "</script>"]
        assert lines[0] == HOSTILE[0]
        raw = '{"version": 2, "changes": [{"op": "add", "section": "Plan", "text": "a\\ud800b"}]}'
        lone = await client.patch(path(session), content=raw, headers={"content-type": "application/json"})
        assert lone.status_code in (200, 422)
        assert (await client.get(path(session))).status_code == 200


async def test_of_two_editors_the_second_is_told(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as one, client_of(server) as other:
        answers = await asyncio.gather(
            *(change(who, session, add(f"by {at}")) for at, who in enumerate((one, other)))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (refused,) = (told(answer) for answer in answers if answer.status_code == 409)
        assert (refused["code"], refused["version"]) == ("conflict", 2)
        stands = texts(await look(one, session), "Plan")
        assert sum(text.startswith("by ") for text in stands) == 1
        again = await change(other, session, add("then mine"), version=refused["version"])
        assert again.json()["version"] == 3


async def test_another_format_keeps_edits_where_it_has_the_section(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        await change(client, session, add("Call the school."), add("Slept well.", "Subjective"))
        seen = await look(client, session, format="dap")
        assert (seen["format"], sections(seen), seen["version"]) == ("dap", ["Data", "Assessment", "Plan"], 2)
        assert texts(seen, "Plan")[-1] == "Call the school."
        assert (await look(client, session))["format"] == "soap"
        answer = await client.patch(path(session), json={"version": 2, "format": "dap"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["format"], answer.json()["version"]) == ("dap", 3)
        back = (await client.patch(path(session), json={"version": 3, "format": "soap"})).json()
        assert texts(back, "Subjective")[-1] == "Slept well."
        both = {"version": 4, "format": "dap", "changes": [add("x")]}
        assert told(await client.patch(path(session), json=both), 400)["code"] == "bad_request"


async def test_a_redraft_leaves_what_a_person_wrote(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        await change(client, session, {"op": "write", "section": "Plan", "texts": ["Mine."]})
        again = await client.post(path(session, "/redraft"), json={"version": 2})
        assert again.status_code == 200, again.text
        assert (texts(again.json(), "Plan"), again.json()["version"]) == (["Mine."], 3)
        one = {"version": 3, "section": "Plan"}
        assert told(await client.post(path(session, "/redraft"), json=one))["code"] == "not_allowed"
        one = {"version": 3, "section": "Subjective"}
        assert (await client.post(path(session, "/redraft"), json=one)).json()["version"] == 4
        stale = await client.post(path(session, "/redraft"), json={"version": 2})
        assert (told(stale)["code"], told(stale)["version"]) == ("conflict", 4)


async def test_signing_needs_what_is_missing_or_a_reason_and_is_for_good(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        refused = told(await client.post(path(session, "/sign"), json={"version": 1, **WHO}))
        assert refused["code"] == "not_signable"
        rules = {one["rule"] for one in refused["checks"]}
        assert "client_identity" in rules
        assert "provider_identity" not in rules, "the signature says who the provider is"
        assert all(one["severity"] == "error" and one["message"] for one in refused["checks"])
        answer = await client.post(path(session, "/sign"), json={"version": 1, **WHO, **REASON})
        assert answer.status_code == 200, answer.text
        note = answer.json()
        signed = note["signed"]
        assert (note["state"], note["version"], note["late_entry"], signed["signer"]) == (
            "signed",
            2,
            None,
            "Pat Doe",
        )
        assert (set(signed["overridden"]), signed["override"], signed["intact"]) == (rules, "chart is down", True)
        canonical = json.dumps(signed["record"], sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(canonical.encode()).hexdigest() == signed["digest"]
        assert signed["record"]["sections"] == note["sections"]
        assert not any("to be entered" in text for part in sections(note) for text in texts(note, part))

        attempts: list[tuple[str, str, Message]] = [
            ("PATCH", "/note", {"version": 2, "changes": [add("x")]}),
            ("PATCH", "/note", {"version": 2, "format": "dap"}),
            ("POST", "/note/redraft", {}),
            ("POST", "/note/sign", {"version": 2, **WHO, **REASON}),
            ("POST", "/roles", {"swap": True}),
            ("PATCH", "/context", {"place": "Room 2"}),
        ]
        for method, rest, body in attempts:
            late = await client.request(method, f"/api/sessions/{session}{rest}", json=body)
            assert told(late)["code"] in ("not_allowed", "note_signed"), rest
        assert told(await client.get(path(session), params={"format": "dap"}))["code"] == "note_signed"
        assert await look(client, session) == note


async def test_addenda_come_after_the_signature_only_and_leave_the_note(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        body = {"text": "Client called.\r\nHomework <i>done</i>.", "who": "Sam Roe", "credentials": "PhD"}
        assert told(await client.post(path(session, "/addenda"), json=body))["code"] == "not_allowed"
        signed = (await client.post(path(session, "/sign"), json={"version": 1, **WHO, **REASON})).json()
        answers = await asyncio.gather(*(client.post(path(session, "/addenda"), json=body) for _ in range(4)))
        assert [answer.status_code for answer in answers] == [201] * 4
        note = await look(client, session)
        assert (note["state"], len(note["addenda"]), note["version"]) == ("addended", 4, 6)
        assert note["addenda"][0]["text"] == "Client called.\nHomework <i>done</i>."
        assert (note["sections"], note["signed"]) == (signed["sections"], signed["signed"])


async def test_a_note_that_is_late_says_so_and_why(server: Running, folder: Path) -> None:
    session = await keep_session(folder, days_ago=3)
    async with client_of(server) as client:
        refused = told(await client.post(path(session, "/sign"), json={"version": 1, **WHO, **REASON}))
        assert "late_entry_marked" in {one["rule"] for one in refused["checks"]}
        body = {"version": 1, **WHO, **REASON, "late_reason": "Power cut at the office"}
        note = (await client.post(path(session, "/sign"), json=body)).json()
        assert note["late_entry"].startswith("Late entry, written ")
        assert note["late_entry"].endswith("Reason: Power cut at the office.")
        assert note["signed"]["record"]["late_entry"] == note["late_entry"]


async def test_the_trail_says_who_did_what_and_when_and_none_of_the_words(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        body = {"version": 1, "changes": [add("Quokka sentence.")], "who": "Sam Roe"}
        await client.patch(path(session), json=body)
        await client.post(path(session, "/sign"), json={"version": 2, **WHO, "override": "wombat reason"})
        answer = await client.get(path(session, "/trail"))
        lines = answer.json()["trail"]
        assert [(one["version"], one["action"], one["who"]) for one in lines] == [
            (1, "draft", "server"),
            (2, "edit", "Sam Roe"),
            (3, "sign", "Pat Doe"),
        ]
        assert lines[1]["what"] == "Plan"
        assert lines[0]["at"] < lines[1]["at"] < lines[2]["at"]
        assert "Quokka" not in answer.text
        assert "wombat" not in answer.text


async def test_edits_and_signatures_outlive_the_server(tmp_path: Path) -> None:
    session = await keep_session(tmp_path)
    with running_server(data_folder(tmp_path)) as first:
        async with client_of(first) as client:
            edited = (await change(client, session, add("Before the restart."))).json()
        first.process.kill()
        first.process.wait()
    with running_server(data_folder(tmp_path)) as second:
        async with client_of(second) as client:
            assert await look(client, session) == edited
            stale = await change(client, session, add("x"), version=1)
            assert told(stale)["version"] == 2
            signed = (await client.post(path(session, "/sign"), json={"version": 2, **WHO, **REASON})).json()
            assert texts(signed, "Plan")[-1] == "Before the restart."
    with running_server(data_folder(tmp_path)) as third:
        async with client_of(third) as client:
            assert await look(client, session) == signed


async def test_pages_that_stay_hear_of_edits_and_others_are_let_go(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client, connect(f"{events_url(server, session)}&stay=true") as socket:
        async with asyncio.timeout(20):
            while (heard := json.loads(await socket.recv()))["type"] != "draft":
                pass
            await change(client, session, add("x"))
            news = json.loads(await socket.recv())
        assert (news["type"], news["action"], news["sequence"]) == ("note", "edit", heard["sequence"] + 1)
        seen = await follow(server, session)
        assert (seen.messages[-1], seen.code) == (news, 1000)


async def test_a_page_that_stays_through_the_end_hears_of_later_edits(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with connect(f"{events_url(server, session)}&stay=true") as socket, asyncio.timeout(30):
            seen = await end(server, client, session)
            assert [one["type"] for one in seen.logged][-3:] == ["ended", "skeleton", "draft"]
            version = (await look(client, session))["version"]
            assert (await change(client, session, add("x"), version=version)).status_code == 200
            kinds: list[str] = []
            while "note" not in kinds:
                kinds.append(json.loads(await socket.recv())["type"])
        assert kinds[-2:] == ["draft", "note"]


async def test_a_session_that_broke_off_has_a_skeleton_and_can_be_drafted(server: Running, folder: Path) -> None:
    session = await keep_session(folder, ended=False)
    async with client_of(server) as client:
        bare = await look(client, session)
        assert (bare["writer"], bare["version"], bare["state"]) == ("skeleton", 0, "draft")
        assert {one["state"] for one in bare["risk"].values()} == {"not_asked"}
        assert told(await change(client, session, add("x"), version=0))["code"] == "not_drafted"
        note = (await client.post(path(session, "/redraft"), json={})).json()
        assert (note["writer"], note["version"]) == ("embedded", 1)
        assert note["risk"]["si"]["state"] == "asked_denied"
        assert (await change(client, session, add("x"))).status_code == 200


async def test_before_the_end_there_is_no_note_to_work_at(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        attempts: list[tuple[str, str, Any]] = [
            ("GET", "", None),
            ("GET", "/trail", None),
            ("PATCH", "", {"version": 1, "changes": [add("x")]}),
            ("POST", "/redraft", {}),
            ("POST", "/sign", {"version": 1, **WHO}),
            ("POST", "/addenda", {"text": "x", "who": "P"}),
        ]
        for method, rest, body in attempts:
            answer = await client.request(method, path(session, rest), json=body)
            assert (answer.status_code, refusal(answer)["code"]) == (409, "not_drafted"), rest
            gone = await client.request(method, path("none", rest), json=body)
            assert (gone.status_code, refusal(gone)["code"]) == (404, "unknown_session"), rest


async def test_roles_that_change_draft_the_note_again_and_leave_edits(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    async with client_of(server) as client:
        await change(client, session, {"op": "write", "section": "Plan", "texts": ["Mine."]})
        answer = await client.post(f"/api/sessions/{session}/roles", json={"swap": True})
        assert answer.status_code == 200, answer.text
        note = await look(client, session)
        assert (note["version"], note["state"], texts(note, "Plan")) == (3, "edited", ["Mine."])
        lines = (await client.get(path(session, "/trail"))).json()["trail"]
        assert (lines[-1]["action"], lines[-1]["what"], lines[-1]["who"]) == ("draft", "roles", "server")


async def test_a_denial_against_the_clients_own_words_stops_the_signature(server: Running, folder: Path) -> None:
    lines = (*TALK[:5], (TALK[5][0], TALK[5][1]), (CLIENT, "Yes, most nights I think of killing myself."))
    session = await keep_session(folder, lines=lines)
    async with client_of(server) as client:
        assert (await look(client, session))["risk"]["si"]["state"] == "endorsed"
        note = (await change(client, session, add("Client denies SI.", "Assessment"))).json()
        wrong = [one for one in note["checks"] if one["rule"] == "risk_contradicted"]
        assert [(one["severity"], one["section"]) for one in wrong] == [("error", "Assessment")]
        refused = told(await client.post(path(session, "/sign"), json={"version": 2, **WHO}))
        assert "risk_contradicted" in {one["rule"] for one in refused["checks"]}


COPIED = (
    "Client described arguing with the landlord about the broken heating and staying up to write letters to the "
    "housing office, then missing the early shift at the bakery twice because of it and being warned by the manager."
)


async def test_a_note_that_repeats_another_one_is_no_note_of_this_session(server: Running, folder: Path) -> None:
    async with client_of(server) as client:
        chart = (await client.post("/api/charts", json={"client": "Ada Byron"})).json()["id"]
        first, second = await keep_session(folder), await keep_session(folder)
        made = [{"op": "write", "section": name, "texts": [COPIED]} for name in ("Subjective", "Plan")]
        for session in (first, second):
            await client.patch(f"/api/sessions/{session}/context", json={"client": chart})
        assert (await change(client, first, *made, version=2)).status_code == 200
        assert (await client.post(path(first, "/sign"), json={"version": 3, **WHO, **REASON})).status_code == 200
        note = (await change(client, second, *made, version=2)).json()
        assert "cloned_note" in {one["rule"] for one in note["checks"]}
        assert note["checks"] == (await look(client, second))["checks"]
        refused = told(await client.post(path(second, "/sign"), json={"version": 3, **WHO}))
        assert "cloned_note" in {one["rule"] for one in refused["checks"]}


async def test_a_body_that_is_too_large_or_too_deep_is_not_taken(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    kind = {"content-type": "application/json"}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(14):
            yield b"[" * (1 << 20)

    async with client_of(server) as client:
        huge = {"version": 1, "changes": [{"op": "write", "section": "Plan", "texts": ["x" * 4000] * 3500}]}
        for answer in (
            await client.patch(path(session), json=huge),
            await client.post("/api/charts", content=pieces(), headers=kind),
        ):
            assert (answer.status_code, refusal(answer)["code"]) == (413, "too_large")
        deep = await client.post("/api/charts", content=b"[" * 100_000, headers=kind)
        assert (deep.status_code in (400, 422), set(deep.json())) == (True, {"error"})
        assert (await client.get(path(session))).json()["version"] == 1
