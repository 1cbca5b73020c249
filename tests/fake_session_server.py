"""A server that speaks docs/protocol.md by script: for what a real one does only on a bad day.

Serves the real web client under a strict content security policy. Events are what the test says; sound is taken over
a real WebSocket, acknowledged and thrown away, so that the page's connection states are real as well.
"""

import asyncio
import base64
import contextlib
import struct
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from session_script import Message

CLIENT = Path(__file__).resolve().parents[1] / "web_client"
POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass
class FakeSession:
    """One session: its numbered events, who listens, and its media connections."""

    id: str
    people: int
    consent: list[str]
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    state: str = "live"
    log: list[Message] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    media: list[WebSocket] = field(default_factory=list)
    frames: list[tuple[int, int, int]] = field(default_factory=list)
    """Sequence number, tick and length of what was acknowledged."""
    roles: dict[str, str] = field(default_factory=dict)
    roles_source: str | None = None

    def as_json(self) -> Message:
        track = {"id": "mic", "speakers": self.people, "role": None, "received_s": 0, "transcribed_s": 0, "lag_s": 0}
        return {
            "id": self.id, "state": self.state, "started_at": self.started_at, "ended_at": None, "tracks": [track],
            "roles": self.roles, "roles_source": self.roles_source, "roles_confidence": 0.9 if self.roles else None,
            "ice_servers": [], "last_event": len(self.log),
        }  # fmt: skip


