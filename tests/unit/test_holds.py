"""What of a track's time line is kept: off the record, consents, and audio that comes late."""

from collections.abc import Sequence
from typing import TypedDict, cast

import numpy as np
import pytest

from streaming import recording
from streaming.consents import Agreement
from streaming.errors import NoConsent, SessionOver, StoreFailed
from streaming.events import AudioSpan, Event, GapMarked, RecordingHeld
from streaming.holds import Holds
from streaming.memory_store import MemoryStore
from streaming.segmenting import SegmentSettings
from streaming.session import Session
from streaming.session_engines import Engines
from streaming.session_log import SessionLog
from streaming.track import Track
from streaming.types import SAMPLE_RATE, ConsentWay, Tick, TrackId, TrackPlan

pytestmark = pytest.mark.unit
MIC = TrackId("mic")


class By(TypedDict):
    """Who decides, and from which ticks on it counts."""

    ticks: dict[str, int]
    by: str


BY: By = {"ticks": {}, "by": "dana"}


class Silent:
    """Engines of which a session that is not run needs the settings alone."""

    segments = SegmentSettings()
    writer = None
    clinician_voice = None


class Refusing(MemoryStore):
    """A store that can be made to take nothing."""

    refuses = False

    async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
        if self.refuses:
            raise StoreFailed("no room")
        return await super().append(session, events, on=on)


async def begun(store: MemoryStore, present: str = "clinician client", agreed: str = "clinician client") -> Session:
    session = Session("s", SessionLog("s", store), cast("Engines", Silent()))
    ways: dict[str, ConsentWay] = dict.fromkeys(agreed.split(), "spoken")
    await session.start((TrackPlan(MIC, 1),), Agreement(tuple(present.split()), ways, "May I?"), "soap")
    return session


async def again(store: MemoryStore) -> Session:
    """The session as a server that is started anew, or another node, has it."""
    found = SessionLog("s", store)
    await found.catch_up()
    session = Session("s", found, cast("Engines", Silent()))
    await session.resume()
    return session


async def say(track: Track, start_s: float, end_s: float, loudness: int) -> Tick:
    """Audio of a stretch of the time line, in blocks of a tenth of a second."""
    durable = track.received
    for at in range(round(start_s * 10), round(end_s * 10)):
        durable = await track.write(Tick(at * 1600), np.full(1600, loudness, np.int16))
    return durable


async def stored(store: MemoryStore) -> tuple[set[int], list[tuple[float, float, str]]]:
    """The loudnesses that are in the log, and its gaps in seconds."""
    heard, gaps = set[int](), list[tuple[float, float, str]]()
    async for one in store.replay("s", audio=True):
        if isinstance(one.event, AudioSpan):
            heard |= {int(value) for value in np.unique(one.event.pcm)}
        if isinstance(one.event, GapMarked):
            gap = one.event.gap
            gaps.append((gap.start / SAMPLE_RATE, gap.end / SAMPLE_RATE, gap.cause))
    return heard, gaps


def at(seconds: float) -> dict[str, int]:
    return {"mic": round(seconds * SAMPLE_RATE)}


def test_rules_count_from_their_ticks_on() -> None:
    holds = Holds()
    assert holds.next(Tick(0), Tick(50)) == (50, None)
    holds.change(Tick(10), "off_the_record")
    holds.change(Tick(30), None)
    holds.change(Tick(20), "awaiting_consent")  # never from before the newest change
    assert [holds.next(Tick(start), Tick(99)) for start in (0, 10, 29, 30)] == [
        (10, None), (30, "off_the_record"), (30, "off_the_record"), (99, "awaiting_consent"),
    ]  # fmt: skip
    assert holds.cause == "awaiting_consent"


async def test_off_the_record_nothing_is_kept_and_its_time_is_named_once() -> None:
    store = MemoryStore(audio_ticks=None)
    session = await begun(store)
    track = session.track("mic")
    await say(track, 0, 2, 7)
    await recording.off_record(session, True, **BY)
    assert await say(track, 2, 5, 8) == 5 * SAMPLE_RATE  # acknowledged: nobody keeps it for later
    assert session.log.state.held == "off_the_record"
    await recording.off_record(session, False, **BY)
    await say(track, 5, 6, 9)
    assert await stored(store) == ({7, 9}, [(2.0, 5.0, "off_the_record")])
    assert track.totals().gap_ticks == 3 * SAMPLE_RATE
    assert session.log.state.held is None


async def test_what_is_awaited_when_a_session_ends_by_itself_is_named_to_the_end() -> None:
    """Its sender was lost and is still expected back: the transport that waits hears of no end."""
    store = MemoryStore(audio_ticks=None)
    session = await begun(store)
    track = session.track("mic")
    await say(track, 0, 1, 7)
    track._began -= 20
    assert track.shown_lag_ticks == SAMPLE_RATE
    track.awaited = True
    assert track.shown_lag_ticks >= 20 * SAMPLE_RATE, "all that is missing is shown as lag"
    await track.close()
    await track.settle()
    with pytest.raises(SessionOver):
        await say(track, 1, 2, 8)
    heard, ((start, end, cause),) = await stored(store)
    assert (heard, start, cause) == ({7}, 1.0, "disconnected")
    assert end >= 20.0


