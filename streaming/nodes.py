"""One node among those that share a Redis: its heartbeat, and which sessions it has (`lease_scripts.py`)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streaming import lease_scripts
from streaming.redis_store import RedisStore


@dataclass(frozen=True, slots=True)
class Standing:
    """What a heartbeat tells. `held` are this node's sessions with their epochs; `waiting` have no node."""

    held: Mapping[str, int] = field(default_factory=dict)
    living: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Owner:
    """The node that has a session."""

    node: str
    url: str
    alive: bool


class Nodes:
    """Every method raises StoreFailed. What this node appends carries the epoch of its lease from `hold` on."""

    def __init__(self, store: RedisStore, url: str, capacity: int, timeout_s: float) -> None:
        self.id = uuid.uuid4().hex
        self.url = url
        self.timeout_s = timeout_s
        self.standing = Standing()
        self._store = store
        self._capacity = capacity
        self._epochs: dict[str, int] = {}

    async def beat(self, *, draining: bool = False) -> Standing:
        """Say that this node lives; sessions of dead ones find a new node by it."""
        arguments = [self.url, str(self._capacity), "1" if draining else "0"]
        living, waiting, mine = await self._run(lease_scripts.BEAT, *arguments)
        held = {name.decode(): int(epoch) for name, epoch in zip(mine[::2], mine[1::2], strict=True)}
        self.standing = Standing(held, int(living), int(waiting))
        return self.standing

    async def take(self, session: str) -> None:
        """A session that begins is this node's."""
        self.hold(session, int(await self._run(lease_scripts.TAKE, session)))

    def hold(self, session: str, epoch: int) -> None:
        """Write a session under an epoch from now on."""
        self._epochs[session] = epoch
        self._store.hold(session, epoch)

    def epoch(self, session: str) -> int | None:
        """Under which epoch this node has a session, as far as it knows."""
        return self._epochs.get(session)

    async def drop(self, session: str) -> None:
        """A session is over: nobody needs to have it."""
        if session in self._epochs:
            await self._run(lease_scripts.DROP, session, str(self._epochs[session]))
            self.forget(session)

    async def give(self, session: str) -> str:
        """Hand a session over; the address of its new node, "" where none has room yet.

        From then on whoever still tries to write it here is fenced.
        """
        found: bytes = await self._run(lease_scripts.GIVE, session, str(self._epochs.get(session, 0)))
        return found.decode()

    def forget(self, session: str) -> None:
        """Nothing here works at a session any more: not before, or what still does would not be fenced."""
        self._epochs.pop(session, None)
        self._store.hold(session, None)

    async def owner(self, session: str) -> Owner | None:
        """Who has a session; None where it is over."""
        found = await self._run(lease_scripts.OWNER, session)
        return Owner(found[0].decode(), found[1].decode(), found[2] == 1) if found else None

    async def leave(self) -> None:
        """Say that this node stops: the others need not wait for its heartbeat."""
        await self._run(lease_scripts.LEAVE)

    async def _run(self, script: str, *arguments: str) -> Any:
        timeout_ms = str(round(self.timeout_s * 1000))
        return await self._store.run(script, ("nodes", "leases", "epoch"), (timeout_ms, self.id, *arguments))
