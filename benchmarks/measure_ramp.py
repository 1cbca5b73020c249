"""Runs the steps of a ramp: a server of its own each, the senders in a process of their own, the judging here."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.audio_files import read_audio, write_audio
from benchmarks.live import Transport
from benchmarks.manifest import Reference
from benchmarks.measure_accuracy import heard
from benchmarks.measure_live import Material, server_costs, server_environment
from benchmarks.profiles import Profiler
from benchmarks.ramp import LagWatch, Limits, Search, Step
from benchmarks.scoring import DiarizationErrors, WordErrors
from benchmarks.server_process import Running, running_server
from benchmarks.step_figures import Judged, judged, step_of
from benchmarks.talk_pieces import Piece, pieces
from benchmarks.traffic import Caller, Job, Outcome, read_outcome, write_job
from streaming.settings import Settings

STAGGER_S = 0.7
_MOST_STAGGER_S = 10.0
_ENCODING_TIMEOUT_S = 120.0
_FINISH_S = 25.0
"""From the last sample of a step to the last note: a server that needs longer is broken."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Pieces on disk, and what each comes to when it is transcribed by itself (None: not known)."""

    pieces: tuple[Piece, ...]
    files: tuple[Path, ...]
    alone: tuple[tuple[WordErrors, DiarizationErrors | None] | None, ...]


def prepared(
    material: Material, length_s: float, count: int, work: Path, settings: Settings | None, say: Callable[[str], None]
) -> Talk:
    """The recording in pieces. With `settings`, each is transcribed alone, which is what steps are compared with."""
    made = pieces(read_audio(material.audio), material.reference, material.spoken, length_s, count)
    files: list[Path] = []
    alone: list[tuple[WordErrors, DiarizationErrors | None] | None] = []
    for number, piece in enumerate(made):
        path = work / f"piece-{number}.pcm"
        path.write_bytes(piece.pcm.astype("<i2").tobytes())
        files.append(path)
        if settings is None:
            alone.append(None)
            continue
        say(f"  piece {number + 1} of {count}, {piece.length_s:.0f} s, transcribed alone")
        wav = path.with_suffix(".wav")
        write_audio(wav, piece.pcm)
        known = Reference(transcript=piece.reference, turns=piece.spoken)
        scores = heard(wav.stem, wav, known, 2, settings).scores
        assert scores.words is not None
        alone.append((scores.words, scores.diarization))
    return Talk(made, tuple(files), tuple(alone))


@dataclass(slots=True)
class Watcher:
    """What a step's progress says, and when it is to be given up."""

    limits: Limits
    say: Callable[[str], None]
    deadline: float
    lags: list[tuple[float, float]] = field(default_factory=list)
    """Mean and greatest lag of each second."""

    def given_up(self, watch: LagWatch, at_s: float, lag: Sequence[float]) -> str:
        """Why to stop now, or nothing."""
        self.lags.append((lag[1], lag[0]))
        if watch.broken(at_s, lag[1]):
            return f"lag grew to {lag[1]:.1f} s in the mean after {at_s:.0f} s"
        return "out of time" if time.monotonic() > self.deadline else ""


def ramp(
    talk: Talk,
    transport: Transport | None,
    search: Search,
    limits: Limits,
    work: Path,
    *,
    until: float,
    say: Callable[[str], None],
    done: Callable[[Step], None] = lambda _: None,
) -> list[Step]:
    """Steps until the greatest number that holds is known or `time.monotonic` reaches `until`.

    `transport` None mixes both. A step goes on as long as the loosest way of judging holds, so that one ramp tells
    the greatest number by each.
    """
    steps: list[Step] = []
    while (sessions := search.following()) is not None:
        if time.monotonic() + _expected_s(talk, sessions) > until:
            say("  out of time: no further step")
            break
        say(f"  {sessions} at once")
        step = run_step(talk, transport, sessions, limits, work, until=until, say=say)
        steps.append(step)
        done(step)
        search.tell(sessions, not step.fault(limits, "past_silence_s"))
    return steps


def _expected_s(talk: Talk, sessions: int) -> float:
    return max(piece.length_s for piece in talk.pieces) + min(_MOST_STAGGER_S, sessions * STAGGER_S) + 12.0


def run_step(
    talk: Talk,
    transport: Transport | None,
    sessions: int,
    limits: Limits,
    work: Path,
    *,
    until: float,
    say: Callable[[str], None],
    profiler: Profiler | None = None,
) -> Step:
    """So many sessions at once. What goes wrong is in the step, also where the server or the senders do not start."""
    try:
        return _run_step(talk, transport, sessions, limits, work, until=until, say=say, profiler=profiler)
    except (RuntimeError, OSError) as error:
        say(f"  {type(error).__name__}: {str(error)[-1500:]}")
        length_s = max(piece.length_s for piece in talk.pieces)
        return Step(sessions, transport or "both", length_s, given_up="the server or the senders did not start")


