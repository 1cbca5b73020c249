"""The server: HTTP, WHIP and WebSocket routes over sessions. The only module that knows FastAPI."""

import asyncio
import contextlib
import json
import logging
import traceback
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from fastapi import FastAPI, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

import web_client
from streaming import engines, errors, ice, refusals, websocket_ingest, wire
from streaming.bodies import RolesBody, SessionBody, TrackName
from streaming.errors import SamedayError
from streaming.events import RolesAssigned, Stored, UtteranceClosed
from streaming.guard import Guard
from streaming.media import OpusDecoder
from streaming.session import Session
from streaming.session_log import SessionLog
from streaming.sessions import Sessions
from streaming.settings import NoteFormat, Settings
from streaming.state import Progress
from streaming.track import Track
from streaming.types import Role, SpeakerId, TrackId, TrackPlan
from streaming.webrtc import WebRtcIngest
from streaming.websocket_ingest import TrackNumbers

log = logging.getLogger("sameday.app")

_SDP = "application/sdp"
_MAX_OFFER_BYTES = 64 * 1024
_REMEMBERED = 1000
"""Replaced connections that are still known as such."""
_RETRY_AFTER_S = "30"


class Server:
    """What the routes share; there from start-up to shut-down."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rtc = WebRtcIngest(
            [ice.as_webrtc(server) for server in settings.ice_servers],
            no_rtp_timeout_s=settings.no_rtp_timeout_s,
            on_closed=self._rtc_closed,
        )
        self._replaced: deque[str] = deque(maxlen=_REMEMBERED)
        self._numbers: WeakKeyDictionary[Track, TrackNumbers] = WeakKeyDictionary()
        self._sessions: Sessions | None = None

    @property
    def sessions(self) -> Sessions:
        """The sessions. Raises Overloaded before start-up is over."""
        if self._sessions is None:
            raise errors.Overloaded("The server is starting.", mend="Try again in a moment.")
        return self._sessions

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the engines, open the log, serve; at the end every session is finished and its note written."""
        settings = self.settings
        store = engines.open_store(settings)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            made = await stack.enter_async_context(engines.running(settings))
            sessions = Sessions(made, store, settings)
            ready = asyncio.Event()
            serving = asyncio.create_task(sessions.run(ready))
            await ready.wait()
            self._sessions = sessions
            yield
            await self.rtc.close_all()
            await sessions.end_all()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    async def track(self, name: str, track: str) -> Track:
        """The sink of a live session's track. Raises UnknownSession, UnknownTrack, SessionOver."""
        await self.sessions.log_of(name)
        return self.sessions.live(name).track(track)

    async def hang_up(self, resource: str) -> None:
        """Close a WHIP resource. Raises UnknownResource, Replaced: the sender should then leave off, or two fight."""
        if await self.rtc.close(resource):
            return
        if resource in self._replaced:
            raise errors.Replaced("Another sender has taken this track over.", mend="Send from one device only.")
        raise errors.UnknownResource("No such WHIP session, or it has ended.")

    def _rtc_closed(self, resource: str, reason: str) -> None:
        if reason == "replaced":
            self._replaced.append(resource)

    def numbers_of(self, track: Track) -> TrackNumbers:
        """What the WebSocket frames of a track are counted by; lives as long as the track."""
        return self._numbers.setdefault(track, TrackNumbers())

    async def finish(self, track: Track) -> None:
        """Write what either transport has received of a track, and close its connections."""
        await asyncio.gather(self.rtc.close_track(track), self.numbers_of(track).finish())

    async def finish_after(self, session: Session, track: Track) -> None:
        """Close a track's connections once its session has ended by itself: one that is idle would not notice."""
        await session.ended.wait()
        await self.finish(track)

    async def describe(self, name: str) -> dict[str, Any]:
        """The session object. Raises UnknownSession."""
        found = await self.sessions.log_of(name)
        session = self.sessions.find(name)
        progress: Progress = session.progress if session else "ended" if found.state.ended_at else "interrupted"
        standing = session.standing() if session else []
        servers = [ice.for_browser(server) for server in self.settings.ice_servers]
        return wire.session_object(name, found.state, progress, standing, servers)


