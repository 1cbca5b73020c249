"""What the talk of the last few sessions says, as drafts and edits of their notes need it."""

import asyncio
from collections import OrderedDict
from dataclasses import replace

from drafting.core import Reading, read
from streaming.session_log import SessionLog

_KEPT_READINGS = 8


class Readings:
    """What the talk of the last few sessions says: an hour of it takes a second to read, and an edit needs it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, tuple[int, int, str], bool], asyncio.Future[Reading]] = OrderedDict()

    async def of(self, found: SessionLog, *, talk: bool = True) -> Reading:
        """The reading of a session as it stands; without its talk for a note that was made before that was read."""
        return await asyncio.shield(self.begin(found, talk=talk))

    def begin(self, found: SessionLog, *, talk: bool = True) -> "asyncio.Future[Reading]":
        """Begin to read, off the event loop; who looks at a note often edits it next."""
        key = (found.session, found.state.made_of, talk)
        known = self._kept.get(key)
        if known is None or (known.done() and known.exception() is not None):
            transcript = found.state.transcript()
            wanted = transcript if talk else replace(transcript, utterances=(), roles={})
            known = self._kept[key] = asyncio.get_running_loop().run_in_executor(None, read, wanted)
            while len(self._kept) > _KEPT_READINGS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return known

    def forget(self, session: str) -> None:
        """The session was deleted: what it said is not held any longer."""
        for key in [one for one in self._kept if one[0] == session]:
            del self._kept[key]
