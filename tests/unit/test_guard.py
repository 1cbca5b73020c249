"""Who the server answers, what a browser may do with the answer, and what becomes of errors nobody foresaw."""

import json
from typing import Any

import pytest

from streaming.guard import HEADERS, Guard, Message, Receive, Scope, Send, allowed

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8710", "localhost:8710", "LOCALHOST", "[::1]:8710", "127.0.0.1", "127.0.0.2:8710", "127.255.0.1"],
)
def test_loopback_names_are_served(host: str) -> None:
    assert allowed(host, None)
    assert allowed(host, f"http://{host}")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8710",
        "10.0.0.5",
        "[::1",
        "localhost@evil.example",
        "[::2]",
        "127.1",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not allowed(host, None)
    assert not allowed(host, f"http://{host}")


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1:9999",
        "http://localhost:8710",
        "http://127.0.0.1:8710.evil.example",
        "http://[",
        "127.0.0.1:8710",
    ],
)
def test_pages_of_another_origin_are_not_served(origin: str) -> None:
    assert not allowed("127.0.0.1:8710", origin)


PUBLIC = ("https://notes.example.org", "https://other.example.org:8443")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("notes.example.org", "https://notes.example.org"),
        ("notes.example.org", None),
        ("Notes.Example.org:443", None),
        ("other.example.org:8443", "https://other.example.org:8443"),
        # A proxy may give the server's own name, or keep the one that the browser asked for.
        ("127.0.0.1:8710", "https://notes.example.org"),
        ("127.0.0.1:8710", "http://127.0.0.1:8710"),
    ],
)
def test_the_pages_of_a_proxy_in_front_are_served_where_it_is_named(host: str, origin: str | None) -> None:
    assert allowed(host, origin, PUBLIC)
    assert origin == "http://127.0.0.1:8710" or not allowed(host, origin)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("notes.example.org", "http://notes.example.org"),
        ("notes.example.org", "https://notes.example.org:8443"),
        ("notes.example.org", "https://evil.example"),
        ("notes.example.org", "null"),
        ("evil.example", "https://evil.example"),
        ("evil.example", "https://notes.example.org"),
        ("evil.example", None),
        ("notes.example.org.evil.example", None),
        ("127.0.0.1:8710", "https://evil.example"),
        ("127.0.0.1:8710", "https://notes.example.org.evil.example"),
    ],
)
def test_a_proxy_that_is_named_opens_nothing_else(host: str, origin: str | None) -> None:
    assert not allowed(host, origin, PUBLIC)


class Exchange:
    """A request to a guarded application, and all that was sent in answer."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.faults: list[Exception] = []

    async def run(
        self,
        app: Any,
        kind: str = "http",
        path: str = "/",
        origins: tuple[str, ...] = (),
        strict: bool = True,
        **headers: str,
    ) -> None:
        names = {"host": "127.0.0.1:8710"} | headers
        scope = {
            "type": kind,
            "path": path,
            "headers": [(name.encode(), value.encode()) for name, value in names.items()],
        }

        async def receive() -> Message:
            return {"type": f"{kind}.connect"}

        async def send(message: Message) -> None:
            self.sent.append(message)

        await Guard(app, self.faults.append, origins, strict_transport=strict)(scope, receive, send)

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def error(self) -> dict[str, str]:
        error: dict[str, str] = json.loads(self.sent[1]["body"])["error"]
        return error


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"fine"})


async def never(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the application must not be asked")


@pytest.mark.parametrize(("path", "caching"), [("/api/sessions/x", "no-store"), ("/", "no-cache")])
async def test_answers_carry_the_headers_that_bind_a_browser(path: str, caching: str) -> None:
    exchange = Exchange()
    await exchange.run(fine, path=path)
    assert exchange.headers.items() >= (HEADERS | {"cache-control": caching, "content-type": "text/plain"}).items()
    assert exchange.sent[1]["body"] == b"fine"


async def test_a_refusal_says_why_and_carries_them_too() -> None:
    exchange = Exchange()
    await exchange.run(never, path="/api/sessions", origin="http://evil.example")
    assert exchange.sent[0]["status"] == 403
    assert exchange.error["code"] == "foreign_origin"
    assert exchange.headers.items() >= HEADERS.items()
    assert "evil.example" not in json.dumps(exchange.error)


async def test_the_origins_that_were_named_are_served() -> None:
    exchange = Exchange()
    await exchange.run(fine, origins=PUBLIC, host="notes.example.org", origin="https://notes.example.org")
    assert exchange.sent[0]["status"] == 200


async def test_browsers_keep_to_tls_under_the_names_that_are_open_to_others() -> None:
    exchange = Exchange()
    await exchange.run(fine, origins=PUBLIC, host="notes.example.org")
    assert exchange.headers["strict-transport-security"].startswith("max-age=")
    trusting = Exchange()
    await trusting.run(fine, origins=PUBLIC, strict=False, host="notes.example.org")
    assert "strict-transport-security" not in trusting.headers, (
        "a device that has still to trust comes past a warning"
    )
    own = Exchange()
    await own.run(fine, origins=PUBLIC)
    assert "strict-transport-security" not in own.headers, "other servers of this machine have the same name"


async def test_a_foreign_socket_is_closed_before_it_is_accepted() -> None:
    exchange = Exchange()
    await exchange.run(never, "websocket", "/api/sessions/x/events", origin="http://evil.example")
    assert exchange.sent == [{"type": "websocket.close", "code": 4403}]


async def test_start_up_messages_pass() -> None:
    passed: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    exchange = Exchange()
    await exchange.run(app, "lifespan")
    assert passed == ["lifespan"]


async def test_an_unforeseen_error_is_told_without_its_words() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("Daniel said that he drinks")

    exchange = Exchange()
    await exchange.run(broken, path="/api/sessions/x/note")
    assert exchange.sent[0]["status"] == 500
    assert exchange.error["code"] == "server_fault"
    assert exchange.headers.items() >= HEADERS.items()
    assert "Daniel" not in repr(exchange.sent)
    assert [type(fault) for fault in exchange.faults] == [ValueError]


async def test_an_answer_that_has_begun_is_not_answered_again() -> None:
    async def breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError

    exchange = Exchange()
    await exchange.run(breaks_off)
    assert [message["type"] for message in exchange.sent] == ["http.response.start"]
    assert len(exchange.faults) == 1


async def test_a_socket_with_an_unforeseen_error_is_closed() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise ValueError

    exchange = Exchange()
    await exchange.run(broken, "websocket")
    assert exchange.sent[-1] == {"type": "websocket.close", "code": 1011}
