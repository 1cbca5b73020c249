"""Recaps, visits, the backlog and the self-check over HTTP, against the real server."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from live_server import Message, client_of, end, piece, printed_by, refusal, send, server, start, transcript_of

from benchmarks.server_process import Running

pytestmark = pytest.mark.loopback
__all__ = ["server"]

ZONE = "America/New_York"


def today() -> str:
    return datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date().isoformat()


def days_ago(days: int) -> str:
    return (datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date() - timedelta(days=days)).isoformat()


async def backlog(client: httpx.AsyncClient, **more: Any) -> Message:
    answer = await client.get("/api/backlog", params={"zone": ZONE, **more})
    assert answer.status_code == 200, answer.text
    found: Message = answer.json()
    return found


async def add(client: httpx.AsyncClient, **body: Any) -> Message:
    answer = await client.post("/api/visits", json={"date": days_ago(10), **body})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/visits/{answer.json()['id']}"
    found: Message = answer.json()
    return found


async def test_a_visit_from_entry_to_signed_note(server: Running) -> None:
    async with client_of(server) as client:
        visit = await add(client, label="Unsigned One", cpt="90834", payer="Aetna")
        waiting = [one["id"] for one in (await backlog(client))["visits"]]
        assert visit["id"] in waiting
        made = await client.post(
            "/api/recaps",
            json={"text": "Ct wakes 4x/wk. CBT thought record. Denies SI.", "visit": visit["id"], "zone": ZONE},
        )
        assert made.status_code == 201, made.text
        recap = made.json()
        days = f"written {today()} for the session of {days_ago(10)}"
        assert recap["header"] == f"Late entry, {days}. Reason: not given."
        assert recap["note"]["risk"]["si"]["entered"]["finding"] == "denied"
        assert (await client.get(f"/api/visits/{visit['id']}")).json()["note"] == "draft"
        assert recap["question_kinds"][0] == "plan"
        answered = await client.post(f"/api/recaps/{recap['id']}/answers", json={"answers": {"plan": "weekly"}})
        assert answered.status_code == 200, answered.text
        assert "plan" not in answered.json()["question_kinds"]
        again = (await client.get(made.headers["location"])).json()
        assert again == answered.json()
        waiting = [one["id"] for one in (await backlog(client))["visits"]]
        assert visit["id"] in waiting
        assert recap["id"] not in waiting, "a recap's note is no visit of its own"
        await _reviewed_and_signed(client, recap["id"])
        signed = (await client.get(f"/api/visits/{visit['id']}")).json()
        assert (signed["note"], signed["recap"]) == ("signed", recap["id"])
        assert signed["signed_at"]
        assert visit["id"] not in [one["id"] for one in (await backlog(client))["visits"]]
        late = await client.post(f"/api/recaps/{recap['id']}/answers", json={"answers": {"plan": "daily"}})
        assert refusal(late)["code"] == "note_signed"
        assert (await client.delete(f"/api/visits/{visit['id']}")).status_code == 204
        assert refusal(await client.get(f"/api/visits/{visit['id']}"))["code"] == "unknown_record"


async def _reviewed_and_signed(client: httpx.AsyncClient, recap: str) -> None:
    """A recap's note, changed and signed as a session's: by the same routes and rules."""
    note_of = f"/api/sessions/{recap}/note"
    note = (await client.get(note_of)).json()
    assert (note["state"], note["writer"], note["risk"]["si"]["entered"]["finding"]) == ("draft", "recap", "denied")
    other = await client.patch(note_of, json={"version": note["version"], "format": "dap"})
    assert refusal(other)["code"] == "not_allowed"
    assert refusal(await client.post(f"{note_of}/redraft", json={}))["code"] == "not_allowed"
    changes = [{"section": "Assessment", "op": "add", "text": "Care continues: sleep is still broken."}]
    edited = await client.patch(note_of, json={"version": note["version"], "changes": changes})
    assert edited.status_code == 200, edited.text
    known = {"modality": "in_person", "place": "Room 2"}
    told = await client.patch(f"/api/sessions/{recap}/context", json=known)
    assert told.status_code == 200, told.text
    note = (await client.get(note_of)).json()
    assert "Care continues: sleep is still broken." in str(note["sections"])
    signing = {"version": note["version"], "signer": "Pat Doe", "credentials": "LCSW"}
    refused = await client.post(f"{note_of}/sign", json=signing)
    assert refused.json()["error"]["code"] == "not_signable", "ten days late, and no reason is given"
    reasons = {"override": "Chart is on paper.", "late_reason": "Was ill."}
    signed = await client.post(f"{note_of}/sign", json=signing | reasons)
    assert signed.status_code == 200, signed.text
    assert f"for the session of {days_ago(10)}. Reason: Was ill." in signed.json()["late_entry"]
    assert signed.json()["signed"]["intact"]
    assert signed.json()["signed"]["record"]["risk"]["si"]["entered"]["finding"] == "denied"
    added = {"version": signed.json()["version"], "text": "Client called.", "who": "Pat Doe", "credentials": "LCSW"}
    assert (await client.post(f"{note_of}/addenda", json=added)).status_code == 201
    text = (await client.get(f"{note_of}/export?format=txt")).text
    assert f"Date of service: {days_ago(10)}" in text
    assert "Signed by: Pat Doe, LCSW" in text or "Pat Doe, LCSW" in text
    assert "Client called." in text
    entries = (await client.get("/api/audit", params={"subject": recap})).json()["entries"]
    assert {"recap.make", "note.edit", "note.sign", "note.addendum"} <= {one["action"] for one in entries}


async def test_an_ended_session_is_a_visit_by_itself(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        assert session not in [one["id"] for one in (await backlog(client))["visits"]]
        await send(server, session, piece(0, 8))
        await end(server, client, session)
        found = await backlog(client)
        (visit,) = [one for one in found["visits"] if one["id"] == session]
        assert (visit["source"], visit["date"], visit["note"]) == ("session", today(), "draft")
        assert visit["start"] < visit["stop"]
        assert found["same_day"]["visits"] >= 1
        flagged = await client.patch(f"/api/visits/{session}", json={"audit": True})
        assert flagged.status_code == 200
        assert next(one for one in (await backlog(client))["visits"] if one["id"] == session)["audit"] is True
        assert refusal(await client.delete(f"/api/visits/{session}"))["code"] == "visit_stays"
        recap = await client.post("/api/recaps", json={"text": "Weekly.", "visit": session})
        assert any("start" in one["text"] and one["provenance"] == "chart"
                   for section in recap.json()["note"]["sections"] for one in section["statements"])  # fmt: skip
        await client.patch(f"/api/visits/{session}", json={"note": "signed"})
        assert session not in [one["id"] for one in (await backlog(client))["visits"]]


async def test_a_dictated_recap_is_of_an_ended_session_that_is_no_visit(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client, tracks=[{"id": "mic", "speakers": 1, "role": "clinician"}])
        early = await client.post("/api/recaps", json={"session": session})
        assert refusal(early)["code"] == "bad_recap"
        await send(server, session, piece(0, 20, "clinician"))
        await end(server, client, session)
        made = await client.post("/api/recaps", json={"session": session})
        assert made.status_code == 201, made.text
        own = [one for section in made.json()["note"]["sections"] for one in section["statements"]
               if one["provenance"] == "clinician"]  # fmt: skip
        assert own
        assert all(one["evidence"] for one in own)
        assert session not in [one["id"] for one in (await backlog(client))["visits"]]
        where, gone = f"/api/recaps/{made.json()['id']}", own[0]["evidence"][0]
        struck = await client.post(f"/api/sessions/{session}/strike", json={"utterances": [gone]})
        assert struck.status_code == 200, struck.text
        left = await client.get(where)
        assert gone not in str(left.json()["note"])
        assert not [one for one in own if gone in one["evidence"] and one["text"] in left.text]
        others = [one for one in own if gone not in one["evidence"]]
        assert others
        assert all(one["text"] in left.text for one in others)
        note = await client.get(f"/api/sessions/{made.json()['id']}/note")
        assert note.json()["sections"] == left.json()["note"]["sections"]
        rest = [one["id"] for one in (await transcript_of(client, session))["utterances"]]
        await client.post(f"/api/sessions/{session}/strike", json={"utterances": rest})
        assert refusal(await client.get(where))["code"] == "unknown_record"


async def test_what_a_signed_recap_rests_on_is_not_struck(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client, tracks=[{"id": "mic", "speakers": 1, "role": "clinician"}])
        await send(server, session, piece(0, 8, "clinician"))
        await end(server, client, session)
        recap = (await client.post("/api/recaps", json={"session": session})).json()
        signature = {"version": 1, "signer": "Dana", "credentials": "LCSW", "override": "Dictated."}
        signed = await client.post(f"/api/sessions/{recap['id']}/note/sign", json=signature)
        assert signed.status_code == 200, signed.text
        said = [one["id"] for one in (await transcript_of(client, session))["utterances"]]
        refused = await client.post(f"/api/sessions/{session}/strike", json={"utterances": said})
        assert (refused.status_code, refusal(refused)["code"]) == (409, "note_signed")
        assert [one["id"] for one in (await transcript_of(client, session))["utterances"]] == said
        assert (await client.get(f"/api/sessions/{recap['id']}/note")).json()["signed"]["intact"]


async def test_a_chart_s_items_are_marked_as_chart(server: Running) -> None:
    async with client_of(server) as client:
        chart = await client.post("/api/charts", json={"client": "J. D.", "diagnoses": ["F41.1 Anxiety"]})
        assert chart.status_code == 201, chart.text
        made = await client.post("/api/recaps", json={"text": "Panic daily.", "client": chart.json()["id"]})
        told = {one["text"]: one["provenance"] for section in made.json()["note"]["sections"]
                for one in section["statements"]}  # fmt: skip
        assert any("F41.1" in text and provenance == "chart" for text, provenance in told.items())
        await client.delete(f"/api/charts/{chart.json()['id']}")


async def test_an_import_is_taken_once(server: Running) -> None:
    rows = f"Client,Date,Status\nImported A,{days_ago(3)},\nImported B,{days_ago(40)},\nImported C,soon,\n".encode()
    async with client_of(server) as client:
        for new in (2, 0):
            answer = await client.post("/api/visits/import", content=rows, headers={"Content-Type": "text/csv"})
            assert answer.status_code == 200, answer.text
            body = answer.json()
            assert (body["read"], body["new"], body["known"]) == (2, new, 2 - new)
            assert body["faults"] == [{"line": 4, "message": "The date cannot be read. Use 2026-01-31."}]
        found = await backlog(client, order="newest", block="mon 12:00 60")
        labels = [one["label"] for one in found["visits"]]
        assert labels.index("Imported A") < labels.index("Imported B")
        assert found["blocks"]
        for one in found["visits"]:
            if one["label"].startswith("Imported"):
                await client.delete(f"/api/visits/{one['id']}")


async def test_a_calendar_is_known_by_its_content(server: Running) -> None:
    begin = datetime.now(UTC) - timedelta(days=2)
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", "UID:1", "SUMMARY:From calendar",
        f"DTSTART:{begin:%Y%m%dT%H%M%SZ}", "DURATION:PT50M", "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    async with client_of(server) as client:
        answer = await client.post("/api/visits/import", content="\r\n".join(lines).encode())
        assert answer.json()["new"] == 1
        (visit,) = [one for one in (await backlog(client))["visits"] if one["label"] == "From calendar"]
        assert visit["source"] == "ics"
        await client.delete(f"/api/visits/{visit['id']}")


async def test_what_cannot_be_used_is_refused(server: Running) -> None:
    async with client_of(server) as client:
        for method, path, body, status, code in (
            ("POST", "/api/visits", {"date": "03/04/2026"}, 422, "bad_visit"),
            ("POST", "/api/visits", {"date": "2026-03-04", "id": "x"}, 422, "bad_visit"),
            ("PATCH", "/api/visits/none", {"audit": True}, 404, "unknown_record"),
            ("POST", "/api/recaps", {}, 422, "bad_recap"),
            ("POST", "/api/recaps", {"text": "x", "format": "essay"}, 400, "bad_format"),
            ("POST", "/api/recaps", {"text": "x", "visit": "none"}, 404, "unknown_record"),
            ("POST", "/api/recaps", {"text": "x", "client": "none"}, 404, "unknown_record"),
            ("POST", "/api/recaps", {"text": "x", "zone": "Mars/Base"}, 400, "bad_request"),
            ("POST", "/api/recaps/none/answers", {"answers": {"plan": "x"}}, 404, "unknown_record"),
            ("GET", "/api/backlog?block=noon", None, 422, "bad_plan"),
            ("GET", "/api/backlog?zone=Mars/Base", None, 400, "bad_request"),
            ("POST", "/api/self-check", {"answers": {"rest": "purple"}}, 422, "bad_answer"),
        ):
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, refusal(answer)["code"]) == (status, code), (path, body)
        answer = await client.post("/api/visits/import", content=b"Client,Date\nA,03/04/2026\n")
        assert (answer.status_code, refusal(answer)["code"]) == (422, "ambiguous_dates")


async def test_the_self_check_keeps_nothing_and_logs_nothing(server: Running) -> None:
    async with client_of(server) as client:
        questions = (await client.get("/api/self-check")).json()["questions"]
        answers = {one["id"]: one["answers"][-1]["id"] for one in questions}
        answer = await client.post("/api/self-check", json={"answers": answers, "country": "gb"})
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["pointers"][0]["id"] == "crisis"
        assert "116 123" in answer.json()["pointers"][0]["lines"][0]
        assert "self_harm" not in printed_by(server)
        metrics = await client.get("/metrics")
        assert "self" not in metrics.text


async def test_no_word_of_a_recap_or_a_name_is_logged(server: Running) -> None:
    async with client_of(server) as client:
        visit = await add(client, label="Zebulon Quince")
        await client.post("/api/recaps", json={"text": "Xylophone phobia.", "visit": visit["id"]})
        await client.delete(f"/api/visits/{visit['id']}")
    printed = printed_by(server)
    assert "Quince" not in printed
    assert "Xylophone" not in printed
