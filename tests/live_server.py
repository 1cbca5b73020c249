"""One real `sameday serve` for the tests of the whole server, and what a client does with it, in a few words.

A test module imports the fixture `server`; all modules of a test run share one process, since loading takes seconds.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks.audio_files import read_audio
from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.audio_wire import Codec
from streaming.errors import KeyRefused
from streaming.key_source import KeyFile
from streaming.sqlite_store import SqliteStore
from streaming.types import SAMPLE_RATE, Int16Mono
from streaming.vault import Vault

Message = dict[str, Any]
BUNDLED = Path(__file__).resolve().parents[1] / "benchmarks" / "data" / "session"
CONSENT = ["clinician", "client"]
ALONE: list[Message] = [{"id": "mic", "speakers": 1}]
"""One track of one person: needs no diarization, which makes the tests that are not about it quick."""
END_TIMEOUT_S = 60.0

_shared: Running | None = None


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """The server that all test modules share. Each module that imports this has a fixture of its own."""
    global _shared
    if _shared is not None:
        yield _shared
        return
    with running_server({"SAMEDAY_MAX_SESSIONS": "100"}) as running:
        _shared = running
        yield running
        _shared = None


@lru_cache
def _recording(name: str) -> Int16Mono:
    return read_audio(BUNDLED / f"{name}.opus")


def piece(start_s: float, end_s: float, recording: str = "mix") -> Int16Mono:
    """A stretch of the bundled session; `recording` is mix, clinician or client."""
    return _recording(recording)[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)]


def silence(length_s: float) -> Int16Mono:
    """Digital silence."""
    return np.zeros(round(length_s * SAMPLE_RATE), dtype=np.int16)


def words_of(transcript: Message) -> list[str]:
    """All words in order of time, without case and punctuation."""
    joined = " ".join(one["text"] for one in transcript["utterances"])
    return [word for word in ("".join(c for c in w if c.isalnum()).lower() for w in joined.split()) if word]


def assert_said(transcript: Message, text: str) -> None:
    """All of a stretch of talk came through, but for a few words: which ones a small model mishears hangs on how its
    windows fall, and over WebRTC that hangs on when the first packet came. What is lost, or said twice, fails.
    """
    said, expected = words_of(transcript), text.lower().split()
    matched = sum(block.size for block in SequenceMatcher(None, said, expected, False).get_matching_blocks())
    assert max(len(said), len(expected)) - matched <= 1 + len(expected) // 6, (said, expected)


@asynccontextmanager
async def client_of(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the server. What it started is ended with it, so that tests leave no load behind."""
    started: list[str] = []

    async def note(answer: httpx.Response) -> None:
        if answer.status_code == 201 and answer.request.url.path == "/api/sessions":
            started.append(answer.headers["location"])

    async with httpx.AsyncClient(base_url=server.url, timeout=30.0, event_hooks={"response": [note]}) as client:
        yield client
        for session in started if server.process.poll() is None else []:
            await client.post(f"{session}/end")


