"""Child processes with their account (time, memory over audio), a process's threads, and what this machine is."""

import math
import os
import platform
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
_PACKAGES = ("sameday", "onnxruntime", "moonshine-voice", "numpy", "av", "aiortc", "websockets", "uvicorn")


@dataclass(frozen=True, slots=True)
class Account:
    """What a child took. `memory` has (bytes read of the watched file, MB resident) as it went."""

    status: int
    output: str
    errors: str
    wall_s: float
    cpu_s: float
    peak_mb: float
    memory: tuple[tuple[int, float], ...]


def run(
    command: Sequence[str],
    *,
    watched: Path | None = None,
    background: bool = False,
    every_s: float = 0.25,
    limit_s: float = math.inf,
) -> Account:
    """Run a command to its end. `watched` is a file it reads, whose position says how far it is.

    In the `background` it only gets what time others leave (SCHED_IDLE). After `limit_s` it is killed.
    """
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if background:
        os.sched_setscheduler(child.pid, os.SCHED_IDLE, os.sched_param(0))
    assert child.stdout is not None
    assert child.stderr is not None
    said: dict[str, str] = {}
    readers = [
        threading.Thread(target=_drain, args=(pipe, name, said), daemon=True)
        for name, pipe in (("out", child.stdout), ("err", child.stderr))
    ]
    for reader in readers:
        reader.start()
    memory: list[tuple[int, float]] = []
    peak_mb = 0.0
    while True:
        # Not what wait4 says: a child's count begins with the memory of the process that started it.
        peak_mb = max(peak_mb, resident_mb(child.pid, "VmHWM"))
        ended, status, used = os.wait4(child.pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - began > limit_s:
            child.kill()
        if watched is not None and (at := _position(child.pid, watched)) is not None:
            memory.append((at, resident_mb(child.pid)))
        time.sleep(every_s)
    wall_s = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    for reader in readers:
        reader.join()
    for pipe in (child.stdout, child.stderr):
        pipe.close()
    return Account(
        child.returncode,
        said["out"],
        said["err"],
        wall_s,
        used.ru_utime + used.ru_stime,
        peak_mb,
        tuple(memory),
    )


def _drain(pipe: IO[str], name: str, said: dict[str, str]) -> None:
    said[name] = pipe.read()


def _position(pid: int, file: Path) -> int | None:
    """How far a process has read in a file, or None where it does not have it open."""
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            if entry.resolve() == file.resolve():
                return int(Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text().split()[1])
    except OSError:
        pass  # it has ended, or has closed the file just now
    return None


def resident_mb(pid: int, line: str = "VmRSS") -> float:
    """Resident memory of a process now (`VmHWM`: at most so far); 0 where it has ended."""
    try:
        for text in Path(f"/proc/{pid}/status").read_text().splitlines():
            if text.startswith(f"{line}:"):
                return int(text.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def cpu_s(pid: int) -> float:
    """Core-seconds of a process so far; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def machine_busy_s() -> float:
    """Core-seconds that all processes of this machine have used so far, with what its host has kept from it."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle, waiting = fields[3], fields[4]
    return (sum(fields) - idle - waiting) * _TICK_S


def thread_cpu_s(pid: int) -> dict[str, float]:
    """Core-seconds by thread name without its number; the main thread is `main`. Threads that ended are left out."""
    used: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip().rstrip("0123456789").rstrip("_-")
            fields = (task / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        name = "main" if task.name == str(pid) else name
        used[name] = used.get(name, 0.0) + (int(fields[11]) + int(fields[12])) * _TICK_S
    return used


def machine() -> dict[str, Any]:
    """Hardware, versions, commit: what a figure means nothing without."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
        **_commit(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> Mapping[str, Any]:
    here = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "changed_files": None}
    return {"commit": commit, "changed_files": len(changed.splitlines())}
