"""Runs the application on uvicorn."""

import socket

import uvicorn

from streaming.app import create_app
from streaming.errors import PortTaken
from streaming.settings import Settings

_MAX_MESSAGE_BYTES = 1 << 20
"""A WebSocket message past this ends its connection; one past docs/protocol.md's bound is refused with a reason."""


def serve(settings: Settings) -> int:
    """Serve until a signal; live sessions are then finished and their notes written. Raises PortTaken."""
    listener = _listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        create_app(settings),
        log_level=settings.log_level,
        # Lines with addresses of requests hold session ids, and nobody needs them.
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=_MAX_MESSAGE_BYTES,
        timeout_graceful_shutdown=30,
    )
    name = f"[{host}]" if ":" in host else host
    server = _Announcing(config, f"http://{name}:{port}/")
    server.run(sockets=[listener])
    return 0 if server.started else 1


class _Announcing(uvicorn.Server):
    """Says where it listens once it can be used, not before."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"sameday is ready at {self._address}", flush=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise PortTaken(f"Port {port} is taken.", mend="Stop what uses it, or choose another with --port.") from None
    return listener
