"""Runs the systems of `sameday bench compare`, in turn, so that what else the machine does meets all of them."""

import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks import processes
from benchmarks.comparison import Run, System
from benchmarks.live import Recording, word_times
from benchmarks.measure_accuracy import spans_as_turns
from benchmarks.measure_live import Live, Material, session
from benchmarks.scoring import diarization_errors
from benchmarks.step_figures import settled
from benchmarks.websocket_peer import PCM_FRAME_TICKS
from streaming.errors import EngineMissing
from streaming.types import SAMPLE_RATE, Tick, Turn, to_tick

OURS, WORDS_ONLY = "sameday", "sameday words only"
SYSTEMS: dict[str, str] = {
    OURS: "a live session over WebSocket: voice activity, partials, diarization, store and note",
    WORDS_ONLY: "the same where each person has a track: no diarization",
    "moonshine": "moonshine-voice's own streaming Transcriber, chunks of 0.5 s, as it ships",
    "moonshine with speakers": "the same with its own diarizer",
    "local agreement": "LocalAgreement-2 as published on our recognizer: words only, the buffer again each second",
}
NOT_HERE = (
    "Vosk: its package carries no weights, and its models come from its makers' site only",
    "faster-whisper's own loop: its package carries no weights, and none of Whisper's are in a registry's wheel here",
)
_PEERS: dict[str, tuple[str, ...]] = {
    "moonshine": ("benchmarks.peer_process",),
    "moonshine with speakers": ("benchmarks.peer_process", "--speakers"),
    "local agreement": ("benchmarks.agreement_process",),
}

_LIMIT_S = 600.0
"""A peer's run at most: on a busy machine its waiting threads take each other's time."""


@dataclass(slots=True)
class Runs:
    """What has been run so far, by system."""

    of: dict[str, list[Run]] = field(default_factory=dict)

    def add(self, name: str, run: Run) -> None:
        """One more run of a system."""
        self.of.setdefault(name, []).append(run)

    def systems(self) -> list[System]:
        """All, in the table's order."""
        return [System(name, SYSTEMS[name], tuple(self.of[name])) for name in SYSTEMS if self.of.get(name)]


def compare(
    material: Material, names: Sequence[str], count: int, say: Callable[[str], None], until: float = math.inf
) -> tuple[Runs, list[str]]:
    """`count` runs of each, in turn, one at a time, and which failed; none is begun after `until` (monotonic)."""
    runs, skipped = Runs(), []
    for number in range(count):
        for name in names:
            if name in skipped or time.monotonic() > until:
                continue
            say(f"  run {number + 1} of {count}: {name}")
            try:
                runs.add(name, _live(material, name) if name in (OURS, WORDS_ONLY) else _peer(material, name))
            except (RuntimeError, OSError, LookupError) as error:
                say(f"    it failed: {type(error).__name__}")
                skipped.append(name)
    return runs, skipped


def _live(material: Material, name: str) -> Run:
    one: Live = session(material, "websocket", speakers=2 if name == OURS else 1)
    turns = settled(one.recording) if name == OURS else []
    return Run(
        tuple(final_words(one.recording)),
        one.result.audio_s,
        one.result.costs.cpu_s,
        _der(material, turns, to_tick(one.result.audio_s)),
    )


def final_words(recording: Recording) -> list[tuple[str, float]]:
    """Each final word and when it was known, in seconds from the moment the first sample was spoken."""
    zero = recording.sent_at(Tick(0)) - PCM_FRAME_TICKS / SAMPLE_RATE
    return [(text, at - zero) for text, at in word_times(recording)]


def _peer(material: Material, name: str) -> Run:
    command = [sys.executable, "-m", *_PEERS[name], str(material.audio)]
    account = processes.run(command, limit_s=_LIMIT_S)
    if account.status:
        raise RuntimeError(f"{name} ended with status {account.status}")
    found = json.loads(account.output.splitlines()[-1])
    return Run(
        tuple((text, at) for text, at in found["words"]),
        found["audio_s"],
        found["cpu_s"],
        _der(material, spans_as_turns(found["turns"]), to_tick(found["audio_s"])),
    )


def _der(material: Material, turns: Sequence[Turn], length: Tick) -> float:
    if not turns:
        return math.nan
    try:
        return diarization_errors(material.spoken, turns, length).rate
    except EngineMissing:
        return math.nan
