"""Figures of whole processes: how fast a file is transcribed, and whether an hour of audio needs more memory."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import processes
from benchmarks.audio_files import read_audio
from benchmarks.figure import at_least, at_most, figure
from benchmarks.long_talk import write_hour
from benchmarks.parts import SESSION, Part, Surroundings

SPEED, MEMORY = "transcribe --pace fast, the whole process, diarization on", "Memory over a long session, fast pace"
_WAV_BYTES_PER_S = 32_000


def speed(around: Surroundings) -> Part:
    """The bundled session through the command line."""
    audio = SESSION / "mix.opus"
    audio_s = len(read_audio(audio)) / 16_000
    accounts = []
    for run in range(around.runs):
        around.say(f"  run {run + 1} of {around.runs}")
        accounts.append(_transcribe(audio))
    per_s = [account.cpu_s / audio_s for account in accounts]
    return Part(
        [
            figure(SPEED, "times real time", "x", [audio_s / one.wall_s for one in accounts], at_least(8)),
            figure(SPEED, "core-seconds per second of audio", "core-s/s", per_s,
                   note="loading of the models included, which is spread over three minutes here"),
            figure(SPEED, "memory, peak", "MB", [one.peak_mb for one in accounts], at_most(1000)),
        ]
    )  # fmt: skip


def memory(around: Surroundings) -> Part:
    """A long session; what is resident while the file is read on."""
    path = written_hour(around)
    minutes = _minutes(around)
    audio_s = minutes * 60.0
    around.say(f"  {minutes} minutes as fast as they go, with what time the rest leaves")
    account = _transcribe(path, watched=path, background=True)
    path.unlink()
    points = resident_over_audio(account.memory, audio_s)
    warm_s = audio_s / 6
    growth = slope_per_hour([point for point in points if point[0] >= warm_s])
    part = Part(details={"memory": [[round(at), round(mb, 1)] for at, mb in points]})
    resident = float(np.median([mb for _, mb in points])) if points else 0.0
    each = [(at, mb) for at, mb in points if round(at) % 300 == 0]
    note = ", ".join(f"{at / 60:.0f} min {mb:.0f} MB" for at, mb in each)
    part.figures += [
        figure(MEMORY, f"peak over {minutes} minutes", "MB", account.peak_mb, at_most(1000)),
        figure(
            MEMORY,
            f"growth after the first {warm_s / 60:.0f} minutes",
            "MB/h",
            growth,
            at_most(0.1 * resident, "a tenth of what is resident"),
            note,
        ),
    ]
    return part


def written_hour(around: Surroundings) -> Path:
    """The long recording; made on the first call. A caller that times something else beside calls this before."""
    path = around.work / "long.wav"
    if not path.exists():
        around.say(f"  making {_minutes(around)} minutes of sessions")
        write_hour(path, _minutes(around))
    return path


def _minutes(around: Surroundings) -> int:
    return 10 if around.quick else 60


def _transcribe(audio: Path, *, watched: Path | None = None, background: bool = False) -> processes.Account:
    command = [sys.executable, "-m", "streaming.cli", "transcribe", str(audio), "--json", "--speakers", "2"]
    account = processes.run(command, watched=watched, background=background)
    if account.status:
        raise RuntimeError(f"transcribe ended with status {account.status}:\n{account.errors[-2000:]}")
    return account


def resident_over_audio(samples: Sequence[tuple[int, float]], audio_s: float) -> list[tuple[float, float]]:
    """(seconds of audio read, MB) each minute of audio: the median of that minute's samples."""
    found: list[tuple[float, float]] = []
    for minute in range(1, int(audio_s // 60) + 1):
        low, high = (minute - 1) * 60 * _WAV_BYTES_PER_S, minute * 60 * _WAV_BYTES_PER_S
        inside = [mb for at, mb in samples if low < at <= high]
        if inside:
            found.append((minute * 60.0, float(np.median(inside))))
    return found


def slope_per_hour(points: Sequence[tuple[float, float]]) -> float:
    """MB per hour of audio, by least squares; NaN of fewer than three points."""
    if len(points) < 3:
        return float("nan")
    at, mb = np.array(points).T
    return float(np.polyfit(at / 3600, mb, 1)[0])
