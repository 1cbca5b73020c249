"""Requests for a session that another node has: sent there, or passed on.

A machine's HTTP request is answered with 307 and the node's address, which WHIP clients follow (RFC 9725). A page
cannot follow to another origin, and no browser follows for a WebSocket, so their requests are passed on: to whichever
node a balancer leads them, the page needs to know nothing of nodes. Plain ASGI, so that WebSockets pass it too.
"""

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from streaming.errors import Overloaded, SamedayError
from streaming.guard import App, Message, Receive, Scope, Send

FORWARDED = b"x-sameday-forwarded"
"""Marks what was passed on once: it is not passed on again."""
RETRY_AFTER_S = 2
_SESSION = re.compile(r"/api/sessions/([0-9a-f]{32})(?:/|$)")
_OF_THIS_CONNECTION = {
    b"connection",
    b"upgrade",
    b"content-length",
    b"transfer-encoding",
    b"content-encoding",
    b"keep-alive",
    b"te",
    b"trailer",
    b"accept-encoding",
    b"server",
    b"date",
}
_TIMEOUT_S = 120.0
"""A redraft by a language model takes its time."""
_OPEN_S = 2.0
_LOOK_S = 1.0
_CLOSE_AWAY = 4503


class Forward:
    """Wraps the application; `elsewhere` gives the address of the node that has a session, or None for this one.

    Nodes with TLS are those that the system trusts, and those of an `authority` of one's own.
    """

    def __init__(
        self, app: App, elsewhere: Callable[[str], Awaitable[str | None]], authority: Path | None = None
    ) -> None:
        self._app = app
        self._elsewhere = elsewhere
        self._authority = authority
        self._context: ssl.SSLContext | None = None

    async def _trusted(self, address: str) -> ssl.SSLContext | None:
        """By what a node at this address is known; None for one without TLS."""
        if not address.startswith("https:"):
            return None
        if self._context is None:
            self._context = await asyncio.to_thread(_trusting, self._authority)
        return self._context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _SESSION.match(scope.get("path", ""))
        headers = dict(scope.get("headers", ()))
        if found is None:
            await self._app(scope, receive, send)
            return
        try:
            address = await self._elsewhere(found[1])
            if address is not None and FORWARDED in headers:
                raise _away()  # the node that sent it here was right a moment ago
        except SamedayError as error:
            # Also of what was sent here by a node that knew before this one that the session is given to this one.
            await _unavailable(scope, receive, send, error)
            return
        if address is None:
            await self._app(scope, receive, send)
            return
        if "witness" in scope:
            scope["witness"].elsewhere = True
        if scope["type"] == "websocket":
            await self._relay(found[1], address, scope, receive, send)
        elif b"origin" in headers or b"sec-fetch-site" in headers:
            await _pass_on(_target(scope, address), await self._trusted(address), scope, receive, send)
        else:
            await _say(send, 307, b"", [(b"location", _target(scope, address).encode())])

    async def _relay(self, name: str, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Both ways until either side closes or the session is elsewhere; the close code goes through."""
        await receive()
        await send({"type": "websocket.accept"})
        # The address names the host that the client asked for, by which the other node judges it.
        host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
        there = urlsplit(address)
        trusted = await self._trusted(address)
        url = _target(scope, f"{'wss' if trusted else 'ws'}://{host}")
        own = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in _passed(scope["headers"])]
        marked = [(key, value) for key, value in own if key != "host"] + [(FORWARDED.decode(), "1")]
        protocols = [Subprotocol(one) for one in scope.get("subprotocols", ())] or None
        code: int | None = None
        with contextlib.suppress(OSError, WebSocketException):
            async with connect(
                url, host=there.hostname, port=there.port or (443 if trusted else 80),
                ssl=trusted, server_hostname=there.hostname if trusted else None,
                additional_headers=marked, subprotocols=protocols, user_agent_header=None, max_size=None, proxy=None,
                open_timeout=_OPEN_S, close_timeout=_OPEN_S,
            ) as other:  # fmt: skip
                ways = [_to_node(receive, other), _to_client(send, other), self._while_at(name, address)]
                tasks = [asyncio.ensure_future(way) for way in ways]
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
                code = other.close_code
        with contextlib.suppress(Exception):  # the client may be gone
            await send({"type": "websocket.close", "code": _CLOSE_AWAY if code in (None, 1006, 1012) else code})

    async def _while_at(self, name: str, address: str) -> None:
        """Until the session is known to be elsewhere: a node that stands still closes no connection."""
        with contextlib.suppress(SamedayError):
            there: str | None = address
            while there in (address, None):
                await asyncio.sleep(_LOOK_S)
                there = await self._elsewhere(name)


def _trusting(authority: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if authority is not None:
        context.load_verify_locations(authority)
    return context


def _target(scope: Scope, address: str) -> str:
    path = scope.get("raw_path", scope["path"].encode()).decode("ascii")
    query = scope["query_string"].decode("latin-1")
    return f"{address}{path}" + (f"?{query}" if query else "")


def _passed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in _OF_THIS_CONNECTION and not name.lower().startswith(b"sec-websocket")
    ]


async def _pass_on(url: str, trusted: ssl.SSLContext | None, scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    headers = [*_passed(scope["headers"]), (FORWARDED, b"1")]
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, verify=trusted or True) as client:
            answer = await client.request(scope["method"], url, content=body, headers=headers)
    except httpx.HTTPError:
        await _unavailable(scope, receive, send, _away())
        return
    # The guard of this node sets what a browser may do with the answer, as the other one's did.
    own = [(name.lower(), value) for name, value in _passed(answer.headers.raw)]
    await _say(send, answer.status_code, answer.content, [one for one in own if one[0] in _KEPT])


_KEPT = {
    b"content-type",
    b"content-disposition",
    b"location",
    b"etag",
    b"link",
    b"retry-after",
    b"allow",
    b"accept-post",
    b"set-cookie",
}


async def _to_node(receive: Receive, other: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while (message := await receive())["type"] != "websocket.disconnect":
            data = message.get("bytes")
            await other.send(data if data is not None else message.get("text", ""))


async def _to_client(send: Send, other: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for data in other:
            await send({"type": "websocket.send", "bytes" if isinstance(data, bytes) else "text": data})


def _away() -> Overloaded:
    return Overloaded("The node that has this session does not answer.", mend="Try again in a moment.")


async def _unavailable(scope: Scope, receive: Receive, send: Send, error: SamedayError) -> None:
    told = json.dumps({"error": {"code": error.code, "message": error.message, "mend": error.mend}})
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        with contextlib.suppress(Exception):  # the client may be gone
            await send({"type": "websocket.send", "text": told})
            await send({"type": "websocket.close", "code": _CLOSE_AWAY})
        return
    headers = [(b"content-type", b"application/json"), (b"retry-after", str(RETRY_AFTER_S).encode())]
    await _say(send, 503, told.encode(), headers)


async def _say(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    start: Message = {"type": "http.response.start", "status": status}
    start["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
    await send(start)
    await send({"type": "http.response.body", "body": body})
