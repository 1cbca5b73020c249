"""A server that a benchmark talks to: one of its own, or one that serves people, with a token and an authority."""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect

from streaming.errors import PeerError

MARK = "sameday bench"
SCRIPT = "A measurement with recorded synthetic voices. Nobody is heard and nobody is spoken of."


@dataclass(frozen=True, slots=True)
class Host:
    """`url` is without a slash at its end. `about` is what a session is begun with beside its tracks."""

    url: str
    token: str = field(default="", repr=False)
    trusted: ssl.SSLContext | None = field(default=None, repr=False)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """What a request shows to be let in."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def client(self) -> httpx.AsyncClient:
        """Who asks it over HTTP."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers=self.headers,
            verify=True if self.trusted is None else self.trusted,
            timeout=30.0,
        )

    def socket_url(self, path: str) -> str:
        """The address of a WebSocket."""
        return f"{self.url.replace('http', 'ws', 1)}{path}"

    def connect(self, path: str) -> connect:
        """A WebSocket of it, to be entered."""
        return connect(self.socket_url(path), max_size=None, additional_headers=self.headers, ssl=self.trusted)


def of_people(url: str, token_file: Path | None, authority: Path | None) -> Host:
    """A server that serves people too: what is begun there says what it is. Raises PeerError."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and not (parts.path.strip("/") or parts.query)
        _ = parts.port
    except ValueError:
        known = False
    if not known:
        raise PeerError("This is no address of a server.", mend="Give it as https://notes.example.org:8710.")
    token = "" if token_file is None else _first_line(token_file)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise PeerError("Plain HTTP would show the token to the network.", mend="Give an address with https.")
    about = {"script": SCRIPT, "context": {"place": MARK}}
    trusted = _trusting(authority) if parts.scheme == "https" else None
    return Host(f"{parts.scheme}://{parts.netloc}", token, trusted, about)


def _first_line(file: Path) -> str:
    try:
        token = file.read_text(encoding="ascii").strip().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        raise PeerError(
            "The token file cannot be read.", mend="Its first line is what `user token` printed."
        ) from None
    if not token:
        raise PeerError("The token file is empty.", mend="Its first line is what `user token` printed.")
    return token


def _trusting(authority: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if authority is None else str(authority))
    except (OSError, ssl.SSLError):
        raise PeerError(
            "The authority cannot be read, or is no certificate as PEM.", mend="See docs/access.md."
        ) from None


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
