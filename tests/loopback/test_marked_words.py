"""A session whose words are unmistakable, on a real server with everything switched on: nothing that comes out of it
beside the answers that are meant to give them has one of them. Of spans tests/unit/test_tracing.py says it.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from forked_server import run
from live_server import data_folder, end, piece, printed_by, send, serving, transcript_of, until
from scripted_model_server import LEAK, Act, ModelServer, model_server
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks.server_process import Running
from streaming.websocket_ingest import CLOSE_OVER

pytestmark = pytest.mark.loopback

NAME, PARTICIPANT, PLACE = "Zebulon Quincewort", "Participant Vexillary", "Room Xylotomous"
WORD, NOTE, ADDENDUM = "ultramarineflamingo", "gallimaufryofnotes", "borborygmusadded"
MODEL, SENT, TYPED = "callipygianmodel", "antidisestablished", "floccinaucinihil"
MARKS = (*NAME.split(), "Vexillary", "Xylotomous", WORD, NOTE, ADDENDUM, MODEL, SENT, TYPED, LEAK)
TRACKS = [{"id": "client", "speakers": 1, "role": "client"}]


def found_in(said: bytes) -> list[str]:
    low = said.lower()
    return [mark for mark in MARKS if mark.lower().encode() in low]


def files_in(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file())


def command(environment: Mapping[str, str], *arguments: str) -> bytes:
    done = run(arguments, environment)
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).encode()


async def signed_session(server: Running, client: httpx.AsyncClient) -> tuple[str, bytes]:
    """A whole session with marks in all that can be said, entered or written; and what may give them."""
    chart = (await client.post("/api/charts", json={"client": NAME})).json()["id"]
    context = {"place": PLACE, "client_location": PLACE}
    body = {"tracks": TRACKS, "consent": ["clinician", PARTICIPANT], "client": chart, "context": context}
    session = str((await client.post("/api/sessions", json=body)).json()["id"])
    await send(server, session, piece(8, 24, "client"), track="client", pace=20.0)

    async def heard() -> list[str]:
        return [one["id"] for one in (await transcript_of(client, session))["utterances"]]

    first = (await until(heard, 60))[0]
    url = f"/api/sessions/{session}"
    assert (await client.patch(f"{url}/utterances/{first}", json={"text": f"I saw {WORD}."})).status_code == 200
    seen = await end(server, client, session)
    note = (await client.get(f"{url}/note")).json()
    change = {"op": "add", "section": note["sections"][0]["name"], "text": f"Seen was {NOTE}."}
    edited = await client.patch(f"{url}/note", json={"version": note["version"], "changes": [change]})
    assert edited.status_code == 200, edited.text
    body = {"version": edited.json()["version"], "signer": TYPED, "credentials": "PhD", "override": TYPED}
    signed = await client.post(f"{url}/note/sign", json=body)
    assert signed.status_code == 200, signed.text
    await client.post(f"{url}/note/addenda", json={"text": ADDENDUM, "who": TYPED})
    said = [
        (await client.get(f"{url}/transcript")).content,
        (await client.get(f"/api/charts/{chart}")).content,
        (await client.get(f"{url}/note/export?format=txt&transcript=true")).content,
        json.dumps(seen.messages).encode(),
    ]
    return session, b"".join(said)


async def wrong_requests(server: Running, client: httpx.AsyncClient, session: str) -> bytes:
    """What the server answers where it is sent marks and cannot use them."""
    url = f"/api/sessions/{session}"
    broken = f'{{"text": "{SENT}'.encode()
    json_type, sdp_type = {"content-type": "application/json"}, {"content-type": "application/sdp"}
    answers = [
        await client.get(f"/api/sessions/{SENT}/transcript"),
        await client.get(f"/api/charts/{SENT}"),
        await client.get(f"/{SENT}/{SENT}"),
        await client.get(f"{url}/note", params={"format": SENT}),
        await client.get("/api/backlog", params={"zone": SENT, "block": SENT}),
        await client.get("/api/audit", params={"before": SENT}),
        await client.post("/api/sessions", json={"consent": SENT, "tracks": [SENT]}),
        await client.post("/api/sessions", json={"consent": [], "tracks": TRACKS, "format": SENT}),
        await client.post("/api/charts", json={"client": [SENT], "goals": SENT}),
        await client.post("/api/recaps", json={"text": "", "session": SENT}),
        await client.post("/api/visits/import", content=SENT.encode()),
        await client.post("/api/sign-in", json={"login": SENT, "password": SENT}),
        await client.post("/api/sign-in", json={"login": SENT, "password": [SENT]}),
        await client.post(f"{url}/note/sign", json={"version": SENT, "signer": SENT}),
        await client.post(f"{url}/note/sign", json={"version": 1, "signer": SENT, "credentials": SENT}),
        await client.patch(f"{url}/utterances/{SENT}", json={"text": SENT}),
        await client.patch(f"{url}/note", content=broken, headers=json_type),
        await client.post(f"{url}/whip", content=f"v=0 {SENT}".encode(), headers=sdp_type),
        await client.delete(f"{url}/whip/{SENT}"),
        await client.get("/api/charts", headers={"Authorization": f"Bearer {SENT}", "Cookie": f"sameday={SENT}"}),
        await client.get("/api/charts", headers={"Host": f"{SENT}.example"}),
    ]
    refused = [one for one in answers if one.status_code >= 400]
    assert all(one.status_code < 500 for one in refused)
    assert len(refused) >= 19
    said = b"".join(one.content + str(one.headers).encode() for one in refused)
    socket_url = server.url.replace("http", "ws", 1) + url
    for path in (f"/audio?track={SENT}", f"/events?after={SENT}", "/audio?track=client"):
        with contextlib.suppress(ConnectionClosed):
            async with connect(socket_url + path) as socket:
                await socket.send(SENT)
                said += b"".join([str(one).encode() async for one in socket])
        assert socket.close_code in (4400, 4404, CLOSE_OVER)
    return said


async def test_no_mark_comes_out_where_it_should_not(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    acts = {"Objective": [Act(status=400)], "Plan": [Act(text=MODEL)], "warm": [Act(status=500)]}
    async with model_server() as model:
        model.script = acts
        environment = data_folder(
            folder,
            SAMEDAY_WRITER="vllm", SAMEDAY_WRITER_URL=model.url, SAMEDAY_WRITER_MODEL="scripted", OPENAI_LOG="debug",
            SAMEDAY_LOG_LEVEL="debug", SAMEDAY_LOG_FORMAT="json", SAMEDAY_KEEP_AUDIO="true", SAMEDAY_SWEEP_S="1",
        )  # fmt: skip
        async with serving(environment) as (server, client):
            session, given = await signed_session(server, client)
            outputs = {"wrong requests": await wrong_requests(server, client, session)}
            outputs["files"] = await asyncio.to_thread(files_in, folder)
            outputs["metrics"] = (await client.get("/metrics")).content
            outputs["audit"] = (await client.get("/api/audit?limit=500")).content
            outputs["audit command"] = await asyncio.to_thread(command, environment, "audit", "show", "--json")
            gone = await client.delete(f"/api/sessions/{session}", params={"signed": "true"})
            assert gone.status_code == 200, gone.text
            outputs["receipt"] = gone.content + (await client.get("/api/deletions")).content
            outputs["receipts"] = await asyncio.to_thread(command, environment, "purge", "--receipts")
            assert (await client.get(f"/api/sessions/{session}/transcript")).status_code == 410
            outputs["files after"] = await asyncio.to_thread(files_in, folder)
            outputs["printed"] = printed_by(server).encode()
    _assert_given(given, model)
    assert {name: marks for name, said in outputs.items() if (marks := found_in(said))} == {}
    # What was searched is what it is taken for: each holds what it should.
    for name, said in {
        "files": session, "audit": session, "audit command": "note.sign", "receipt": session, "receipts": session,
        "metrics": "sameday_sessions", "printed": "sameday", "wrong requests": "bad_request",
    }.items():  # fmt: skip
        assert said.encode() in outputs[name], name


def _assert_given(given: bytes, model: ModelServer) -> None:
    """The marks were there to be found: in what answers gave, and in what the model server was asked."""
    expected = {*NAME.split(), "Vexillary", WORD, NOTE, ADDENDUM, TYPED}
    assert expected <= set(found_in(given))
    assert any(WORD in call.user for call in model.calls if call.body)
