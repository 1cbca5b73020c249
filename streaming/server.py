"""Runs the application on uvicorn."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from errno import EADDRINUSE
from typing import Any

import uvicorn

from streaming import local_authority
from streaming.app import create_app
from streaming.connections import Door, allow_many_files, protocols
from streaming.errors import BadSettings, PortTaken, SamedayError
from streaming.guard import App, Message, Receive, Scope, Send
from streaming.settings import Settings

_MAX_MESSAGE_BYTES = 1 << 20
"""A WebSocket message past this ends its connection; one past docs/protocol.md's bound is refused with a reason."""
_KEEP_ALIVE_S = 75
"""How long a connection may rest between requests: longer than clients and proxies keep one (5 and 60 s are usual),
or theirs is closed just as they send the next request, which then fails."""


def serve(settings: Settings) -> int:
    """Serve until a signal; sessions then go on at the next start, or are finished (`on_stop`).

    Raises PortTaken, BadSettings for an address that cannot be listened on, and what keeps the start-up from
    succeeding: StoreFailed, EngineMissing.
    """
    context = _tls(settings)
    listener = _listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    made = create_app(settings.model_copy(update={"port": port}))
    app = _PlainStartUp(made)
    allow_many_files()
    http, socket_class = protocols(
        Door(settings.patience_s, None if settings.behind_proxy else settings.connections_an_address), context
    )
    config = uvicorn.Config(
        app,
        # Its lines on connections hold session ids, and those for debugging whole messages: what was said.
        log_level="error" if settings.log_level == "error" else "warning",
        access_log=False,
        log_config=None,  # its lines then look like ours, and hold no exception's text
        http=http,
        ws=socket_class,
        ws_max_size=_MAX_MESSAGE_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=30,
        proxy_headers=False,  # the gate reads them, where a proxy is trusted
    )
    name = f"[{host}]" if ":" in host else host
    scheme = "https" if settings.tls_cert else "http"
    server = _Announcing(config, f"{scheme}://{name}:{port}/", made.state.drain)
    try:
        server.run(sockets=[listener])
    except SystemExit:
        if app.failure is None:
            raise
        raise app.failure from None
    return 0 if server.started else 1


class _PlainStartUp:
    """Keeps an error of ours at start-up, so that the command line can say it in a line instead of a traceback."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.failure: SamedayError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                held.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, hold)
        except SamedayError as error:
            if not held:
                raise
            self.failure = error
            await send({"type": "lifespan.startup.failed"})
        except BaseException:
            for message in held:
                await send(message)
            raise


class _Announcing(uvicorn.Server):
    """Says where it listens once it can be used, not before; is ready no more once it was told to stop."""

    def __init__(self, config: uvicorn.Config, address: str, drain: Callable[[], Coroutine[Any, Any, None]]) -> None:
        super().__init__(config)
        self._address = address
        self._drain = drain

    async def main_loop(self) -> None:
        """Until a signal; then sessions are handed over or finished while all can still be asked and told."""
        await super().main_loop()
        draining = asyncio.create_task(self._drain())
        while not draining.done() and not self.force_exit:
            await asyncio.wait({draining}, timeout=0.2)
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"sameday is ready at {self._address}", flush=True)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """What connections are encrypted with; None for plain HTTP.

    Raises BadSettings for an authority that is none, a certificate and key that cannot be used together.
    """
    if settings.tls_authority is not None:
        try:
            local_authority.until(settings.tls_authority.read_bytes())
        except (OSError, local_authority.BadCertificate):
            raise BadSettings("tls_authority: cannot be read, or is no certificate as PEM.") from None
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError):
        raise BadSettings(
            "tls_cert, tls_key: cannot be read, or do not belong together.",
            mend="Both are PEM files, and the key has no passphrase.",
        ) from None
    return context


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == EADDRINUSE:
            mend = "Stop what uses it, or choose another with --port."
            raise PortTaken(f"Port {port} is taken.", mend=mend) from None
        raise BadSettings(
            f"The server cannot listen on port {port} of this address: {error.strerror}.",
            mend="Choose another with --host and --port.",
        ) from None
    return listener
