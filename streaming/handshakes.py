"""TLS handshakes, each of them a connection that waits: bounded in time and in number before anything is served.

asyncio's own server would wait a minute for each and tell nobody of them meanwhile. Here a connection is counted as
soon as the kernel gives it (`crowd.py`), has `HANDSHAKE_S` at most, and becomes an HTTP connection once TLS stands.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

HANDSHAKE_S = 10.0
"""At most: a hand-held on a bad line takes two or three round trips."""

_running: set[asyncio.Task[None]] = set()


class Handshake(asyncio.Protocol):
    """A connection until TLS stands; then `make` gives what serves it.

    `enter` and `leave` are told of the connection, which either of them may abort; `late` of one that was too slow.
    """

    context: ssl.SSLContext
    patience_s: float
    make: Callable[[], asyncio.Protocol]

    def enter(self, transport: asyncio.Transport) -> None:
        """It is there."""
        raise NotImplementedError

    def leave(self, transport: asyncio.Transport) -> None:
        """Its handshake is over, however it went."""
        raise NotImplementedError

    def late(self) -> None:
        """Its time was over."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        raw = cast(asyncio.Transport, transport)
        raw.pause_reading()  # what comes is TLS's, not ours
        self.enter(raw)
        task = asyncio.get_running_loop().create_task(self._shake(raw))
        _running.add(task)
        task.add_done_callback(_running.discard)

    async def _shake(self, raw: asyncio.Transport) -> None:
        early = _Early()
        wait_s = min(HANDSHAKE_S, self.patience_s)
        try:
            secure = await asyncio.get_running_loop().start_tls(
                raw, early, self.context, server_side=True, ssl_handshake_timeout=wait_s
            )
        except ConnectionAbortedError:  # how asyncio says that the time was over
            self.late()
            return
        except OSError:  # no TLS, no version or cipher in common, no trust in our certificate, or gone
            return
        finally:
            self.leave(raw)
        if secure is not None:
            early.hand_over(secure, self.make())


class _Early(asyncio.Protocol):
    """Holds what comes with the last of the handshake, before somebody is there to serve it."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._ended = False
        self._lost = False
        self._heir: asyncio.Protocol | None = None

    def data_received(self, data: bytes) -> None:
        self._data.append(data)

    def eof_received(self) -> bool:
        self._ended = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._heir is not None:
            self._heir.connection_lost(exc)

    def hand_over(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        """Have somebody serve the connection from its beginning."""
        if self._lost:
            return
        self._heir = protocol
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        for data in self._data:
            protocol.data_received(data)
        if self._ended:
            protocol.eof_received()
