"""Two nodes at one ended session at the same moment: whatever comes first, nothing of either is lost or comes back.

Each node is a `Sessions` of its own on the same store, which lets the others run at each of its steps, by chance.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kept_sessions import keep_session
from store_contract import replayed

from drafting.embedded import EmbeddedWriter
from streaming import amending, recap_book, recap_notes, strikes
from streaming.deletion import Order, delete_session, receipts
from streaming.errors import Conflict, NotDrafted, NoteSigned, SamedayError, SessionPurged
from streaming.events import ContentDeleted, Struck
from streaming.memory_records import MemoryRecords
from streaming.memory_store import MemoryStore
from streaming.note_desk import Signing
from streaming.ports import Record
from streaming.scheduler import Counts
from streaming.seats import SINGLE
from streaming.session_engines import Engines
from streaming.session_log import SessionLog
from streaming.sessions import Sessions
from streaming.settings import Settings
from streaming.types import SpeakerId, UtteranceId

pytestmark = pytest.mark.unit

AT = "2026-02-01T10:00:00+01:00"
CALMER, REPORTS = UtteranceId("mic.5"), UtteranceId("mic.3")
TIMES = 8
"""Of each: with other chances each time."""


class Chance:
    """Lets the others run for a while, some of the time."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    async def turn(self) -> None:
        for _ in range(self._random.choice((0, 0, 1, 2, 5, 20))):
            await asyncio.sleep(0)


class SlowStore(MemoryStore):
    """Each step of it takes its time before and after."""

    def __init__(self, chance: Chance) -> None:
        super().__init__()
        self._turn = chance.turn

    async def append(self, *asked: Any, on: int | None = None) -> int:
        await self._turn()
        last = await super().append(*asked, on=on)
        await self._turn()
        return last

    async def rewrite(self, *asked: Any, on: int | None = None) -> int:
        await self._turn()
        last = await super().rewrite(*asked, on=on)
        await self._turn()
        return last

    async def purge(self, *asked: Any, on: int | None = None) -> int:
        await self._turn()
        last = await super().purge(*asked, on=on)
        await self._turn()
        return last

    async def replay(self, session: str, after: int = 0, *, audio: bool = False) -> AsyncIterator[Any]:
        await self._turn()
        async for stored in super().replay(session, after, audio=audio):
            yield stored
        await self._turn()


class SlowRecords(MemoryRecords):
    """As the store."""

    def __init__(self, chance: Chance) -> None:
        super().__init__()
        self._turn = chance.turn

    async def put(self, kind: str, key: str, body: dict[str, Any], *, version: int | None = None) -> int:
        await self._turn()
        made = await super().put(kind, key, body, version=version)
        await self._turn()
        return made

    async def get(self, kind: str, key: str) -> Record:
        await self._turn()
        found = await super().get(kind, key)
        await self._turn()
        return found

    async def all(self, kind: str) -> list[Record]:
        await self._turn()
        found = await super().all(kind)
        await self._turn()
        return found


class House:
    """One session of a practice with two nodes, and whatever is kept of it."""

    def __init__(self, seed: int) -> None:
        chance = Chance(seed)
        self.store, self.records = SlowStore(chance), SlowRecords(chance)
        self.one, self.other = (Sessions(_engines(), self.store, Settings()) for _ in range(2))
        self.session = ""

    async def begin(self) -> "House":
        self.session = await keep_session(self.store)
        for node in (self.one, self.other):
            await node.log_of(self.session)  # both know it as it was
        return self

    async def strike(self, node: Sessions, *names: UtteranceId) -> None:
        order = strikes.Order(None, names, "anna")
        await strikes.strike(node, self.records, self.session, order, cast("strikes.Senders", None))

    async def sign(self, node: Sessions) -> None:
        async with node.at_desk(self.session) as desk:
            await desk.sign(desk.review.version, Signing("Anna", "LCSW", override="seen"))

    async def write_recap(self, node: Sessions) -> None:
        asked = recap_book.Asked(session=self.session)
        await recap_notes.create(self.records, node, asked, SINGLE, at=AT)

    async def delete(self) -> None:
        await delete_session(self.store, self.records, self.session, Order("session", "asked", "anna", AT))

    async def kept(self) -> str:
        """All that is kept, of every session and record."""
        logs = [await replayed(self.store, name) for name in await self.store.sessions()]
        return str([logs, await self.records.all(recap_book.KIND)])

    async def log(self) -> SessionLog:
        found = SessionLog(self.session, self.store)
        await found.catch_up()
        return found


def _engines() -> Engines:
    made = SimpleNamespace(scheduler=SimpleNamespace(counts=Counts()), writer=EmbeddedWriter())
    return cast("Engines", made)


