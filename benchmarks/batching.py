"""What it gains to recognize windows of many sessions together: `python -m benchmarks.batching --out FILE.json`.

Sixteen sessions ask for their windows, each for the next one once it has the last: through the scheduler that serves
live sessions, with one window a call and with sixteen, in turns, so that what else the machine does falls on both.
Beside it what the scheduler itself takes, and how even its service is where one session floods.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import kept
from benchmarks.audio_files import read_audio
from benchmarks.fair_share import FairShare, fair_share
from benchmarks.figure import Figure, at_least, at_most, figure
from benchmarks.model_time import counted
from benchmarks.parts import SESSION, Part
from benchmarks.random_whisper import save_random_whisper
from streaming.embedded_recognizer import EmbeddedRecognizer
from streaming.ports import Hypothesis, Recognizer, Window
from streaming.scheduler import RecognitionScheduler
from streaming.types import SAMPLE_RATE, Tick, Word, seconds

SESSIONS = 16
_LONGEST_S = 12.0
_AROUND_TICKS = SAMPLE_RATE // 10


@dataclass(frozen=True, slots=True)
class Run:
    """All windows through the scheduler: what they took, in how many calls, and the words of each session."""

    wall_s: float
    core_s: float
    batches: int
    words: tuple[tuple[str, ...], ...]


class Limited:
    """A recognizer that is given so many windows a call at most."""

    def __init__(self, engine: Recognizer, most: int) -> None:
        self.name = engine.name
        self.max_window_ticks = engine.max_window_ticks
        self.max_batch = most
        self._engine = engine

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """The engine's own answer."""
        return self._engine.recognize(windows)


class Instant:
    """A recognizer that takes no time: what is left is the scheduler's."""

    name = "instant"
    max_window_ticks = 30 * SAMPLE_RATE
    max_batch = SESSIONS

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """A word each."""
        return [Hypothesis((Word(window.start, Tick(window.start + 1), "word", 1.0),)) for window in windows]


def session_windows(count: int) -> list[list[Window]]:
    """For each of so many sessions the utterances of the bundled one as windows, each from another place on."""
    pcm = read_audio(SESSION / "mix.opus")
    spoken = json.loads((SESSION / "reference.json").read_text(encoding="utf-8"))["utterances"]
    windows = []
    for one in spoken:
        start = max(0, round(one["start"] * SAMPLE_RATE) - _AROUND_TICKS)
        end = round(min(one["end"], one["start"] + _LONGEST_S) * SAMPLE_RATE) + _AROUND_TICKS
        windows.append(Window(Tick(start), pcm[start:end]))
    return [windows[turn % len(windows) :] + windows[: turn % len(windows)] for turn in range(count)]


async def through_scheduler(engine: Recognizer, sessions: Sequence[Sequence[Window]]) -> Run:
    """Each session asks for its windows one after the other, all sessions at once."""
    scheduler = RecognitionScheduler(engine)
    serving = asyncio.create_task(scheduler.run())

    async def one(name: str, windows: Sequence[Window]) -> tuple[str, ...]:
        said: list[str] = []
        for window in windows:
            said += [word.text for word in await scheduler.submit(window, owner=name).result]
        return tuple(said)

    wall_s, core_s = time.perf_counter(), time.process_time()
    words = await asyncio.gather(*(one(str(number), windows) for number, windows in enumerate(sessions)))
    wall_s, core_s = time.perf_counter() - wall_s, time.process_time() - core_s
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    return Run(wall_s, core_s, scheduler.counts.batches, tuple(words))


def compared(
    engine: Recognizer, sessions: Sequence[Sequence[Window]], rounds: int, say: Callable[[str], None]
) -> tuple[list[Run], list[Run]]:
    """Runs one by one and runs in batches, in turns."""
    asyncio.run(through_scheduler(Limited(engine, SESSIONS), [windows[:1] for windows in sessions]))  # warm
    alone, together = [], []
    for number in range(rounds):
        say(f"  {engine.name}: round {number + 1} of {rounds}")
        alone.append(asyncio.run(through_scheduler(Limited(engine, 1), sessions)))
        together.append(asyncio.run(through_scheduler(Limited(engine, SESSIONS), sessions)))
    return alone, together


def engine_part(
    title: str, alone: Sequence[Run], together: Sequence[Run], audio_s: float, wanted: float | None
) -> Part:
    """Throughput of both ways, their ratio a round, and whether the words are the same."""
    pairs = list(zip(alone, together, strict=True))
    different = sum(
        one != other for before, after in pairs for one, other in zip(before.words, after.words, strict=True)
    )
    target = None if wanted is None else at_least(wanted)
    return Part(
        [
            figure(title, "seconds of audio a second, one by one", "x", [audio_s / run.wall_s for run in alone]),
            figure(title, "seconds of audio a second, in batches", "x", [audio_s / run.wall_s for run in together]),
            figure(title, "batches against one by one, throughput", "x",
                   [one.wall_s / other.wall_s for one, other in pairs], target),
            figure(title, "batches against one by one, processor time", "x",
                   [one.core_s / other.core_s for one, other in pairs]),
            figure(title, "sessions whose words differ", "count", different, at_most(0)),
        ],
        {title: {"calls one by one": alone[0].batches, "calls in batches": [run.batches for run in together]}},
    )  # fmt: skip


def embedded(rounds: int, windows: int, say: Callable[[str], None]) -> Part:
    """The embedded engine on the bundled session's utterances."""
    sessions = [each[:windows] for each in session_windows(SESSIONS)]
    alone, together = compared(EmbeddedRecognizer(1), sessions, rounds, say)
    title = f"embedded recognizer, {SESSIONS} sessions, one thread"
    return engine_part(title, alone, together, _audio_s(sessions), 3)