async def start(client: httpx.AsyncClient, **body: Any) -> str:
    """Start a session; returns its id."""
    answer = await client.post("/api/sessions", json={"consent": CONSENT, "tracks": ALONE} | body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def audio_url(server: Running, session: str, track: str = "mic") -> str:
    """Where a track's frames go."""
    return f"{server.url.replace('http', 'ws', 1)}/api/sessions/{session}/audio?track={track}"


def events_url(server: Running, session: str, after: int = 0) -> str:
    """Where a session's events come from."""
    return f"{server.url.replace('http', 'ws', 1)}/api/sessions/{session}/events?after={after}"


async def send(
    server: Running,
    session: str,
    pcm: Int16Mono,
    *,
    track: str = "mic",
    codec: Codec = "pcm16",
    pace: float = 200.0,
    first_tick: int = 0,
) -> WebSocketPeer:
    """Send audio over WebSocket, much faster than it was spoken unless `pace` says otherwise, and end the track."""
    peer = WebSocketPeer(frames_of(pcm, codec, first_tick=first_tick), pace=pace)
    await peer.run(audio_url(server, session, track))
    return peer


@dataclass(slots=True)
class Seen:
    """What a reader of a session's events saw, and the code that its connection was closed with."""

    messages: list[Message]
    code: int

    def of(self, *kinds: str) -> list[Message]:
        """The messages of these kinds."""
        return [message for message in self.messages if message["type"] in kinds]

    @property
    def logged(self) -> list[Message]:
        """The messages that are in the log."""
        return [message for message in self.messages if message["sequence"] is not None]


async def follow(server: Running, session: str, after: int = 0, timeout_s: float = END_TIMEOUT_S) -> Seen:
    """All events after a number, until the server closes the connection."""
    messages: list[Message] = []
    async with asyncio.timeout(timeout_s), connect(events_url(server, session, after), max_size=None) as socket:
        with contextlib.suppress(ConnectionClosed):
            messages += [json.loads(text) async for text in socket]
        return Seen(messages, socket.close_code or 0)


async def end(server: Running, client: httpx.AsyncClient, session: str) -> Seen:
    """End a session and wait for its note; returns all its events."""
    answer = await client.post(f"/api/sessions/{session}/end")
    assert answer.status_code == 202, answer.text
    return await follow(server, session)


async def transcript_of(client: httpx.AsyncClient, session: str) -> Message:
    """The session's transcript as it is now."""
    answer = await client.get(f"/api/sessions/{session}/transcript")
    assert answer.status_code == 200, answer.text
    found: Message = answer.json()
    return found


async def until(check: Callable[[], Awaitable[Any]], timeout_s: float = 10.0) -> Any:
    """Ask again and again until a check finds something, and return it. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while True:
            if found := await check():
                return found
            await asyncio.sleep(0.1)


def assert_accounts_for_all(ended: Message, received_ticks: Sequence[int] | None = None) -> None:
    """Every tick received is transcribed or in a gap that was named, on every track."""
    for total in ended["totals"]:
        assert total["received_ticks"] == total["transcribed_ticks"] + total["gap_ticks"], total
    if received_ticks is not None:
        assert [total["received_ticks"] for total in ended["totals"]] == list(received_ticks)


def refusal(answer: httpx.Response) -> Message:
    """The error object of a refusal, whose shape is that of docs/protocol.md."""
    assert answer.headers["content-type"] == "application/json", answer.text
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "mend"}
    assert all(isinstance(value, str) for value in body["error"].values())
    error: Message = body["error"]
    return error


def printed_by(server: Running) -> str:
    """What the server has written to its standard error so far, and to its output since it was ready."""
    log = Path(os.readlink(f"/proc/{server.process.pid}/fd/2")).read_text()
    assert server.process.stdout is not None
    output = server.process.stdout.fileno()
    os.set_blocking(output, False)
    try:
        return log + os.read(output, 1 << 20).decode()
    except BlockingIOError:
        return log
    finally:
        os.set_blocking(output, True)


def data_folder(folder: Path, **more: str) -> Mapping[str, str]:
    """The environment of a server that keeps its data in a folder of the test's, its key beside it."""
    return {"SAMEDAY_DATA_DIR": str(folder), "SAMEDAY_KEY_FILE": str(key_beside(folder))} | more


def key_beside(folder: Path) -> Path:
    """The master key of servers whose data lies in this folder and in others beside it, which may share a Redis."""
    return folder.parent / "master.key"


def open_log(folder: Path) -> SqliteStore:
    """The log in a server's data folder, beside the server: sealed with its key once it has begun to seal."""
    file = folder / "log.sqlite3"
    own = folder.with_name(f"{folder.name}.keys") / "master.key"
    try:
        return SqliteStore(file)
    except KeyRefused:
        return SqliteStore(file, Vault(KeyFile(own if own.exists() else key_beside(folder))))


@asynccontextmanager
async def serving(environment: Mapping[str, str]) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    """A server of a test's own, and its client."""
    made = running_server(environment)
    server = await asyncio.to_thread(made.__enter__)
    try:
        async with client_of(server) as client:
            yield server, client
    finally:
        await asyncio.to_thread(made.__exit__, None, None, None)
