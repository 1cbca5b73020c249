"""Requests that nobody should send, made from the server's own description: each is answered, and none does harm.

What is refused is refused in the documented shape, nothing ends in a fault of the server, nothing sent comes to its
log, and what was taken leaves every list readable.
"""

import asyncio
import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_sessions import keep_session
from live_server import data_folder, printed_by

from benchmarks.server_process import Running, running_server

pytestmark = pytest.mark.loopback

CANARY = "Quimbelsaft"
"""Stands in what is sent, and must not stand in the server's log."""
SLOW_S = 10.0
"""No request may take longer, on however busy a machine."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes out; `body` is raw."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """A running server with something of everything in it, and the operations it describes."""

    running: Running
    client: httpx.Client
    names: dict[str, tuple[str, ...]]
    described: dict[str, Any] = field(repr=False)

    @property
    def operations(self) -> list[tuple[str, str]]:
        return [(method.upper(), path) for path, found in self.described["paths"].items() for method in found]


async def _sessions(folder: Path) -> tuple[str, ...]:
    return (
        await keep_session(folder),
        await keep_session(folder, days_ago=3, note_format="dap"),
        await keep_session(folder, drafted=False, ended=False),
    )


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("hostile")
    with running_server(data_folder(folder, SAMEDAY_MAX_SESSIONS="8")) as running:
        kept = asyncio.run(_sessions(folder))
        with httpx.Client(base_url=running.url, timeout=3 * SLOW_S) as client:
            live = client.post("/api/sessions", json={"consent": ["client"]}).json()["id"]
            chart = client.post("/api/charts", json=SEEDS["/api/charts"]).json()["id"]
            visit = client.post("/api/visits", json=SEEDS["/api/visits"]).json()["id"]
            recap = client.post("/api/recaps", json=SEEDS["/api/recaps"]).json()["id"]
            names = {
                "name": (*kept, live),
                "key": (chart, visit, recap),
                "resource": ("none",),
                "utterance": ("mic-1", "mic-2"),
                "provider": ("none",),
            }
            described = client.get("/openapi.json").json()
            yield Target(running, client, names, described)


# What is sent

_DAY = (datetime.now(UTC) - timedelta(days=5)).date().isoformat()
SEEDS: dict[str, Any] = {
    "/api/charts": {
        "client": CANARY,
        "diagnoses": ["F41.1 Generalized anxiety disorder"],
        "goals": [{"text": "Sleep through", "objectives": [{"text": "Five nights", "date": "2026-12-31"}]}],
        "usual_interventions": {"CBT": ["exposure"]},
        "plan": {"date": "2026-01-01", "frequency": "weekly"},
    },
    "/api/visits": {
        "date": _DAY,
        "label": CANARY,
        "start": f"{_DAY}T10:00:00+00:00",
        "stop": f"{_DAY}T10:50:00+00:00",
        "minutes": 50,
        "payer": "Aetna",
    },
    "/api/recaps": {
        "text": f"Ct {CANARY} wakes 4x/wk. CBT thought record. Denies SI.",
        "context": {"started_at": f"{_DAY}T10:00:00+00:00", "goals": ["sleep"]},
        "written_on": _DAY,
        "zone": "America/New_York",
    },
    "/api/recaps/{key}/answers": {"answers": {"plan": "weekly", "response": "calmer"}},
    "/api/phrases": {
        "version": 0,
        "phrases": [{"id": "own-1", "modality": "CBT", "kind": "intervention", "text": "Did {target}."}],
        "hidden": [],
    },
    "/api/sessions": {"consent": ["client"], "tracks": [{"id": "mic", "speakers": 2}], "context": {"place": "room"}},
    "/api/sessions/{name}/roles": {"roles": {"S1": "client"}},
    "/api/sessions/{name}/note": {
        "version": 1,
        "changes": [{"op": "add", "section": "Plan", "text": f"Next {CANARY}."}],
    },
    "/api/sessions/{name}/note/redraft": {"version": 1, "section": "Plan"},
    "/api/sessions/{name}/note/sign": {"version": 1, "signer": "Pat", "credentials": "LCSW", "override": "x"},
    "/api/sessions/{name}/note/addenda": {"text": CANARY, "who": "Pat"},
    "/api/sessions/{name}/context": {"modality": "in_person", "place": CANARY, "client": None, "participants": ["x"]},
    "/api/self-check": {"answers": {"sleep": "often"}, "country": "us"},
}
SEEDS["/api/charts/{key}"] = SEEDS["/api/charts"] | {"version": 1}
SEEDS["/api/visits/{key}"] = {"note": "signed", "payer": CANARY}
_CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:{title}\r\nDTSTART:{start}\r\n"
    "DTEND:{stop}\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)

ODD_TEXTS = st.sampled_from([
    "", " ", "\x00", "\ud800", "x\udfff", "\u202e\u200f", "\ufffe", "{target}{}", "%s%n", "../../etc/passwd", "..",
    "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30",
    "2026-01-01T00:00:00+23:59", f"{_DAY}T10:00:00+00:00:30", "20260101", "2026-W01-1", "signed", "null", "F41.1 x",
    "Europe/Paris", "<b>&\"'</b>", "\u0131\u0130\u00df\ufb01", "\U0001f600", "a" * 70, "a, " * 1500, "((((" * 400,
    "\u0660\u0661", "1" * 400, "soap", "Plan", CANARY, "\r\nset-cookie: a=b", "suicid" * 60, "no, " * 900,
])  # fmt: skip
ODD_NUMBERS = st.sampled_from([
    0, -1, 1, 2, 2**31, 2**63, -(2**64), 10**300, 1.5, -0.0, 1e308, float("nan"), float("inf"), True, 10**4000,
])  # fmt: skip
ODD = st.recursive(
    ODD_TEXTS | ODD_NUMBERS | st.none() | st.booleans() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ODD_TEXTS | st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*at, key))


@st.composite
def spoilt(draw: st.DrawFn, seed: Any) -> Any:
    """A good body with a few places that are odd: another value, one left out, or one more."""
    body = {"": copy.deepcopy(seed)}
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from([one for one in _places(body) if one]))
        inside: Any = body
        for key in place[:-1]:
            inside = inside[key]
        match draw(st.sampled_from(["odd", "odd", "gone", "more"])):
            case "odd":
                inside[place[-1]] = draw(ODD)
            case "gone" if len(place) > 1:
                del inside[place[-1]]
            case _ if isinstance(inside[place[-1]], dict):
                inside[place[-1]][draw(ODD_TEXTS)] = draw(ODD)
    return body[""]


def _rows(described: dict[str, Any], method: str, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = described["paths"][path][method.lower()].get("parameters", [])
    return found


def _choices(schema: dict[str, Any]) -> list[str]:
    own = [str(one) for one in schema.get("enum", [])]
    return own + [one for part in schema.get("anyOf", []) for one in _choices(part)]


@st.composite
def calls(draw: st.DrawFn, target: Target) -> Call:
    """A request to any operation, with what it knows and what it does not."""
    method, path = draw(st.sampled_from(target.operations))
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    filled = path
    for row in _rows(target.described, method, path):
        name = row["name"]
        if row["in"] == "path":
            known = st.sampled_from(target.names[name])
            # A session that is deleted in earnest could not be looked at after the others.
            odd = ODD_TEXTS if (method, path) == ("DELETE", "/api/sessions/{name}") else known | known | ODD_TEXTS
            filled = filled.replace(f"{{{name}}}", quote(draw(odd), safe="", errors="replace"))
        elif row["in"] == "header":
            headers[name] = draw(st.sampled_from(['"1"', 'W/"2"', "*", "-1", "9" * 60, "x"]))
        elif draw(st.booleans()):
            choices = _choices(row["schema"])
            good = st.sampled_from(choices) if choices else st.sampled_from(["mon 12:00 60", "true", "1"])
            query[name] = draw(good | good | ODD_TEXTS).encode("utf-8", "replace").decode()
    seed = SEEDS.get(path)
    if path == "/api/visits/import":
        return Call(method, filled, query, headers, draw(files()))
    body = draw(spoilt(seed) if seed is not None else ODD) if method in ("POST", "PUT", "PATCH") else None
    raw = b"" if body is None else json.dumps(body).encode()
    return Call(method, filled, query, headers | {"content-type": "application/json"}, raw)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file of visits with odd cells."""
    times = st.sampled_from(["20260105T100000Z", "00010101T000000Z", "99991231T235959", "20260105", "x"])
    rules = ["FREQ=WEEKLY", "FREQ=SECONDLY", "FREQ=DAILY;COUNT=99999999", "FREQ=DAILY;INTERVAL=0", "FREQ=x", ""]
    odd = ODD_TEXTS.map(lambda text: text.replace("\n", " "))
    if draw(st.booleans()):
        text = _CALENDAR.format(
            title=draw(odd), start=draw(times), stop=draw(times), rule=draw(st.sampled_from(rules))
        )
        return text.encode("utf-8", "surrogatepass")
    head = draw(
        st.sampled_from(["date,client,start,stop,note", "Date;Client;Start time;Minutes;Signed", "start,name"])
    )
    rows = draw(st.lists(st.lists(odd, min_size=1, max_size=5), max_size=4))
    lines = [head, *((";" if ";" in head else ",").join(row) for row in rows)]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


