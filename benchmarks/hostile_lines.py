"""Connections that are opened and not used as they should be, and whether others get through meanwhile."""

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks.hostile_kept import CONSENT
from benchmarks.hostile_tally import Tally
from benchmarks.two_practices import House

PATIENCE_S = 5.0
"""`SAMEDAY_PATIENCE_S` of the server under attack; its default is longer, and would only make this take longer."""
ADDRESSES = 16
"""Loopback addresses that connections come from: 127.0.1.1 on."""


def allow_many_files() -> int:
    """As many open files as this process may have; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def files_of(house: House) -> int:
    """Open files of the server."""
    return len(os.listdir(f"/proc/{house.server.process.pid}/fd"))


@contextmanager
def opened(house: House, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections that have sent `first` and no more."""
    parts = urlsplit(house.server.url)
    lines: list[socket.socket] = []
    try:
        for number in range(count):
            line = socket.socket()
            line.settimeout(10.0)
            line.bind((f"127.0.1.{1 + number % ADDRESSES}", 0))
            with contextlib.suppress(OSError):
                line.connect((parts.hostname or "", parts.port or 0))
                if first:
                    line.sendall(first)
            lines.append(line)
        yield lines
    finally:
        for line in lines:
            line.close()


async def served(house: House, tally: Tally, what: str, times: int = 20) -> list[float]:
    """Ask as a clinician who knows nothing of all this, over a connection of her own each time; seconds it took."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        async with house.client("bert") as client:
            try:
                answer = await client.get("/api/charts")
            except httpx.HTTPError as error:
                tally.fault("hang", what, type(error).__name__)
                continue
        took.append(time.monotonic() - began)
        if answer.status_code != 200:
            tally.fault("broken answer", what, str(answer.status_code))
    return took


async def half_open(house: House, count: int) -> tuple[Tally, dict[str, Any]]:
    """Thousands of connections that say nothing, and then as many that begin a head and do not end it."""
    tally = Tally(f"{count} half-open connections")
    before = files_of(house)
    found: dict[str, Any] = {"open_files_before": before}
    for name, first in (("silent", b""), ("half a head", b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ")):
        began = time.monotonic()
        with opened(house, count, first) as lines:
            tally.sent += len(lines)
            tally.answers[name] = len(lines)
            found[name] = {
                "opened_in_s": round(time.monotonic() - began, 2),
                "open_files": files_of(house),
                "server_mb": round(house.server.memory_mb(), 1),
                "others_took_s": _spread(await served(house, tally, name)),
            }
            await asyncio.sleep(PATIENCE_S + 2.0)
            found[name]["open_files_after_patience"] = files_of(house)
    found["open_files_at_the_end"] = await _settled(house, before + 20)
    if found["open_files_at_the_end"] > before + 20:
        tally.fault("hang", "half-open", f"{found['open_files_at_the_end']} files stay open")
    return tally, found


async def slow_loris(house: House, count: int, seconds: float) -> tuple[Tally, dict[str, Any]]:
    """Heads and bodies that come a byte a second, and answers that nobody reads."""
    tally = Tally(f"{count} slow connections")
    token = house.tokens["bert"]
    begun = {
        "head": b"GET /api/charts HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ",
        "body": b"POST /api/sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"content-length: 1000\r\n\r\n",
        "body of somebody known": f"POST /api/charts HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
        "content-type: application/json\r\ncontent-length: 100000\r\n\r\n".encode(),
    }
    found: dict[str, Any] = {}
    for name, first in begun.items():
        with opened(house, count, first) as lines:
            until = time.monotonic() + seconds
            took: list[float] = []
            while time.monotonic() < until:
                for line in lines:
                    with contextlib.suppress(OSError):
                        line.send(b"a", socket.MSG_DONTWAIT)
                took += await served(house, tally, f"slow {name}", 3)
                await asyncio.sleep(1.0)
            ended = [_ended(line) for line in lines]
            tally.sent += len(lines)
            for one in ended:
                tally.answers[f"{name}: {one}"] += 1
            if "still open" in ended:
                tally.fault("hang", f"slow {name}", f"{ended.count('still open')} are still served")
            found[name] = {"others_took_s": _spread(took)}
    return tally, found


def _ended(line: socket.socket) -> str:
    """How the server has ended a connection."""
    line.settimeout(0.2)
    said = b""
    try:
        while piece := line.recv(4096):
            said += piece
    except TimeoutError:
        return "still open"
    except OSError:
        pass
    words = said.split(b" ", 2)
    return words[1].decode() if len(words) > 1 else "closed"


async def oversized(house: House) -> Tally:
    """Bodies, heads, addresses and messages past every bound."""
    tally = Tally("oversized")
    parts = urlsplit(house.server.url)
    known = _post("/api/charts", house.tokens["bert"])
    megabyte = b"x" * 1_000_000
    cases: dict[str, tuple[bytes, int, bytes]] = {
        "a body that says it is 1 TB": (known + b"content-length: 1000000000000\r\n\r\n", 0, b""),
        "a body of 40 MB": (known + b"content-length: 40000000\r\n\r\n", 40, megabyte),
        "a body of 40 MB in pieces": (
            known + b"transfer-encoding: chunked\r\n\r\n", 40, b"f4240\r\n" + megabyte + b"\r\n"
        ),
        "a sign-in of 11 MB": (_post("/api/sign-in") + b"content-length: 11000000\r\n\r\n", 11, megabyte),
        "a head of 1 MB": (b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + megabyte, 0, b""),
        "ten thousand header lines": (
            b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n" + b"x: y\r\n" * 10_000 + b"\r\n", 0, b""
        ),
        "an address of 1 MB": (b"GET /" + megabyte + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", 0, b""),
        "a length that is none": (known + b"content-length: -5\r\n\r\n", 0, b""),
        "two lengths": (known + b"content-length: 2\r\ncontent-length: 7\r\n\r\n{}", 0, b""),
    }  # fmt: skip
    for name, (head, times, piece) in cases.items():
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20.0) as line:
            with contextlib.suppress(OSError):
                line.sendall(head)
                for _ in range(times):
                    line.sendall(piece)
            status = _ended_after(line)
            tally.answered(name, f"{name}: {status}")
            if status.startswith("5"):
                tally.fault("5xx", name, status)
            if status in ("still open", "200", "201"):
                tally.fault("hang", name, status)
    await served(house, tally, "after oversized ones", 3)
    return tally


def _post(path: str, token: str | None = None) -> bytes:
    known = f"authorization: Bearer {token}\r\n" if token else ""
    return f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{known}".encode()


def _ended_after(line: socket.socket) -> str:
    line.settimeout(PATIENCE_S * 2 + 20.0)
    try:
        said = line.recv(4096)
    except TimeoutError:
        return "still open"
    except OSError:
        return "reset"
    words = said.split(b" ", 2)
    return words[1].decode() if len(words) > 1 else "closed"


async def silent_sockets(house: House, count: int) -> tuple[Tally, dict[str, Any]]:
    """WebSockets of nobody that shake hands and never speak: each is told why, and closed."""
    tally = Tally(f"{count} WebSockets of nobody")
    url = f"{house.server.url.replace('http', 'ws', 1)}/api/sessions/{'0' * 32}/events"

    async def one(number: int) -> None:
        try:
            async with asyncio.timeout(60):
                line = await connect(url, local_addr=(f"127.0.1.{1 + number % ADDRESSES}", 0), open_timeout=30)
                with contextlib.suppress(ConnectionClosed):
                    await line.recv()
                    await line.recv()
                tally.answered("WS events", f"closed {line.close_code}")
        except TimeoutError:
            tally.fault("hang", "WS events", "not closed")
        except Exception as error:
            tally.answered("WS events", type(error).__name__)

    for start in range(0, count, 100):
        await asyncio.gather(*(one(number) for number in range(start, min(count, start + 100))))
    return tally, {"open_files_at_the_end": await _settled(house, 200)}


async def sessions_never_fed(house: House, count: int) -> Tally:
    """Sessions that are begun and get no audio: few of an account, and the others are told when to come again."""
    tally = Tally(f"{count} sessions that are never fed")
    body = {"consent": CONSENT, "tracks": [{"id": "mic", "speakers": 1}]}
    begun = []
    async with house.client("bert") as client:
        for _ in range(count):
            answer = await client.post("/api/sessions", json=body)
            tally.answered("POST /api/sessions", answer.status_code)
            if answer.status_code == 201:
                begun.append(answer.json()["id"])
            elif answer.status_code not in (429, 503) or int(answer.headers["retry-after"]) <= 0:
                tally.fault("broken answer", "POST /api/sessions", str(answer.status_code))
        async with house.client("anna") as other:
            answer = await other.post("/api/sessions", json=body)
            if answer.status_code != 201:
                tally.fault("broken answer", "a session of somebody else meanwhile", str(answer.status_code))
            else:
                await other.post(f"/api/sessions/{answer.json()['id']}/end")
        for name in begun:
            await client.post(f"/api/sessions/{name}/end")
    return tally


async def _settled(house: House, most: int) -> int:
    """Open files once they are few again, or after half a minute."""
    for _ in range(60):
        if files_of(house) <= most:
            break
        await asyncio.sleep(0.5)
    return files_of(house)


def _spread(took: list[float]) -> dict[str, float]:
    ordered = sorted(took) or [0.0]
    return {"median": round(ordered[len(ordered) // 2], 3), "most": round(ordered[-1], 3)}
