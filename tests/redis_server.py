"""A real Redis server of a test's own: a free port, a folder of its own, every write fsynced before its reply."""

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class RedisServer:
    """`start` and `kill` may follow each other any number of times; what was written stays."""

    def __init__(self, folder: Path, *, appendonly: str = "yes", appendfsync: str = "always") -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        self._options = {"appendonly": appendonly, "appendfsync": appendfsync}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("redis-server is missing: run `make test`, or install Debian's package redis-server.")
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", **self._options}
        command = [program, *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._wait_until_ready()

    def holds(self, *sought: bytes) -> int:
        """How many of these are in its files."""
        held = b"".join(one.read_bytes() for one in self.folder.rglob("*") if one.is_file())
        return sum(one in held for one in sought)

    async def lets_go(self, sought: Collection[bytes]) -> bool:
        """Whether they go from its files within seconds: the file of writes is written anew in the background."""
        for _ in range(100):
            if not self.holds(*sought):
                return True
            await asyncio.sleep(0.1)
        return False

    def kill(self) -> None:
        """SIGKILL: what it had not handed to the system is lost."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            with self._process as process:
                process.send_signal(how)
            self._process = None

    def _wait_until_ready(self) -> None:
        """Reads the server's log: it says when its file is loaded and connections are taken."""
        assert self._process is not None
        assert self._process.stdout is not None
        lines: list[bytes] = []
        began = time.monotonic()
        for line in self._process.stdout:
            lines.append(line)
            if b"Ready to accept connections" in line:
                return
            if time.monotonic() - began > 30:
                break
        self._end(signal.SIGKILL)
        pytest.fail("redis-server did not start:\n" + b"".join(lines).decode(errors="replace"))


def running_redis(folder: Path) -> Iterator[RedisServer]:
    """Start one, give it and stop it: the body of a fixture."""
    server = RedisServer(folder)
    server.start()
    yield server
    server.stop()
