"""The zone whose calendar the practice's days are those of: as asked for, else this machine's."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from streaming.errors import PeerError


def zone_of(name: str | None) -> ZoneInfo:
    """A zone of the tz database, this machine's where none is named. Raises PeerError for an unknown one."""
    if name is None:
        return machine_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PeerError("The time zone is not known.", mend="Name one as America/New_York.") from None


def machine_zone() -> ZoneInfo:
    """What `TZ` names, else where /etc/localtime points, else UTC."""
    linked = str(Path("/etc/localtime").resolve()).rpartition("zoneinfo/")[2]
    for name in (os.environ.get("TZ", "").lstrip(":"), linked):
        try:
            if name and not name.startswith("/"):
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")
