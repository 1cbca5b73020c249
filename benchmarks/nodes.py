"""Nodes lost in the middle of sessions: `python -m benchmarks.nodes --losses 20 --out out/nodes.json`.

Three servers share a Redis of their own. In each session one node is lost, the one that has it: killed, paused for a
while, or told to stop. The client knows three addresses, and comes back at the next one where nothing is acknowledged
for a for a while; one that stood still it tries last. Needs `redis-server`; takes half a minute a loss.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

import httpx
import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benchmarks import kept, processes
from benchmarks.audio_files import read_audio
from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import Refused, WebSocketPeer, frames_of
from streaming.types import SAMPLE_RATE, Int16Mono

Loss = Literal["kill", "pause", "stop"]
CYCLE: tuple[Loss, ...] = ("kill", "kill", "pause", "kill", "stop")
NODES = 3
PACE = 2.0
"""Twice the pace of speech: half a minute of talk is a session of a quarter of a minute."""
DEAF_S = 2.5
"""A client that hears no acknowledgement for so long tries the next address."""
AVOID_S = 15.0
"""And leaves that one alone for so long, as a balancer does."""
SESSION = Path(__file__).parent / "data" / "session" / "mix.opus"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One loss. Times are seconds from the loss to the first acknowledgement, and to the first word, after it."""

    loss: Loss
    at_s: float
    acknowledged_s: float
    words_s: float
    ticks_lost: int
    words_lost: int
    words_twice: int
    same: bool
    fenced: bool


class Client:
    """Sends one session to whichever node takes it, and listens to its events."""

    def __init__(self, session: str, pcm: Int16Mono) -> None:
        self.session = session
        self.peer = WebSocketPeer(frames_of(pcm, "pcm16"), pace=PACE)
        self.acks: list[tuple[float, int]] = []
        self.words: list[float] = []
        self.nodes: list[Running] = []
        self._stood_still: dict[str, float] = {}

    def url(self, at: int, what: str) -> str:
        base = self.nodes[at % len(self.nodes)].url.replace("http", "ws", 1)
        return f"{base}/api/sessions/{self.session}/{what}"

    async def send(self) -> None:
        """All of it, from whichever node takes it."""
        at = 0
        while True:
            sending = asyncio.create_task(self.peer.run(self.url(at, "audio?track=mic")))
            watching = asyncio.create_task(self._deaf())
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
            watching.cancel()
            sending.cancel()
            ended = (await asyncio.gather(sending, return_exceptions=True))[0]
            if not isinstance(ended, BaseException):
                return
            if isinstance(ended, asyncio.CancelledError):
                self._stood_still[self.nodes[at % len(self.nodes)].url] = time.monotonic()
            if isinstance(ended, Refused) and ended.error["code"] not in ("moved", "overloaded", "store_failed"):
                raise ended
            at = self._next(at)
            await asyncio.sleep(0.3)

    def _next(self, at: int) -> int:
        """The next address; one that lately stood still only where the others did, too."""
        now = time.monotonic()
        order = range(at + 1, at + 1 + len(self.nodes))
        still = [
            now - self._stood_still.get(self.nodes[one % len(self.nodes)].url, -AVOID_S) < AVOID_S for one in order
        ]
        return next((one for one, avoided in zip(order, still, strict=True) if not avoided), at + 1)

    async def _deaf(self) -> None:
        heard, since = self.peer.acknowledged, time.monotonic()
        while time.monotonic() - since < DEAF_S:
            await asyncio.sleep(0.05)
            if self.peer.acknowledged != heard:
                heard, since = self.peer.acknowledged, time.monotonic()
                self.acks.append((since, heard))

    async def listen(self) -> None:
        """When words came, from the last node on, until cancelled."""
        at, after = len(self.nodes) - 1, 0
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with connect(
                    self.url(at, f"events?after={after}"), max_size=None, open_timeout=DEAF_S, close_timeout=0.5
                ) as feed:
                    while True:
                        async with asyncio.timeout(DEAF_S):
                            message = json.loads(await feed.recv())
                        after = message.get("sequence") or after
                        if message.get("type") in ("partial", "utterance"):
                            self.words.append(time.monotonic())
            at += 1
            await asyncio.sleep(0.2)


