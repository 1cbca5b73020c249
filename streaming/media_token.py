"""Tokens that carry the audio of one session for a short time: signed, not kept. Pure.

`payload.signature`, both base64url: the payload is `practice/session/account/until`, the signature its HMAC-SHA256.
The alphabet is one that a WebSocket subprotocol may have.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass

_PURPOSE = b"sameday media token 2\n"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows, and who had it made; `until` is Unix time in seconds."""

    practice: str
    session: str
    account: str
    until: int


def write(key: bytes, grant: Grant) -> str:
    """The token of a grant."""
    payload = f"{grant.practice}/{grant.session}/{grant.account}/{grant.until}".encode()
    return f"{_text(payload)}.{_text(_signature(key, payload))}"


def read(key: bytes, token: str, now: int) -> Grant | None:
    """The grant of a token, or None where it is not ours, was changed, or is over."""
    head, dot, tail = token.partition(".")
    payload, signature = _bytes(head), _bytes(tail)
    if not dot or payload is None or signature is None:
        return None
    if not hmac.compare_digest(signature, _signature(key, payload)):
        return None
    practice, session, account, until = payload.decode().split("/")
    return Grant(practice, session, account, int(until)) if now < int(until) else None


def _signature(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + payload, "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
