"""The routes of formats, rule packs and phrases, over records in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from benchmarks.draft_figures import HERE
from drafting.core import Reading, assemble, read, render
from drafting.formats import keys, named
from drafting.note import Note
from drafting.packs import built_in
from drafting.phrases import built_in as all_phrases
from streaming import refusals
from streaming.errors import SamedayError, UnknownSession
from streaming.memory_records import MemoryRecords
from streaming.routes import library
from streaming.serving import Server
from streaming.settings import Settings
from streaming.transcript_json import parse
from streaming.types import NoteContext

pytestmark = pytest.mark.unit

OWN: dict[str, Any] = {"id": "ours", "modality": "CBT", "kind": "progress", "text": "Progress toward {goal}: [what]."}


class FakeDesk:
    """A desk at which the bundled session's note lies."""

    async def reading(self) -> Reading:
        body = (HERE / "data" / "session" / "reference.json").read_bytes()
        return read(replace(parse(body), context=NoteContext(goals=("Go to the team lunch", "Repair the boat"))))

    async def checked(self) -> Note:
        found = await self.reading()
        return assemble(found, render(found, named("soap")), named("soap"))


class FakeSessions:
    """One session that is over."""

    async def note(self, name: str) -> FakeDesk:
        if name != "known":
            raise UnknownSession("No such session on this server.")
        return FakeDesk()


@dataclass
class FakeServer:
    """What these routes need of a server."""

    settings: Settings = field(default_factory=Settings)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    sessions: FakeSessions = field(default_factory=FakeSessions)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.exception_handler(SamedayError)
    async def ours(_: Request, error: SamedayError) -> JSONResponse:
        return JSONResponse({"code": error.code, "message": error.message}, refusals.status(error))

    app.include_router(library.router(cast(Server, FakeServer())))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as made:
        yield made


async def test_the_formats_are_listed_with_their_sections(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/formats")).json()
    assert body["default"] == "soap"
    assert [one["key"] for one in body["formats"]] == list(keys())
    soap = next(one for one in body["formats"] if one["key"] == "soap")
    assert soap["sections"] == ["Subjective", "Objective", "Assessment", "Plan"]


async def test_the_packs_are_listed_with_their_sources(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/packs")).json()
    assert {one["key"] for one in body["packs"]} == set(built_in())
    assert body["payers"]["medicare"] == ["medicare"]
    for pack in body["packs"]:
        assert pack["rules"]
        assert all(rule["source"] and rule["dated"] and rule["message"] for rule in pack["rules"])


async def test_a_practice_edits_its_phrases(client: httpx.AsyncClient) -> None:
    before = await client.get("/api/phrases")
    assert before.headers["ETag"] == '"0"'
    assert len(before.json()["phrases"]) == len(all_phrases())
    changed = await client.put("/api/phrases", json={"version": 0, "phrases": [OWN], "hidden": ["sf_miracle"]})
    assert (changed.status_code, changed.json()["version"]) == (200, 1)
    found = {one["id"]: one for one in (await client.get("/api/phrases")).json()["phrases"]}
    assert found["ours"]["own"]
    assert "sf_miracle" not in found


async def test_a_change_made_on_an_older_version_is_refused(client: httpx.AsyncClient) -> None:
    await client.put("/api/phrases", json={"version": 0, "phrases": [OWN]})
    assert (await client.put("/api/phrases", json={"version": 0, "phrases": []})).status_code == 409
    assert (await client.put("/api/phrases", json={"phrases": []})).status_code == 422


async def test_phrases_that_are_wrong_are_refused_and_nothing_is_kept(client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/phrases", json={"version": 0, "phrases": [OWN | {"kind": "poem"}]})
    assert answer.status_code == 422
    assert "phrases[0].kind" in answer.json()["message"]
    assert (await client.get("/api/phrases")).json()["version"] == 0


async def test_the_thread_of_a_session_s_note(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/sessions/known/note/thread")).json()
    assert [one["key"] for one in body["links"]] == [
        "diagnosis",
        "goal",
        "intervention",
        "response",
        "progress",
        "plan",
    ]
    assert body["links"][0]["state"] == "missing"
    assert body["links"][0]["mend"]
    assert [one["goal"] for one in body["goals"]] == ["Go to the team lunch", "Repair the boat"]
    assert body["goals"][1]["missing"] == ["intervention", "progress", "plan"]
    assert (await client.get("/api/sessions/other/note/thread")).status_code == 404


async def test_phrases_that_fit_a_session_are_suggestions_with_the_practice_s_own_first(
    client: httpx.AsyncClient,
) -> None:
    own = OWN | {"id": "ours", "kind": "intervention", "technique": "cognitive_restructuring", "text": "On {target}."}
    await client.put("/api/phrases", json={"version": 0, "phrases": [own]})
    found = (await client.get("/api/sessions/known/note/phrases")).json()["phrases"]
    assert {one["provenance"] for one in found} == {"suggestion"}
    of_technique = [one for one in found if "cognitive restructuring" in one["because"]]
    assert of_technique[0]["phrase"] == "ours"
    assert of_technique[0]["text"] == 'On the thought "this is it, I am going to lose my job".'
