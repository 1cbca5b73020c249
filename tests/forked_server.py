"""`sameday` forked from a process that has imported all: importing is more than half of what a start costs.

The forked process reads its own arguments, environment and settings, loads its own models and ends by itself, as one
that was started from nothing. A program other than the command line, one with an environment that Python itself
reads, or one with arguments of Popen beside its files, is started from nothing. Run as a program, this is the process
that the others are forked from.
"""

import gc
import inspect
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ctypes import CDLL
from functools import cache
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "streaming.cli"]
IMPORTED = ("streaming.cli", "streaming.engines", "streaming.server", "streaming.transcribe")
"""None of them starts a thread, which would be missing in the forked process."""
OTHER_ORDER = {"PYTHONHASHSEED": "4711"}
"""Of a server's environment: started from nothing, it goes through sets in another order than those that are forked,
which all have their order from one process. What hangs on it would differ."""
_USUAL = {
    "executable": None, "preexec_fn": None, "pass_fds": (), "cwd": None, "shell": False, "restore_signals": True,
    "gid": None, "gids": None, "uid": None, "umask": -1, "start_new_session": False, "process_group": -1,
}  # fmt: skip
"""What Popen's arguments come to where none is given: a process with any other is started from nothing."""
_MOST_BYTES = 1 << 20
_SET_CHILD_SUBREAPER = 36
"""Of prctl(2): who has no parent any more becomes a child of this process."""


class Forked(subprocess.Popen[str]):
    """As Popen, and its process is a child of this one as Popen's is."""

    def _execute_child(self, *given: Any) -> None:
        started = super()._execute_child  # type: ignore[misc]
        asked = inspect.signature(started).bind(*given).arguments
        arguments, environment = list(asked["args"]), asked["env"] or dict(os.environ)
        usual = all(asked[name] == value for name, value in _USUAL.items())
        if not usual or arguments[: len(COMMAND)] != COMMAND or not _only_settings(environment):
            started(*given)
            return
        pipes = [asked[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
        ends = [usual if end < 0 else end for usual, end in enumerate((pipes[0], pipes[3], pipes[5]))]
        self.pid = _mould().fork(arguments[len(COMMAND) :], environment, ends)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def run(
    arguments: Sequence[str], environment: Mapping[str, str], given: str = ""
) -> "subprocess.CompletedProcess[str]":
    """A command of `sameday` from beginning to end, with these settings beside this process's."""
    pipe, command = subprocess.PIPE, [*COMMAND, *arguments]
    with Forked(
        command, env=os.environ | dict(environment), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            out, errors = process.communicate(given, timeout=60)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def _only_settings(environment: Mapping[str, str]) -> bool:
    """Whether what differs from this process's environment is read by `sameday` alone."""
    names = environment.keys() | os.environ.keys()
    return all(name.startswith("SAMEDAY_") for name in names if environment.get(name) != os.environ.get(name))


class _Mould:
    """The process that has imported all, and the line to it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = threading.Lock()
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def fork(self, arguments: Sequence[str], environment: Mapping[str, str], ends: Sequence[int]) -> int:
        """The number of a new child of this process, whose input, output and errors are these files."""
        asked = json.dumps([list(arguments), dict(environment), os.getcwd()]).encode()
        with self._one_at_a_time:
            _adopt(True)
            try:
                socket.send_fds(self._line, [asked], list(ends))
                answer = self._line.recv(64)
            finally:
                _adopt(False)
        if not answer:
            raise RuntimeError("the process that servers are forked from has ended")
        return int(answer)


@cache
def _mould() -> _Mould:
    return _Mould()


def _adopt(wanted: bool) -> None:
    CDLL(None).prctl(_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)


def main(number: int) -> None:
    """Import all, then make a process of each request, until who asks has ended."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    for name in IMPORTED:
        import_module(name)
    from talk import CLIENT, talk

    from drafting.core import draft
    from streaming import cli

    draft(talk((CLIENT, "I sleep badly.")))  # rules and lexica are read and compiled
    gc.freeze()
    with socket.socket(fileno=number) as line:
        while True:
            asked, files, _, _ = socket.recv_fds(line, _MOST_BYTES, 3)
            if not asked:
                return
            child = _made(files)
            if child:
                line.send(str(child).encode())
                continue
            line.close()
            arguments, environment, folder = json.loads(asked)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            time.tzset()
            sys.argv = ["sameday", *arguments]
            sys.exit(cli.main(arguments))


def _made(files: list[int]) -> int:
    """Fork twice, so that the new process is left without a parent; its number, and 0 in itself."""
    reading, writing = os.pipe()
    between = os.fork()
    if between:
        os.close(writing)
        for file in files:
            os.close(file)
        number = os.read(reading, 64)
        os.close(reading)
        os.waitpid(between, 0)
        return int(number)
    child = os.fork()
    if child:
        os.write(writing, str(child).encode())
        os._exit(0)
    os.close(reading)
    os.close(writing)
    for usual, file in enumerate(files):
        os.dup2(file, usual)
    for file in files:
        os.close(file)
    # The old ones know what was there before: a terminal, or a file that can be wound back.
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = TextIOWrapper(os.fdopen(1, "wb", 0, closefd=False), write_through=True)
    sys.stderr = TextIOWrapper(os.fdopen(2, "wb", 0, closefd=False), errors="backslashreplace", write_through=True)
    return 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(int(sys.argv[1]))
