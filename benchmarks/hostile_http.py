"""Requests that schemathesis makes of the server's own OpenAPI description, and paths that lead nowhere."""

import json
import random
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis.errors import Unsatisfiable
from schemathesis import openapi
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode

from benchmarks.hostile_kept import Kept
from benchmarks.hostile_tally import Tally
from benchmarks.two_practices import House

HANG_S = 20.0
"""No request may take longer, on however busy a machine."""
_WITHOUT_ANYBODY_EVERY = 8
_OPS_EVERY = 8

TRICKS = (
    "..", "../..", "..%2f..%2f..%2fetc%2fpasswd", "....//....//", "%2e%2e/%2e%2e/etc/passwd", "..\\..\\windows",
    "%00",
    "a%00.json", "/etc/passwd", "//etc/passwd", "file:///etc/passwd", "%252e%252e%252f", "con", "nul.txt", "~root",
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; DROP TABLE event; --", "${7*7}", "{{7*7}}",
    "%0d%0aset-cookie:%20a=b", "\u202e", "\ud83d\ude00", "x" * 3000, "-1", "0", "null", "undefined", "*", "?", "#",
    " ",
)  # fmt: skip
"""What stands in the place of an id or a file's name."""
_FILES = (
    "/static/../../pyproject.toml", "/static/%2e%2e/%2e%2e/pyproject.toml", "/static/..%2f..%2fetc%2fpasswd",
    "/static//etc/passwd", "/static/%00", "/static/js/../../../streaming/settings.py",
    "/static/\\..\\..\\etc\\passwd",
    "/static/....//....//etc/passwd", "/static/.", "/static/..", "/../../../etc/passwd", "//etc/passwd", "/%2e%2e/",
    "/static/js/%2e%2e%2f%2e%2e%2f__init__.py", "/sign-in/../api/charts", "/static/../api/charts",
    "/healthz/../metrics",
    "/api/sessions/../charts", "/api//charts", "/API/CHARTS", "/api/charts/", "/api/charts;x=1",
    "/healthz%2f..%2fmetrics",
    "/static/%2e%2e/api/charts", "/service-worker.js/../api/charts", "/api/oidc/../charts", "/api/oidc/%2e%2e/charts",
)  # fmt: skip
_NOT_A_FILE_OF_OURS = (b"root:x:0", b"[build-system]", b"class Settings")


def examples(count: int) -> settings:
    """So many examples, drawn anew each time: nothing is kept or made smaller."""
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True, slots=True)
class Described:
    """The server and what it says of itself."""

    house: House
    kept: Kept
    document: dict[str, Any]


def described(house: House, kept: Kept) -> Described:
    """Fetch the description as a clinician may. Raises requests.HTTPError."""
    answer = requests.get(f"{house.server.url}/openapi.json", headers=_as(house, "bert"), timeout=HANG_S)
    answer.raise_for_status()
    return Described(house, kept, answer.json())


