"""A folder with the practice's own authority and the server's certificate. Keys are their owner's alone.

`authority.crt` is for the devices, `authority.key` stays here, `server.pem` holds the server's certificate and its
key in one file, so that a renewal is there as a whole or not at all.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from streaming import local_authority
from streaming.errors import SamedayError
from streaming.local_authority import BadCertificate, Names, Pair

_PRIVATE = 0o600
_PUBLIC = 0o644


class FilesFailed(SamedayError):
    """A certificate or key that cannot be read or written."""

    code = "files_failed"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where they lie."""

    path: Path

    @property
    def authority(self) -> Path:
        """What devices are to trust."""
        return self.path / "authority.crt"

    @property
    def authority_key(self) -> Path:
        """The key that vouches; nobody but this command reads it."""
        return self.path / "authority.key"

    @property
    def server(self) -> Path:
        """The server's certificate and its key."""
        return self.path / "server.pem"

    def renewed(self, names: Names, now: datetime, *, new_authority: bool) -> Names:
        """Write a server's certificate, under the authority that is there or a first one; what it is for.

        Host names of the certificate before stay. An authority that is there is moved aside where a new one is asked
        for, never overwritten. Raises BadCertificate, FilesFailed.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            before = local_authority.hosts_of(self.server.read_bytes()) if self.server.exists() else ()
            all_names = Names(tuple(dict.fromkeys((*names.hosts, *before))), names.addresses)
            if new_authority:
                self._put_aside(now)
            authority = self._authority(all_names, now)
            made = local_authority.new_server(authority, all_names, now)
            _replace(self.server, made.certificate + authority.certificate + made.key)
        except OSError as error:
            raise FilesFailed(f"{error.filename or self.path}: {os.strerror(error.errno or 0)}.") from None
        return all_names

    def _authority(self, names: Names, now: datetime) -> Pair:
        there = (self.authority.exists(), self.authority_key.exists())
        if there == (False, False):
            made = local_authority.new_authority(names, now)
            _create(self.authority_key, made.key, _PRIVATE)
            _create(self.authority, made.certificate, _PUBLIC)
            return made
        if not all(there):
            missing = self.authority_key if there[0] else self.authority
            raise BadCertificate(
                f"{missing} is missing.",
                mend="Put back a copy of it, or make a new authority with --new-authority.",
            )
        if self.authority_key.stat().st_mode & 0o077:
            raise BadCertificate("Others can read the authority's key.", mend=f"chmod 600 {self.authority_key}")
        return Pair(self.authority.read_bytes(), self.authority_key.read_bytes())

    def _put_aside(self, now: datetime) -> None:
        for path in (self.authority, self.authority_key):
            with suppress(FileNotFoundError):
                path.rename(path.with_name(f"{path.stem}-until-{now:%Y%m%dT%H%M%S}{path.suffix}"))


def _create(path: Path, content: bytes, mode: int) -> None:
    """Raises FileExistsError where there is one: two commands at once must not mix their authorities."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
    with open(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        fresh.unlink()
    _create(fresh, content, _PRIVATE)
    fresh.replace(path)
