"""What the pages need beside the talk, over HTTP: appointments, observations, corrections, marks."""

from datetime import UTC, datetime, timedelta

import pytest
from live_server import assert_said, client_of, end, follow, piece, refusal, send, server, start, transcript_of

from benchmarks.server_process import Running

__all__ = ["server"]
pytestmark = pytest.mark.loopback

SEEN = "Affect constricted."


async def test_an_appointment_becomes_a_session_and_stands_in_the_list_once(server: Running) -> None:
    today = datetime.now(UTC)
    later = (today + timedelta(hours=3)).isoformat(timespec="seconds")
    async with client_of(server) as client:
        given = {"date": later[:10], "start": later, "label": "Zoe Beispiel", "modality": "in_person", "minutes": 50}
        visit = (await client.post("/api/visits", json=given)).json()
        asked = {"since": visit["date"], "until": visit["date"], "zone": "UTC"}
        mine = [one for one in (await client.get("/api/visits", params=asked)).json()["visits"] if one["label"]]
        assert [one["id"] for one in mine if one["label"] == "Zoe Beispiel"] == [visit["id"]]
        backlog = (await client.get("/api/backlog", params={"zone": "UTC"})).json()
        assert visit["id"] not in {one["id"] for one in backlog["visits"]}, "it is still to come"
        unknown = await client.post("/api/sessions", json={"consent": ["clinician"], "visit": "0" * 32})
        assert (unknown.status_code, refusal(unknown)["code"]) == (404, "unknown_record")
        session = await start(client, visit=visit["id"], context={"modality": "in_person"})
        everything = (await client.get("/api/visits", params={"zone": "UTC"})).json()["visits"]
        (running,) = [one for one in everything if one["label"] == "Zoe Beispiel"]
        assert (running["session"], running["note"]) == (session, "unsigned")
        await end(server, client, session)
        everything = (await client.get("/api/visits", params={"zone": "UTC"})).json()["visits"]
        (over,) = [one for one in everything if one["label"] == "Zoe Beispiel"]
        assert (over["session"], over["modality"]) == (session, "in_person")
        assert over["stop"] is not None


async def test_what_was_seen_and_put_right_is_in_the_note_and_a_mark_is_not(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client, tracks=[{"id": "mic", "speakers": 1, "role": "client"}])
        address = f"/api/sessions/{session}"
        answer = await client.patch(f"{address}/context", json={"observations": [SEEN, " "]})
        assert answer.json()["context"]["observations"] == [SEEN]
        marked = await client.post(f"{address}/marks", json={"at_s": 1.5})
        assert marked.json()["marks"] == [1.5]
        await send(server, session, piece(14.1, 16.6))
        await end(server, client, session)
        note = (await client.get(f"{address}/note")).json()
        objective = next(one for one in note["sections"] if one["name"] == "Objective")["statements"]
        assert {"text": SEEN, "provenance": "clinician"}.items() <= next(
            one for one in objective if one["text"] == SEEN
        ).items()
        assert not any("affect and mental status" in one["text"] for one in objective)

        said = (await transcript_of(client, session))["utterances"][0]
        words = "I take sixty milligrams of sertraline every morning."
        wrong = await client.patch(f"{address}/utterances/mic-999", json={"text": words})
        assert (wrong.status_code, refusal(wrong)["code"]) == (404, "unknown_utterance")
        assert (await client.patch(f"{address}/utterances/{said['id']}", json={"text": "  "})).status_code == 422
        assert (await client.patch(f"{address}/utterances/{said['id']}", json={"text": words})).status_code == 200
        assert_said(await transcript_of(client, session), words.replace(".", ""))
        note = (await client.get(f"{address}/note")).json()
        told = " ".join(one["text"] for part in note["sections"] for one in part["statements"])
        assert "sertraline" in told
        assert SEEN in told, "a new draft keeps what was seen"
        seen = await follow(server, session)
        assert [one["text"] for one in seen.of("corrected")] == [words]
        assert [(one["at"], one["on"]) for one in seen.of("mark")] == [(1.5, True)]
        assert "1.5" not in told

        other = (await client.get(f"{address}/note", params={"format": "birp"})).json()
        assert SEEN in " ".join(one["text"] for part in other["sections"] for one in part["statements"])
        signed = {"version": note["version"], "signer": "Pat Doe", "credentials": "LCSW", "override": "test"}
        assert (await client.post(f"{address}/note/sign", json=signed)).status_code == 200
        late = await client.patch(f"{address}/utterances/{said['id']}", json={"text": "No."})
        assert (late.status_code, refusal(late)["code"]) == (409, "note_signed")


async def test_the_code_for_a_tablet_is_of_this_server_alone(server: Running) -> None:
    async with client_of(server) as client:
        ours = await client.get("/api/pairing", params={"address": f"{server.url}/today"})
        assert (ours.status_code, ours.headers["content-type"]) == (200, "image/svg+xml")
        assert ours.text.startswith("<svg")
        for address in ("https://elsewhere.example/today", "javascript:alert(1)", "http://[", f"{server.url}.x/"):
            answer = await client.get("/api/pairing", params={"address": address})
            assert (answer.status_code, refusal(answer)["code"]) == (400, "bad_address"), address
