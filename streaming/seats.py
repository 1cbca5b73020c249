"""Who acts, and what a path asks of them. Pure.

Every request passes `need`: what no line names is content, which takes a seat in the practice that it is of.
"""

import re
from dataclasses import dataclass
from typing import Literal

from streaming.errors import NotAllowedToRole, NotSignedIn

Role = Literal["clinician", "supervisor", "ops"]
Way = Literal["single", "cookie", "token", "media"]
"""How a seat was taken: as the only one of this machine, by a browser's cookie, by an access or a media token."""
Need = Literal["nothing", "whoever", "seat", "numbers", "content"]

ROLES: tuple[Role, ...] = ("clinician", "supervisor", "ops")
LOCAL = "local"
"""The practice of a machine that has no accounts, and of what was kept before there were any."""

_PUBLIC = frozenset({"/healthz", "/readyz", "/sign-in", "/api/sign-in", "/service-worker.js", "/authority.crt"})
_PUBLIC_UNDER = ("/static/", "/api/oidc/")
_MEDIA = re.compile(r"/api/sessions/([^/]+)/(?:audio|whip(?:/[^/]+)?)")
_OF_SESSION = re.compile(r"/api/sessions/([^/]+)(?:/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody at work in a practice. `account` is empty where there are none; `session` limits a media seat."""

    practice: str
    role: Role
    way: Way
    account: str = ""
    name: str = ""
    credentials: str = ""
    session: str | None = None
    needs_cosignature: bool = False
    """Whether a supervisor has to sign what this one signs."""


SINGLE = Seat(LOCAL, "clinician", "single")
"""The one clinician of a machine without accounts."""


def need(path: str) -> Need:
    """What a path asks for: nothing, whoever is there, any seat, the numbers of operations, or content."""
    if path in _PUBLIC or path.startswith(_PUBLIC_UNDER):
        return "nothing"
    if path == "/api/seat":
        return "whoever"
    if path in ("/api/sign-out", "/ops"):
        return "seat"
    return "numbers" if path == "/metrics" else "content"


def check(path: str, seat: Seat | None) -> None:
    """Whether this seat may have what the path asks for. Raises NotSignedIn, NotAllowedToRole."""
    wanted = need(path)
    if wanted in ("nothing", "whoever"):
        return
    if seat is None:
        raise NotSignedIn("Sign in first.", mend="Open /sign-in, or send an access token as Authorization: Bearer.")
    if seat.way == "media":
        found = _MEDIA.fullmatch(path)
        if found is None or found[1] != seat.session:
            raise NotAllowedToRole("A media token carries the audio of its session alone.", mend="Sign in for more.")
        return
    if wanted == "numbers" and seat.role != "ops" and seat.way != "single":
        raise NotAllowedToRole(
            "The numbers of operations are for the role ops.", mend="Sign in with such an account."
        )
    if wanted == "content" and seat.role == "ops":
        raise NotAllowedToRole("The role ops sees no content.", mend="Sign in as a clinician or supervisor.")


def session_in(path: str) -> str | None:
    """The session that a path is about."""
    found = _OF_SESSION.fullmatch(path)
    return found[1] if found else None


def may_carry_media(path: str) -> bool:
    """Whether a path takes the audio of a session."""
    return _MEDIA.fullmatch(path) is not None
