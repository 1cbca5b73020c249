"""What every request passes first: whose page it comes from, and what a browser may do with the answer.

The server listens on loopback and has no sign-in yet, so any page open in the same browser could reach it. Requests
are therefore taken only under a loopback name (a foreign name that resolves to loopback is DNS rebinding) and, where
a browser names the page's origin, only from the server's own pages. Plain ASGI, so that WebSockets pass it too.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_NAMES = {"127.0.0.1", "localhost", "::1"}
_CLOSE_FORBIDDEN = 4403

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
    """Wraps the application."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not allowed(headers.get("host", ""), headers.get("origin")):
            await _refuse(scope, receive, send)
            return
        private = scope["path"].startswith("/api/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = HEADERS | ({"cache-control": "no-store"} if private else {"cache-control": "no-cache"})
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in extra.items()),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)


def allowed(host: str, origin: str | None) -> bool:
    """Whether a request to this host, from a page of this origin, is to be served."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if name not in _NAMES:
        return False
    return origin is None or urlsplit(origin).netloc == host


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": _CLOSE_FORBIDDEN})
        return
    body = {
        "error": {
            "code": "foreign_origin",
            "message": "This server answers only its own pages, under a loopback name.",
            "mend": "Open it as http://127.0.0.1 with its port.",
        }
    }
    content = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 403, "headers": content})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
