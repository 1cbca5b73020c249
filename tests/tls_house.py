"""A server with TLS by an authority of its own, one account, and a line to it that can be cut."""

import asyncio
import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from accounts_of_two import PASSWORD, user
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.relay import CLEAN, TcpRelay
from benchmarks.server_process import running_server
from streaming.certificate_files import Folder
from streaming.local_authority import Names

LOGIN = "anna@north.example"
__all__ = ["LOGIN", "PASSWORD", "House", "house"]


class Wire:
    """A line to the server, in a thread of its own."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._relay = TcpRelay(("127.0.0.1", port), CLEAN)
        self._open = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()
        assert self._open.wait(10)
        self.url = self._relay.url.replace("http://", "https://")

    async def _run(self) -> None:
        async with self._relay:
            self._open.set()
            await self._over.wait()

    def cut(self) -> None:
        """Nothing comes through, and what was open is broken."""
        self._relay.down = True
        self._loop.call_soon_threadsafe(self._relay.cut)

    def mend(self) -> None:
        """New connections are taken again."""
        self._relay.down = False

    def close(self) -> None:
        """The line is no more."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()


@dataclass(frozen=True, slots=True)
class House:
    """The line, and what Chromium is told so that it takes the server's certificate."""

    wire: Wire
    flag: str


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """Start the server, with its data and its certificate in this folder."""
    files = Folder(folder / "tls")
    files.renewed(Names.of(["desk.local", "localhost", "127.0.0.1"]), datetime.now(UTC), new_authority=False)
    environment = {
        "SAMEDAY_DATA_DIR": str(folder / "data"), "SAMEDAY_KEEP_AUDIO": "1", "SAMEDAY_TLS_CERT": str(files.server),
        "SAMEDAY_TLS_KEY": str(files.server), "SAMEDAY_TLS_AUTHORITY": str(files.authority),
    }  # fmt: skip
    user(environment, "add", LOGIN, "--name", "Anna North", "--credentials", "LCSW", typed=f"{PASSWORD}\n")
    with running_server(environment) as server:
        wire = Wire(urlsplit(server.url).port or 0)
        try:
            yield House(wire, f"--ignore-certificate-errors-spki-list={_print(files.server)}")
        finally:
            wire.close()


def _print(certificate: Path) -> str:
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    told = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(told).digest()).decode()