def _run_step(
    talk: Talk,
    transport: Transport | None,
    sessions: int,
    limits: Limits,
    work: Path,
    *,
    until: float,
    say: Callable[[str], None],
    profiler: Profiler | None,
) -> Step:
    stagger_s = min(STAGGER_S, _MOST_STAGGER_S / sessions)
    kinds: Sequence[Transport] = (transport,) if transport else ("webrtc", "websocket")
    callers = tuple(
        Caller(str(talk.files[place % len(talk.files)]), kinds[place % len(kinds)], place * stagger_s)
        for place in range(sessions)
    )
    length_s = max(piece.length_s for piece in talk.pieces)
    expected_s = length_s + sessions * stagger_s
    watcher = Watcher(limits, say, min(time.monotonic() + expected_s + _FINISH_S + 30.0, until + 5.0))
    environment = server_environment() | {
        # The bench finds the limit itself: the server's own would refuse sessions before lag is seen to grow.
        "SAMEDAY_MAX_SESSIONS": str(sessions + 4),
        "SAMEDAY_MAX_BACKLOG_S": "80000",
        **(profiler.environment() if profiler else {}),
    }
    with running_server(environment) as server:
        began, costs, busy_s = time.monotonic(), server_costs(server), processes.machine_busy_s()
        profile = (lambda: profiler.begin(server, expected_s)) if profiler else lambda: None
        outcomes, given_up, sender_cpu_s = _stream(server, callers, work, watcher, profile)
        wall_s = time.monotonic() - began
        used = costs()
        others_s = processes.machine_busy_s() - busy_s - used.cpu_s - sender_cpu_s
        if profiler is not None:
            profiler.finish()
        if given_up:
            # It would work its backlog off before it ends, which nobody waits for.
            server.process.kill()
    judged_ones: list[Judged | None] = [
        None if one.error else judged(one, talk.pieces[one.caller % len(talk.pieces)]) for one in outcomes
    ]
    return step_of(
        Step(
            sessions,
            transport or "both",
            length_s,
            given_up=given_up,
            wall_s=wall_s,
            memory_mb=used.peak_mb,
            other_cores=max(0.0, others_s / wall_s),
        ),
        outcomes,
        judged_ones,
        [talk.alone[one.caller % len(talk.pieces)] for one in outcomes],
        {name: cpu_s / wall_s for name, cpu_s in used.threads.items()},
        watcher.lags,
        sender_cpu_s / wall_s,
    )


def _stream(
    server: Running, callers: tuple[Caller, ...], work: Path, watcher: Watcher, profile: Callable[[], None]
) -> tuple[list[Outcome], str, float]:
    """All sessions of a step: what came, why it was given up, the senders' core-seconds."""
    job, result = work / "job.json", work / "result.jsonl"
    job.write_text(write_job(Job(server.url, callers)), encoding="utf-8")
    result.unlink(missing_ok=True)
    given_up, sender_cpu_s = "", 0.0
    with _senders(job, result) as child:
        said = _lines(child, time.monotonic() + _ENCODING_TIMEOUT_S)
        if "ready" not in next(said, {}):
            raise RuntimeError("the senders did not start")
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
        profile()
        began, watch = time.monotonic(), LagWatch(watcher.limits.lag_growth_s)
        for message in _lines(child, watcher.deadline):
            if "done" in message:
                sender_cpu_s = float(message["done"]["cpu_s"])
                break
            given_up = watcher.given_up(watch, time.monotonic() - began, message["lag"])
            if not given_up and server.process.poll() is not None:
                given_up = "the server ended"
            if given_up:
                sender_cpu_s = processes.cpu_s(child.pid)
                break
        else:
            given_up = "the senders ended" if child.poll() else "not finished in time"
    lines = result.read_text(encoding="utf-8").splitlines() if result.exists() else []
    return [read_outcome(line) for line in lines], given_up, sender_cpu_s


@contextmanager
def _senders(job: Path, result: Path) -> Iterator["subprocess.Popen[str]"]:
    with (job.with_suffix(".log")).open("w") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.traffic", str(job), str(result)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            bufsize=1,
        )
        try:
            yield child
        finally:
            if child.poll() is None:
                try:
                    child.wait(5.0) if result.exists() else child.kill()
                except subprocess.TimeoutExpired:
                    child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()


def _lines(child: "subprocess.Popen[str]", deadline: float) -> Iterator[dict[str, Any]]:
    """What the child says, until it ends or the deadline has passed. Reads the pipe itself, past any buffer."""
    assert child.stdout is not None
    pipe, held = child.stdout.fileno(), b""
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([pipe], [], [], min(left, 1.0))[0]:
            continue
        block = os.read(pipe, 1 << 16)
        if not block:
            return
        *whole, held = (held + block).split(b"\n")
        for line in whole:
            yield json.loads(line)
