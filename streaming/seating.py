"""The seat that the request at hand is answered for; what runs beside requests has none."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from streaming.errors import NotSignedIn
from streaming.seats import Seat

_SEAT: ContextVar[Seat | None] = ContextVar("seat", default=None)


@contextmanager
def seated(seat: Seat | None) -> Iterator[None]:
    """Answer for this seat until the block ends."""
    before = _SEAT.set(seat)
    try:
        yield
    finally:
        _SEAT.reset(before)


def whoever() -> Seat | None:
    """The seat of the request at hand, if it has one."""
    return _SEAT.get()


@dataclass(frozen=True, slots=True)
class Signer:
    """Who does something to a note, as it stands in the trail and under a signature."""

    name: str
    credentials: str = ""


def signer(name: str, credentials: str = "") -> Signer:
    """The account's name and credentials; what a client says counts only where there are no accounts."""
    seat = _SEAT.get()
    return Signer(name, credentials) if seat is None or not seat.account else Signer(seat.name, seat.credentials)


def current() -> Seat:
    """The seat of the request at hand. Raises NotSignedIn: without one nothing of a practice is touched."""
    seat = _SEAT.get()
    if seat is None:
        raise NotSignedIn("Sign in first.", mend="Open /sign-in.")
    return seat
