"""Connections that are opened and not used as they should be, and a node that is full: who is told, who is served."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from live_server import ALONE, CONSENT, audio_url, client_of, data_folder, events_url, piece, refusal, start, until
from websockets.asyncio.client import connect

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.certificate_files import Folder
from streaming.connections import WAITING, Door, protocols
from streaming.crowd import Crowd
from streaming.local_authority import Names

pytestmark = pytest.mark.loopback

SHARE = 6
HEAD = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n"
BODY = (
    b"POST /api/charts HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    limits = {
        "SAMEDAY_PATIENCE_S": "1",
        "SAMEDAY_CONNECTIONS_AN_ADDRESS": str(SHARE),
        "SAMEDAY_MAX_LOAD": "0.001",
    }
    with running_server(data_folder(tmp_path_factory.mktemp("crowds"), **limits)) as running:
        yield running


def line_to(server: Running, first: bytes, address: str = "127.0.0.1") -> socket.socket:
    parts = urlsplit(server.url)
    made = socket.create_connection((parts.hostname or "", parts.port or 0), 20.0, (address, 0))
    made.sendall(first)
    return made


def said_by(line: socket.socket) -> bytes:
    """All that comes until the server closes. Raises TimeoutError where it does not."""
    said = b""
    with line, contextlib.suppress(ConnectionResetError):
        while more := line.recv(4096):
            said += more
    return said


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (b"", b""),
        (HEAD, b"HTTP/1.1 408 "),
        (BODY, b"HTTP/1.1 408 "),
        (BODY + b'{"client":', b"HTTP/1.1 408 "),
    ],
    ids=["nothing", "half a head", "no body", "half a body"],
)
def test_who_does_not_go_on_is_told_and_closed(impatient: Running, first: bytes, told: bytes) -> None:
    said = said_by(line_to(impatient, first))
    assert said.startswith(told)
    assert bool(said) is bool(told)


def test_a_second_request_on_the_same_connection_has_no_more_time(impatient: Running) -> None:
    line = line_to(impatient, HEAD + b"\r\n")
    assert line.recv(4096).startswith(b"HTTP/1.1 200 ")
    line.sendall(HEAD)
    assert b"HTTP/1.1 408 " in said_by(line)


def test_thousands_that_say_nothing_push_out_their_own(impatient: Running) -> None:
    silent = [line_to(impatient, b"GET / HT", "127.0.0.9") for _ in range(WAITING + 50)]
    try:
        assert httpx.get(f"{impatient.url}/healthz", timeout=20).status_code == 200
        assert said_by(silent[0]) == b""
    finally:
        for line in silent:
            line.close()


async def test_handshakes_that_do_not_end_push_out_their_own(tmp_path: Path) -> None:
    files = Folder(tmp_path)
    files.renewed(Names.of(["localhost", "127.0.0.1"]), datetime.now(UTC), new_authority=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server)
    door = Door(patience_s=60, of_an_address=None)
    door.crowd = Crowd(waiting=2, of_an_address=None)
    https, _ = protocols(door, context)
    server = await asyncio.get_running_loop().create_server(https, "127.0.0.1", 0)
    async with server, asyncio.timeout(20):
        address = server.sockets[0].getsockname()
        lines = [await asyncio.open_connection(*address) for _ in range(4)]
        assert [await reader.read() for reader, _ in lines[:2]] == [b"", b""]
        assert len(door.crowd) == 2
        for _, writer in lines:
            writer.close()

        async def empty() -> bool:
            return len(door.crowd) == 0

        await until(empty)


async def test_an_address_has_its_share_of_connections(impatient: Running) -> None:
    async with client_of(impatient) as client, contextlib.AsyncExitStack() as stack:
        session = await start(client)
        url = events_url(impatient, session)
        for _ in range(SHARE):
            await stack.enter_async_context(connect(url, local_addr=("127.0.0.5", 0)))
        refused = said_by(line_to(impatient, HEAD + b"\r\n", "127.0.0.5"))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in refused
        upgrade = f"GET {urlsplit(url).path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\n"
        upgrade += (
            "connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert said_by(line_to(impatient, upgrade.encode(), "127.0.0.5")).startswith(b"HTTP/1.1 503 ")
        elsewhere = line_to(impatient, HEAD + b"connection: close\r\n\r\n", "127.0.0.6")
        assert said_by(elsewhere).startswith(b"HTTP/1.1 200 ")
        await stack.aclose()

        async def room() -> bool:
            line = line_to(impatient, HEAD + b"connection: close\r\n\r\n", "127.0.0.5")
            return said_by(line).startswith(b"HTTP/1.1 200 ")

        await until(room)


async def test_a_node_refuses_what_it_has_no_time_for_by_its_own_measure(impatient: Running, tmp_path: Path) -> None:
    async with client_of(impatient) as client:
        session = await start(client)
        assert (await client.get("/readyz")).status_code == 200  # nothing is known yet
        await WebSocketPeer(frames_of(piece(12.0, 48.0), "pcm16"), pace=200.0).run(audio_url(impatient, session))

        async def full() -> bool:
            return (await client.get("/readyz")).status_code == 503

        await until(full, 40)
        answer = await client.post("/api/sessions", json={"consent": CONSENT, "tracks": ALONE})
        assert (answer.status_code, refusal(answer)["code"]) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) > 0
        assert (await client.get(f"/api/sessions/{session}")).json()["state"] == "live"
        numbers = (await client.get("/metrics")).text
        assert float(numbers.split("\nsameday_load ")[1].split()[0]) > 0.001
        await client.post(f"/api/sessions/{session}/end")

        async def room() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await until(room, 40)