async def _start(node: Running) -> str:
    body = {"consent": ["clinician", "client"], "tracks": [{"id": "mic", "speakers": 2}]}
    async with httpx.AsyncClient(base_url=node.url, timeout=30) as http:
        answer = await http.post("/api/sessions", json=body)
        answer.raise_for_status()
        return str(answer.json()["id"])


async def _finished(nodes: list[Running], session: str) -> dict[str, Any]:
    """End the session, and its transcript once its note is there."""
    async with httpx.AsyncClient(timeout=30, follow_redirects=True) as http:
        for turn in range(600):
            base = f"{nodes[turn % len(nodes)].url}/api/sessions/{session}"
            with contextlib.suppress(httpx.HTTPError):
                state = await http.get(base)
                if state.status_code == 200 and state.json()["state"] == "ended":
                    return (await http.get(f"{base}/transcript")).json()  # type: ignore[no-any-return]
                await http.post(f"{base}/end")
            await asyncio.sleep(0.2)
    raise TimeoutError("the session did not end")


def _words(transcript: dict[str, Any]) -> list[str]:
    return " ".join(one["text"] for one in transcript["utterances"]).split()


def _compared(expected: list[str], found: list[str]) -> tuple[int, int]:
    """Words that are missing, and words that are too many."""
    parts = SequenceMatcher(None, expected, found, autojunk=False).get_opcodes()
    changed = [(high - low, to - at) for kind, low, high, at, to in parts if kind != "equal"]
    return sum(one for one, _ in changed), sum(other for _, other in changed)


def _lose(node: Running, loss: Loss) -> None:
    os.kill(node.process.pid, {"kill": signal.SIGKILL, "pause": signal.SIGSTOP, "stop": signal.SIGTERM}[loss])


async def one_loss(
    nodes: list[Running], pcm: Int16Mono, loss: Loss, at_s: float, expected: dict[str, Any]
) -> Outcome:
    """A session on the first node, which is lost once so much has been acknowledged."""
    victim, others = nodes[0], nodes[1:]
    client = Client(await _start(victim), pcm)
    client.nodes = nodes
    sending, listening = asyncio.create_task(client.send()), asyncio.create_task(client.listen())
    while client.peer.acknowledged < at_s * SAMPLE_RATE:
        await asyncio.sleep(0.02)
        if sending.done():
            raise RuntimeError("the session was over before the loss")
    lost_at, acknowledged = time.monotonic(), client.peer.acknowledged
    _lose(victim, loss)
    client.nodes = [victim, *others]
    if loss == "pause":
        await _taken_up(others, client.session)  # or it would wake up before anybody missed it
        await asyncio.sleep(4.0)
        os.kill(victim.process.pid, signal.SIGCONT)
    await sending
    # What the next node wants first is what it has of the session: asked sooner, it may still be reading the log.
    received = next(tick for tick, at in client.peer.resumed if at > lost_at)
    transcript = await _finished(others, client.session)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    lost, twice = _compared(_words(expected), _words(transcript))
    return Outcome(
        loss,
        round(at_s, 1),
        _after(lost_at, [at for at, tick in client.acks if tick > acknowledged]),
        _after(lost_at, client.words),
        max(0, acknowledged - received),
        lost,
        twice,
        transcript["utterances"] == expected["utterances"] and not transcript["gaps"],
        loss == "pause" and await _fenced(victim),
    )


def _after(moment: float, times: list[float]) -> float:
    return round(next((at - moment for at in times if at > moment + 0.5), float("nan")), 2)


async def _taken_up(nodes: list[Running], session: str) -> None:
    """Until another node has the session."""
    async with httpx.AsyncClient(timeout=5, follow_redirects=True) as http:
        while True:
            for node in nodes:
                with contextlib.suppress(httpx.HTTPError):
                    answer = await http.get(f"{node.url}/api/sessions/{session}")
                    if answer.status_code == 200 and answer.json()["state"] == "live":
                        return
            await asyncio.sleep(0.2)


