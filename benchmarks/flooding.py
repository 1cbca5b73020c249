"""What a session that floods costs the others: `python -m benchmarks.flooding --out out/flooding.json`.

Two sessions are spoken in at the pace of speech, first alone, then beside one that sends minutes of audio at once.
The figure is the ratio of their final latencies: from the last sample of an utterance to its being final.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect

from benchmarks import kept, processes
from benchmarks.audio_files import read_audio
from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.types import SAMPLE_RATE, Int16Mono, Tick

SESSION = Path(__file__).parent / "data" / "session"
CALM = 2
ALLOWED = 1.2
"""The others' final latency may grow by a fifth."""


async def _start(http: httpx.AsyncClient) -> str:
    body = {"consent": ["clinician", "client"], "tracks": [{"id": "mic", "speakers": 1}]}
    answer = await http.post("/api/sessions", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _url(server: Running, session: str, what: str) -> str:
    return f"{server.url.replace('http', 'ws', 1)}/api/sessions/{session}/{what}"


async def _calm(server: Running, http: httpx.AsyncClient, pcm: Int16Mono) -> list[float]:
    """Latencies of a session at the pace of speech."""
    session = await _start(http)
    peer = WebSocketPeer(frames_of(pcm, "pcm16"))
    latencies: list[float] = []

    async def listen() -> None:
        async with connect(_url(server, session, "events"), max_size=None) as feed:
            async for text in feed:
                message = json.loads(text)
                if message["type"] == "utterance":
                    end = Tick(round(message["end"] * SAMPLE_RATE) - 1)
                    latencies.append(time.monotonic() - peer.sent_at(end))

    listening = asyncio.create_task(listen())
    await peer.run(_url(server, session, "audio?track=mic"))
    await asyncio.sleep(2.0)
    await http.post(f"/api/sessions/{session}/end")
    await listening
    return latencies


async def _flood(server: Running, http: httpx.AsyncClient, pcm: Int16Mono) -> None:
    """Audio without end, as fast as the server takes it."""
    session = await _start(http)
    try:
        await WebSocketPeer(frames_of(pcm, "pcm16"), pace=100_000.0).run(_url(server, session, "audio?track=mic"))
        await asyncio.Event().wait()
    finally:
        await http.post(f"/api/sessions/{session}/end")


async def measured(length_s: float, rounds: int) -> dict[str, list[float]]:
    """Latencies alone and beside the flood, in turns."""
    voices = [read_audio(SESSION / f"{name}.opus") for name in ("clinician", "client")]
    talk = [voice[12 * SAMPLE_RATE :][: round(length_s * SAMPLE_RATE)] for voice in voices]
    flood = np.tile(read_audio(SESSION / "mix.opus"), 20)
    found: dict[str, list[float]] = {"alone": [], "beside": []}
    environment = {"SAMEDAY_MAX_SESSIONS": "100", "SAMEDAY_MAX_BACKLOG_S": "80000"}
    for _ in range(rounds):
        for name in found:
            with running_server(environment) as server:
                async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
                    flooding = asyncio.create_task(_flood(server, http, flood)) if name == "beside" else None
                    runs = await asyncio.gather(*(_calm(server, http, talk[n % len(talk)]) for n in range(CALM)))
                    found[name] += [one for run in runs for one in run]
                    server.process.kill()
                    if flooding is not None:
                        flooding.cancel()
                        await asyncio.gather(flooding, return_exceptions=True)
    return found


def summed(found: dict[str, list[float]]) -> dict[str, Any]:
    """Medians, 90th percentiles, and their ratios."""
    made: dict[str, Any] = {}
    for name, latencies in found.items():
        tenths = statistics.quantiles(latencies, n=10)
        made[name] = {"utterances": len(latencies), "median_s": statistics.median(latencies), "p90_s": tenths[-1]}
    for figure in ("median_s", "p90_s"):
        made[f"ratio_{figure[:-2]}"] = round(made["beside"][figure] / made["alone"][figure], 3)
    return made


def main() -> int:
    """Run, print, keep; 1 where the median grew by more than is allowed."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--length-s", type=float, default=60.0)
    given.add_argument("--rounds", type=int, default=2)
    given.add_argument("--out", type=Path, default=Path("out/flooding.json"))
    chosen = given.parse_args()
    head = {"what": "a session that floods", "started_at": kept.now(), "machine": processes.machine()}
    sums = summed(asyncio.run(measured(chosen.length_s, chosen.rounds)))
    kept.write({**head, "sums": sums}, chosen.out)
    print(json.dumps(sums, indent=1))
    return 0 if sums["ratio_median"] <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
