"""A request that a node passed on: answered where the session is, else told to come again, never passed on twice."""

import json

import pytest

from streaming.errors import Overloaded
from streaming.forwarding import FORWARDED, Forward
from streaming.guard import Message, Receive, Scope, Send

SESSION = "0123456789abcdef" * 2
PASSED_ON = [(FORWARDED, b"1"), (b"host", b"here")]


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "of the application"})


async def _asked(kind: str, where: str | Overloaded | None) -> list[Message]:
    """What a passed-on request for a session gets from a node that finds it there."""

    async def elsewhere(session: str) -> str | None:
        assert session == SESSION
        if isinstance(where, Overloaded):
            raise where
        return where

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    sent: list[Message] = []
    path = f"/api/sessions/{SESSION}/audio"
    scope: Scope = {"type": kind, "method": "GET", "path": path, "query_string": b"", "headers": PASSED_ON}
    await Forward(_app, elsewhere)(scope, receive, send)
    return sent


@pytest.mark.parametrize("where", [Overloaded("Being handed over.", mend="Try again."), "http://elsewhere:1"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_one_that_this_node_has_not_is_told_to_come_again(kind: str, where: str | Overloaded) -> None:
    sent = await _asked(kind, where)
    told = [str(one["text"]) for one in sent if "text" in one] or [
        one["body"].decode() for one in sent if "body" in one
    ]
    assert json.loads(told[0])["error"]["code"] == "overloaded"
    assert [one["status"] for one in sent if "status" in one] == ([503] if kind == "http" else [])


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_one_that_this_node_has_is_answered(kind: str) -> None:
    assert await _asked(kind, None) == [{"type": "of the application"}]