async def test_audio_of_before_that_comes_late_is_kept_and_of_meanwhile_is_not() -> None:
    store = MemoryStore(audio_ticks=None)
    session = await begun(store)
    track = session.track("mic")
    await say(track, 0, 1, 7)
    track._began -= 20  # the clock goes on; the line was lost a while ago
    await recording.off_record(session, True, ticks=at(3), by="")
    await recording.off_record(session, False, ticks=at(19), by="")
    await say(track, 1, 3, 5)
    await say(track, 3, 19, 8)
    await say(track, 19, 20, 9)
    heard, gaps = await stored(store)
    assert heard == {5, 7, 9}
    assert (gaps[0][0], gaps[-1][1], {cause for _, _, cause in gaps}) == (3.0, 19.0, {"off_the_record"})


async def test_a_server_started_anew_still_keeps_nothing() -> None:
    store = MemoryStore(audio_ticks=None)
    session = await begun(store)
    await say(session.track("mic"), 0, 1, 7)
    await recording.off_record(session, True, **BY)
    await say(session.track("mic"), 1, 2, 8)  # and the process is gone
    session = await again(store)
    track = session.track("mic")
    assert track.received == SAMPLE_RATE
    await say(track, 2, 3, 8)
    await recording.off_record(session, False, **BY)
    await say(track, 3, 4, 9)
    assert await stored(store) == ({7, 9}, [(1.0, 3.0, "off_the_record")])
    assert (await again(store)).track("mic").totals() == track.totals()


async def test_where_the_log_cannot_be_written_nothing_is_kept_either() -> None:
    store = Refusing(audio_ticks=None)
    session = await begun(store)
    store.refuses = True
    with pytest.raises(StoreFailed):
        await recording.off_record(session, True, **BY)
    store.refuses = False
    await say(session.track("mic"), 0, 1, 8)
    await recording.off_record(session, True, **BY)
    assert (await stored(store))[0] == set()
    assert session.log.state.off_record


async def test_who_joins_is_asked_first() -> None:
    store = MemoryStore(audio_ticks=None)
    session = await begun(store)
    track = session.track("mic")
    await say(track, 0, 1, 7)
    await recording.presence(session, "partner", True, **BY)
    await say(track, 1, 3, 8)
    await recording.off_record(session, True, **BY)
    await say(track, 3, 4, 8)
    await recording.off_record(session, False, **BY)  # back on the record, and still without a consent
    await say(track, 4, 5, 8)
    await recording.consent(session, "partner", "written", "", **BY)
    await say(track, 5, 6, 9)
    heard, gaps = await stored(store)
    assert heard == {7, 9}
    assert gaps == [(1.0, 3.0, "awaiting_consent"), (3.0, 4.0, "off_the_record"), (4.0, 5.0, "awaiting_consent")]
    given = session.log.state.consents.given
    assert {who: one.how for who, one in given.items()} == {
        "clinician": "spoken", "client": "spoken", "partner": "written",
    }  # fmt: skip


async def test_who_leaves_need_not_agree() -> None:
    store = MemoryStore(audio_ticks=None)
    session = await begun(store)
    await recording.presence(session, "parent", True, **BY)
    await say(session.track("mic"), 0, 1, 8)
    await recording.presence(session, "parent", False, **BY)
    await say(session.track("mic"), 1, 2, 9)
    assert (await stored(store))[0] == {9}


async def test_before_all_have_agreed_no_audio_is_taken() -> None:
    store = MemoryStore(audio_ticks=None)
    session = await begun(store, agreed="clinician")
    with pytest.raises(NoConsent):
        recording.check_open(session.log.state)
    await say(session.track("mic"), 0, 1, 8)  # what found a way in all the same
    await recording.off_record(session, True, **BY)
    await recording.off_record(session, False, **BY)
    with pytest.raises(NoConsent):
        recording.check_open(session.log.state)
    await recording.consent(session, "client", "spoken", "", **BY)
    recording.check_open(session.log.state)
    await say(session.track("mic"), 1, 2, 9)
    assert (await stored(store))[0] == {9}


async def test_a_session_that_is_over_decides_nothing() -> None:
    session = await begun(MemoryStore(audio_ticks=None))
    await session.end()
    with pytest.raises(SessionOver):
        await recording.off_record(session, True, **BY)


async def test_a_session_off_the_record_waits_longer() -> None:
    session = await begun(MemoryStore(audio_ticks=None))
    assert session.left(900, 1000)
    await recording.off_record(session, True, **BY)
    assert not session.left(900, 1000)
    assert session.left(900, 4000)


async def test_who_decided_stands_in_the_log() -> None:
    store = MemoryStore(audio_ticks=None)
    session = await begun(store)
    await recording.off_record(session, True, **BY)
    held = [one.event async for one in store.replay("s") if isinstance(one.event, RecordingHeld)]
    assert [(one.cause, one.off_record, one.by) for one in held] == [("off_the_record", True, "dana")]