async def outcomes(*deeds: Awaitable[None]) -> list[SamedayError | None]:
    """What became of them, all at once; only what a client may be told comes back."""
    found: Sequence[Any] = await asyncio.gather(*deeds, return_exceptions=True)
    for one in found:
        if one is not None and not isinstance(one, SamedayError):
            raise one
    return list(found)


async def each_time(deed: Callable[[House], Awaitable[None]]) -> None:
    for seed in range(TIMES):
        await deed(await House(seed).begin())


async def test_two_strikes_are_both_done() -> None:
    async def once(house: House) -> None:
        made = await outcomes(house.strike(house.one, CALMER), house.strike(house.other, REPORTS))
        assert made == [None, None]
        kept = await house.kept()
        assert [word for word in ("calmer", "reports at work") if word in kept] == []
        struck = [
            one.event.removed for one in await replayed(house.store, house.session) if isinstance(one.event, Struck)
        ]
        assert sorted(struck) == [(REPORTS,), (CALMER,)]
        assert (await house.log()).state.review is not None

    await each_time(once)


async def test_a_note_is_signed_before_a_strike_or_without_what_was_struck() -> None:
    async def once(house: House) -> None:
        struck, signed = await outcomes(house.strike(house.one, CALMER), house.sign(house.other))
        review = (await house.log()).state.review
        assert review is not None
        if struck is None:
            assert "calmer" not in await house.kept()
            assert isinstance(signed, Conflict) or (signed is None and review.intact)
        else:
            assert isinstance(struck, NoteSigned)
            assert signed is None
            assert review.intact
            assert "calmer" in await house.kept()

    await each_time(once)


async def test_words_that_are_put_right_while_they_are_struck_do_not_stay() -> None:
    async def once(house: House) -> None:
        correcting = amending.correct(house.other, house.session, CALMER, "I felt much calmer")
        swapping = amending.assign_roles(house.other, house.session, {SpeakerId("S2"): "other"})
        made = await outcomes(house.strike(house.one, CALMER), correcting, swapping)
        assert (made[0], made[2]) == (None, None)
        assert "calmer" not in await house.kept()
        state = (await house.log()).state
        assert state.roles is not None
        assert state.roles.roles[SpeakerId("S2")] == "other"

    await each_time(once)


async def test_a_draft_that_was_being_written_brings_no_struck_word_back() -> None:
    async def once(house: House) -> None:
        async def redraft() -> None:
            await house.other.redraft(house.session, None, None, who="Pat")

        struck, redrafted = await outcomes(house.strike(house.one, CALMER), redraft())
        assert struck is None
        assert redrafted is None or isinstance(redrafted, Conflict)
        assert "calmer" not in await house.kept()

    await each_time(once)


async def test_a_recap_that_is_written_or_answered_during_a_strike_has_none_of_it() -> None:
    async def once(house: House) -> None:
        await house.write_recap(house.one)
        (there,) = await house.records.all(recap_book.KIND)

        async def answer() -> None:
            await recap_notes.answer(house.records, house.other, there.key, {"plan": "weekly"})

        made = await outcomes(house.strike(house.one, CALMER), house.write_recap(house.other), answer())
        assert made[:2] == [None, None]
        assert made[2] is None or isinstance(made[2], Conflict)
        assert "calmer" not in await house.kept()
        recaps = await house.records.all(recap_book.KIND)
        assert len(recaps) == 2
        assert all(CALMER not in recap_book.rests_on(one) for one in recaps)

    await each_time(once)


async def test_a_note_that_is_signed_as_its_session_is_deleted_stays_or_is_gone() -> None:
    async def once(house: House) -> None:
        deleted, signed = await outcomes(house.delete(), house.sign(house.other))
        assert deleted is None
        (receipt,) = await receipts(house.records)
        assert receipt.done
        if receipt.scope == "session":
            assert isinstance(signed, SessionPurged | NotDrafted)
            assert [type(one.event) for one in await replayed(house.store, house.session)] == [ContentDeleted]
        else:
            assert signed is None
            review = (await house.log()).state.review
            assert review is not None
            assert review.intact

    await each_time(once)


async def test_what_is_written_of_a_session_while_it_is_deleted_goes_with_it() -> None:
    async def once(house: House) -> None:
        deleted, *_ = await outcomes(
            house.delete(),
            house.write_recap(house.one),
            amending.correct(house.other, house.session, CALMER, "I felt much calmer"),
            house.strike(house.other, REPORTS),
        )
        assert deleted is None
        assert await house.records.all(recap_book.KIND) == []
        kept = await house.kept()
        assert [word for word in ("calmer", "reports", "thought record") if word in kept] == []

    await each_time(once)
