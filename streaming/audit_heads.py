"""The newest entries of the audit log's chains, noted in files of the data folder: beside the store, not in it."""

import json
import os
from pathlib import Path

from streaming.audit_chain import Head


def write(folder: Path, chain: str, head: Head) -> None:
    """Note a head; one that is newer stays. Raises OSError.

    Not fsynced: after a power cut an older head is there, which the chain must hold as well.
    """
    known = read(folder, chain)
    if known is not None and known.number >= head.number:
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file_of = _file(folder, chain)
    part = file_of.with_name(f"{file_of.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump({"number": head.number, "hash": head.hash}, file)
    os.replace(part, file_of)


def read(folder: Path, chain: str) -> Head | None:
    """The head that was noted, or None where there is none that can be read."""
    try:
        body = json.loads(_file(folder, chain).read_text(encoding="ascii"))
        return Head(int(body["number"]), str(body["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def chains(folder: Path) -> list[str]:
    """The chains of which a head was noted, by name."""
    return sorted(file.stem.removeprefix("audit-") for file in folder.glob("audit-*.head"))


def forget(folder: Path) -> None:
    """No head is known any more: the store was put back to an older state on purpose. Raises OSError."""
    for file in folder.glob("audit-*.head"):
        file.unlink()


def _file(folder: Path, chain: str) -> Path:
    return folder / f"audit-{chain}.head"
