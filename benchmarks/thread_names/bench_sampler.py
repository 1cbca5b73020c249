"""A sampling profiler inside the process, for where nothing may attach to it from outside.

A thread looks at all others' Python frames a hundred times a second and gives each stack the processor time that its
thread has used since the last look, as Linux counts it: a thread that waits counts nothing, and time inside a native
library counts for the line that called it. Written to `path` as folded stacks in milliseconds, twice a second.
It begins anew when the file `path` + `.begin` is there.
"""

import os
import sys
import threading
import time
from pathlib import Path
from types import FrameType

_EVERY_S = 0.01
_WRITE_EVERY_S = 0.5


def begin(path: str) -> None:
    """Sample in a thread of its own until the process ends."""
    threading.Thread(target=_run, args=(Path(path),), name="bench_sampler", daemon=True).start()


def _run(path: Path) -> None:
    own, used = threading.get_native_id(), _used_ns()
    folded: dict[str, int] = {}
    written, marker = time.monotonic(), path.with_name(path.name + ".begin")
    while True:
        time.sleep(_EVERY_S)
        now, frames = _used_ns(), sys._current_frames()
        threads = {thread.native_id: thread for thread in threading.enumerate()}
        for task, spent in now.items():
            since = spent - used.get(task, 0)
            if task == own or since <= 0:
                continue
            thread = threads.get(task)
            stack = "native thread" if thread is None else _stack(thread.name, frames.get(thread.ident or 0))
            folded[stack] = folded.get(stack, 0) + since
        used = now
        if time.monotonic() - written >= _WRITE_EVERY_S:
            written = time.monotonic()
            if marker.exists():
                marker.unlink()
                folded = {}
            path.write_text("".join(f"{stack} {spent / 1e6:.3f}\n" for stack, spent in folded.items()))


def _used_ns() -> dict[int, int]:
    found: dict[int, int] = {}
    for name in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{name}/schedstat") as file:
                found[int(name)] = int(file.read().split()[0])
        except (OSError, IndexError, ValueError):
            continue
    return found


def _stack(thread: str, frame: FrameType | None) -> str:
    frames: list[str] = []
    while frame is not None:
        code = frame.f_code
        frames.append(f"{code.co_name} ({os.path.basename(code.co_filename)}:{code.co_firstlineno})")
        frame = frame.f_back
    return ";".join([thread.rstrip("0123456789").rstrip("_-"), *reversed(frames)])
