"""What readers are shown of words that are in no utterance yet, live and where a session is heard anew."""

from typing import Any

import pytest

from streaming import stages
from streaming.events import SessionStarted
from streaming.memory_store import MemoryStore
from streaming.segmenting import Segmenter, SegmentSettings
from streaming.session_log import SessionLog
from streaming.track import Track
from streaming.types import SAMPLE_RATE, SpeakerId, Tick, TrackId, TrackPlan, Turn, Turns, Word, Words

pytestmark = pytest.mark.unit
MIC = TrackId("mic")
EARLIER, LATER = "good morning daniel", "how have you been"


class Watched(SessionLog):
    """A log that remembers what was passed on to readers."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__("s", store)
        self.shown: list[str] = []

    async def pass_on(self, key: str, message: dict[str, Any]) -> None:
        self.shown.append(f"{message['committed']} ({message['tentative']})")
        await super().pass_on(key, message)


async def one_track(log: SessionLog) -> Track:
    plan = TrackPlan(MIC, 1)
    if log.state.started_at is None:
        await log.append(SessionStarted("2026-01-05T09:00:00+00:00", (plan,), ("clinician",), "soap"))
    track = Track(plan, log, Segmenter(SegmentSettings()), 0.0)
    await track.joined.put(Turns(MIC, (Turn(Tick(0), Tick(1 << 40), SpeakerId("mic")),), Tick(1 << 40)))
    return track


async def say(track: Track, text: str, start_s: float, *, closes: bool) -> None:
    """Words are heard, then final, one after the other; and then an utterance ends, or nothing more comes."""
    for word in text.split():
        start, end = (round(at * SAMPLE_RATE) for at in (start_s, start_s + 0.3))
        start_s += 0.3
        heard = (Word(Tick(start), Tick(end), word, 1.0),)
        await track.joined.put(Words(MIC, (), heard, Tick(start)))
        await track.joined.put(Words(MIC, heard, (), Tick(end)))
    if closes:
        through = Tick(round((start_s + 0.5) * SAMPLE_RATE))
        await track.joined.put(Words(MIC, (), (), through, breaks=(through,)))


async def nobody() -> None:
    """Nothing hangs on utterances that close."""


async def worked_off(track: Track) -> None:
    await track.joined.put(None)
    await stages.attribute(track, 1, nobody)


async def test_words_are_shown_as_they_become_final_until_they_are_in_an_utterance() -> None:
    log = Watched(MemoryStore())
    track = await one_track(log)
    await say(track, EARLIER, 1.0, closes=True)
    await worked_off(track)
    assert log.shown == [
        " (good)", "good ()", "good (morning)", "good morning ()", "good morning (daniel)", "good morning daniel ()",
        " ()",
    ]  # fmt: skip
    assert [one.text for one in log.state.utterances.values()] == [EARLIER]


async def test_what_is_heard_anew_is_not_shown_again_beside_its_utterances() -> None:
    store = MemoryStore()
    track = await one_track(SessionLog("s", store))
    await say(track, EARLIER, 1.0, closes=True)
    await worked_off(track)

    log = Watched(store)
    await log.catch_up()
    track = await one_track(log)
    await say(track, EARLIER, 1.0, closes=True)
    await say(track, LATER, 3.0, closes=False)
    await worked_off(track)
    assert log.shown == [
        " (how)", "how ()", "how (have)", "how have ()", "how have (you)", "how have you ()", "how have you (been)",
        "how have you been ()", " ()",
    ]  # fmt: skip
    assert [one.text for one in log.state.utterances.values()] == [EARLIER, LATER]
