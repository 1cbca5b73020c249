"""A bad network line on this machine: relays for UDP (WebRTC's media) and TCP (WebSocket) that lose and delay.

For machines where Linux's own emulator (`tc netem`) may not be used. What a packet meets is decided by `Line`, which
is pure and seeded: the same packets at the same times meet the same.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Fault:
    """What a line does in one direction. Shares are of packets; `rate_kbps` None is no limit."""

    loss: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Added at random, up to so much; order is kept."""
    reorder: float = 0.0
    """Share of packets that come `reorder_ms` late, past those sent after them."""
    reorder_ms: float = 60.0
    rate_kbps: float | None = None
    queue_s: float = 0.5
    """What a narrow line holds before it drops."""
    hole_s: tuple[float, float] | None = None
    """From when to when, in seconds since the line was opened, nothing comes through."""


CLEAN = Fault()
"""A line without fault."""


@dataclass(slots=True)
class Line:
    """One direction. `deliver` says when a packet arrives, None where it is lost. Times are seconds of any clock."""

    fault: Fault
    seed: int = 1
    lost: int = 0
    passed: int = 0
    _random: Random = field(init=False)
    _opened: float | None = None
    _free: float = 0.0
    _last: float = 0.0

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def deliver(self, now: float, size: int) -> float | None:
        """When a packet of `size` bytes that is sent now arrives."""
        fault = self.fault
        opened = self._opened = now if self._opened is None else self._opened
        chance, wait, late = self._random.random(), self._random.random(), self._random.random()
        hole = fault.hole_s
        dropped = chance < fault.loss or (hole is not None and hole[0] <= now - opened < hole[1])
        if not dropped and fault.rate_kbps is not None:
            start = max(now, self._free)
            if start - now > fault.queue_s:
                dropped = True
            else:
                self._free = start + size * 8 / (fault.rate_kbps * 1000)
                now = self._free
        if dropped:
            self.lost += 1
            return None
        self.passed += 1
        arrival = now + (fault.delay_ms + fault.jitter_ms * wait) / 1000
        if late < fault.reorder:
            return arrival + fault.reorder_ms / 1000
        self._last = max(arrival, self._last)
        return self._last


class _Port(asyncio.DatagramProtocol):
    def __init__(self, took: Callable[[bytes, Address], None]) -> None:
        self._took = took
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._took(data, (addr[0], addr[1]))

    @property
    def address(self) -> Address:
        assert self.transport is not None
        host, port = self.transport.get_extra_info("sockname")[:2]
        return str(host), int(port)


class UdpRelay:
    """Stands between two peers: each is told the relay's address in the place of the other's.

    Only media meets `up`, the line from the offering peer to the answering one: signalling of ICE and DTLS goes
    through at once, so that what is measured is a session on a bad line, not whether one comes about.
    """

    def __init__(self, up: Fault, seed: int = 1) -> None:
        self.up = Line(up, seed)
        self.down = False
        """Whether nothing at all comes through, either way."""
        self._near = _Port(self._from_offerer)
        self._far = _Port(self._from_answerer)
        self._offerer: Address | None = None
        self._answerer: Address | None = None

    async def outgoing(self, offer: str) -> str:
        """The offer with the relay's address in it. Raises ValueError where it has no address of IPv4."""
        loop = asyncio.get_running_loop()
        host, port = first_candidate(offer)
        self._offerer = (host, port)
        for end in (self._near, self._far):
            await loop.create_datagram_endpoint(lambda end=end: end, local_addr=(host, 0))  # type: ignore[misc]
        return with_candidate(offer, self._far.address)

    def incoming(self, answer: str) -> str:
        """The answer with the relay's address in it."""
        self._answerer = first_candidate(answer)
        return with_candidate(answer, self._near.address)

    def close(self) -> None:
        """Both ports."""
        for end in (self._near, self._far):
            if end.transport is not None:
                end.transport.close()

    def _from_offerer(self, data: bytes, source: Address) -> None:
        self._offerer = source
        if not is_media(data):
            self._send(self._far, data, self._answerer)
            return
        now = time.monotonic()
        at = self.up.deliver(now, len(data) + 28)
        if at is not None and self.down:
            self.up.lost += 1
        elif at is not None:
            asyncio.get_running_loop().call_later(max(0.0, at - now), self._send, self._far, data, self._answerer)

    def _from_answerer(self, data: bytes, _: Address) -> None:
        self._send(self._near, data, self._offerer)

    def _send(self, port: _Port, data: bytes, to: Address | None) -> None:
        if self.down:
            return
        if port.transport is not None and not port.transport.is_closing() and to is not None:
            port.transport.sendto(data, to)


def is_media(data: bytes) -> bool:
    """Whether a packet is RTP, and neither RTCP, DTLS nor STUN (RFC 7983, RFC 5761)."""
    return len(data) > 12 and 128 <= data[0] <= 191 and not 192 <= data[1] <= 223


_CANDIDATE = re.compile(
    r"^a=candidate:\S+ 1 udp \S+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host.*$", re.IGNORECASE | re.MULTILINE
)


def first_candidate(sdp: str) -> Address:
    """The first host address of IPv4. Raises ValueError where there is none."""
    found = _CANDIDATE.search(sdp.replace("\r", ""))
    if found is None:
        raise ValueError("no address of IPv4")
    return found[1], int(found[2])


def with_candidate(sdp: str, address: Address) -> str:
    """The description with this address as its only one."""
    lines: list[str] = []
    for line in sdp.replace("\r", "").split("\n"):
        if not line.startswith("a=candidate:"):
            lines.append(line)
        elif not any(one.startswith("a=candidate:") for one in lines):
            lines.append(f"a=candidate:relay 1 udp 2130706431 {address[0]} {address[1]} typ host")
    return "\r\n".join(lines)


class TcpRelay:
    """Listens on this machine and passes each connection on; use as a context. `cut` breaks those that are open.

    While `down` is set no new connection is taken.

    Lost segments do not go missing over TCP: each share `loss` of blocks is held back for 0.2 s, as a retransmission
    would. A narrow line makes the sender wait.
    """

    def __init__(self, to: Address, up: Fault, seed: int = 1) -> None:
        self._to = to
        self._fault = up
        self._random = Random(seed)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.down = False

    async def __aenter__(self) -> "TcpRelay":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 14)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where to connect instead."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Break all open connections without a word."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far: asyncio.StreamWriter | None = None
        try:
            source, far = await asyncio.open_connection(*self._to)
            self._writers |= {writer, far}
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, far, self._fault))
                group.create_task(self._pass(source, writer, CLEAN))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            for end in (writer, far):
                if end is not None:
                    self._writers.discard(end)
                    end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault) -> None:
        # Blocks as small as segments, so that a narrow line is narrow from one to the next.
        while block := await reader.read(1_460):
            wait_s = (fault.delay_ms + fault.jitter_ms * self._random.random()) / 1000
            if self._random.random() < fault.loss:
                wait_s += 0.2
            if fault.rate_kbps is not None:
                wait_s += len(block) * 8 / (fault.rate_kbps * 1000)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            writer.write(block)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