class FakeServer:
    """Runs in a thread of its own; its methods may be called from the test's thread."""

    def __init__(self) -> None:
        self.sessions: dict[str, FakeSession] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.refusals: dict[tuple[str, str], tuple[int, str]] = {}
        """What to answer instead, by method and last part of the path: a status and an error code."""
        self.on_end: list[Message] = []
        """Events that follow the end of a session."""
        self.formats: dict[str, Message] = {}
        """The note in the formats other than its own."""
        self.followed: list[int] = []
        """The `after` of each event connection."""
        self.take_events = True
        self.take_media = True
        self.media_opened = 0
        """How many connections for sound were made."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        config = uvicorn.Config(self._app(), host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="fake-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the fake server did not start"
        while not self._server.started:
            threading.Event().wait(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._close_all())
        self._server.should_exit = True
        self._thread.join(10)

    @property
    def url(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    @property
    def newest(self) -> FakeSession:
        """The session that was started last."""
        return list(self.sessions.values())[-1]

    def call(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something on the server's loop and wait for it."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def emit(self, *events: Message) -> None:
        """Log events of the newest session and send them to who listens; partial and lag are not logged."""
        self.call(self._emit(self.newest, list(events)))

    def cut_events(self, code: int = 1012) -> None:
        """Close all event connections."""
        self.call(self._cut(code))

    def cut_media(self, code: int = 1012) -> None:
        """Close all connections for sound from the server's side."""
        self.call(self._cut_media(code))

    def calls(self, method: str, ending: str) -> list[Any]:
        """The bodies of the requests of this method whose path ends so."""
        return [body for verb, path, body in self.requests if verb == method and path.endswith(ending)]

    async def _emit(self, session: FakeSession, events: list[Message]) -> None:
        for event in events:
            sequence = None
            if event["type"] not in ("partial", "lag"):
                sequence = len(session.log) + 1
            message = {"sequence": sequence} | event
            if sequence is not None:
                session.log.append(message)
            for socket in list(session.sockets):
                await socket.send_json(message)

    async def _cut(self, code: int) -> None:
        for session in self.sessions.values():
            for socket in list(session.sockets):
                await _close(socket, code)

    async def _cut_media(self, code: int) -> None:
        for session in self.sessions.values():
            for socket in list(session.media):
                await _close(socket, code)

    async def _close_all(self) -> None:
        await self._cut_media(1001)
        await self._cut(1001)

    def _refused(self, request: Request) -> Response | None:
        key = (request.method, request.url.path.rpartition("/")[2])
        if key not in self.refusals:
            return None
        status, code = self.refusals[key]
        return _error(status, code)

    def _app(self) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            self._loop = asyncio.get_running_loop()
            self._ready.set()
            yield

        app = FastAPI(lifespan=lifespan)

        @app.middleware("http")
        async def _record(request: Request, call_next: Any) -> Response:
            body = await request.body()
            is_json = request.headers.get("content-type", "").startswith("application/json")
            self.requests.append((request.method, request.url.path, await request.json() if is_json else body))
            refused = self._refused(request)
            response: Response = refused or await call_next(request)
            response.headers["Content-Security-Policy"] = POLICY
            response.headers["Cache-Control"] = "no-store"
            return response

        self._add_sessions(app)
        self._add_audio(app)
        self._add_events(app)

        @app.get("/")
        async def _index() -> FileResponse:
            return FileResponse(CLIENT / "index.html")

        app.mount("/static", StaticFiles(directory=CLIENT))
        return app

    def _add_sessions(self, app: FastAPI) -> None:
        @app.post("/api/sessions")
        async def _create(request: Request) -> Response:
            body = await request.json()
            name = f"session-{len(self.sessions) + 1}"
            session = FakeSession(name, body["tracks"][0]["speakers"], body["consent"])
            self.sessions[name] = session
            started = {"type": "started", "started_at": session.started_at, "tracks": body["tracks"],
                       "consent": body["consent"], "format": body.get("format", "soap")}  # fmt: skip
            await self._emit(session, [started])
            return JSONResponse(session.as_json(), 201, {"Location": f"/api/sessions/{name}"})

        @app.get("/api/sessions/{name}")
        async def _get(name: str) -> Response:
            found = self.sessions.get(name)
            return JSONResponse(found.as_json()) if found else _error(404, "unknown_session")

        @app.post("/api/sessions/{name}/roles")
        async def _roles(name: str, request: Request) -> Response:
            body = await request.json()
            session = self.sessions[name]
            swapped = {"clinician": "client", "client": "clinician"}
            if body.get("swap"):
                session.roles = {who: swapped.get(role, role) for who, role in session.roles.items()}
            else:
                session.roles = body["roles"]
            session.roles_source = "clinician"
            event = {"type": "roles", "roles": session.roles, "source": "clinician", "confidence": 1.0}
            await self._emit(session, [event])
            return JSONResponse(session.as_json())

        @app.post("/api/sessions/{name}/end")
        async def _end(name: str) -> Response:
            session = self.sessions[name]
            first, session.state = session.state == "live", "ended"
            if first:
                await self._emit(session, self.on_end)
            return JSONResponse(session.as_json(), 202)

        @app.get("/api/sessions/{name}/note")
        async def _note(name: str, format: str = "soap") -> Response:
            if format in self.formats:
                return JSONResponse(self.formats[format])
            notes = [event["note"] for event in self.sessions[name].log if event["type"] == "draft"]
            return JSONResponse(notes[-1]) if notes else _error(409, "not_drafted")

    def _add_audio(self, app: FastAPI) -> None:
        @app.websocket("/api/sessions/{name}/audio")
        async def _audio(socket: WebSocket, name: str) -> None:
            if not self.take_media:
                await socket.close(1013)
                return
            await socket.accept()
            session = self.sessions[name]
            self.media_opened += 1
            for older in list(session.media):
                await older.close(4000)
            session.media.append(socket)
            received = sum(session.frames[-1][1:]) if session.frames else 0
            await socket.send_json(
                {
                    "type": "ready",
                    "sequence": len(session.frames),
                    "tick": received,
                    "clock": received,
                    "device_key": base64.b64encode(bytes(32)).decode(),
                }
            )
            try:
                while True:
                    frame = await socket.receive_bytes()
                    number, tick = struct.unpack_from("<IQ", frame, 4)
                    session.frames.append((number, tick, (len(frame) - 16) // 2))
                    await socket.send_json({"type": "ack", "sequence": number, "tick": sum(session.frames[-1][1:])})
            except (WebSocketDisconnect, RuntimeError):
                session.media.remove(socket)
                self.requests.append(("CLOSE", f"/api/sessions/{name}/audio", None))

    def _add_events(self, app: FastAPI) -> None:
        @app.websocket("/api/sessions/{name}/events")
        async def _events(socket: WebSocket, name: str, after: int = 0) -> None:
            self.followed.append(after)
            if not self.take_events:
                await socket.close(1013)
                return
            await socket.accept()
            if name not in self.sessions:
                await socket.close(4404)
                return
            session = self.sessions[name]
            for event in [event for event in session.log if event["sequence"] > after]:
                await socket.send_json(event)
            if any(event["type"] == "draft" for event in session.log):
                await socket.close(1000)
                return
            session.sockets.append(socket)
            try:
                while True:
                    await socket.receive_text()
            except (WebSocketDisconnect, RuntimeError):
                session.sockets.remove(socket)


def _error(status: int, code: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": "It did not work.", "mend": "Do something."}}, status)


async def _close(socket: WebSocket, code: int) -> None:
    """Close from this side, unless the page has just gone."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.close(code)
