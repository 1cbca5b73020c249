"""What every request passes after the guard: who sends it, whether they may, and whose session it is about.

The one place where practices are kept apart and roles are held to. Plain ASGI, in front of all routes: one that is
added later is behind it too, and asks for a clinician unless `seats.need` says otherwise. A session of another
practice is answered as one that does not exist. An open connection is asked again who it is every half minute.
"""

import contextlib
import json
import logging
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from streaming import refusals, seating, seats
from streaming.access import Asking
from streaming.errors import NotAllowedToRole, NotSignedIn, SamedayError, TooMany
from streaming.guard import App, Message, Receive, Scope, Send
from streaming.peers import Peer, peer_of
from streaming.seats import Seat
from streaming.serving import Server

log = logging.getLogger("sameday.gate")

PROTOCOL = "sameday"
"""The WebSocket subprotocol that goes with a token, which must not stand in an address: `["sameday", "bearer.…"]`."""
_BEARER_PROTOCOL = "bearer."
_NO_PAGES = ("/api/", "/metrics", "/openapi.json")
_UNLIMITED = ("/static/", "/healthz", "/readyz", "/service-worker.js")


class Gate:
    """Wraps the application."""

    def __init__(self, app: App, server: Server) -> None:
        self._app = app
        self._server = server
        self._proxies = server.settings.behind_proxy
        self._names = {urlsplit(one).hostname for one in server.settings.allowed_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            asking = self._asking(scope)
            seat = await self._admit(asking, scope)
        except SamedayError as error:
            await self._refuse(scope, receive, send, error)
            return
        scope["peer"], scope["asking"] = asking.peer, asking
        with seating.seated(seat):
            if scope["type"] == "http":
                await self._app(scope, receive, send)
            else:
                await self._app(scope, receive, _Watched(self._server, asking, scope, send))

    async def _admit(self, asking: Asking, scope: Scope) -> Seat | None:
        """The seat of a request that may go on. Raises NotSignedIn, NotAllowedToRole, UnknownSession, TooMany."""
        if seats.need(asking.path) == "nothing":
            if self._server.started and not asking.path.startswith(_UNLIMITED):
                self._server.access.limit(asking, None)
            return None
        if not self._server.started:
            return None  # without a seat no route gets at anything, and says that the server is starting
        access = self._server.access
        seat = await access.seat(asking)
        if "witness" in scope:  # also of what is refused it is recorded who asked
            scope["witness"].seat = seat
        access.limit(asking, seat)
        seats.check(asking.path, seat)
        session = seats.session_in(asking.path)
        if seat is not None and session is not None:
            await self._server.house.check_practice(session, seat.practice)
        return seat

    def _asking(self, scope: Scope) -> Asking:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        peer = self._peer(scope, headers)
        word, _, bearer = headers.get("authorization", "").partition(" ")
        told = bearer.strip() if word.lower() == "bearer" else None
        for protocol in scope.get("subprotocols", ()):
            if protocol.startswith(_BEARER_PROTOCOL):
                told = protocol.removeprefix(_BEARER_PROTOCOL)
        method = scope.get("method", "POST")  # a WebSocket sends: its Origin counts as that of a change
        return Asking(scope["path"], method, headers, _cookies(headers.get("cookie", "")), told, peer)

    def _peer(self, scope: Scope, headers: dict[str, str]) -> Peer:
        address = (scope.get("client") or ("127.0.0.1", 0))[0]
        host = urlsplit(f"//{headers.get('host', '')}").hostname
        public = host in self._names
        peer = peer_of(address, scope.get("scheme", "http"), headers, self._proxies, known_secure=public)
        if peer is None:
            raise NotAllowedToRole("Only the proxy in front may connect.", mend="Open the address of the proxy.")
        return peer

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: SamedayError) -> None:
        if scope["type"] == "websocket":
            await _close(scope, receive, send, error)
            return
        wants_page = scope["method"] == "GET" and not scope["path"].startswith(_NO_PAGES)
        if wants_page and isinstance(error, NotSignedIn):
            await _say(send, 303, b"", {"location": "/sign-in"})
            return
        if isinstance(error, TooMany):
            log.warning("refused for coming too often")
        told = json.dumps(refusals.told(error)).encode()
        await _say(
            send,
            refusals.status(error),
            told,
            {"content-type": "application/json"} | refusals.headers(error),
        )


class _Watched:
    """What is sent on an open WebSocket, as long as who opened it may have it."""

    def __init__(self, server: Server, asking: Asking, scope: Scope, send: Send) -> None:
        self._watch = server.watch(asking)
        self._scope = scope
        self._send = send
        self._over = False

    async def __call__(self, message: Message) -> None:
        if self._over:
            return
        if message["type"] == "websocket.accept" and PROTOCOL in self._scope.get("subprotocols", ()):
            message = {**message, "subprotocol": PROTOCOL}
        elif message["type"] == "websocket.send" and self._watch is not None and await self._watch.over():
            self._over = True
            error = NotSignedIn("The sign-in is over.", mend="Sign in again.")
            message = {"type": "websocket.close", "code": refusals.close_code(error)}
        await self._send(message)


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: one.value for name, one in SimpleCookie(header).items()}
    except CookieError:
        return {}


async def _close(scope: Scope, receive: Receive, send: Send, error: SamedayError) -> None:
    """Accept, say why, close: a refused handshake tells a browser nothing."""
    await receive()
    with contextlib.suppress(OSError):
        accept: Message = {"type": "websocket.accept"}
        if PROTOCOL in scope.get("subprotocols", ()):
            accept["subprotocol"] = PROTOCOL
        await send(accept)
        await send({"type": "websocket.send", "text": json.dumps(refusals.told(error))})
        await send({"type": "websocket.close", "code": refusals.close_code(error)})


async def _say(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    told = {"content-length": str(len(body))} | headers
    lines = [(name.encode(), text.encode()) for name, text in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