# What must come of it


def assert_refused_well(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/json", answer.text
    error = answer.json()["error"]
    assert error.keys() >= {"code", "message", "mend"}
    assert all(isinstance(error[name], str) for name in ("code", "message", "mend"))


def assert_readable(target: Target) -> None:
    """Whatever was taken, nothing that lists or shows it is broken by it."""
    looks = [
        "/api/charts",
        "/api/backlog",
        "/api/backlog?order=audit&block=mon+12:00+60&zone=Asia/Tokyo",
        "/api/phrases",
    ]
    looks += [f"/api/sessions/{name}{rest}" for name in target.names["name"] for rest in ("", "/transcript")]
    looks += [
        f"/api/sessions/{name}/note{rest}" for name in target.names["name"][:2] for rest in ("", "/trail", "/thread")
    ]
    for format in ("txt", "docx", "pdf", "fhir"):
        looks += [f"/api/sessions/{name}/note/export?format={format}" for name in target.names["name"][:2]]
    for look in looks:
        answer = target.client.get(look)
        assert answer.status_code == 200, (look, answer.text[:300])


def test_no_request_is_answered_with_a_fault(target: Target) -> None:
    @settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(call=calls(target))
    def check(call: Call) -> None:
        answer = target.client.request(
            call.method, call.path, params=call.query, headers=call.headers, content=call.body
        )
        room = answer.status_code == 503 and answer.json()["error"]["code"] == "overloaded"
        assert answer.status_code < 500 or room, (call, answer.text[:300])
        assert answer.elapsed.total_seconds() < SLOW_S, call
        if answer.status_code >= 400 and call.method != "HEAD":
            assert_refused_well(answer)

    check()
    assert_readable(target)
    printed = printed_by(target.running)
    assert "unforeseen" not in printed
    assert CANARY not in printed


_AT_THE_END = "9999-12-31T23:59:59-14:00"
_STANDING = _CALENDAR.format(title="t", start="20260301T100000", stop="20260301T110000", rule="FREQ=DAILY;INTERVAL=0")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/visits", {"date": _DAY, "label": "x\ud800"}),
        ("/api/visits", {"date": _DAY, "\ud800": 1}),
        ("/api/visits", {"date": "0001-01-01", "start": "0001-01-01T00:00:00+14:00"}),
        ("/api/visits", {"date": _DAY, "note": "signed", "signed_at": _AT_THE_END}),
        ("/api/visits/import?zone=America/New_York", b"date,client\n0001-01-01T00:00:00+00:00,x\n"),
        ("/api/visits/import?zone=Asia/Tokyo", b"date,client\n9999-12-31T23:59:59+00:00,x\n"),
        ("/api/visits/import?since=2026-01-01", _STANDING.encode()),
        ("/api/phrases", b"[" * 100_000),
        ("/api/charts", b"1" * 5000),
    ],
)
def test_what_once_broke_a_list_or_never_came_back(target: Target, path: str, body: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = target.client.post(path, content=raw, headers={"content-type": "application/json"})
    assert answer.status_code < 500, answer.text
    assert answer.elapsed.total_seconds() < SLOW_S
    assert_readable(target)
