"""Recaps and what they were dictated in: what is struck or deleted stays in neither, also where it was cut off."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from store_contract import MIC, replayed, started

from drafting import review_log
from streaming import recap_book, recap_notes, recap_strikes, strikes
from streaming.deletion import Order, delete_session, receipts
from streaming.errors import NoteSigned, StoreFailed
from streaming.events import ContentDeleted, Event, NoteReviewed, SessionEnded, UtteranceClosed
from streaming.memory_records import MemoryRecords
from streaming.memory_store import MemoryStore
from streaming.ports import Record
from streaming.scheduler import Counts
from streaming.seats import SINGLE
from streaming.session_engines import Engines
from streaming.session_log import SessionLog
from streaming.sessions import Sessions
from streaming.settings import Settings
from streaming.types import NoteContext, SpeakerId, Tick, Utterance, UtteranceId, Word

pytestmark = pytest.mark.unit

AT = "2026-02-01T10:00:00+01:00"
ORDER = Order("session", "asked", "anna", AT)
FIRST, SECOND = UtteranceId("mic.1"), UtteranceId("mic.2")
WORDS = {FIRST: "Client said Zebulon is gone.", SECOND: "Client practiced breathing."}


class Cut(MemoryStore):
    """A store that is away when it is next asked for what `fails` names."""

    fails = ""
    before_rewrite: Callable[[], Awaitable[None]] | None = None
    """What somebody else does in the moment before a rewrite, once."""

    async def rewrite(self, *asked: Any, on: int | None = None) -> int:
        self._check("rewrite")
        meanwhile, self.before_rewrite = self.before_rewrite, None
        if meanwhile is not None:
            await meanwhile()
        return await super().rewrite(*asked, on=on)

    async def purge(self, session: str, receipt: Event, *, on: int | None = None) -> int:
        self._check(f"purge {session}")
        return await super().purge(session, receipt, on=on)

    async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
        self._check(f"append {type(events[0]).__name__}" if events else "nothing")
        return await super().append(session, events, on=on)

    def _check(self, what: str) -> None:
        if self.fails == what:
            self.fails = ""
            raise StoreFailed("The store is away.")


class CutRecords(MemoryRecords):
    """Records that are away when a recap is next put, or take their time."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    fails = False
    waits: asyncio.Event | None = None

    async def put(self, kind: str, key: str, body: dict[str, Any], *, version: int | None = None) -> int:
        if self.waits is not None and kind == recap_book.KIND:
            self.reached.set()
            await self.waits.wait()
        if self.fails and kind == recap_book.KIND:
            self.fails = False
            raise StoreFailed("The store is away.")
        return await super().put(kind, key, body, version=version)


class Practice:
    """A dictation `a`, and the recap that was written from it."""

    def __init__(self) -> None:
        self.store, self.records = Cut(), CutRecords()
        engines = SimpleNamespace(scheduler=SimpleNamespace(counts=Counts()))
        self.sessions = Sessions(cast("Engines", engines), self.store, Settings())
        self.recap = ""

    async def begin(self) -> "Practice":
        await self.store.append("a", [started(), *map(said, WORDS), SessionEnded(AT, "requested", ())])
        self.recap = (await self.write()).key
        return self

    async def write(self) -> Record:
        asked = recap_book.Asked(session="a", late_reason="Was ill.")
        return await recap_notes.create(self.records, self.sessions, asked, SINGLE, at=AT)

    async def strike(self, *names: UtteranceId) -> None:
        await recap_strikes.strike(self.records, self.sessions, "a", names, by="anna")

    async def sign(self) -> None:
        log = SessionLog(self.recap, self.store)
        await log.catch_up()
        assert log.state.review is not None
        action = review_log.signing(
            log.state.review, at=AT, who="Anna", credentials="", override="x", late_reason="", context=NoteContext()
        )
        await self.store.append(self.recap, [NoteReviewed({"id": "s", **action})])

    async def intact(self) -> bool:
        """Whether the recap's signed note is there as it was signed."""
        log = SessionLog(self.recap, self.store)
        await log.catch_up()
        return log.state.review is not None and log.state.review.intact

    async def held(self) -> str:
        """All that is kept of the recap."""
        return str([await replayed(self.store, self.recap), await self.records.all(recap_book.KIND)])


