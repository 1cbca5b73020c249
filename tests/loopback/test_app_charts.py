"""Charts and a session's circumstances over HTTP against the whole server, and what the note makes of them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from kept_sessions import keep_session, sections, texts
from live_server import ALONE, CONSENT, Message, client_of, data_folder, end, start

from benchmarks.server_process import Running, running_server

pytestmark = pytest.mark.loopback

CHART: Message = {
    "client": "Ada Byron",
    "date_of_birth": "1990-12-10",
    "diagnoses": [{"code": "F41.1", "text": "Generalized anxiety disorder"}],
    "goals": ["Sleep through the night"],
}
VIDEO = {
    "modality": "telehealth_video",
    "provider": "Pat Doe",
    "credentials": "LCSW",
    "client_location": "home, Chicago",
    "provider_location": "office, Chicago",
    "platform": "Zoom for Healthcare",
    "telehealth_consent": "2026-01-02",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("charts")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    with running_server(data_folder(folder, SAMEDAY_MAX_SESSIONS="100")) as running:
        yield running


def told(answer: httpx.Response, status: int) -> Message:
    assert answer.status_code == status, answer.text
    error: Message = answer.json()["error"]
    return error


async def chart(client: httpx.AsyncClient, **more: object) -> Message:
    answer = await client.post("/api/charts", json=CHART | more)
    assert answer.status_code == 201, answer.text
    made: Message = answer.json()
    return made


def all_texts(note: Message) -> str:
    return "\n".join(text for name in sections(note) for text in texts(note, name))


async def test_a_chart_is_kept_changed_by_version_and_removed(server: Running) -> None:
    async with client_of(server) as client:
        answer = await client.post("/api/charts", json=CHART)
        made = answer.json()
        where = answer.headers["location"]
        assert (where, answer.headers["etag"], made["version"]) == (f"/api/charts/{made['id']}", '"1"', 1)
        assert (made["client"], made["goals"][0]["text"]) == ("Ada Byron", "Sleep through the night")
        assert (await client.get(where)).json() == made
        assert made in (await client.get("/api/charts")).json()["charts"]

        answer = await client.put(where, json=made | {"payer": "medicare"})
        assert (answer.status_code, answer.json()["version"], answer.headers["etag"]) == (200, 2, '"2"')
        stale = await client.put(where, json=CHART, headers={"If-Match": '"1"'})
        assert (told(stale, 409)["code"], told(stale, 409)["version"]) == ("conflict", 2)
        assert told(await client.put(where, json=CHART), 428)["code"] == "version_needed"
        assert told(await client.delete(where, headers={"If-Match": "1"}), 409)["code"] == "conflict"
        assert (await client.get(where)).json()["payer"] == "medicare"

        assert (await client.delete(where, headers={"If-Match": '"2"'})).status_code == 204
        for attempt in (client.get(where), client.delete(where), client.put(where, json=made)):
            assert told(await attempt, 404)["code"] == "unknown_record"


async def test_one_of_two_changes_at_once_wins(server: Running) -> None:
    async with client_of(server) as client:
        made = await chart(client)
        where = f"/api/charts/{made['id']}"
        answers = await asyncio.gather(*(client.put(where, json=made | {"payer": f"p{n}"}) for n in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"date_of_birth": "10.12.1990"}, "chart.date_of_birth"),
        ({"diagnoses": ["anxious"]}, "chart.diagnoses[0]"),
        ({"goals": "sleep"}, "chart.goals"),
        ({"clinet": "Ada"}, "chart"),
        ({"id": "mine"}, "chart.id"),
        ({"client": "A" * 3000}, "chart.client"),
        ({"client": "A\u0000"}, "chart.client"),
        ([], "chart"),
        (7, "chart"),
        ("Ada Byron", "chart"),
    ],
)
async def test_a_faulty_chart_is_refused_by_the_name_of_its_field(server: Running, body: object, named: str) -> None:
    async with client_of(server) as client:
        answer = await client.post("/api/charts", json=body)
        assert told(answer, 422)["code"] == "bad_chart"
        assert named in told(answer, 422)["message"]
        assert "Ada" not in answer.text


async def test_what_is_no_json_is_no_chart(server: Running) -> None:
    async with client_of(server) as client:
        for content in (b"", b"{", b"\xff"):
            answer = await client.post("/api/charts", content=content, headers={"content-type": "application/json"})
            assert answer.status_code in (400, 422)
            assert set(answer.json()) == {"error"}


async def test_a_session_begins_with_chart_and_circumstances_and_its_note_has_them(server: Running) -> None:
    async with client_of(server) as client:
        made = await chart(client)
        body = {"consent": CONSENT, "tracks": ALONE, "client": made["id"], "context": VIDEO}
        session = (await client.post("/api/sessions", json=body)).json()["id"]
        described = (await client.get(f"/api/sessions/{session}")).json()
        assert (described["client"], described["context"]) == (made["id"], VIDEO)
        seen = await end(server, client, session)
        assert seen.of("context")[0]["context"]["client"] == "Ada Byron"
        note = (await client.get(f"/api/sessions/{session}/note")).json()
        assert "F41.1 Generalized anxiety disorder" in all_texts(note)
        assert "Zoom for Healthcare" in all_texts(note)
        lines = [one for part in note["sections"] for one in part["statements"] if "F41.1" in one["text"]]
        assert {one["provenance"] for one in lines} == {"chart"}
        missing = {one["rule"] for one in note["checks"]}
        assert not {"client_identity", "provider_identity", "diagnosis", "start_stop_times"} & missing
        skeleton = seen.of("skeleton")[0]["note"]
        assert "F41.1 Generalized anxiety disorder" in all_texts(skeleton)


@pytest.mark.parametrize(
    "context",
    [
        {"modality": "pigeon"},
        {"started_at": "2026-01-01T00:00:00+00:00"},
        {"ended_at": None},
        {"place": 7},
        {"place": "x" * 501},
        {"group_size": 0},
        {"diagnosis": "F41.1"},
    ],
)
async def test_circumstances_that_nobody_can_enter_are_refused(server: Running, context: Message) -> None:
    async with client_of(server) as client:
        answer = await client.post("/api/sessions", json={"consent": CONSENT, "context": context})
        assert told(answer, 422)["code"] == "bad_request"
        assert "pigeon" not in answer.text


async def test_a_chart_that_is_not_there_starts_no_session(server: Running) -> None:
    async with client_of(server) as client:
        answer = await client.post("/api/sessions", json={"consent": CONSENT, "client": "nobody"})
        assert told(answer, 404)["code"] == "unknown_record"


async def test_circumstances_completed_afterwards_mend_the_note_and_leave_edits(
    server: Running, folder: Path
) -> None:
    session = await keep_session(folder)
    where = f"/api/sessions/{session}"
    async with client_of(server) as client:
        made = await chart(client)
        mine = {"version": 1, "changes": [{"op": "write", "section": "Plan", "texts": ["Mine."]}]}
        before = (await client.patch(f"{where}/note", json=mine)).json()
        assert {"client_identity", "diagnosis"} <= {one["rule"] for one in before["checks"]}
        answer = await client.patch(f"{where}/context", json={"client": made["id"], **VIDEO})
        assert (answer.status_code, answer.json()["client"]) == (200, made["id"])
        note = (await client.get(f"{where}/note")).json()
        assert (note["version"], texts(note, "Plan")) == (3, ["Mine."])
        assert not {"client_identity", "diagnosis", "provider_identity"} & {one["rule"] for one in note["checks"]}
        assert "F41.1" in all_texts(note)
        # One field more, one taken back; the rest stays, and the chart is read anew.
        await client.put(f"/api/charts/{made['id']}", json=made | {"diagnoses": ["F33.1 Major depressive disorder"]})
        await client.patch(f"{where}/context", json={"platform": None, "em_minutes": 5})
        described = (await client.get(where)).json()
        assert described["context"] == {name: VIDEO[name] for name in VIDEO if name != "platform"} | {"em_minutes": 5}
        note = (await client.get(f"{where}/note")).json()
        assert "F33.1" in all_texts(note)
        assert "Zoom" not in all_texts(note)


async def test_what_was_signed_does_not_change_with_the_chart(server: Running, folder: Path) -> None:
    session = await keep_session(folder)
    where = f"/api/sessions/{session}"
    async with client_of(server) as client:
        made = await chart(client)
        await client.patch(
            f"{where}/context", json={"client": made["id"], "modality": "in_person", "place": "Room 2"}
        )
        body = {"version": 2, "signer": "Pat Doe", "credentials": "LCSW", "override": "test"}
        signed = (await client.post(f"{where}/note/sign", json=body)).json()
        assert signed["signed"]["record"]["context"]["client"] == "Ada Byron"
        await client.put(f"/api/charts/{made['id']}", json=made | {"client": "Someone Else"})
        assert (await client.get(f"{where}/note")).json() == signed
        await client.delete(f"/api/charts/{made['id']}")
        assert (await client.get(f"{where}/note")).json() == signed
        exported = (await client.get(f"{where}/note/export", params={"format": "txt"})).text
        assert "Ada Byron" in exported
        assert "Pat Doe" in exported


async def test_circumstances_can_be_entered_while_the_session_goes_on(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        answer = await client.patch(f"/api/sessions/{session}/context", json={"modality": "in_person", "place": "R2"})
        assert (answer.status_code, answer.json()["state"]) == (200, "live")
        note = (await end(server, client, session)).of("draft")[0]["note"]
        assert "in person, R2" in all_texts(note)
        gone = await client.patch("/api/sessions/none/context", json={})
        assert told(gone, 404)["code"] == "unknown_session"
