"""Master keys from a file for its owner alone, or from a command that asks a key management service.

Both give the same text: a key in base64 on each line, the one that counts first, older ones after it. A file is made
at the first start, beside the data folder and not in it, so that a copy of the data does not hold its own key.
"""

import base64
import binascii
import os
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from streaming.errors import KeyRefused
from streaming.vault import KEY_BYTES, new_master

_COMMAND_S = 30.0


class KeyFile:
    """Implements `vault.KeySource` over a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, *, make: bool) -> Sequence[bytes]:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if not make:
                raise KeyRefused(
                    "The key that the log is encrypted with is missing.", mend=f"Put it back at {self.path}."
                ) from None
            return [self._made()]
        except OSError as error:
            raise KeyRefused(f"The key file cannot be read: {os.strerror(error.errno or 0)}.") from None
        with open(handle, encoding="ascii", errors="replace") as file:
            if os.fstat(handle).st_mode & 0o077:
                raise KeyRefused("Others can read the key file.", mend=f"chmod 600 {self.path}")
            return parsed(file.read())

    def add(self) -> None:
        """Put a new key before the ones there are. Raises KeyRefused."""
        self._write([new_master(), *self.read(make=False)])

    def keep_first(self) -> None:
        """Forget all keys but the one that counts. Raises KeyRefused."""
        self._write(self.read(make=False)[:1])

    def _made(self) -> bytes:
        """A new key; where another process makes one at the same moment, that one counts."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = new_master()
            temporary = self._temporary([key])
            try:
                os.link(temporary, self.path)  # never over a file that is there
            except FileExistsError:
                return self.read(make=False)[0]
            finally:
                os.unlink(temporary)
            _sync(self.path.parent)
        except OSError as error:
            raise KeyRefused(f"The key file cannot be made: {os.strerror(error.errno or 0)}.") from None
        return key

    def _write(self, keys: Sequence[bytes]) -> None:
        try:
            os.replace(self._temporary(keys), self.path)
            _sync(self.path.parent)
        except OSError as error:
            raise KeyRefused(f"The key file cannot be written: {os.strerror(error.errno or 0)}.") from None

    def _temporary(self, keys: Sequence[bytes]) -> Path:
        path = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with suppress(FileNotFoundError):
            os.unlink(path)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with open(handle, "w", encoding="ascii") as file:
            file.write("".join(f"{base64.b64encode(key).decode()}\n" for key in keys))
            file.flush()
            os.fsync(handle)
        return path


class KeyCommand:
    """Implements `vault.KeySource` over a command; it is run without a shell, and what it says is never shown."""

    def __init__(self, command: str) -> None:
        self._command = command

    def read(self, *, make: bool) -> Sequence[bytes]:
        try:
            done = subprocess.run(
                shlex.split(self._command), stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_S
            )
        except subprocess.TimeoutExpired:
            raise KeyRefused(f"key_command gave no key within {_COMMAND_S:.0f} s.") from None
        except (OSError, ValueError):
            raise KeyRefused("key_command cannot be run.", mend="Name a program that prints the key.") from None
        if done.returncode:
            raise KeyRefused(f"key_command failed with status {done.returncode}.")
        return parsed(done.stdout.decode("ascii", "replace"))


def parsed(text: str) -> list[bytes]:
    """The keys of a text. Raises KeyRefused, which says nothing of it."""
    try:
        keys = [base64.b64decode(line, validate=True) for line in text.split()]
    except (binascii.Error, ValueError):
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise KeyRefused(
            "The encryption key makes no sense.", mend="It is 32 random bytes in base64, one key on each line."
        )
    return keys


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
