"""Where the server spends its time: py-spy where it may attach, else a sampler inside the process. Says which."""

import contextlib
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import flame
from benchmarks.server_process import Running

_RATE = 50
_SETTLE_S = 10.0


class Profiler:
    """One profile of one server. `environment` before it starts, `begin` under load, `finish` before it ends."""

    def __init__(self, work: Path, *, attach: bool | None = None) -> None:
        self._file = work / "profile.txt"
        self._spy = py_spy()
        self.why = "" if attach is not False else "not wanted"
        if self._spy is not None and attach is None:
            self.why = refused(self._spy)
        elif self._spy is None:
            self.why = "py-spy is not installed (pip install 'sameday[profile]')"
        self._attach = self._spy is not None and not self.why
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def by(self) -> str:
        """What samples, in words."""
        return f"py-spy, {_RATE} a second" if self._attach else f"a sampler inside the process: {self.why}"

    def environment(self) -> dict[str, str]:
        """What the server needs for it. The sampler inside the process begins with the process."""
        return {} if self._attach else {"SAMEDAY_BENCH_SAMPLES": str(self._file)}

    def begin(self, server: Running, seconds: float) -> None:
        """Look at the server from now on, for so long at most."""
        if not self._attach or self._spy is None:
            self._file.with_name(self._file.name + ".begin").touch()
            return
        self._child = subprocess.Popen(
            [self._spy, "record", "--pid", str(server.process.pid), "--duration", str(max(1, int(seconds))),
             "--rate", str(_RATE), "--format", "raw", "--function", "--threads", "--output", str(self._file)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def finish(self) -> None:
        """Wait for what is still being written."""
        if self._child is None:
            return
        try:
            self._child.wait(_SETTLE_S)
        except subprocess.TimeoutExpired:
            self._child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_SETTLE_S)
            self._child.kill()
            self._child.wait()

    def folded(self) -> dict[str, float]:
        """The stacks, by thread."""
        if not self._file.exists():
            return {}
        return flame.working(
            flame.parse(_THREAD.sub("thread ", self._file.read_text(encoding="utf-8", errors="replace")))
        )

    def as_json(self) -> dict[str, Any]:
        """For the report: who sampled, stacks wide enough to be drawn, where the time itself goes."""
        folded = self.folded()
        return {"by": self.by, "folded": flame.pruned(folded), "own": flame.own_time(folded)}


_THREAD = re.compile(r"^thread \((?:0x)?[0-9A-Fa-f]+\)(?:: )?", re.MULTILINE)


def py_spy() -> str | None:
    """The program, from this environment or the system's."""
    beside = Path(sys.executable).parent / "py-spy"
    return str(beside) if beside.exists() else shutil.which("py-spy")


def refused(spy: str) -> str:
    """Why py-spy may not look into a process that is not its child, as the server is none; empty where it may."""
    target = subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(20)"],
                              stdout=subprocess.PIPE)  # fmt: skip
    try:
        assert target.stdout is not None
        target.stdout.readline()
        time.sleep(0.1)
        tried = subprocess.run(
            [spy, "dump", "--pid", str(target.pid)], capture_output=True, text=True, timeout=15, check=False
        )
        return "" if tried.returncode == 0 else "py-spy may not attach here (ptrace is not allowed)"
    except (OSError, subprocess.TimeoutExpired):
        return "py-spy does not run here"
    finally:
        target.kill()
        target.wait()
        if target.stdout is not None:
            target.stdout.close()
