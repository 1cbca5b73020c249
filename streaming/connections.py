"""Connections as uvicorn serves them, with the patience that a server in the open needs.

Somebody who opens thousands of connections and says nothing, who sends a header's letter every ten seconds, or who
asks and never reads the answer, keeps what others need. So a head must be there within `patience_s`, a body must come
at 4 kB/s after that, and what is sent must be taken sometime. How many may wait and how many an address may have is
in `crowd.py`; a TLS handshake is waited for like a head (`handshakes.py`). Who is turned away is told: 408 for being
slow, 503 with Retry-After where the address has its share.
"""

import asyncio
import json
import logging
import resource
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from streaming.crowd import Crowd
from streaming.handshakes import Handshake

log = logging.getLogger("sameday.connections")

WAITING = 512
"""Connections whose first request is not there yet, or whose TLS does not stand yet, over all addresses."""
BYTES_A_SECOND = 4096
"""A body that comes more slowly than this, over its whole length, is not waited for."""
_UNREAD_TIMES = 4
"""What is sent may be left unread for this many times `patience_s`: a laptop's lid may be closed for a moment."""
_FILES_ENOUGH = 65_536
_SAY_EACH_S = 60.0
_RETRY_AFTER_S = 5


@dataclass(slots=True)
class Door:
    """What all connections of a server share."""

    patience_s: float
    of_an_address: int | None
    crowd: Crowd[asyncio.Transport] = field(init=False)
    _turned_away: int = 0
    _say_at: float = 0.0

    def __post_init__(self) -> None:
        self.crowd = Crowd(WAITING, self.of_an_address)

    def enter(self, transport: asyncio.Transport) -> None:
        """One more waits; where too many do, the one that has waited longest is cut off."""
        if (oldest := self.crowd.enter(transport)) is not None:
            self.turned_away()
            oldest.abort()

    def turned_away(self) -> None:
        """Somebody was not served: the log says how many in a minute, or an attack would fill it."""
        self._turned_away += 1
        if time.monotonic() >= self._say_at:
            log.warning("connections turned away for being slow or too many: %d", self._turned_away)
            self._turned_away, self._say_at = 0, time.monotonic() + _SAY_EACH_S


def allow_many_files() -> None:
    """Take as many open files as the system lets this process have: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _FILES_ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def protocols(
    door: Door, context: ssl.SSLContext | None = None
) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
    """The classes that uvicorn makes a connection and a WebSocket of; with `context` a connection begins with TLS."""
    http = type("Http", (_Http,), {"door": door})
    socket = type("Socket", (_Socket,), {"door": door})
    if context is None:
        return http, socket
    return type("Https", (_Https,), {"door": door, "context": context, "served_by": http}), socket


class _Unread:
    """Ends a connection whose peer takes nothing for long."""

    def __init__(self, transport: asyncio.Transport, door: Door) -> None:
        self._transport = transport
        self._door = door
        self._timer: asyncio.TimerHandle | None = None

    def begins(self) -> None:
        """There is more to send than the peer takes."""
        wait_s = self._door.patience_s * _UNREAD_TIMES
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._give_up)

    def ends(self) -> None:
        """The peer takes it, or is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._door.turned_away()
        self._transport.abort()


class _Bounded(asyncio.Protocol):
    """What every connection does: it is counted, and a peer that takes nothing for long is let go."""

    door: Door
    transport: asyncio.Transport
    _unread: _Unread

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._unread = _Unread(cast(asyncio.Transport, transport), self.door)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread.ends()
        self.door.crowd.leave(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        self._unread.begins()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread.ends()
        super().resume_writing()


class _Socket(_Bounded, WebSocketsSansIOProtocol):
    """A WebSocket."""


class _Http(_Bounded, H11Protocol):
    _timer: asyncio.TimerHandle | None = None
    _head_since: float | None = None
    """When the head that is awaited began: with the connection, or its first byte on one that is used again."""
    _body_since = 0.0
    _received = 0
    _refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._head_since = self.loop.time()
        self.door.enter(self.transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self.scope
        self._refused = not self.door.crowd.has_room(self.transport, self._address)
        if self._refused:
            self.app = _no_room
        super().data_received(data)
        self._received += len(data)
        if self.scope is not before:
            self._head_since, self._body_since, self._received = None, self.loop.time(), len(data)
            if self._refused:
                self.door.turned_away()
            elif not self.transport.is_closing():
                self.door.crowd.ask(self.transport, self._address)
        elif self._head_since is None and self._awaits_head:
            self._head_since = self.loop.time()
        self._watch()

    def handle_websocket_upgrade(self, event: Any) -> None:
        if self._refused:
            self._say(503, "overloaded", "Too many connections from this address.", "Try again in a moment.")
        else:
            super().handle_websocket_upgrade(event)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def _awaits_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _deadline(self) -> float | None:
        """When what is awaited of the peer must be there; None while it owes nothing."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return None
        if self._awaits_head:
            return None if self._head_since is None else self._head_since + self.door.patience_s
        if not self.cycle.more_body:
            return None
        if self.flow.read_paused:  # it is we who do not read
            return self.loop.time() + self.door.patience_s
        return self._body_since + self.door.patience_s + self._received / BYTES_A_SECOND

    def _watch(self) -> None:
        if self._timer is None and (deadline := self._deadline()) is not None:
            self._timer = self.loop.call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        deadline = self._deadline()
        if deadline is None:
            return
        if deadline > self.loop.time():
            self._watch()
            return
        self.door.turned_away()
        if self._awaits_head and not self._received:
            self.transport.close()  # a browser opens some in advance: there is nothing to answer
        elif self._awaits_head or not self.cycle.response_started:
            self._say(408, "too_slow", "The request did not come in time.", "Send it again.")
        else:
            self.transport.abort()

    def _say(self, status: int, code: str, message: str, mend: str) -> None:
        """An answer without the application, after which the connection is closed."""
        body = json.dumps({"error": {"code": code, "message": message, "mend": mend}}).encode()
        name = {408: "Request Timeout", 503: "Service Unavailable"}[status]
        retry = f"retry-after: {_RETRY_AFTER_S}\r\n" if status == 503 else ""
        head = (
            f"HTTP/1.1 {status} {name}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"{retry}connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class _Https(Handshake):
    """A connection that becomes an HTTP one after its handshake; uvicorn's own arguments are for that."""

    door: Door
    served_by: type[asyncio.Protocol]

    def __init__(self, **given: Any) -> None:
        self.patience_s = self.door.patience_s
        self.make = lambda: self.served_by(**given)

    def enter(self, transport: asyncio.Transport) -> None:
        self.door.enter(transport)

    def leave(self, transport: asyncio.Transport) -> None:
        self.door.crowd.leave(transport)

    def late(self) -> None:
        self.door.turned_away()


async def _no_room(scope: Any, receive: Any, send: Any) -> None:
    """Answers in the place of the application where an address has its share of connections."""
    mend = "Close some, or try again in a moment."
    error = {"code": "overloaded", "message": "Too many connections from this address.", "mend": mend}
    body = json.dumps({"error": error}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(_RETRY_AFTER_S).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
