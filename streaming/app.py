"""The application: routes put together, its life span, and how errors are told."""

import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from streaming import errors, refusals
from streaming.audit_gate import AuditGate
from streaming.errors import SamedayError
from streaming.forwarding import Forward
from streaming.gate import Gate
from streaming.guard import Guard
from streaming.routes import (
    access,
    audit,
    charts,
    exports,
    library,
    notes,
    oidc,
    pages,
    pairing,
    practice,
    recording,
    sessions,
    sockets,
    whip,
)
from streaming.serving import Server
from streaming.settings import Settings
from streaming.sweeper import sweeping

log = logging.getLogger("sameday.app")

_ROUTES = (
    access, oidc, sessions, recording, notes, exports, charts, library, practice, audit, pairing, whip, sockets,
    pages,
)  # fmt: skip


def create_app(settings: Settings) -> FastAPI:
    """The application. Engines load and the log opens with its start-up."""
    server = Server(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with server.running(), sweeping(server):
            yield

    app = FastAPI(title="sameday", version=version("sameday"), lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.drain = server.drain
    app.add_middleware(Forward, elsewhere=server.elsewhere, authority=settings.tls_authority)
    app.add_middleware(Gate, server=server)
    app.add_middleware(AuditGate, server=server)
    app.add_middleware(
        Guard,
        on_fault=_log_fault,
        origins=settings.allowed_origins,
        strict_transport=settings.tls_authority is None,
    )
    _add_error_handlers(app)
    for routes in _ROUTES:
        app.include_router(routes.router(server))
    return app


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(SamedayError)
    async def ours(_: Request, error: SamedayError) -> JSONResponse:
        return JSONResponse(refusals.told(error), refusals.status(error), refusals.headers(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(
            refusals.body("bad_request", refusals.faults(error.errors()), "See docs/protocol.md."), 422
        )

    @app.exception_handler(WebSocketRequestValidationError)
    async def malformed_address(socket: WebSocket, error: WebSocketRequestValidationError) -> None:
        await sockets.refuse(socket, errors.PeerError(refusals.faults(error.errors()), mend="See docs/protocol.md."))

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
