"""A `sameday serve` process of its own on a free port, with a data folder that goes with it."""

import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 40.0
_UNMEASURED = {"SAMEDAY_MAX_LOAD": "1000"}
"""On a busy machine a server would refuse sessions by its own measure, before what is to be seen is seen."""

start: "Callable[..., subprocess.Popen[str]]" = subprocess.Popen
"""What makes the process: many servers on end may be had quicker than each from nothing."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready. `url` ends without a slash."""

    url: str
    process: "subprocess.Popen[str]"

    def cpu_s(self) -> float:
        """Core-seconds that the process has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Resident memory now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0


@contextmanager
def running_server(
    environment: Mapping[str, str] | None = None, *, port: int = 0, program: Sequence[str] = ("-m", "streaming.cli")
) -> Iterator[Running]:
    """Start a server and wait until it is ready; stop it at the end. Raises RuntimeError with what it printed.

    `program` is what Python runs, with the arguments of `sameday`.
    """
    with tempfile.TemporaryDirectory(prefix="sameday-") as folder, (Path(folder) / "log").open("w+") as log:
        process = start(
            [sys.executable, *program, "serve", "--port", str(port)],
            env=os.environ | {"SAMEDAY_DATA_DIR": f"{folder}/data"} | _UNMEASURED | dict(environment or {}),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield Running(_address(process, Path(folder) / "log"), process)
        finally:
            _stop(process)


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + _START_TIMEOUT_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and process.poll() is None:
            if not selector.select(timeout=0.2):
                continue
            line = process.stdout.readline()
            if "ready at " in line:
                return line.rpartition("ready at ")[2].strip().rstrip("/")
    _stop(process)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
