"""WebSockets: audio in, events out."""

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from streaming import device_keys, refusals, websocket_ingest, wire
from streaming.bodies import TrackName
from streaming.errors import SamedayError
from streaming.events import RolesAssigned, Stored, UtteranceClosed
from streaming.media import OpusDecoder
from streaming.serving import Server
from streaming.session_log import SessionLog
from streaming.types import Role, SpeakerId


def router(server: Server) -> APIRouter:
    """The sockets under `/api/sessions/{name}`, and `/api/dictation`."""
    routes = APIRouter()

    @routes.websocket("/api/sessions/{name}/audio")
    async def audio(socket: WebSocket, name: str, track: TrackName = "mic", beside: bool = False) -> None:
        await _accept(socket)
        try:
            sink = await server.track(name, track)
            session = server.sessions.live(name)
            key = await device_keys.of(server.records, name)
        except SamedayError as error:
            await _close_with(socket, error)
            return
        watch = asyncio.ensure_future(server.finish_after(session, sink))
        try:
            # A track has one writer: whoever comes last takes it over, over whichever transport. One that is beside
            # an anchored connection writes into the same line.
            await server.rtc.close_track(sink, "replaced", anchored=not beside)
            if not beside:
                await server.leave_line(sink)
            line = server.line_of(sink) if beside else None
            numbers = server.numbers_of(sink)
            await websocket_ingest.ingest(_Socket(socket), sink, numbers, OpusDecoder, sink.clock, key, line)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    @routes.websocket("/api/sessions/{name}/events")
    async def events(
        socket: WebSocket, name: str, after: Annotated[int, Query(ge=0)] = 0, stay: bool = False
    ) -> None:
        await _accept(socket)
        try:
            found = await server.sessions.log_of(name)
        except SamedayError as error:
            await _close_with(socket, error)
            return
        try:
            await _until_gone(socket, _send_events(socket, found, after, stay))
        except WebSocketDisconnect:
            return
        except SamedayError as error:
            await _close_with(socket, error)

    @routes.websocket("/api/dictation")
    async def dictation(socket: WebSocket) -> None:
        await _accept(socket)
        try:
            await server.dictations.run(_Socket(socket), server.house.check_room)
        except SamedayError as error:
            await _close_with(socket, error)

    return routes


async def refuse(socket: WebSocket, error: SamedayError) -> None:
    """Accept the handshake to say why it is refused, then close."""
    await _accept(socket)
    await _close_with(socket, error)


async def _close_with(socket: WebSocket, error: SamedayError) -> None:
    """Say why in a message, since a refused handshake tells a browser nothing; then close."""
    peer = _Socket(socket)
    await peer.send(json.dumps(refusals.told(error)))
    await peer.close(refusals.close_code(error))


async def _accept(socket: WebSocket) -> None:
    """Accept the handshake; a peer that is gone is found out with the first message."""
    with contextlib.suppress(OSError):
        await socket.accept()


async def _send_events(socket: WebSocket, found: SessionLog, after: int, stay: bool) -> None:
    # An utterance's message has the role that the log knew at its place, so that a replay is what was sent live: what
    # lies before `after` is read for that, and not sent.
    roles: dict[SpeakerId, Role] = {}
    async for news in found.follow(stay=stay):
        if not isinstance(news, Stored):
            await socket.send_json(wire.passing(news))
            continue
        event = news.event
        if isinstance(event, RolesAssigned):
            roles = event.guess.roles
        if news.sequence > after:
            role = roles.get(event.utterance.speaker) if isinstance(event, UtteranceClosed) else None
            await socket.send_json(wire.message(news, role))
    await socket.close(1000)


async def _until_gone(socket: WebSocket, sending: Coroutine[Any, Any, None]) -> None:
    """Send until done or the reader goes; what a reader sends is nobody's business here."""
    sender = asyncio.ensure_future(sending)
    gone = asyncio.ensure_future(_gone(socket))
    try:
        await asyncio.wait({sender, gone}, return_when=asyncio.FIRST_COMPLETED)
        if sender.done():
            sender.result()
    finally:
        for task in (sender, gone):
            task.cancel()
        await asyncio.gather(sender, gone, return_exceptions=True)


async def _gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


class _Socket:
    """A WebSocket as `websocket_ingest` wants it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> bytes | str | None:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        data: bytes | str | None = message.get("bytes")
        return data if data is not None else str(message.get("text", ""))

    async def send(self, text: str) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_text(text)

    async def close(self, code: int) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(code)
