"""A server with two practices: who works there, with tokens and passwords, made by the command line."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.server_process import Running, running_server

PASSWORD = "four quiet words apart"
PEOPLE = {
    "anna": ("north", "clinician", "Anna North", "LCSW"),
    "sven": ("north", "supervisor", "Sven North", "PhD"),
    "bert": ("south", "clinician", "Bert South", "LMFT"),
    "olga": ("north", "ops", "Olga Ops", ""),
}


def user(environment: Mapping[str, str], *arguments: str, typed: str = "") -> str:
    """What `sameday user` printed."""
    done = subprocess.run(
        [sys.executable, "-m", "streaming.cli", "user", *arguments],
        env=os.environ | dict(environment),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True, slots=True)
class House:
    """A server that is ready, and an access token of each of PEOPLE."""

    server: Running
    environment: Mapping[str, str]
    tokens: Mapping[str, str]

    def client(self, login: str | None = None) -> httpx.AsyncClient:
        """A client with somebody's token, or with nothing."""
        headers = {"Authorization": f"Bearer {self.tokens[login]}"} if login else {}
        return httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=30.0)


@contextmanager
def house_of_two(**more: str) -> Iterator[House]:
    """A server with PEOPLE, whose password is PASSWORD; `more` are its settings."""
    with TemporaryDirectory(prefix="sameday-house-") as folder:
        environment = {"SAMEDAY_DATA_DIR": str(Path(folder) / "data")} | more
        for login, (practice, role, name, credentials) in PEOPLE.items():
            user(
                environment, "add", login, "--name", name, "--practice", practice, "--role", role,
                "--credentials", credentials, typed=f"{PASSWORD}\n",
            )  # fmt: skip
        tokens = {login: user(environment, "token", login).strip() for login in PEOPLE}
        with running_server(environment) as server:
            yield House(server, environment, tokens)