async def _fenced(node: Running) -> bool:
    async with httpx.AsyncClient(timeout=30) as http:
        for _ in range(50):
            lines = (await http.get(f"{node.url}/metrics")).text.splitlines()
            if any(line.startswith("sameday_sessions_fenced_total") and not line.endswith(" 0.0") for line in lines):
                return True
            await asyncio.sleep(0.2)
    return False


@contextmanager
def running_redis() -> Iterator[str]:
    """A Redis server that fsyncs each write; its address."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is missing: install Debian's package redis-server.")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="sameday-redis-") as folder:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        durable = ["--appendonly", "yes", "--appendfsync", "always"]
        with subprocess.Popen([program, *options, *durable], stdout=subprocess.DEVNULL) as process:
            try:
                time.sleep(1.0)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.terminate()


async def measured(losses: int, seed: int) -> list[Outcome]:
    """So many losses, each of a node that then comes back as a new one."""
    rng = np.random.default_rng(seed)
    pcm = np.concatenate([read_audio(SESSION)[12 * SAMPLE_RATE : 42 * SAMPLE_RATE], np.zeros(SAMPLE_RATE, np.int16)])
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        key = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sameday-key-"))) / "master.key"
        environment = {"SAMEDAY_STORE": stack.enter_context(running_redis()), "SAMEDAY_KEY_FILE": str(key)}

        def node() -> Running:
            return stack.enter_context(running_server(environment))

        nodes = [node() for _ in range(NODES)]
        session = await _start(nodes[0])
        client = Client(session, pcm)
        client.nodes = nodes
        await client.send()
        expected = await _finished(nodes, session)
        for number in range(losses):
            loss = CYCLE[number % len(CYCLE)]
            outcomes.append(await one_loss(nodes, pcm, loss, float(rng.uniform(3, 25)), expected))
            print(json.dumps(asdict(outcomes[-1])), flush=True)
            first = nodes.pop(0)
            if loss == "stop":
                await asyncio.to_thread(first.process.wait, 40)
            nodes.append(first if loss == "pause" else await asyncio.to_thread(node))
    return outcomes


def summed(outcomes: list[Outcome]) -> dict[str, Any]:
    """What the losses come to."""
    hard = [one for one in outcomes if one.loss != "stop"]
    return {
        "losses": len(outcomes),
        "ticks_lost": sum(one.ticks_lost for one in outcomes),
        "words_lost": sum(one.words_lost for one in outcomes),
        "words_twice": sum(one.words_twice for one in outcomes),
        "same_transcript": sum(one.same for one in outcomes),
        "acknowledged_again_s": {
            "median": statistics.median(one.acknowledged_s for one in hard),
            "most": max(one.acknowledged_s for one in hard),
        },
        "words_again_s": {
            "median": statistics.median(one.words_s for one in hard),
            "most": max(one.words_s for one in hard),
        },
        "paused_and_fenced": sum(one.fenced for one in outcomes),
        "paused": sum(one.loss == "pause" for one in outcomes),
    }


def main() -> int:
    """Run, print the sums, keep all; 1 where something was lost, said twice or another than without a loss."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--losses", type=int, default=20)
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--out", type=Path, default=Path("out/nodes.json"))
    chosen = given.parse_args()
    head = {"what": "nodes lost", "started_at": kept.now(), "seed": chosen.seed, "machine": processes.machine()}
    outcomes = asyncio.run(measured(chosen.losses, chosen.seed))
    body = {**head, "sums": summed(outcomes), "outcomes": [asdict(one) for one in outcomes]}
    kept.write(body, chosen.out)
    print(json.dumps(body["sums"], indent=1))
    return 0 if body["sums"]["same_transcript"] == len(outcomes) and not body["sums"]["ticks_lost"] else 1


if __name__ == "__main__":
    sys.exit(main())
