"""Content at rest: AES-256-GCM under data keys, which a master key wraps. The one door to encryption.

Every session has a data key of its own, and so has every kind of record: to forget a session for good its key is
deleted. What is sealed is bound to its place, so that an entry cannot be taken for another one. Nonces are random
(NIST SP 800-38D, 8.2.2): a session has some ten thousand entries, far from the 2^32 at which that would be thin.
"""

import hashlib
import os
from collections.abc import Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from streaming.errors import KeyRefused, StoreFailed

KEY_BYTES = 32
SEALED = b"\x01"
"""First byte of all that is sealed; what is not begins with a brace."""
_NONCE, _ID = 12, 8


class KeySource(Protocol):
    """Where master keys come from."""

    def read(self, *, make: bool) -> Sequence[bytes]:
        """The master keys, the one that counts first; with `make` one is made where there is none yet.

        Raises KeyRefused, never with anything of a key.
        """
        ...


class DataKey:
    """Seals and opens the content of one session or of one kind of record. Used from any thread."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, place: bytes, content: bytes) -> bytes:
        """The content, to be kept at this place alone."""
        nonce = os.urandom(_NONCE)
        return SEALED + nonce + self._cipher.encrypt(nonce, content, place)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """What was sealed for this place. Raises StoreFailed where it was changed, moved, or never sealed."""
        if not sealed.startswith(SEALED):
            raise StoreFailed("An entry of the log is not sealed.", mend="Was it written by hand?")
        try:
            return self._cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], place)
        except (InvalidTag, ValueError):
            raise StoreFailed(
                "An entry of the log was changed or moved since it was written.", mend="Restore it from a backup."
            ) from None


class Vault:
    """Wraps data keys. Reads the master keys when they are needed first, and again where it meets a newer one."""

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._keys: dict[bytes, bytes] = {}
        self._active = b""

    def load(self, *, make: bool) -> None:
        """Read the master keys; with `make` one is made where there is none. Raises KeyRefused."""
        keys = self._source.read(make=make)
        self._keys = {_id_of(key): key for key in keys}
        self._active = _id_of(keys[0])

    def new_key(self, scope: str) -> tuple[DataKey, bytes]:
        """A data key, and as it is kept. Raises KeyRefused."""
        key = AESGCM.generate_key(8 * KEY_BYTES)
        return DataKey(key), self._wrap(scope, key)

    def key(self, scope: str, wrapped: bytes) -> DataKey:
        """The data key that was kept for this scope. Raises KeyRefused where no master key opens it."""
        return DataKey(self._unwrap(scope, wrapped))

    def rewrapped(self, scope: str, wrapped: bytes) -> bytes:
        """The data key under the master key that counts now; the same where it is already. Raises KeyRefused."""
        key = self._unwrap(scope, wrapped)
        return wrapped if wrapped[1 : 1 + _ID] == self._active else self._wrap(scope, key)

    def _wrap(self, scope: str, key: bytes) -> bytes:
        if not self._active:
            self.load(make=False)
        nonce = os.urandom(_NONCE)
        master = AESGCM(self._keys[self._active])
        return SEALED + self._active + nonce + master.encrypt(nonce, key, _place_of(scope, self._active))

    def _unwrap(self, scope: str, wrapped: bytes) -> bytes:
        name, rest = wrapped[1 : 1 + _ID], wrapped[1 + _ID :]
        if name not in self._keys:
            self.load(make=False)  # it may have been rotated since
        if name not in self._keys:
            raise KeyRefused(
                "The log is encrypted with another key.",
                mend="Put back the key file that was in use, or have key_command give that key too.",
            )
        try:
            return AESGCM(self._keys[name]).decrypt(rest[:_NONCE], rest[_NONCE:], _place_of(scope, name))
        except (InvalidTag, ValueError):
            raise KeyRefused("A data key was changed or moved.", mend="Restore the log from a backup.") from None


def new_master() -> bytes:
    """A master key of 32 random bytes."""
    return AESGCM.generate_key(8 * KEY_BYTES)


def _id_of(key: bytes) -> bytes:
    """A name that tells nothing of the key: which one wrapped a data key stands beside it."""
    return hashlib.sha256(b"sameday master key" + key).digest()[:_ID]


def _place_of(scope: str, name: bytes) -> bytes:
    return b"key\0" + name + scope.encode()