def said(name: UtteranceId) -> UtteranceClosed:
    at = 10 * list(WORDS).index(name)
    word = Word(Tick(at), Tick(at + 9), WORDS[name], 0.9)
    return UtteranceClosed(Utterance(name, MIC, word.start, word.end, SpeakerId("S1"), word.text, 0.9, (word,)))


@pytest.mark.parametrize("at", ["log", "record"])
async def test_a_strike_that_was_cut_off_in_a_recap_takes_the_words_out_when_it_is_asked_for_again(at: str) -> None:
    practice = await Practice().begin()
    assert (await practice.held()).count("Zebulon") >= 2
    if at == "log":
        practice.store.fails = "rewrite"
    else:
        practice.records.fails = True
    with pytest.raises(StoreFailed):
        await practice.strike(FIRST)
    await practice.strike(FIRST)
    held = await practice.held()
    assert "Zebulon" not in held
    assert "breathing" in held


async def test_a_recap_that_is_signed_while_a_strike_waits_for_it_is_left_as_it_is() -> None:
    practice = await Practice().begin()
    before = await practice.records.all(recap_book.KIND)
    lock = practice.sessions.lock(practice.recap)
    await lock.acquire()
    striking = asyncio.create_task(practice.strike(FIRST))
    for _ in range(100):
        await asyncio.sleep(0)
    await practice.sign()
    lock.release()
    with pytest.raises(NoteSigned):
        await striking
    assert await practice.records.all(recap_book.KIND) == before
    assert (await practice.held()).count("Zebulon") >= 3


async def test_a_recap_that_is_signed_in_the_moment_before_its_log_is_rewritten_keeps_its_record() -> None:
    practice = await Practice().begin()
    before = (await recap_book.look(practice.records, practice.recap)).body
    practice.store.before_rewrite = practice.sign
    with pytest.raises(NoteSigned):
        await recap_strikes.take_out(practice.records, practice.sessions, practice.recap, [FIRST], by="anna")
    assert await practice.intact()
    assert (await recap_book.look(practice.records, practice.recap)).body == before
    assert "Zebulon" in str(before)


async def test_a_signed_recap_stays_when_another_finishes_what_was_ordered_without_it() -> None:
    practice = await Practice().begin()
    await practice.sign()
    practice.store.fails = "rewrite"
    with pytest.raises(StoreFailed):
        await delete_session(practice.store, practice.records, "a", ORDER)
    undone = [one for one in await receipts(practice.records) if not one.done]
    assert {one.session for one in undone} == {"a", practice.recap}
    for one in undone:
        await delete_session(practice.store, practice.records, one.session, one.again())
    assert all(one.done for one in await receipts(practice.records))
    (left,) = await replayed(practice.store, "a")
    assert isinstance(left.event, ContentDeleted)
    assert await practice.intact()
    kept = [one.event for one in await replayed(practice.store, practice.recap)][-1]
    assert isinstance(kept, ContentDeleted)
    assert kept.scope == "transcript"


async def test_a_supervisor_s_order_takes_the_signed_recap_whoever_finishes_it() -> None:
    practice = await Practice().begin()
    await practice.sign()
    for order in (ORDER, replace(ORDER, by="sven", signed_too=True)):
        practice.store.fails = f"purge {practice.recap}" if order.signed_too else "rewrite"
        with pytest.raises(StoreFailed):
            await delete_session(practice.store, practice.records, "a", order)
    (begun,) = [one for one in await receipts(practice.records) if one.session == "a"]
    assert (begun.done, begun.signed_too) == (False, True)
    assert (await delete_session(practice.store, practice.records, "a", begun.again())).done
    assert [type(one.event) for one in await replayed(practice.store, practice.recap)] == [ContentDeleted]


