"""A server with a certificate that `sameday certificate` made, for a client that trusts its authority alone."""

import asyncio
import socket
import ssl
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from accounts_of_two import PASSWORD, user
from live_server import refusal
from websockets.asyncio.client import connect

from benchmarks.commands_remote import examined
from benchmarks.host import of_people
from benchmarks.server_process import running_server
from streaming import cli, local_authority
from streaming.errors import PeerError
from streaming.forwarding import Forward

pytestmark = pytest.mark.loopback


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What the command says to set, put in; an account beside it."""
    environment = {"SAMEDAY_DATA_DIR": str(tmp_path / "data"), "SAMEDAY_ENCRYPTION": "false"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["certificate", "--name", "desk.lan"]) == 0
    told = capsys.readouterr().out.partition("Settings (sameday.toml):")[2].partition("\n\n")[0]
    config = tmp_path / "sameday.toml"
    config.write_text(told)
    assert tomllib.loads(told)["allowed_origins"][0] == "https://desk.lan:8710"
    user(environment, "add", "anna@north.example", "--name", "Anna North", typed=f"{PASSWORD}\n")
    return environment | {"SAMEDAY_CONFIG": str(config), "SAMEDAY_PATIENCE_S": "1"}


async def test_with_what_the_command_says_the_server_is_trusted_by_who_trusts_the_authority(
    settings: dict[str, str], tmp_path: Path
) -> None:
    authority = tmp_path / "data.tls" / "authority.crt"
    trusting = ssl.create_default_context(cafile=str(authority))
    with running_server(settings) as server:
        assert server.url.startswith("https://0.0.0.0:")
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        async with httpx.AsyncClient(base_url=url, verify=trusting) as client:
            assert (await client.get("/healthz")).status_code == 200
            fetched = await client.get("/authority.crt")
            assert fetched.headers["content-type"] == "application/x-x509-ca-cert"
            assert fetched.content == local_authority.as_der(authority.read_bytes())
            signed_in = await client.post("/api/sign-in", json={"login": "anna@north.example", "password": PASSWORD})
            assert signed_in.status_code == 200
            assert signed_in.headers["set-cookie"].startswith("__Host-")
            assert refusal(await client.get("/healthz", headers={"Host": "evil.example"}))["code"] == "foreign_origin"
            assert (await client.get("/healthz", headers={"Host": "desk.lan:8710"})).status_code == 200
        async with connect(f"{url.replace('https', 'wss')}/api/sessions/x/events", ssl=trusting) as socket:
            assert '"not_signed_in"' in str(await socket.recv())
        async with httpx.AsyncClient(base_url=url) as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.get("/healthz")
        _nobody_waits_for_a_handshake(url, trusting)
        await _other_nodes_are_trusted_by_the_authority(url, authority)
        for trusted, says in ((None, "certificate is not trusted"), (authority, "asks for a token")):
            with pytest.raises(PeerError, match=says):
                await examined(of_people(url, None, trusted))


async def _other_nodes_are_trusted_by_the_authority(url: str, authority: Path) -> None:
    """What a node passes on comes to one with such a certificate: there it is asked who sends it."""
    path = f"/api/sessions/{'a' * 32}/audio"
    headers = [(b"host", b"desk.lan:8710"), (b"origin", b"https://desk.lan:8710")]
    asked: dict[str, Any] = {"path": path, "query_string": b"", "headers": headers}
    page = {"type": "http", "method": "GET", **asked}
    socket = {"type": "websocket", "subprotocols": ["sameday", "bearer.made-up"], **asked}
    assert (await _passed_on(url, None, page))[0]["status"] == 503
    assert (await _passed_on(url, authority, page))[0]["status"] == 401
    accepted, told, closed = await _passed_on(url, authority, socket)
    assert accepted["type"] == "websocket.accept"
    assert '"not_signed_in"' in told["text"]
    assert closed["code"] == 4401
    assert (await _passed_on(url, None, socket))[-1]["code"] == 4503


async def _passed_on(url: str, authority: Path | None, scope: dict[str, Any]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    asked = iter([{"type": "http.request"} if scope["type"] == "http" else {"type": "websocket.connect"}])

    async def receive() -> Any:
        return next(asked, None) or await asyncio.Event().wait()

    async def send(message: Any) -> None:
        said.append(message)

    async def elsewhere(_: str) -> str:
        return url

    async def nobody(*_: Any) -> None:
        raise AssertionError("the session is elsewhere")

    async with asyncio.timeout(20):
        await Forward(nobody, elsewhere, authority)(scope, receive, send)
    return said


def _nobody_waits_for_a_handshake(url: str, trusting: ssl.SSLContext) -> None:
    """Who begins no TLS, or breaks off in it, is closed."""
    address = ("127.0.0.1", urlsplit(url).port or 0)
    for first in (b"", _first_flight(trusting)[:100], b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(address, 20) as line:
            line.sendall(first)
            while line.recv(4096):  # TLS says what it did not understand; then the server closes
                pass


def _first_flight(trusting: ssl.SSLContext) -> bytes:
    """What a client's handshake begins with."""
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trusting.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="127.0.0.1").do_handshake()
    return sent.read()
