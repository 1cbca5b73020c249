"""The record of a request comes before its answer: what cannot be written down is not read, or waits."""

import json
from typing import Any, cast

import pytest

from streaming.audit_gate import AuditGate
from streaming.audit_trail import AuditTrail
from streaming.errors import StoreFailed
from streaming.guard import Message, Receive, Scope, Send
from streaming.memory_records import MemoryRecords
from streaming.seats import Seat
from streaming.serving import Server
from streaming.websocket_ingest import CLOSE_FAILED

pytestmark = pytest.mark.unit

ID = "0" * 32
SAID = b"what was said"


class Away(MemoryRecords):
    """Records whose store can be away."""

    away = False

    async def put(self, kind: str, key: str, body: dict[str, Any], *, version: int | None = None) -> int:
        if self.away:
            raise StoreFailed("The store is away.")
        return await super().put(kind, key, body, version=version)


class Serving:
    """As much of a server as the gate looks at."""

    started = True

    def __init__(self) -> None:
        self.records = Away()
        self.audit = AuditTrail(self.records)

    async def entries(self) -> list[tuple[str, str, str]]:
        return [(one.deed.action, one.deed.subject, one.deed.outcome) async for one in self.audit.newest("north")]


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Content for whoever asks."""
    scope["witness"].seat = Seat("north", "clinician", "token", "anna")
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        for _ in range(3):
            await send({"type": "websocket.send", "text": SAID.decode()})
        return
    headers = [(b"location", f"/api/charts/{'1' * 32}".encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": SAID})


async def asked(server: Serving, method: str, path: str) -> list[Message]:
    """All that is sent to somebody who asks."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    kind = "websocket" if method == "WS" else "http"
    gate = AuditGate(answering, cast("Server", server))
    await gate({"type": kind, "method": method, "path": path, "headers": []}, receive, send)
    return sent


async def test_an_answer_is_recorded_with_what_it_made() -> None:
    server = Serving()
    assert (await asked(server, "POST", "/api/charts"))[-1]["body"] == SAID
    assert (await asked(server, "GET", f"/api/sessions/{ID}/transcript"))[-1]["body"] == SAID
    assert len(await asked(server, "WS", f"/api/sessions/{ID}/events")) == 4
    assert await server.entries() == [
        ("transcript.follow", ID, "done"), ("transcript.read", ID, "done"), ("chart.make", "1" * 32, "done"),
    ]  # fmt: skip


@pytest.mark.parametrize(("method", "end"), [("GET", "transcript"), ("WS", "events")])
async def test_what_cannot_be_written_down_is_not_read(method: str, end: str) -> None:
    server = Serving()
    server.records.away = True
    sent = await asked(server, method, f"/api/sessions/{ID}/{end}")
    assert SAID.decode() not in str(sent)
    if method == "GET":
        assert sent[0]["status"] == 503
        assert json.loads(sent[1]["body"])["error"]["code"] == "store_failed"
    else:
        assert sent[-1] == {"type": "websocket.close", "code": CLOSE_FAILED}
    server.records.away = False
    assert await server.entries() == []
    assert SAID.decode() in str(await asked(server, method, f"/api/sessions/{ID}/{end}"))
    assert len(await server.entries()) == 1


async def test_the_record_of_a_change_waits_for_the_store() -> None:
    server = Serving()
    await asked(server, "POST", "/api/charts")
    server.records.away = True
    assert (await asked(server, "DELETE", f"/api/charts/{ID}"))[-1]["body"] == SAID
    assert server.audit.pending == 1
    server.records.away = False
    await server.audit.catch_up()
    assert await server.entries() == [("chart.delete", ID, "done"), ("chart.make", "1" * 32, "done")]


async def test_nothing_is_changed_while_too_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Serving()
    server.records.away = True
    monkeypatch.setattr("streaming.audit_trail._PENDING_AT_MOST", 2)
    for _ in range(2):
        assert (await asked(server, "DELETE", f"/api/charts/{ID}"))[0]["status"] == 200
    sent = await asked(server, "DELETE", f"/api/charts/{ID}")
    assert (sent[0]["status"], server.audit.pending) == (503, 2)
    assert SAID.decode() not in str(sent)


async def test_what_gives_no_content_passes_unrecorded() -> None:
    server = Serving()
    sent: list[Message] = []

    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        assert "witness" not in scope
        sent.append({})

    gate = AuditGate(plain, cast("Server", server))
    for path in ("/healthz", "/static/js/api.js", "/today"):
        await gate({"type": "http", "method": "GET", "path": path}, cast("Receive", None), cast("Send", None))
    assert len(sent) == 3
    assert await server.entries() == []
