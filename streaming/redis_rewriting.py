"""A session's streams in Redis made anew with other events in the place of some: beside the old ones, piece by piece.

Nobody sees them before they are put in the place of the old ones (`redis_scripts.SWAP`), which happens only where
they are whole, and what is left of one that was cut off is gone after a while.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from streaming import envelope, redis_scripts
from streaming.errors import StoreFailed
from streaming.events import Event
from streaming.redis_door import RedisDoor
from streaming.vault import DataKey

_PIECE = 256
"""Entries at once: 1.6 MB of audio, for which no other command waits long."""
_KEPT_S = 600


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Of one session; `streams` are the keys of its events and its audio."""

    door: RedisDoor
    session: str
    streams: tuple[str, str]
    key: DataKey | None
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def beside(self) -> list[str]:
        """The keys of what is made."""
        return [f"{stream}:{self.name}" for stream in self.streams]

    async def make(self, changes: Mapping[int, Event | None], head: int) -> list[int]:
        """Make both up to the head; how many entries each old one had and its new one has. Raises StoreFailed."""
        try:
            return await self._make(changes, head)
        except BaseException:
            await self.clear()
            raise

    async def _make(self, changes: Mapping[int, Event | None], head: int) -> list[int]:
        copy = self.door.redis.register_script(redis_scripts.COPY)
        keys = [key for pair in zip(self.streams, self.beside, strict=True) for key in pair]
        counts = [0, 0, 0, 0]
        for first in range(1, head + 1, _PIECE):
            last = min(first + _PIECE - 1, head)
            mine = {at: changes[at] for at in range(first, last + 1) if at in changes}
            sealed = await asyncio.to_thread(self._sealed, mine)
            found = await self.door.ask(copy(keys=keys, args=[first, last, _KEPT_S, *sealed]))
            counts = [one + int(more) for one, more in zip(counts, found, strict=True)]
        return counts

    async def clear(self) -> None:
        """Remove what was made and is not in its place; where that fails it goes by itself."""
        with suppress(StoreFailed):
            await self.door.ask(self.door.redis.unlink(*self.beside))

    def appended(self, events: Sequence[Event], head: int) -> list[str | bytes | int]:
        """What comes after the head, for `redis_scripts.SWAP`."""
        return [
            part
            for at, event in enumerate(events, head + 1)
            for part in (
                envelope.kind_of(event),
                envelope.seal_event(self.key, self.session, at, envelope.plain_event(event)),
            )
        ]

    def _sealed(self, changes: Mapping[int, Event | None]) -> list[str | bytes | int]:
        told: list[str | bytes | int] = []
        for at, event in changes.items():
            plain = b"" if event is None else envelope.plain_event(event)
            sealed = b"" if event is None else envelope.seal_event(self.key, self.session, at, plain)
            told += [at, "" if event is None else envelope.kind_of(event), sealed]
        return told