def ceiling(rounds: int, say: Callable[[str], None]) -> Part:
    """What a batch can gain at all, and why no more: windows of one length, past the scheduler, none padded.

    The encoder takes a row at a time, which keeps a row's words the same to the bit in any batch; decoding is shared.
    """
    engine = EmbeddedRecognizer(1)
    pcm = read_audio(SESSION / "mix.opus")
    found: list[Figure] = []
    for length_s in (2, 5, 10):
        length = length_s * SAMPLE_RATE
        windows = [Window(Tick(0), pcm[at : at + length]) for at in range(0, SESSIONS * length, length)]
        pairs = []
        for number in range(rounds):
            say(f"  ceiling at {length_s} s: round {number + 1} of {rounds}")
            pairs.append((_cost(engine, [[window] for window in windows]), _cost(engine, [windows])))
        title = f"embedded recognizer, sixteen windows of {length_s} s"
        found += [
            figure(title, "gain of a batch", "x", [one.whole_s / other.whole_s for one, other in pairs]),
            figure(title, "  of the encoder", "x", [one.encoder_s / other.encoder_s for one, other in pairs]),
            figure(title, "  of the decoder", "x", [one.decoder_s / other.decoder_s for one, other in pairs]),
            figure(title, "gain if decoding cost nothing", "x",
                   [one.whole_s / (one.whole_s - one.decoder_s) for one, _ in pairs]),
        ]  # fmt: skip
    return Part(found)


@dataclass(frozen=True, slots=True)
class Cost:
    """Core-seconds of all windows, and what of them was in the two networks."""

    whole_s: float
    encoder_s: float
    decoder_s: float


def _cost(engine: Recognizer, calls: Sequence[Sequence[Window]]) -> Cost:
    with counted() as used:
        began = time.thread_time()
        for windows in calls:
            engine.recognize(windows)
        whole_s = time.thread_time() - began
    return Cost(whole_s, used["recognizer, encoder"].core_s, used["recognizer, decoder"].core_s)


def whisper(rounds: int, say: Callable[[str], None]) -> Part:
    """CTranslate2 on the CPU with random weights of tiny shape: the way through is real, times are overhead alone."""
    try:
        from streaming.faster_whisper_recognizer import FasterWhisperRecognizer

        with tempfile.TemporaryDirectory() as folder:
            save_random_whisper(Path(folder))
            engine = FasterWhisperRecognizer(folder, device="cpu", compute_type="float32")
            # Random weights are always in doubt: a try by chance would measure chance.
            sessions = [[replace(one, final=False) for one in each[:3]] for each in session_windows(SESSIONS)]
            alone, together = compared(engine, sessions, rounds, say)
    except Exception as error:
        return Part(skipped=[f"faster-whisper: {type(error).__name__}"], failed=True)
    title = f"CTranslate2 on the CPU, random weights of tiny shape, {SESSIONS} sessions"
    return engine_part(title, alone, together, _audio_s(sessions), None)


def overhead(batches: int) -> Part:
    """The scheduler's own time a batch of sixteen, thread and back included."""
    window = Window(Tick(0), np.zeros(SAMPLE_RATE, np.int16))
    sessions = [[replace(window, start=Tick(n)) for n in range(batches)] for _ in range(SESSIONS)]
    runs = [asyncio.run(through_scheduler(Instant(), sessions)) for _ in range(3)]
    each_ms = [1000 * run.wall_s / run.batches for run in runs]
    return Part([figure("scheduler", "its own time a batch of sixteen windows", "ms", each_ms, at_most(2))])


def fairness(length_s: float, say: Callable[[str], None]) -> Part:
    """Service beside a session that floods."""
    say(f"  one session floods, {length_s:.0f} s")
    share: FairShare = asyncio.run(fair_share(SESSIONS, length_s))
    title = f"{SESSIONS} sessions, one of which floods"
    return Part(
        [
            figure(title, "Jain's index of what each got of what it was due", "x", share.index, at_least(0.95)),
            figure(title, "what a session at the pace of speech got of it, the least", "%", 100 * share.least_calm),
            figure(title, "what the flooding session got of it", "%", 100 * share.flooding),
        ],
        {title: {"served_s": dict(share.served_s), "due_s": dict(share.due_s)}},
    )


def _audio_s(sessions: Sequence[Sequence[Window]]) -> float:
    return sum(seconds(Tick(len(window.pcm))) for each in sessions for window in each)


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; 1 where a target was missed."""
    given = argparse.ArgumentParser(prog="batching", description=__doc__)
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--windows", type=int, default=8, help="of each session, per round (8)")
    given.add_argument("--fair-s", type=float, default=30.0, help="seconds beside a session that floods (30)")
    given.add_argument("--out", type=Path, default=Path("out/batching.json"))
    chosen = given.parse_args(argv)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    head = kept.head("batching", runs=chosen.rounds)
    began = time.monotonic()
    parts = [
        embedded(chosen.rounds, chosen.windows, say),
        ceiling(chosen.rounds, say),
        whisper(min(2, chosen.rounds), say),
        overhead(500),
        fairness(chosen.fair_s, say),
    ]
    body: dict[str, Any] = kept.assembled(parts, {**head, "took_s": round(time.monotonic() - began, 1)})
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    for part in parts:
        for one in part.figures:
            runs = ", ".join(f"{run:.3g}" for run in one.runs)
            print(f"{one.part}: {one.name}: {statistics.median(one.runs):.3g} {one.unit} ({runs})")
    missed = [one for part in parts for one in part.figures if one.reached is False]
    return 1 if missed or any(part.failed for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main())
