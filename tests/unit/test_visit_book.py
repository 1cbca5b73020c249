"""The visit book over records in memory: sessions catch up, imports fill, nobody's flags are lost."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from drafting.visit_csv import Imported
from drafting.visits import BadVisit, Visit
from streaming import visit_book
from streaming.errors import UnknownRecord
from streaming.events import Event, NoteDrafted, SessionEnded, SessionStarted
from streaming.memory_records import MemoryRecords
from streaming.memory_store import MemoryStore
from streaming.session_log import SessionLog
from streaming.types import TrackId, TrackPlan

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("America/New_York")
STARTED = SessionStarted("2026-03-05T02:00:00+00:00", (TrackPlan(TrackId("mic"), 2),), ("clinician", "client"))
ENDED = SessionEnded("2026-03-05T02:53:00+00:00", "requested", ())


class Logs:
    """Sessions of a store, none of which goes on; counts how often a whole log is read."""

    def __init__(self, store: MemoryStore, live: Sequence[str] = ()) -> None:
        self.store = store
        self.live = set(live)
        self.read = 0

    async def names(self) -> list[str]:
        return await self.store.sessions()

    def find(self, name: str) -> object | None:
        return name if name in self.live else None

    async def has_news(self, name: str, after: int) -> bool:
        return bool([one async for one in self.store.replay(name, after)])

    async def log_of(self, name: str) -> SessionLog:
        self.read += 1
        found = SessionLog(name, self.store)
        await found.catch_up()
        return found


async def book(*events: Event, name: str = "s1") -> tuple[MemoryRecords, Logs]:
    store = MemoryStore()
    await store.append(name, events)
    return MemoryRecords(), Logs(store)


async def test_a_session_s_day_is_that_of_the_zone() -> None:
    records, logs = await book(STARTED, ENDED)
    (visit,) = await visit_book.with_sessions(records, logs, ZONE)
    assert (visit.id, visit.date, visit.note, visit.source) == ("s1", date(2026, 3, 4), "unsigned", "session")
    assert (visit.start, visit.length_min) == ("2026-03-04T21:00:00-05:00", 53)


async def test_a_live_session_is_no_visit_and_an_interrupted_one_is() -> None:
    records, logs = await book(STARTED)
    logs.live.add("s1")
    assert await visit_book.with_sessions(records, logs, ZONE) == []
    logs.live.clear()
    (visit,) = await visit_book.with_sessions(records, logs, ZONE)
    assert visit.stop is None


async def test_a_log_is_read_again_only_where_it_has_news() -> None:
    records, logs = await book(STARTED, ENDED)
    for _ in range(3):
        await visit_book.with_sessions(records, logs, ZONE)
    assert logs.read == 1
    await logs.store.append("s1", [NoteDrafted({"format": "soap", "sections": [], "billing": {"cpt": "90837"}})])
    (visit,) = await visit_book.with_sessions(records, logs, ZONE)
    assert logs.read == 2
    assert (visit.note, visit.cpt) == ("draft", "90837")


async def test_what_the_clinician_set_by_hand_outlives_the_log() -> None:
    records, logs = await book(STARTED, ENDED)
    await visit_book.with_sessions(records, logs, ZONE)
    await visit_book.change(
        records, "s1", {"audit": True, "payer": "Aetna", "note": "signed"}, at="2026-03-05T09:00:00+00:00"
    )
    await logs.store.append("s1", [NoteDrafted({"format": "soap", "sections": []})])
    (visit,) = await visit_book.with_sessions(records, logs, ZONE)
    assert (visit.audit, visit.payer, visit.note) == (True, "Aetna", "signed")
    assert visit.signed_at == "2026-03-05T09:00:00+00:00"


async def test_a_dictation_is_no_visit() -> None:
    records, logs = await book(STARTED, ENDED)
    await visit_book.no_visit(records, "s1")
    assert await visit_book.with_sessions(records, logs, ZONE) == []
    with pytest.raises(UnknownRecord):
        await visit_book.look(records, "s1")


async def test_an_import_gets_ids_that_tell_nothing_and_is_known_the_second_time() -> None:
    records, logs = await book()
    visits = (Visit("x", date(2026, 3, 4), "J. D."), Visit("y", date(2026, 3, 3), "K. L."))
    assert (await visit_book.take(records, Imported(visits))).as_json() == {"new": 2, "filled": 0, "known": 0}
    later = (Visit("z", date(2026, 3, 4), "j. d.", note="signed", cpt="90834"), visits[1])
    assert (await visit_book.take(records, Imported(later))).as_json() == {"new": 0, "filled": 1, "known": 1}
    kept = await visit_book.with_sessions(records, logs, ZONE)
    assert {one.id for one in kept}.isdisjoint({"x", "y", "z"})
    assert sorted((one.label, one.note) for one in kept) == [("J. D.", "signed"), ("K. L.", "unsigned")]


async def test_a_note_that_is_taken_back_is_no_longer_signed() -> None:
    records, _ = await book()
    visit = await visit_book.add(records, {"date": "2026-03-04", "label": "J. D."})
    signed = await visit_book.change(records, visit.id, {"note": "signed"}, at="2026-03-05T09:00:00+00:00")
    assert signed.signed_at == "2026-03-05T09:00:00+00:00"
    assert (
        await visit_book.change(records, visit.id, {"note": "draft"}, at="2026-03-05T10:00:00+00:00")
    ).signed_at is None


async def test_a_recap_makes_a_draft_of_what_has_none_and_changes_no_signed_note() -> None:
    records, _ = await book()
    visit = await visit_book.add(records, {"date": "2026-03-04", "label": "J. D."})
    await visit_book.recapped(records, visit.id, "r1", at="2026-03-05T09:00:00+00:00")
    assert (await visit_book.look(records, visit.id)).note == "draft"
    await visit_book.change(records, visit.id, {"note": "signed"}, at="2026-03-05T10:00:00+00:00")
    await visit_book.recapped(records, visit.id, "r1", at="2026-03-05T11:00:00+00:00")
    assert (await visit_book.look(records, visit.id)).note == "signed"


@pytest.mark.parametrize("body", [{"date": "2026-03-04", "source": "csv"}, {"label": "J. D."}])
async def test_what_the_server_gives_cannot_be_sent(body: dict[str, object]) -> None:
    records, _ = await book()
    with pytest.raises(BadVisit):
        await visit_book.add(records, body)


async def test_an_appointment_that_has_begun_is_the_session_s_visit_and_is_not_brought_in_again() -> None:
    records, logs = await book(STARTED, name="s1")
    logs.live.add("s1")
    start = "2026-03-04T20:55:00-05:00"
    given = {"date": "2026-03-04", "label": "Dana Example", "start": start, "payer": "Aetna", "kind": "intake"}
    made = await visit_book.add(records, given | {"modality": "telehealth_video"})
    await visit_book.begun(records, made.id, "s1")
    (running,) = await visit_book.with_sessions(records, logs, ZONE)
    assert (running.id, running.session, running.label, running.modality) == (
        "s1", "s1", "Dana Example", "telehealth_video",
    )  # fmt: skip
    await logs.store.append("s1", [ENDED])
    logs.live.clear()
    (over,) = await visit_book.with_sessions(records, logs, ZONE)
    assert (over.start, over.payer, over.kind, over.label) == (
        "2026-03-04T21:00:00-05:00", "Aetna", "intake", "Dana Example",
    )  # fmt: skip
    again = Imported((Visit("x", date(2026, 3, 4), "Dana Example", start=start),))
    assert (await visit_book.take(records, again)).new == 0
    assert len(await visit_book.with_sessions(records, logs, ZONE)) == 1
