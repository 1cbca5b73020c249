"""`sameday bench live --server`: measured against a server with accounts, of which nothing is left there."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from accounts_of_two import House, house_of_two
from redis_server import free_port

from benchmarks import commands_remote
from benchmarks.host import MARK, SCRIPT, Host
from streaming import cli

pytestmark = pytest.mark.loopback


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with house_of_two() as made:
        yield made


def bench(folder: Path, url: str, token: str | None, *more: str) -> int:
    """The command's exit status."""
    given = ["bench", "live", "--server", url, "--transport", "websocket", "--seconds", "7", *more]
    if token is not None:
        (folder / "token").write_text(f"{token}\n")
        given += ["--token-file", str(folder / "token")]
    return cli.main(given)


def test_a_server_of_people_is_measured_and_nothing_stays(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[dict[str, Any]] = []
    deleted = commands_remote._delete

    async def looked_at(client: httpx.AsyncClient, session: str) -> dict[str, Any] | None:
        seen.append((await client.get(f"/api/sessions/{session}")).json())
        return await deleted(client, session)

    monkeypatch.setattr(commands_remote, "_delete", looked_at)
    report = tmp_path / "report.json"
    assert bench(tmp_path, house.server.url, house.tokens["anna"], "--sessions", "2", "--save", str(report)) == 0
    printed = capsys.readouterr()
    assert house.tokens["anna"] not in printed.out + printed.err + report.read_text()
    assert "last sample to final words, p95" in printed.out
    assert "server's memory" not in printed.out
    body = json.loads(report.read_text())
    assert body["server"]["url"] == house.server.url
    assert body["server"]["version"][0].isdigit()
    assert f"Against {house.server.url}" in report.with_suffix(".html").read_text()
    assert [(one["state"], one["context"]["place"]) for one in seen] == [("ended", MARK)] * 2
    with httpx.Client(base_url=house.server.url, headers={"Authorization": f"Bearer {house.tokens['sven']}"}) as sven:
        receipts = {one["session"]: one for one in sven.get("/api/deletions").json()["receipts"]}
        assert set(receipts) == {one["id"] for one in seen}
        assert all(one["done"] and one["removed"]["utterances"] for one in receipts.values())
        assert [sven.get(f"/api/sessions/{one}").status_code for one in receipts] == [410, 410]
        assert sven.get("/api/visits").json()["visits"] == []
    assert SCRIPT.startswith("A measurement")


@pytest.mark.parametrize(
    ("login", "says"),
    [
        (None, "asks for a token"),
        ("nobody", "does not know the token"),
        ("olga", "the role ops holds no sessions"),
    ],
)
def test_who_may_hold_no_session_is_told_before_anything_is_begun(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str], login: str | None, says: str
) -> None:
    token = None if login is None else house.tokens.get(login, "made-up")
    assert bench(tmp_path, house.server.url, token) == 2
    assert says in capsys.readouterr().err


def test_what_is_no_sameday_server_or_none_at_all_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(tmp_path, f"http://127.0.0.1:{free_port()}", "a") == 2
    assert "cannot be reached" in capsys.readouterr().err
    with HTTPServer(("127.0.0.1", 0), _Other) as other:
        Thread(target=other.handle_request, daemon=True).start()
        assert bench(tmp_path, f"http://127.0.0.1:{other.server_port}", "a") == 2
    assert "no sameday server" in capsys.readouterr().err


async def test_a_session_behind_a_page_of_a_proxys_is_named_and_the_others_are_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands_remote, "_DELETED_WITHIN_S", 0.2)
    made = commands_remote._Made(sessions=["barred", "free"])
    with ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        with pytest.raises(commands_remote.SessionsLeft, match=r"server: barred[.]"):
            await commands_remote._delete_all(Host(f"http://127.0.0.1:{proxy.server_port}"), made)
        proxy.shutdown()
    assert made.receipts == [{"session": "free", "done": True}]


class _Proxy(BaseHTTPRequestHandler):
    """Lets requests about one session through, and answers those about another itself."""

    def do_POST(self) -> None:
        self._answer(b"")

    def do_DELETE(self) -> None:
        free = self.path.startswith("/api/sessions/free?")
        self._answer(b'{"session": "free", "done": true}' if free else b"<p>One moment.</p>")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Other(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"mode": "dark"}')

    def log_message(self, format: str, *args: Any) -> None:
        pass