async def test_a_note_that_is_signed_after_its_deletion_was_cut_off_stays() -> None:
    practice = await Practice().begin()
    practice.store.fails = f"purge {practice.recap}"
    with pytest.raises(StoreFailed):
        await delete_session(practice.store, practice.records, practice.recap, ORDER)
    await practice.sign()
    (begun,) = await receipts(practice.records)
    made = await delete_session(practice.store, practice.records, practice.recap, begun.again())
    assert made.scope == "transcript"
    assert await receipts(practice.records) == [made]
    assert NoteReviewed in [type(one.event) for one in await replayed(practice.store, practice.recap)]
    gone = replace(ORDER, signed_too=True)
    assert (await delete_session(practice.store, practice.records, practice.recap, gone)).scope == "session"


async def test_a_strike_while_a_recap_is_written_finds_it() -> None:
    practice = await Practice().begin()
    wait = practice.records.waits = asyncio.Event()
    writing = asyncio.create_task(practice.write())
    await practice.records.reached.wait()
    practice.records.waits = None
    order = strikes.Order(None, (FIRST,), "anna")
    asked = strikes.strike(practice.sessions, practice.records, "a", order, cast("strikes.Senders", None))
    striking = asyncio.create_task(asked)
    for _ in range(100):  # without a lock it would be through by then
        await asyncio.sleep(0)
    wait.set()
    practice.recap = (await writing).key
    await striking
    recaps = await practice.records.all(recap_book.KIND)
    assert [one.body["spoken"] for one in recaps] == [[[SECOND, WORDS[SECOND]]]] * 2
    assert WORDS[FIRST] not in await practice.held()


async def test_of_a_signed_recap_no_word_stays_in_its_record_once_its_transcript_goes() -> None:
    practice = await Practice().begin()
    await recap_notes.answer(practice.records, practice.sessions, practice.recap, {"plan": "Zebulon weekly"})
    order = replace(ORDER, scope="transcript")
    await delete_session(practice.store, practice.records, practice.recap, order)
    (unsigned,) = await practice.records.all(recap_book.KIND)
    assert str(unsigned.body).count("Zebulon") >= 3  # the draft is the note until it is signed
    await practice.sign()
    await delete_session(practice.store, practice.records, practice.recap, replace(order, at="2026-03-01T10:00:00Z"))
    (left,) = await practice.records.all(recap_book.KIND)
    assert [one for one in ("Zebulon", "breathing", "Was ill") if one in str(left.body)] == []
    told = recap_book.told(left)
    assert (told["format"], told["answers"], told["questions"]) == ("soap", [], [])
    assert await practice.intact()
    with pytest.raises(NoteSigned):
        await practice.strike(SECOND)


async def test_a_recap_whose_making_was_cut_off_is_struck_and_completed() -> None:
    practice = await Practice().begin()
    await practice.strike(FIRST, SECOND)
    practice.store.fails = "append SessionStarted"
    with pytest.raises(StoreFailed):
        await practice.write()
    await practice.strike(FIRST)
    (cut_off,) = await practice.records.all(recap_book.KIND)
    practice.recap = cut_off.key
    assert "Zebulon is gone" not in await practice.held()
    made = datetime.fromisoformat(AT)
    done = [
        await recap_notes.complete(practice.records, practice.sessions, "local", at=made + timedelta(hours=hours))
        for hours in (0.5, 2, 2)
    ]
    assert done == [0, 1, 0]
    await recap_notes.answer(practice.records, practice.sessions, practice.recap, {"plan": "weekly"})
    assert (await delete_session(practice.store, practice.records, practice.recap, ORDER)).scope == "session"
    practice.store.fails = "append SessionStarted"
    with pytest.raises(StoreFailed):
        await practice.write()
    await practice.strike(FIRST, SECOND)
    assert await practice.records.all(recap_book.KIND) == []