def create_app(settings: Settings) -> FastAPI:
    """The application. Engines load and the log opens with its start-up."""
    server = Server(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with server.running():
            yield

    app = FastAPI(title="sameday", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Guard, on_fault=_log_fault, origins=settings.allowed_origins)
    _add_error_handlers(app)
    _add_session_routes(app, server)
    _add_whip_routes(app, server)
    _add_websockets(app, server)
    _add_page(app, server)
    return app


def _add_session_routes(app: FastAPI, server: Server) -> None:
    @app.post("/api/sessions", status_code=201)
    async def start(body: SessionBody) -> JSONResponse:
        plans = tuple(TrackPlan(TrackId(track.id), track.speakers, track.role) for track in body.tracks)
        session = await server.sessions.create(plans, tuple(body.consent), body.format or server.settings.note_format)
        location = {"Location": f"/api/sessions/{session.id}"}
        return JSONResponse(await server.describe(session.id), 201, location)

    @app.get("/api/sessions/{name}")
    async def look(name: str) -> dict[str, Any]:
        return await server.describe(name)

    @app.post("/api/sessions/{name}/roles")
    async def roles(name: str, body: RolesBody) -> dict[str, Any]:
        if (body.roles is None) == (body.swap is None):
            raise errors.PeerError("Send either `roles` or `swap`.", mend="See docs/protocol.md.")
        known = (await server.sessions.log_of(name)).state.roles
        if body.swap and not (known and known.roles):
            # A swap of nothing would stand as the clinician's word and keep the roles from being guessed.
            raise errors.RolesUnknown("Nobody's role is known yet.", mend="Name them in `roles`.")
        wanted = None if body.roles is None else {SpeakerId(who): role for who, role in body.roles.items()}
        await server.sessions.assign_roles(name, wanted)
        return await server.describe(name)

    @app.post("/api/sessions/{name}/end", status_code=202)
    async def end(name: str) -> dict[str, Any]:
        session = server.sessions.find(name)
        if session is not None and session.progress == "live":
            # What has arrived but is not written yet belongs to the session.
            await asyncio.gather(*(server.finish(track) for track in session.tracks))
            await session.end()
        return await server.describe(name)

    @app.get("/api/sessions/{name}/transcript")
    async def transcript(name: str) -> dict[str, Any]:
        found = await server.sessions.log_of(name)
        return wire.transcript(found.state)

    @app.get("/api/sessions/{name}/note")
    async def note(name: str, format: NoteFormat | None = None) -> dict[str, Any]:
        return await server.sessions.note(name, format)


def _add_whip_routes(app: FastAPI, server: Server) -> None:
    @app.api_route("/api/sessions/{name}/whip", methods=["POST", "OPTIONS"], status_code=201)
    async def whip(name: str, request: Request, track: TrackName = "mic") -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Accept-Post": _SDP, "Allow": "POST, OPTIONS"})
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _SDP:
            raise HTTPException(415, "An offer comes as Content-Type: application/sdp.")
        if not _accepts_sdp(request.headers.get("accept")):
            raise HTTPException(406, "The answer is application/sdp.")
        sink = await server.track(name, track)
        evict = server.numbers_of(sink).release
        answer = await server.rtc.answer(sink, await _offer(request), sink.clock, evict=evict)
        headers = {
            "Location": f"/api/sessions/{name}/whip/{answer.resource}",
            "ETag": f'"{answer.resource}"',
        }
        response = Response(answer.sdp, 201, headers, media_type=_SDP)
        for stun in server.settings.ice_servers:
            response.headers.append("Link", ice.as_link(stun))
        return response

    @app.delete("/api/sessions/{name}/whip/{resource}")
    async def whip_end(name: str, resource: str) -> Response:
        await server.sessions.log_of(name)
        await server.hang_up(resource)
        return Response(status_code=200)


def _add_websockets(app: FastAPI, server: Server) -> None:
    @app.websocket("/api/sessions/{name}/audio")
    async def audio(socket: WebSocket, name: str, track: TrackName = "mic") -> None:
        await _accept(socket)
        try:
            sink = await server.track(name, track)
            session = server.sessions.live(name)
        except SamedayError as error:
            await _close_with(socket, error)
            return
        watch = asyncio.ensure_future(server.finish_after(session, sink))
        try:
            # A track has one writer: whoever comes last takes it over, over whichever transport.
            await server.rtc.close_track(sink, "replaced")
            await websocket_ingest.ingest(_Socket(socket), sink, server.numbers_of(sink), OpusDecoder)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    @app.websocket("/api/sessions/{name}/events")
    async def events(socket: WebSocket, name: str, after: Annotated[int, Query(ge=0)] = 0) -> None:
        await _accept(socket)
        try:
            found = await server.sessions.log_of(name)
        except SamedayError as error:
            await _close_with(socket, error)
            return
        try:
            await _until_gone(socket, _send_events(socket, found, after))
        except WebSocketDisconnect:
            return
        except SamedayError as error:
            await _close_with(socket, error)


async def _accept(socket: WebSocket) -> None:
    """Accept the handshake; a peer that is gone is found out with the first message."""
    with contextlib.suppress(OSError):
        await socket.accept()


async def _send_events(socket: WebSocket, found: SessionLog, after: int) -> None:
    # An utterance's message has the role that the log knew at its place, so that a replay is what was sent live: what
    # lies before `after` is read for that, and not sent.
    roles: dict[SpeakerId, Role] = {}
    async for news in found.follow():
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


def _add_page(app: FastAPI, server: Server) -> None:
    folder = Path(web_client.__file__).parent

    @app.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        server.sessions.check_room()
        return {"status": "ready"}

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(folder / "index.html")

    app.mount("/static", StaticFiles(directory=folder), name="static")


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(SamedayError)
    async def ours(_: Request, error: SamedayError) -> JSONResponse:
        status = refusals.status(error)
        headers = {"Retry-After": _RETRY_AFTER_S} if status == 503 else None
        return JSONResponse(refusals.body(error.code, error.message, error.mend), status, headers)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(
            refusals.body("bad_request", refusals.faults(error.errors()), "See docs/protocol.md."), 422
        )

    @app.exception_handler(WebSocketRequestValidationError)
    async def malformed_address(socket: WebSocket, error: WebSocketRequestValidationError) -> None:
        await _accept(socket)
        await _close_with(socket, errors.PeerError(refusals.faults(error.errors()), mend="See docs/protocol.md."))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        code = refusals.HTTP_CODES.get(error.status_code, "bad_request")
        return JSONResponse(
            refusals.body(code, str(error.detail), "See docs/protocol.md."), error.status_code, error.headers
        )


def _log_fault(fault: Exception) -> None:
    """What an unforeseen error says may hold what was said in a session: the log gets its kind and place alone."""
    where = traceback.extract_tb(fault.__traceback__)[-1]
    log.error("unforeseen %s at %s:%s", type(fault).__name__, where.filename, where.lineno)


async def _close_with(socket: WebSocket, error: SamedayError) -> None:
    """Say why in a message, since a refused handshake tells a browser nothing; then close."""
    peer = _Socket(socket)
    await peer.send(json.dumps(refusals.body(error.code, error.message, error.mend)))
    await peer.close(refusals.close_code(error))


async def _offer(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_OFFER_BYTES:
            raise HTTPException(413, "An offer has at most 64 kB.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise errors.BadOffer("The offer is not SDP: it is not text.", mend="Send it as UTF-8.") from None


def _accepts_sdp(accept: str | None) -> bool:
    kinds = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    return any(kind in (_SDP, "application/*", "*/*") for kind in kinds)
