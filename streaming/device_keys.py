"""Keys under which devices seal the sound that they keep until it is acknowledged: one of a session.

A device has it from `ready` (docs/protocol.md) and in memory alone, so that what its disk holds can be read only with
a sign-in that may send the session's audio. It is deleted with the session, and once the session takes no more.
"""

import base64
import contextlib
import secrets

from streaming.errors import Conflict, UnknownRecord
from streaming.ports import Records
from streaming.vault import KEY_BYTES

KIND = "device_key"
"""Among a practice's records, by session."""


async def of(records: Records, session: str) -> str:
    """A session's key in base64, made by the first who asks; the same at every node. Raises StoreFailed."""
    with contextlib.suppress(UnknownRecord):
        return _key(await _kept(records, session))
    made = {"key": base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}
    with contextlib.suppress(Conflict):
        await records.put(KIND, session, made, version=0)
        return _key(made)
    return _key(await _kept(records, session))


async def sessions(records: Records) -> list[str]:
    """Those that there is a key of. Raises StoreFailed."""
    return [one.key for one in await records.all(KIND)]


async def forget(records: Records, *sessions: str) -> None:
    """Delete sessions' keys; one that is not there changes nothing. Raises StoreFailed."""
    await records.remove_all(KIND, sessions)


async def _kept(records: Records, session: str) -> dict[str, str]:
    return (await records.get(KIND, session)).body


def _key(body: dict[str, str]) -> str:
    return body["key"]
