"""When a server refuses sessions, and how those that it took fare then: `python -m benchmarks.refusals`.

Sessions are begun one after the other and spoken in at the pace of speech, until the server has no time for one more
by its own measure; then for a while longer. The figures are how many it took, and how far behind it is with them.
Wants a machine that does nothing else; takes as long as `--every-s` times what the machine can do, and `--hold-s`.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks import kept, processes
from benchmarks.audio_files import read_audio
from benchmarks.host import Host
from benchmarks.scoring import quantile
from benchmarks.server_process import running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from streaming.types import SAMPLE_RATE, Int16Mono, Tick

SESSION = Path(__file__).parent / "data" / "session" / "mix.opus"
MOST = 60
"""More sessions than this no machine of two cores takes: something is wrong then."""
LAG_S = 5.0
"""A server that is further behind than this with what it took has taken too much."""


@dataclass(slots=True)
class Seen:
    """What the readers of all sessions were told: when, and how late or how far behind."""

    finals: list[tuple[float, float]] = field(default_factory=list)
    lags: list[tuple[float, float]] = field(default_factory=list)
    gaps: int = 0


async def _read(host: Host, session: str, peer: WebSocketPeer, seen: Seen) -> None:
    async with host.connect(f"/api/sessions/{session}/events") as feed:
        async for text in feed:
            message, at = json.loads(text), time.monotonic()
            if message["type"] == "utterance":
                end = Tick(round(message["end"] * SAMPLE_RATE) - 1)
                seen.finals.append((at, at - peer.sent_at(end)))
            elif message["type"] == "lag":
                seen.lags += [(at, track["lag_s"]) for track in message["tracks"]]
            elif message["type"] == "gap":
                seen.gaps += 1


async def measured(every_s: float, hold_s: float) -> dict[str, Any]:
    """One run against one server."""
    pcm = np.tile(read_audio(SESSION), 6)
    seen = Seen()
    tasks: list[asyncio.Task[Any]] = []
    with running_server({"SAMEDAY_MAX_LOAD": "0.9", "SAMEDAY_MAX_SESSIONS": str(MOST)}) as server:
        host = Host(server.url)
        async with host.client() as http:
            answer = await _begin(http)
            while answer.status_code == 201 and len(tasks) < 2 * MOST:
                session = str(answer.json()["id"])
                peer = WebSocketPeer(frames_of(_turned(pcm, len(tasks)), "pcm16"))
                tasks.append(asyncio.create_task(_read(host, session, peer, seen)))
                tasks.append(
                    asyncio.create_task(peer.run(host.socket_url(f"/api/sessions/{session}/audio?track=mic")))
                )
                print(f"  {len(tasks) // 2} sessions, {_lag(seen, 10.0):.1f} s behind at most", flush=True)
                await asyncio.sleep(every_s)
                answer = await _begin(http)
            refused_at, retry_after = time.monotonic(), answer.headers.get("retry-after")
            taken_later = 0
            while time.monotonic() < refused_at + hold_s:
                await asyncio.sleep(10.0)
                again = await _begin(http)  # one that is taken sends nothing: it is there to be counted
                taken_later += again.status_code == 201
            server.process.kill()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "sessions": len(tasks) // 2,
        "refused_with": answer.status_code,
        "retry_after_s": retry_after,
        "taken_later": taken_later,
        **_fared([late for at, late in seen.finals if at > refused_at], _lag(seen, hold_s), seen.gaps),
    }


def _fared(finals: list[float], lag_s: float, gaps: int) -> dict[str, Any]:
    return {
        "utterances": len(finals),
        "final_p50_s": round(quantile(finals, 0.5), 2),
        "final_p95_s": round(quantile(finals, 0.95), 2),
        "lag_most_s": lag_s,
        "gaps": gaps,
    }


def _turned(pcm: Int16Mono, place: int) -> Int16Mono:
    return np.roll(pcm, -place * 17 * SAMPLE_RATE)


async def _begin(http: httpx.AsyncClient) -> httpx.Response:
    body = {"consent": ["clinician", "client"], "tracks": [{"id": "mic", "speakers": 2}]}
    return await http.post("/api/sessions", json=body)


def _lag(seen: Seen, last_s: float) -> float:
    since = time.monotonic() - last_s
    return max((lag for at, lag in seen.lags if at > since), default=0.0)


def main() -> int:
    """Run, print, keep; 1 where none was refused, or the server is too far behind with those it took."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--every-s", type=float, default=15.0)
    given.add_argument("--hold-s", type=float, default=60.0)
    given.add_argument("--out", type=Path, default=Path("out/refusals.json"))
    chosen = given.parse_args()
    head = {"what": "sessions refused", "started_at": kept.now(), "machine": processes.machine()}
    sums = asyncio.run(measured(chosen.every_s, chosen.hold_s))
    kept.write({**head, "sums": sums}, chosen.out)
    print(json.dumps(sums, indent=1))
    return 0 if sums["refused_with"] == 503 and sums["lag_most_s"] <= LAG_S else 1


if __name__ == "__main__":
    sys.exit(main())
