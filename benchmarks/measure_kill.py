"""Kills real servers at random points of real sessions, starts them again, and looks at what has come of it."""

import asyncio
import contextlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks.kill import Cut, Message, differs, lost_ticks, shown, twice
from benchmarks.server_process import Running, running_server
from benchmarks.talk_pieces import Piece
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.types import Tick

_SHARES = (0.1, 0.9)
"""A server is killed after this share of the audio at the earliest and at the latest."""
_LIMIT_S = 240.0
"""A run's time beside its talk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`pace` is in times real time; `seed` decides when servers are killed."""

    runs: int = 50
    sessions: int = 2
    seconds: float = 20.0
    pace: float = 3.0
    seed: int = 1


def run(plan: Plan, pieces: Sequence[Piece], say: Callable[[str], None]) -> list[Cut]:
    """All runs, each with a server and a data folder of its own, against the same pieces uninterrupted."""
    random = Random(plan.seed)
    drawn = [[random.randrange(len(pieces)) for _ in range(plan.sessions)] for _ in range(plan.runs)]
    with tempfile.TemporaryDirectory(prefix="sameday-kill-") as folder:
        say("  uninterrupted, for comparison")
        with running_server({"SAMEDAY_DATA_DIR": f"{folder}/whole"}) as server:
            expected = {at: asyncio.run(_uninterrupted(server, pieces[at])) for at in sorted(set().union(*drawn))}
        cuts: list[Cut] = []
        for number, chosen in enumerate(drawn, 1):
            after_s = random.uniform(*_SHARES) * plan.seconds / plan.pace
            home = Path(folder) / str(number)
            new = asyncio.run(
                _one_run(number, home, [(at, pieces[at]) for at in chosen], expected, after_s, plan.pace)
            )
            cuts += new
            say(f"  {number} of {plan.runs}: killed after {after_s:.1f} s, {_said(new)}")
    return cuts


def _said(cuts: Sequence[Cut]) -> str:
    waits = ", ".join("-" if cut.recovery_s is None else f"{cut.recovery_s:.1f} s" for cut in cuts)
    return f"{'sound' if all(cut.sound for cut in cuts) else 'BROKEN'}; new words after {waits}"


@dataclass(slots=True)
class _Client:
    """A sender and a reader of one session, over the servers that it has."""

    session: str
    at: int
    peer: WebSocketPeer
    length: int
    messages: list[tuple[float, Message]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once its note is there."""

    async def send(self, server: Running) -> None:
        """Until all is sent, or the server is gone."""
        with contextlib.suppress(ConnectionClosed, ConnectionError, EOFError):
            await self.peer.run(f"{_socket_url(server)}/api/sessions/{self.session}/audio?track=mic")

    async def read(self, server: Running) -> None:
        """Until the session's note, or the server is gone."""
        after = max((message["sequence"] or 0 for _, message in self.messages), default=0)
        address = f"{_socket_url(server)}/api/sessions/{self.session}/events?after={after}"
        with contextlib.suppress(ConnectionClosed, ConnectionError, EOFError):
            async with connect(address, max_size=None, open_timeout=_LIMIT_S) as socket:
                async for text in socket:
                    self.messages.append((time.monotonic(), json.loads(text)))
                    if self.messages[-1][1]["type"] == "draft":
                        self.ended.set()


async def _one_run(
    number: int,
    home: Path,
    chosen: Sequence[tuple[int, Piece]],
    expected: Mapping[int, Message],
    after_s: float,
    pace: float,
) -> list[Cut]:
    environment = {"SAMEDAY_DATA_DIR": str(home)}
    talk_s = max(piece.length_s for _, piece in chosen) / pace
    async with asyncio.timeout(_LIMIT_S + 2 * talk_s):
        with running_server(environment) as server:
            clients = [await _begin(server, at, piece, pace) for at, piece in chosen]
            work = [asyncio.create_task(do(server)) for client in clients for do in (client.read, client.send)]
            await asyncio.sleep(after_s)
            os.kill(server.process.pid, signal.SIGKILL)
            await asyncio.to_thread(server.process.wait)
            killed = time.monotonic()
            await asyncio.gather(*work)
        before = [(client.peer.acknowledged, len(client.messages)) for client in clients]
        with running_server(environment) as server:
            reading = [asyncio.create_task(client.read(server)) for client in clients]
            await asyncio.gather(*(client.send(server) for client in clients))
            transcripts = await _ended(server, clients)
            await asyncio.gather(*reading)
    return [
        _judged(number, client, transcript, expected[client.at], told, killed)
        for client, transcript, told in zip(clients, transcripts, before, strict=True)
    ]


def _judged(
    number: int, client: _Client, transcript: Message, expected: Message, before: tuple[Tick, int], killed: float
) -> Cut:
    acknowledged, seen = before
    resumed, reconnected = client.peer.resumed[-1]
    ended = [message for _, message in client.messages if message["type"] == "ended"]
    totals = ended[0]["totals"][0] if ended else {"received_ticks": 0, "transcribed_ticks": 0, "gap_ticks": 0}
    return Cut(
        run=number,
        piece=client.at,
        acknowledged=acknowledged,
        resumed=resumed,
        lost_ticks=lost_ticks(acknowledged, resumed, totals["transcribed_ticks"]),
        twice=twice(expected, transcript),
        differs=differs(expected, transcript),
        gaps=len(transcript["gaps"]),
        whole=totals["received_ticks"] == totals["transcribed_ticks"] == client.length,
        recovery_s=_recovery_s(client.messages, seen, reconnected),
        down_s=reconnected - killed,
    )


def _recovery_s(messages: Sequence[tuple[float, Message]], seen: int, reconnected: float) -> float | None:
    """From the new connection to the first word that had not been shown before the old one broke."""
    known = shown([message for _, message in messages[:seen]])
    closed = sum(len(message["words"]) for _, message in messages[:seen] if message["type"] == "utterance")
    for at, message in messages[seen:]:
        closed += len(message["words"]) if message["type"] == "utterance" else 0
        count = closed
        if message["type"] == "partial":
            count += len(message["committed"].split()) + len(message["tentative"].split())
        if count > known:
            return max(0.0, at - reconnected)
    return None


async def _uninterrupted(server: Running, piece: Piece) -> Message:
    client = await _begin(server, 0, piece, pace=200.0)
    reading = asyncio.create_task(client.read(server))
    await client.send(server)
    transcript = (await _ended(server, [client]))[0]
    await reading
    return transcript


async def _begin(server: Running, at: int, piece: Piece, pace: float) -> _Client:
    async with httpx.AsyncClient(base_url=server.url, timeout=30.0) as http:
        body = {"consent": ["clinician", "client"], "tracks": [{"id": "mic", "speakers": 2}]}
        answer = await http.post("/api/sessions", json=body)
        answer.raise_for_status()
    peer = WebSocketPeer(frames_of(piece.pcm, "pcm16"), pace=pace)
    return _Client(answer.json()["id"], at, peer, len(piece.pcm))


async def _ended(server: Running, clients: Sequence[_Client]) -> list[Message]:
    """End the sessions; their transcripts once each has its note."""
    transcripts: list[Message] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=30.0) as http:
        for client in clients:
            (await http.post(f"/api/sessions/{client.session}/end")).raise_for_status()
        for client in clients:
            await client.ended.wait()
            transcripts.append((await http.get(f"/api/sessions/{client.session}/transcript")).json())
    return transcripts


def _socket_url(server: Running) -> str:
    return server.url.replace("http", "ws", 1)
