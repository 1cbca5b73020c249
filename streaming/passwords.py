"""Passwords: what one must be like, its Argon2id hash, and a check that takes as long where there is none."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from streaming.errors import BadAccount

SHORTEST, LONGEST = 12, 256
_FEWEST_KINDS_OF_LETTERS = 5
_hasher = PasswordHasher()
"""RFC 9106's second recommended set, the library's default: 64 MiB, three passes, four lanes."""
NOBODYS = (
    f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}${'A' * 22}${'A' * 43}"
)
"""A hash at the cost of today's that is no password's: made of nothing, since making one costs every start."""


def check_rules(password: str, login: str) -> None:
    """Length counts, not composition. Raises BadAccount, which never quotes the password."""
    mend = f"Take at least {SHORTEST} characters, such as four words that do not belong together."
    if len(password) < SHORTEST:
        raise BadAccount(f"The password has fewer than {SHORTEST} characters.", mend=mend)
    if len(password) > LONGEST:
        raise BadAccount(f"The password has more than {LONGEST} characters.", mend="Take a shorter one.")
    if len(set(password)) < _FEWEST_KINDS_OF_LETTERS or login.lower() in password.lower():
        raise BadAccount("The password is easily guessed.", mend=mend)


def hashed(password: str) -> str:
    """The hash to keep, with its salt and cost. Takes tens of milliseconds: not on the event loop."""
    return _hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password of the hash; without one the same work is done for nothing."""
    try:
        return _hasher.verify(kept or NOBODYS, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Whether the hash was made at another cost than hashes are made at now."""
    return _hasher.check_needs_rehash(kept)
