"""Deleting a session: nothing of it is left in the log or the records, and the receipt says what there was."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_contract import MIC, gap, replayed, span, started

from drafting import review_log
from drafting.review import Review
from streaming import device_keys, recap_book, signed_notes, visit_book
from streaming.deletion import KIND, DeletionReceipt, Order, delete_session, receipts
from streaming.errors import SessionGoesOn, SessionPurged, StoreFailed, UnknownSession
from streaming.events import (
    AudioSpan,
    ContentDeleted,
    Event,
    Heard,
    MomentMarked,
    NoteDrafted,
    NoteReviewed,
    SessionEnded,
    SkeletonDrafted,
    SpeakerRelabelled,
    UtteranceClosed,
    UtteranceCorrected,
)
from streaming.memory_records import MemoryRecords
from streaming.memory_store import MemoryStore
from streaming.retention import Times, age_of, due
from streaming.sqlite_store import SqliteStore
from streaming.state import SessionState
from streaming.types import NoteContext, SpeakerId, Statement, Tick, Utterance, UtteranceId, Word

pytestmark = pytest.mark.unit

AT = "2026-02-01T10:00:00+01:00"
ORDER = Order("session", "asked", "anna", AT)
SAID = UtteranceId("mic.1")
NOTE: dict[str, Any] = {
    "format": "soap", "sections": [{"name": "Plan", "statements": [{"text": "Sleep diary.", "provenance": "clinician",
    "evidence": []}]}], "risk": {}, "checks": [], "billing": {}, "unsupported": [], "writer": "embedded",
}  # fmt: skip


def a_session(*, signed: bool = False, ended: bool = True) -> list[Event]:
    word = Word(Tick(0), Tick(9), "Zebulon.", 0.9)
    utterance = Utterance(SAID, MIC, Tick(0), Tick(9), SpeakerId("S1"), "Zebulon.", 0.9, (word,))
    events: list[Event] = [
        started(),
        AudioSpan(MIC, Tick(0), np.zeros(9, np.int16), (Heard("words", 0, 9, b"[]"),)),
        span(1),
        gap(3),
        UtteranceClosed(utterance),
        SpeakerRelabelled(SAID, SpeakerId("S2")),
        UtteranceCorrected(SAID, "Zebulon Quince."),
        MomentMarked(Tick(3)),
    ]
    if ended:
        events += [SessionEnded("2026-01-31T10:50:00+01:00", "requested", ()), NoteDrafted(NOTE, AT)]
    if signed:
        record = NOTE | {
            "version": 1, "context": {}, "signer": "Anna", "credentials": "", "signed_at": AT, "override": "",
            "overridden": [], "late_entry": None,
        }  # fmt: skip
        sign = {"id": "1", "action": "sign", "version": 1, "at": AT, "who": "Anna", "what": "", "record": record}
        events.append(NoteReviewed(sign | {"digest": "d"}))
    return events


async def a_store(events: Sequence[Event]) -> MemoryStore:
    store = MemoryStore(audio_ticks=None)
    await store.append("a", events)
    await store.append("b", [started()])
    return store


async def some_records() -> MemoryRecords:
    records = MemoryRecords()
    await records.put(visit_book.KIND, "a", {"label": "Zebulon"})
    await records.put(visit_book.KIND, "appointment", {"label": "Zebulon", "held": "a"})
    await records.put(visit_book.KIND, "other", {"label": "Other", "held": "b"})
    await records.put(recap_book.KIND, "of_visit", {"visit": "a", "text": "Zebulon"})
    await records.put(recap_book.KIND, "dictated", {"visit": None, "session": "a"})
    await records.put(recap_book.KIND, "other", {"visit": "b", "session": None})
    await records.put(signed_notes.KIND, "a", {"print": [1]})
    for session in ("a", "b"):
        await device_keys.of(records, session)
    return records


async def test_all_of_a_session_goes_and_the_receipt_stays() -> None:
    store, records = await a_store(a_session()), await some_records()
    made = await delete_session(store, records, "a", ORDER)
    assert made == DeletionReceipt(
        "a", "session", AT, "asked", "anna",
        {"audio": 2, "utterances": 1, "speakers": 1, "corrections": 1, "marks": 1, "drafts": 1,
         "events": 3, "recaps": 2, "visits": 1, "signed_note_prints": 1, "appointments_freed": 1},
    )  # fmt: skip
    (left,) = await replayed(store, "a", audio=True)
    assert isinstance(left.event, ContentDeleted)
    assert (left.event.scope, left.event.practice) == ("session", "local")
    of_records = {"recaps", "visits", "signed_note_prints", "appointments_freed"}
    assert left.event.removed == {kind: count for kind, count in made.removed.items() if kind not in of_records}
    assert [one.key for one in await records.all(recap_book.KIND)] == ["other"]
    assert {one.key: one.body.get("held") for one in await records.all(visit_book.KIND)} == {
        "appointment": None, "other": "b",
    }  # fmt: skip
    assert await records.all(signed_notes.KIND) == []
    assert await device_keys.sessions(records) == ["b"]
    assert await receipts(records) == [made]
    assert "Zebulon" not in str(made)
    with pytest.raises(SessionPurged):
        await store.append("a", [gap(1)])
    assert len(await replayed(store, "b")) == 1
    assert await delete_session(store, records, "a", Order("session", "asked", "bert", "later")) == made


async def test_a_signed_note_stays_unless_it_is_said_otherwise() -> None:
    store, records = await a_store(a_session(signed=True)), await some_records()
    made = await delete_session(store, records, "a", ORDER)
    assert made.scope == "transcript"
    assert made.removed == {
        "audio": 2, "utterances": 1, "speakers": 1, "corrections": 1, "marks": 1, "drafts": 1,
    }  # fmt: skip
    state = SessionState()
    for stored in await replayed(store, "a", audio=True):
        assert not isinstance(stored.event, AudioSpan)
        state.apply(stored.event)
    assert (dict(state.utterances), state.marks, state.deleted is not None) == ({}, set(), True)
    assert state.review is not None
    assert state.review.signed is not None
    assert state.review.signed.draft.sections[0].statements[0].text == "Sleep diary."
    assert len(await records.all(recap_book.KIND)) == 3
    assert await delete_session(store, records, "a", ORDER) == made
    whole = await delete_session(store, records, "a", Order("session", "asked", "sven", AT, signed_too=True))
    assert (whole.scope, whole.removed["note_actions"]) == ("session", 1)
    assert len(await replayed(store, "a")) == 1


def a_note(*texts: str, note_format: str = "soap") -> dict[str, Any]:
    rows = [{"text": text, "provenance": "transcript", "evidence": [SAID], "supported": True} for text in texts]
    check = {"rule": "r", "severity": "warn", "message": "Something is missing.", "section": "Plan"}
    sections = [{"name": "Plan", "statements": rows}, {"name": "Assessment", "statements": []}]
    return NOTE | {
        "format": note_format,
        "sections": sections,
        "checks": [check],
        "about": [[one, []] for one in texts],
    }


def a_reviewed_note(*, sent_back: bool) -> list[Event]:
    """A note that was drafted, edited, switched and signed, of whose words the record keeps one sentence."""
    log: list[Event] = [SkeletonDrafted(a_note("Zebulon skeleton.")), NoteDrafted(a_note("Zebulon draft."), AT)]

    def act(made: Callable[[Review], dict[str, Any]]) -> None:
        review = folded(log).review
        assert review is not None
        log.append(NoteReviewed({"id": str(len(log)), **made(review)}))

    def write(text: str) -> None:
        told = {"Plan": [Statement(text, "clinician", ())]}
        act(lambda review: review_log.editing(review, told, at=AT, who="Anna"))

    def sign() -> None:
        given = {"at": AT, "who": "Anna", "credentials": "LCSW", "override": "", "late_reason": ""}
        act(lambda review: review_log.signing(review, context=NoteContext(), cosignature=sent_back, **given))

    act(lambda _: review_log.redrafting(a_note("Zebulon again."), at=AT, who="Anna"))
    write("Zebulon, edited.")
    if sent_back:
        sign()
        act(lambda review: review_log.returning(review, "Shorter, please.", at=AT, who="Sven"))
    write("Sleep diary.")
    other = a_note("Zebulon in another.", note_format="dap")
    act(lambda review: review_log.formatting(review, other, at=AT, who="Anna"))
    sign()
    if sent_back:
        act(lambda review: review_log.cosigning(review, at=AT, who="Sven", credentials="PhD"))
    act(lambda _: review_log.addending("Called back.", at=AT, who="Anna", credentials=""))
    return log


def folded(events: Sequence[Event]) -> SessionState:
    state = SessionState()
    for event in [started(), *events]:
        state.apply(event)
    return state


@pytest.mark.parametrize("sent_back", [False, True])
async def test_drafts_of_a_signed_note_go_with_the_transcript_and_the_record_stays(sent_back: bool) -> None:
    log = a_reviewed_note(sent_back=sent_back)
    before = folded(log).review
    assert before is not None
    store, records = await a_store([started(), *log]), await some_records()
    assert str(log).count("Zebulon") >= 5
    order = Order("transcript", "expired", "server", AT, stop=True)
    made = await delete_session(store, records, "a", order)
    assert made.removed == {"drafts": 2}
    left = [stored.event for stored in await replayed(store, "a")]
    assert "Zebulon" not in str(left)
    after = folded(left[1:]).review
    assert after is not None
    assert (after.state, after.version, after.trail) == ("addended", before.version, before.trail)
    assert (after.record, after.signed, after.addenda) == (before.record, before.signed, before.addenda)
    assert after.intact
    assert [one.text for one in after.note.sections[0].statements] == ["Sleep diary."]


async def test_drafts_of_a_note_that_is_not_signed_stay_until_it_is() -> None:
    store, records = await a_store([*a_session(), *a_reviewed_note(sent_back=False)[1:4]]), await some_records()
    early, late = "2026-01-31T11:00:00+01:00", "2026-03-01T10:00:00+01:00"
    made = await delete_session(store, records, "a", Order("transcript", "asked", "anna", early))
    assert "drafts" not in made.removed
    state = folded([stored.event for stored in await replayed(store, "a")][1:])
    assert state.review is not None
    assert state.review.note.sections[0].statements[0].text == "Zebulon, edited."
    sign = review_log.signing(
        state.review, at=AT, who="Anna", credentials="", override="", late_reason="", context=NoteContext()
    )
    await store.append("a", [NoteReviewed({"id": "s", **sign})])
    times, then = Times(transcript_days=10), datetime.fromisoformat(late)
    again = Order("transcript", "expired", "server", late)
    for expected in ("transcript", None):
        age = age_of(folded([stored.event for stored in await replayed(store, "a")][1:]))
        assert age is not None
        assert due(age, times, then) == expected
        made = await delete_session(store, records, "a", again)
    assert (made.at, made.removed["utterances"], made.removed["drafts"]) == (early, 1, 2)
    left = [stored.event for stored in await replayed(store, "a")]
    assert str(left).count("Zebulon") == str(sign).count("Zebulon")  # what was signed


async def test_audio_alone_goes_by_its_own_order(tmp_path: Path) -> None:
    store, records = SqliteStore(tmp_path / "log.sqlite3"), await some_records()
    await store.append("a", a_session())
    made = await delete_session(store, records, "a", Order("audio", "expired", "server", AT))
    assert made.removed == {"audio": 2, "model_answers": 1}
    kinds = [type(one.event) for one in await replayed(store, "a", audio=True)]
    assert UtteranceClosed in kinds
    assert AudioSpan not in kinds
    assert kinds[-1] is ContentDeleted
    await store.close()


async def test_a_session_that_goes_on_is_deleted_only_by_who_stopped_it() -> None:
    store, records = await a_store(a_session(ended=False)), await some_records()
    with pytest.raises(SessionGoesOn):
        await delete_session(store, records, "a", ORDER)
    assert await records.all(KIND) == []
    stopping = Order("session", "revoked", "anna", AT, stop=True)
    assert (await delete_session(store, records, "a", stopping)).done
    with pytest.raises(UnknownSession):
        await delete_session(store, records, "c", stopping)


async def test_a_deletion_that_was_cut_off_is_finished_by_the_next() -> None:
    class Failing(MemoryStore):
        """A store that is away once, when it is to purge."""

        away = True

        async def purge(self, session: str, receipt: Event, *, on: int | None = None) -> int:
            if self.away:
                raise StoreFailed("The store is away.")
            return await super().purge(session, receipt, on=on)

    store, records = Failing(), await some_records()
    await store.append("a", a_session())
    with pytest.raises(StoreFailed):
        await delete_session(store, records, "a", ORDER)
    (begun,) = await receipts(records)
    assert (begun.done, begun.by) == (False, "anna")
    store.away = False
    made = await delete_session(store, records, "a", Order("session", "asked", "bert", "later"))
    assert (made.done, made.by, made.at) == (True, "anna", AT)
    assert len(await replayed(store, "a")) == 1


async def test_a_receipt_that_was_not_completed_is_completed() -> None:
    store, records = await a_store(a_session()), await some_records()
    made = await delete_session(store, records, "a", ORDER)
    await records.put(KIND, "a.session", made.as_json() | {"done": False})
    await records.put(signed_notes.KIND, "a", {"print": [1]})
    assert (await delete_session(store, records, "a", ORDER)).done
    assert await records.all(signed_notes.KIND) == []


def test_a_state_that_is_told_of_a_deletion_forgets() -> None:
    state = SessionState()
    for event in a_session():
        state.apply(event)
    state.apply(ContentDeleted("session", AT, "asked", "anna", "north", {}))
    assert (state.started_at, dict(state.utterances), state.note, state.practice) == (None, {}, None, "north")