def generated(
    target: Described, wanted: int, seed: int, until: float, modes: Sequence[GenerationMode] = tuple(GenerationMode)
) -> Tally:
    """`wanted` requests at least, as many to every operation, until the time is over (`time.monotonic`).

    Half of them fit the description, as far as there is anything in an operation that could not.
    """
    tally = Tally("generated from the OpenAPI description")
    operations = [one.ok() for one in openapi.from_dict(target.document).get_all_operations() if isinstance(one, Ok)]
    pairs = [
        (operation, mode)
        for operation in operations
        for mode in modes
        if mode is GenerationMode.POSITIVE or operation.body or operation.query
    ]
    with requests.Session() as session:
        while pairs and tally.sent < wanted and time.monotonic() < until:
            each = max(1, -(-(wanted - tally.sent) // len(pairs)))
            for operation, mode in list(pairs):
                if time.monotonic() < until:
                    seed += 1
                    if not _one(target, operation, mode, each, seed, session, tally):
                        pairs.remove((operation, mode))
    return tally


def _one(
    target: Described,
    operation: Any,
    mode: GenerationMode,
    count: int,
    seed: int,
    session: requests.Session,
    tally: Tally,
) -> bool:
    """So many requests to one operation, most with ids that mean something; False where none can be made."""
    drawn = random.Random(seed)
    before = tally.sent

    @hypothesis_seed(seed)
    @examples(count)
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        place_ids(case, target.kept, drawn)
        _send(target, case, session, tally, drawn)

    try:
        send()
    except Unsatisfiable:  # nothing that would not fit can be made, say of a path that takes any text
        tally.answers["none can be made"] += tally.sent == before
    return tally.sent > before


def place_ids(case: Any, kept: Kept, drawn: random.Random) -> None:
    """Put an id of one's own, one of the other practice's, or a trick in the place of what was made up."""
    for name in list(case.path_parameters or {}):
        chance = drawn.random()
        own, others = kept.own.get(name, ()), kept.others.get(name, ())
        if chance < 0.45 and own:
            case.path_parameters[name] = drawn.choice(own)
        elif chance < 0.70 and others:
            case.path_parameters[name] = drawn.choice(others)
        elif chance < 0.85:
            case.path_parameters[name] = drawn.choice(TRICKS)


def _send(target: Described, case: Any, session: requests.Session, tally: Tally, drawn: random.Random) -> None:
    request = f"{case.method} {case.operation.path}"
    login = drawn.choice(["bert"] * (_OPS_EVERY - 2) + ["olga", None])
    began = time.monotonic()
    try:
        answer = case.call(
            base_url=target.house.server.url, session=session, headers=_as(target.house, login), timeout=HANG_S,
            allow_redirects=False,
        )  # fmt: skip
    except requests.Timeout:
        tally.fault("hang", request, f"no answer within {HANG_S:.0f} s")
        return
    except (requests.RequestException, ValueError, UnicodeError) as error:
        tally.answers[f"not sent: {type(error).__name__}"] += 1
        return
    tally.answered(request, answer.status_code, time.monotonic() - began)
    asked = _sent(case)
    judge(tally, request, answer.status_code, answer.content, target.kept.secret, asked)
    if answer.status_code == 201 and case.operation.path == "/api/sessions":
        name = json.loads(answer.content)["id"]
        session.post(
            f"{target.house.server.url}/api/sessions/{name}/end", headers=_as(target.house, login), timeout=HANG_S
        )


def judge(tally: Tally, request: str, status: int, body: bytes, secret: Sequence[str], asked: str = "") -> None:
    """Whether an answer does harm. What was sent may come back; 503 is an answer where it says when to come again."""
    text = body.decode("utf-8", "replace")
    if status >= 500 and '"code":"overloaded"' not in text.replace(" ", ""):
        tally.fault("5xx", request, f"{status} {text[:200]}")
    for one in secret:
        if one in text and one not in asked:
            tally.fault("content of another practice", request, f"{status}, {len(body)} bytes")
            return


def _sent(case: Any) -> str:
    return " ".join(str(part) for part in (case.path_parameters, case.query, case.headers, case.cookies, case.body))


def _as(house: House, login: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.tokens[login]}"} if login else {}


# Paths as they are: no client tidies them up.


def odd_paths(target: Described, tricks: Sequence[str] = TRICKS) -> Tally:
    """Every trick in the place of every id, and odd names of files, over a bare socket."""
    tally = Tally("path tricks")
    paths = list(_FILES)
    for path in target.document["paths"]:
        if "{" in path:
            first = path[: path.index("{")]
            rest = path[path.index("}") + 1 :].replace("{", "").replace("}", "")
            paths += [f"{first}{trick}{rest}" for trick in tricks]
    parts = urlsplit(target.house.server.url)
    for path in paths:
        began = time.monotonic()
        try:
            status, body = bare(parts.hostname or "", parts.port or 0, path, _as(target.house, "bert"))
        except TimeoutError:
            tally.fault("hang", path[:80], "no answer")
            continue
        tally.answered("GET, odd path", status, time.monotonic() - began)
        judge(tally, f"GET {path[:80]}", status, body, target.kept.secret)
        if any(one in body for one in _NOT_A_FILE_OF_OURS):
            tally.fault("broken answer", f"GET {path[:80]}", "a file that is not the page's")
    return tally


def bare(host: str, port: int, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """A GET whose path goes out as it is. Raises TimeoutError, OSError."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    target = path.encode("utf-8", "surrogatepass")
    head = b"GET " + target + f" HTTP/1.1\r\nhost: {host}:{port}\r\n{lines}connection: close\r\n\r\n".encode()
    with socket.create_connection((host, port), timeout=HANG_S) as line:
        line.sendall(head)
        answer = b""
        while piece := line.recv(65_536):
            answer += piece
    top, _, body = answer.partition(b"\r\n\r\n")
    words = top.split(b" ", 2)
    return (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0), body
