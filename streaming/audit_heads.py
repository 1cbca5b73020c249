"""How far the audit log's chains reach, noted in files of the data folder: beside the store, not in it.

The newest entry in `audit-*.head`, after each of this node's own; in `audit-*.begin`, at each sweep, the numbers of
the last one that was deleted by age and of the newest one then.
"""

import json
import os
import threading
from pathlib import Path

from streaming.audit_chain import Head, Reach


def write(folder: Path, chain: str, head: Head) -> None:
    """Note a head; one that is newer stays. Raises OSError.

    Not fsynced: after a power cut an older head is there, which the chain must hold as well.
    """
    known = read(folder, chain)
    if known is not None and known.number >= head.number:
        return
    _keep(_file(folder, chain), {"number": head.number, "hash": head.hash})


def write_reach(folder: Path, chain: str, reach: Reach) -> None:
    """Note how far a chain reached; what is known to lie further on stays. Raises OSError."""
    known = read_reach(folder, chain) or reach
    latest = Reach(max(known.deleted, reach.deleted), max(known.newest, reach.newest))
    _keep(_file(folder, chain, "begin"), {"deleted": latest.deleted, "newest": latest.newest})


def read_reach(folder: Path, chain: str) -> Reach | None:
    """What was noted, or None where nothing was that can be read."""
    try:
        body = json.loads(_file(folder, chain, "begin").read_text(encoding="ascii"))
        return Reach(int(body["deleted"]), int(body["newest"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(file_of: Path, body: dict[str, int | str]) -> None:
    file_of.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file_of.with_name(f"{file_of.name}.{os.getpid()}.{threading.get_ident()}.part")
    handle = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(body, file)
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
    """Nothing is known any more: the store was put back to an older state on purpose. Raises OSError."""
    for kind in ("head", "begin"):
        for file in folder.glob(f"audit-*.{kind}"):
            file.unlink()


def _file(folder: Path, chain: str, kind: str = "head") -> Path:
    return folder / f"audit-{chain}.{kind}"
