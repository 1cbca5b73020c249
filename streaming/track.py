"""One track of a live session: takes the audio in, and keeps what the track's stages share."""

import asyncio
import time
from dataclasses import replace
from typing import get_args

import numpy as np

from streaming.attribution import Attribution
from streaming.errors import BadAudio, SessionOver
from streaming.events import AudioSpan, Event, GapMarked, TrackTotals
from streaming.holds import Holds
from streaming.levels import Levels
from streaming.ports import TrackLine
from streaming.remembered import Remembered
from streaming.segmenting import Segmenter
from streaming.session_log import SessionLog
from streaming.track_audio import TrackAudio
from streaming.transcription import Transcription
from streaming.types import (
    SAMPLE_RATE,
    Gap,
    GapCause,
    HoldCause,
    Int16Mono,
    SpeakerId,
    Tick,
    TrackId,
    TrackPlan,
    Turns,
    Utterance,
    Words,
)

_INBOX_MESSAGES = 256
"""Words and turns that wait for attribution; a stage that finds the inbox full waits, and lags visibly."""
_HELD_TICKS = 10 * SAMPLE_RATE
"""Audio that is held back is named in pieces of this length while it comes, and not with each packet."""


class Track:
    """The sink a transport writes to (`ports.TrackSink`) and the pure cores of this track's stages."""

    def __init__(self, plan: TrackPlan, log: SessionLog, segmenter: Segmenter, began: float) -> None:
        self.plan = plan
        self.track: TrackId = plan.id
        self.log = log
        self.audio = TrackAudio(log.session, plan.id, log.store)
        self.levels = Levels()
        self.remembered = Remembered()
        self.segmenter = segmenter
        self.holds: Holds = log.state.holds[plan.id]
        """Which of what comes is not kept: never stored, and silence to the stages."""
        self.transcription = Transcription(plan.id, self.levels.quietest)
        self.attribution = Attribution(plan.id)
        self.joined: asyncio.Queue[Words | Turns | None] = asyncio.Queue(_INBOX_MESSAGES)
        self.marks_came = asyncio.Event()
        self.heard = Tick(0)
        """All audio before this tick has been listened to and, where there was speech, recognized."""
        self.diarized = Tick(0)
        self.restored = Tick(0)
        """All before this tick had come when the server was started: nobody waits for tentative words of it."""
        self.said = max((one.end for one in log.state.utterances.values() if one.track == plan.id), default=Tick(0))
        """All utterances before this tick were in the log when it began: heard again they are no news to readers."""
        self.line: TrackLine | None = None
        """The line of its sender, where that one knows its ticks."""
        self.closing: list[Utterance] = []
        """Utterances on their way to the log."""
        self.gaps: list[Gap] = []
        self.awaited = False
        """Whether audio is missing that its sender may still send."""
        self._began = began
        self.last_arrival = time.monotonic()
        self._durable = Tick(0)
        self._unsaved: list[Event] = []
        self._saving = asyncio.Lock()

    @property
    def received(self) -> Tick:
        return self.audio.end

    def clock(self) -> Tick:
        """The session's elapsed time, as the edge's clock has it."""
        return Tick(round((time.monotonic() - self._began) * SAMPLE_RATE))

    @property
    def lag_ticks(self) -> int:
        """How far the stage that is furthest behind is behind what was received."""
        return self.received - min(self.heard, self.diarized)

    @property
    def shown_lag_ticks(self) -> int:
        """The lag as clients are told it: while audio is missing that may still come, by the session's clock."""
        return max(self.lag_ticks, self.clock() - min(self.heard, self.diarized)) if self.awaited else self.lag_ticks

    @property
    def speaker(self) -> SpeakerId | None:
        """Who speaks on a track that one person has alone."""
        return SpeakerId(self.track) if self.plan.speakers == 1 else None

    async def write(self, start: Tick, pcm: Int16Mono) -> Tick:
        self._check_open()
        if pcm.dtype != np.int16 or pcm.ndim != 1:
            raise BadAudio("Audio must be one-dimensional int16.")
        self.last_arrival = time.monotonic()
        if len(pcm) and start > self.received:
            await self._lost(start, "packet_loss")
            self._check_open()
        fresh = pcm[max(0, self.received - start) :]
        while len(fresh):
            before = self.received
            until, held = self.holds.next(before, Tick(before + len(fresh)))
            if held is None:
                kept = fresh[: until - before]
                self._unsaved.append(AudioSpan(self.track, before, kept, self.remembered.take()))
                await self.audio.append(kept)
            else:
                await self._lost(until, held)
            fresh = fresh[until - before :]
        return await self._save()

    async def lose(self, end: Tick, cause: GapCause) -> Tick:
        self._check_open()
        await self._lost(end, cause)
        return await self._save()

    async def close(self) -> None:
        """No more audio comes: what is still missing by now is named."""
        if self.awaited and not self.audio.closed:
            self.awaited = False
            await self._lost(max(self.clock(), self.received), "disconnected")
        await self.audio.close()

    async def settle(self) -> None:
        """Have all that was received in the log, also what is held back and not named yet. Raises StoreFailed."""
        await self._save(whole=True)

    async def go_on(self, at: Tick) -> None:
        """Audio is kept again from tick `at` on: what was held back is named, whether or not any of it came.

        Raises StoreFailed.
        """
        self.last_arrival = time.monotonic()
        since = self.holds.since
        if not self.audio.closed and since <= self.received < at:  # else what was said before is still on its way
            await self._lost(at, self.holds.cause or "off_the_record")
        await self.settle()

    async def restore(self, sequence: int, event: AudioSpan | GapMarked) -> None:
        """Take up what the log holds of this track, in its order: it is heard again, and not written again."""
        if isinstance(event, GapMarked):
            self.gaps.append(event.gap)
            if event.gap.start == self.received:  # else audio that came, and could not be transcribed
                await self._silent(event.gap.end)
        else:
            await self._lost(event.start, "no_audio")  # what was never written cannot be heard, and is named
            self.audio.stored(event.start, sequence)
            self.remembered.recall(event.heard)
            # A store that failed after it had written was asked again: what came twice counts once.
            await self.audio.append(event.pcm[self.received - event.start :])
        self._durable = self.restored = self.received
        self.audio.saved(self.received)

    def _check_open(self) -> None:
        if self.audio.closed:
            raise SessionOver("The session has ended and takes no more audio.")

    async def pass_over(self, start: Tick, end: Tick, cause: GapCause) -> None:
        """Name audio that was received but could not be transcribed."""
        gap = Gap(self.track, start, end, cause)
        self.gaps.append(gap)
        await self.log.append_surely(GapMarked(gap))

    def totals(self) -> TrackTotals:
        """The track's account: what was received is transcribed or lies in a gap."""
        heard = self.heard_through()
        before = [Gap(gap.track, gap.start, min(gap.end, heard), gap.cause) for gap in self.gaps if gap.start < heard]
        return TrackTotals(
            track=self.track,
            received_ticks=self.received,
            transcribed_ticks=heard - _covered(before),
            gap_ticks=_covered(self.gaps),
            speech_ticks=self.transcription.recognized_ticks,
        )

    def heard_through(self) -> Tick:
        """All before this tick has been transcribed, or is in a gap."""
        return min(self.heard, self.transcription.through)

    def needed_from(self) -> Tick:
        """Audio before this tick has been worked off by every stage."""
        return Tick(min(self.transcription.needed_from, self.segmenter.now, self.diarized))

    def forget(self) -> None:
        """Hold nothing any more of what every stage has worked off."""
        self.audio.forget(self.needed_from())
        # A word may be timed a little before the window that it was heard in.
        self.levels.forget(Tick(max(0, self.transcription.needed_from - SAMPLE_RATE)))

    async def _lost(self, end: Tick, cause: GapCause) -> None:
        """Name all from `received` to `end`; what of it would not have been kept anyway is named so."""
        while self.received < end:
            until, held = self.holds.next(self.received, end)
            self._name(Gap(self.track, self.received, until, held or cause), held=held is not None)
            await self._silent(until)

    def _name(self, gap: Gap, *, held: bool) -> None:
        last = self._unsaved[-1] if self._unsaved and not self._saving.locked() else None
        before = last.gap if isinstance(last, GapMarked) else None
        if held and before is not None and (before.cause, before.end) == (gap.cause, gap.start):
            gap = replace(before, end=gap.end)
            self._unsaved.pop()
            self.gaps.remove(before)
        self.gaps.append(gap)
        self._unsaved.append(GapMarked(gap))

    async def _silent(self, end: Tick) -> None:
        """The stages hear silence where nothing came, so that their clocks go on; a gap says that it was none."""
        self.audio.silent(self.received, end)
        # However long, it takes no memory: one sample stands for all.
        await self.audio.append(np.broadcast_to(np.int16(0), (end - self.received,)))

    async def _save(self, *, whole: bool = False) -> Tick:
        """Append what is not in the log yet; what an append that failed left behind goes first.

        Audio is heard before it is saved, so that a slow disk does not delay the words; it is acknowledged after.
        The end of what is held back waits until it is longer, unless the `whole` is wanted: nobody needs to send it
        again, so it counts as acknowledged.
        """
        async with self._saving:
            events, through = tuple(self._unsaved), self.received
            if events and not whole and _waits(events[-1]):
                events = events[:-1]
                self._durable = through if not events else self._durable
            if events:
                last = await self.log.append(*events)
                del self._unsaved[: len(events)]
                for number, event in enumerate(events, last - len(events) + 1):
                    if isinstance(event, AudioSpan):
                        self.audio.stored(event.start, number)
                self._durable = through
                self.audio.saved(through)
            return self._durable


def _waits(event: Event) -> bool:
    """Whether this is a stretch that is held back and still short."""
    if not isinstance(event, GapMarked) or event.gap.cause not in get_args(HoldCause):
        return False
    return event.gap.end - event.gap.start < _HELD_TICKS


def _covered(gaps: list[Gap]) -> int:
    """Ticks in at least one gap."""
    total, reached = 0, 0
    for gap in sorted(gaps, key=lambda gap: gap.start):
        start = max(gap.start, reached)
        total += max(0, gap.end - start)
        reached = max(reached, gap.end)
    return total
