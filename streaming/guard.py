"""What every request passes first: whose page it comes from, and what a browser may do with the answer.

The server listens on loopback and has no sign-in yet, so any page open in the same browser could reach it. Requests
are therefore taken only under a loopback name (a foreign name that resolves to loopback is DNS rebinding) and, where
a browser names the page's origin, only from the server's own pages. Behind a proxy these have the proxy's name, which
a setting then allows. Plain ASGI, so that WebSockets pass it too.
"""

import contextlib
import ipaddress
import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from streaming import seats

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_CLOSE_FORBIDDEN = 4403
_CLOSE_FAULT = 1011
MAX_BODY_BYTES = 12 << 20
"""More than the largest import takes. A body is read into memory before anything looks at it."""
OPEN_BODY_BYTES = 64 << 10
"""Where nobody is asked who they are: more than a login and its password take."""

HEADERS = {
    # The page needs no more than itself; blob: is the worklet and the exported file.
    "content-security-policy": "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; "
    "media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Wraps the application. `on_fault` hears of errors that nothing foresaw; the client is told of a fault only.

    `origins` are those of a proxy in front, as a browser writes them. `strict_transport` has browsers keep to TLS,
    and with that refuse a certificate they do not trust without a way past it: not where devices come for that trust.
    """

    def __init__(
        self,
        app: App,
        on_fault: Callable[[Exception], None],
        origins: Collection[str] = (),
        *,
        strict_transport: bool = True,
    ) -> None:
        self._app = app
        self._strict = strict_transport
        self._on_fault = on_fault
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not allowed(headers.get("host", ""), headers.get("origin"), self._origins):
            await _refuse(scope, receive, send)
            return
        begun = False
        binding = _transport(headers["host"]) if self._strict else []
        body = _Body(receive, OPEN_BODY_BYTES if seats.need(scope["path"]) == "nothing" else MAX_BODY_BYTES)
        if scope["type"] == "http" and body.announced_too_large(headers.get("content-length", "")):
            await _too_large(send, scope["path"], body.most)
            return

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if body.too_large:  # what the application makes of half a body is no answer
                return
            begun = True
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_headers(scope["path"]), *binding]
            await send(message)

        try:
            await self._app(scope, body.receive if scope["type"] == "http" else receive, with_headers)
        except Exception as fault:
            if not body.too_large:
                self._on_fault(fault)
                await _own_fault(scope, with_headers, begun)
        if body.too_large and not begun:
            await _too_large(send, scope["path"], body.most)


class _Body:
    """A request's body as it comes; past the bound the application is told that the client has gone."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self.most = most
        self._size = 0
        self.too_large = False

    def announced_too_large(self, length: str) -> bool:
        """Whether the header says so; one that makes no sense is left to the server to refuse."""
        return length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > self.most)

    async def receive(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self.most:
            self.too_large = True
            return {"type": "http.disconnect"}
        return message


def allowed(host: str, origin: str | None, origins: Collection[str] = ()) -> bool:
    """Whether a request to this host, from a page of this origin, is to be served; `origins` are a proxy's."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        page = None if origin is None else urlsplit(origin).netloc
        named = {urlsplit(one).hostname for one in origins}
    except ValueError:
        return False
    if _loopback(name):
        return page in (None, host) or origin in origins
    return name in named and (origin is None or origin in origins)


def _loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        # An address cannot be rebound: what is asked for under it was sent to this machine.
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _transport(host: str) -> list[tuple[bytes, bytes]]:
    """Names that are not this machine's are open to browsers over TLS alone, and these are told to keep to it."""
    known = _loopback(urlsplit(f"//{host}").hostname or "")
    return [] if known else [(b"strict-transport-security", b"max-age=31536000")]


def _headers(path: str) -> list[tuple[bytes, bytes]]:
    caching = "no-store" if path.startswith("/api/") else "no-cache"
    return [(name.encode(), value.encode()) for name, value in (HEADERS | {"cache-control": caching}).items()]


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": _CLOSE_FORBIDDEN})
        return
    error = {
        "code": "foreign_origin",
        "message": "This server answers only its own pages, under a loopback name.",
        "mend": "Open it as http://127.0.0.1 with its port; for a proxy in front, set allowed_origins.",
    }
    await _say(send, 403, error, _headers(scope["path"]))


async def _too_large(send: Send, path: str, most: int) -> None:
    limit = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
    error = {"code": "too_large", "message": f"A request has at most {limit} here.", "mend": "Send less at once."}
    await _say(send, 413, error, _headers(path))


async def _own_fault(scope: Scope, send: Send, begun: bool) -> None:
    if scope["type"] == "websocket":
        with contextlib.suppress(Exception):  # where the connection has gone meanwhile there is nobody to tell
            await send({"type": "websocket.close", "code": _CLOSE_FAULT})
    elif not begun:
        error = {
            "code": "server_fault",
            "message": "The server failed over this request.",
            "mend": "Try again; what was acknowledged is safe.",
        }
        await _say(send, 500, error, [])


async def _say(send: Send, status: int, error: dict[str, str], headers: list[tuple[bytes, bytes]]) -> None:
    body = json.dumps({"error": error}).encode()
    content = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": content + headers})
    await send({"type": "http.response.body", "body": body})
