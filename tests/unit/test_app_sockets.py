"""WebSocket routes without a server: peers that are gone, and codes that a real server is hard to bring to."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from streaming import app
from streaming.errors import StoreFailed
from streaming.guard import Message
from streaming.serving import Server
from streaming.settings import Settings

pytestmark = pytest.mark.unit

SOCKETS = ["audio", "events", "events?after=-1"]


class Handshake:
    """A WebSocket that opens at an application that has not started, and all that it is sent."""

    def __init__(self, folder: Path, *, gone_at: str = "") -> None:
        """The peer is gone once a message of the type `gone_at` is sent to it."""
        self.sent: list[Message] = []
        self._app = app.create_app(Settings(data_dir=folder))
        self._gone_at = gone_at
        self._gone = False

    async def run(self, path: str) -> None:
        path, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": f"/api/sessions/x/{path}",
            "query_string": query.encode(),
            "headers": [(b"host", b"127.0.0.1:8710")],
            "subprotocols": [],
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return {"type": "websocket.disconnect" if self._gone or self.sent else "websocket.connect", "code": 1006}

    async def _send(self, message: Message) -> None:
        self._gone = self._gone or message["type"] == self._gone_at
        if self._gone:
            raise OSError
        self.sent.append(message)


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("gone_at", ["websocket.accept", "websocket.send", "websocket.close"])
async def test_a_peer_that_is_gone_is_no_fault(
    path: str, gone_at: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handshake = Handshake(tmp_path, gone_at=gone_at)
    with caplog.at_level(logging.INFO):
        await handshake.run(path)
    assert [record.message for record in caplog.records if record.name == "sameday.app"] == []
    assert all(message["type"] != "websocket.close" for message in handshake.sent)


@pytest.mark.parametrize(("path", "code"), [("audio", 4503), ("events", 4503), ("events?after=-1", 4400)])
async def test_a_refusal_says_why_and_closes(path: str, code: int, tmp_path: Path) -> None:
    handshake = Handshake(tmp_path)
    await handshake.run(path)
    assert [message["type"] for message in handshake.sent] == [
        "websocket.accept",
        "websocket.send",
        "websocket.close",
    ]
    assert handshake.sent[2]["code"] == code


async def test_a_log_that_cannot_be_read_closes_as_one_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise StoreFailed("The log could not be read.")

    monkeypatch.setattr(Server, "track", broken)
    handshake = Handshake(tmp_path)
    await handshake.run("audio")
    assert json.loads(handshake.sent[1]["text"])["error"]["code"] == "store_failed"
    assert handshake.sent[2]["code"] == 1011
