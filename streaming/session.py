"""A live session: its tracks, its stages in reading order, and what happens at its end."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from diarization.online import OnlineDiarizer
from drafting.preparing import following, keep_prepared
from drafting.stage import Show, draft_note, skeleton
from streaming import session_roles, stages, tracing, wall_clock
from streaming.consents import Agreement
from streaming.errors import SessionOver, StoreFailed, UnknownTrack
from streaming.events import (
    AudioSpan,
    ContextGiven,
    Event,
    GapMarked,
    NoteDrafted,
    RecordingHeld,
    RolesAssigned,
    SessionEnded,
    SessionStarted,
    SkeletonDrafted,
    SpeakerRelabelled,
    StageFailed,
    TurnsSettled,
)
from streaming.ports import NoteWriter
from streaming.relabelling import relabelled
from streaming.seats import LOCAL
from streaming.segmenting import Segmenter
from streaming.session_engines import Engines
from streaming.session_log import SessionLog
from streaming.state import Progress, SessionState
from streaming.track import Track
from streaming.types import Gap, Role, RoleGuess, SpeakerId, Tick, TrackId, TrackPlan, seconds
from streaming.vad import VoiceDetector
from streaming.wall_clock import now

log = logging.getLogger("sameday.session")

HELD_AT_MOST_S = 3600.0
"""A session that keeps nothing, being off the record or without a consent, ends after so long without audio."""

EndReason = Literal["requested", "idle", "failed"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose session it is, and which account started it (empty where there are no accounts)."""

    practice: str = LOCAL
    account: str = ""


async def drafted(
    state: SessionState, writer: NoteWriter, note_format: str, show: Show | None = None
) -> dict[str, Any]:
    """The note of a session in any format, as `sameday draft --json` prints it. Raises BadFormat."""
    note = await draft_note(state.transcript(), writer, note_format, show=show)
    return note.as_json()


class Session:
    """Runs from `start` to `end`; afterwards `log.state` is all there is to know."""

    def __init__(
        self, name: str, log_: SessionLog, engines: Engines, *, watched: bool = True, owner: Owner | None = None
    ) -> None:
        """With `watched` false nobody looks at tentative words, and none are made.

        The owner of one that is taken up is in its log.
        """
        self.id = name
        self.owner = owner or Owner(log_.state.practice)
        self.log = log_
        self.progress: Progress = "live"
        self._engines = engines
        self._writer = following(engines.writer, name)
        self._watched = watched
        self._tracks: dict[TrackId, Track] = {}
        self._diarizers: dict[TrackId, OnlineDiarizer] = {}
        self._reason: EndReason = "requested"
        self._weighed = 0
        self._began = 0.0
        self._ending = asyncio.Event()
        self.ready = asyncio.Event()
        """Set once audio may come."""
        self.ended = asyncio.Event()

    @property
    def tracks(self) -> list[Track]:
        """All tracks, as announced."""
        return list(self._tracks.values())

    def track(self, name: str) -> Track:
        """The sink of one track. Raises UnknownTrack, SessionOver."""
        if self.progress != "live":
            raise SessionOver("The session has ended and takes no more audio.")
        try:
            return self._tracks[TrackId(name)]
        except KeyError:
            raise UnknownTrack(
                "The session has no such track.", mend="Use a track that POST /api/sessions named."
            ) from None

    async def start(
        self,
        plans: tuple[TrackPlan, ...],
        consent: Agreement,
        note_format: str,
        context: ContextGiven | None = None,
    ) -> None:
        """Write the first event, with what is known beside the talk; only then may audio come.

        Where a consent is missing none is kept yet.
        """
        at, written = now(), tuple(who for who, how in consent.agreed.items() if how == "written")
        events: list[Event] = [
            SessionStarted(
                at,
                plans,
                tuple(consent.agreed),
                note_format,
                self.owner.practice,
                self.owner.account,
                consent.present,
                written,
                consent.script,
            )
        ]
        if not consent.complete:
            nothing = {plan.id: Tick(0) for plan in plans}
            events.append(RecordingHeld("awaiting_consent", nothing, off_record=False, at=at))
        if context is not None:
            events.append(context)
        known: dict[SpeakerId, Role] = {
            SpeakerId(plan.id): plan.role for plan in plans if plan.speakers == 1 and plan.role
        }
        if known:
            events.append(RolesAssigned(RoleGuess(known, "track", 1.0)))
        await self.log.append(*events)
        self._prepare(plans, time.monotonic())
        self.ready.set()

    async def resume(self) -> None:
        """Take up a session that its process left, as its log has it: what was received is heard anew.

        What comes of it is a function of the audio alone, so the utterances are those the log holds already. Models
        are not asked again for what they had made of it: that lies beside the audio (`remembered.py`).
        Raises StoreFailed.
        """
        state = self.log.state
        assert state.started_at is not None, "a session begins with its start"
        elapsed = datetime.now(UTC) - datetime.fromisoformat(state.started_at)
        self._prepare(state.tracks, time.monotonic() - elapsed.total_seconds())
        if state.ended_at is not None:
            self.ready.set()
            return
        async for stored in self.log.store.replay(self.id, audio=True):
            match stored.event:
                case AudioSpan(track=name) | GapMarked(gap=Gap(track=name)):
                    await self._tracks[name].restore(stored.sequence, stored.event)
        await self.save()  # a hole in the log that was found and named
        self.ready.set()

    def _prepare(self, plans: tuple[TrackPlan, ...], began: float) -> None:
        self._began = began
        for plan in plans:
            self._tracks[plan.id] = Track(plan, self.log, Segmenter(self._engines.segments), began)
            if plan.speakers > 1:
                self._diarizers[plan.id] = self._engines.diarizer(plan, self._tracks[plan.id].remembered)

    async def run(self) -> None:
        """Transcribe until the end is asked for and everything has been worked off; then write the note.

        A session that was taken up after its end lacks its note alone.
        """
        if self.log.state.ended_at is not None:
            await self._finish(draft=self._draft())
            return
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch())
                ahead = group.create_task(keep_prepared(self._writer, self.log.state))
                group.create_task(self._close_audio())
                for track in self.tracks:
                    diarizer = self._diarizers.get(track.track)
                    detector = VoiceDetector(self._engines.silero, track.remembered)
                    group.create_task(stages.listen(track, detector, self._engines.listening))
                    recognizing = stages.recognize(track, self._engines.scheduler, tentative=self._watched)
                    group.create_task(recognizing)
                    group.create_task(stages.diarize(track, diarizer, self._engines.diarizing))
                    group.create_task(stages.attribute(track, 2 if diarizer else 1, self._guess_roles))
                await self._ending.wait()
                watch.cancel()
                ahead.cancel()
        except* Exception as failed:
            for failure in failed.exceptions:
                log.error("session failed: %s", type(failure).__name__, extra={"session": self.id})
            if not self.log.moved:
                await self._fail()
        if self.log.moved:  # another node goes on: it is not over
            return
        await self._finish(
            settle=self._settle_speakers(), roles=self._guess_roles(), end=self._end_event(), draft=self._draft()
        )

    async def _fail(self) -> None:
        """Stages have been cancelled: take no more audio, and keep what they had understood."""
        self.progress, self._reason = "ending", "failed"
        for track in self.tracks:
            await track.close()
            await self._step("salvage", stages.salvage(track))

    async def end(self, reason: EndReason = "requested") -> None:
        """Ask for the end; asking again changes nothing. `ended` is set once the note is there."""
        if self.progress == "live":
            self.progress, self._reason = "ending", reason
            self._ending.set()

    async def give_up(self) -> None:
        """The session cannot go on: readers come to their end, and senders are told."""
        self.progress = "ended"
        await self.log.finish()
        self.ended.set()

    async def save(self) -> None:
        """Have all that was received in the log; what cannot be written is asked for again, being unacknowledged."""
        for track in self.tracks:
            with contextlib.suppress(StoreFailed):
                await track.settle()

    def silent_s(self) -> float:
        """Seconds since the end of what was received, by the session's clock."""
        return min((seconds(Tick(track.clock() - track.received)) for track in self.tracks), default=0.0)

    def left(self, limit_s: float, silent_s: float) -> bool:
        """Whether nobody is there any more after so long a silence; one that is asked for lasts longer."""
        return silent_s > (max(limit_s, HELD_AT_MOST_S) if self.log.state.held else limit_s)

    def idle_s(self) -> float:
        """Seconds since the last audio of any track."""
        now_s = time.monotonic()
        return now_s - max((track.last_arrival for track in self.tracks), default=now_s)

    async def _guess_roles(self) -> None:
        """Say who is who once it is known, or known better. A guess that cannot be saved is made again later."""
        state, live = self.log.state, self.progress == "live"
        count = len(state.utterances)
        if live and not session_roles.due(count, self._weighed):
            return
        self._weighed = count
        guess = session_roles.news(state, live=live)
        if guess is not None:
            with contextlib.suppress(StoreFailed):
                await self.log.append(RolesAssigned(guess))

    async def _close_audio(self) -> None:
        await self._ending.wait()
        for track in self.tracks:
            await track.close()

    async def _watch(self) -> None:
        """Each second: how far behind the tracks are."""
        while True:
            await asyncio.sleep(1.0)
            await self.log.pass_on("lag", {"type": "lag", "tracks": self.standing()})

    def standing(self) -> list[dict[str, str | float]]:
        """Per track what was received and transcribed, in seconds."""
        return [
            {
                "id": track.track,
                "received_s": round(seconds(track.received), 2),
                "transcribed_s": round(seconds(track.heard), 2),
                "lag_s": round(seconds(track.shown_lag_ticks), 2),
            }
            for track in self.tracks
        ]

    async def _finish(self, **steps: Coroutine[Any, Any, None]) -> None:
        """Each step for itself: one that fails must not cost the others, least of all the end and the note."""
        self.progress = "ending"
        try:
            for name, step in steps.items():
                await self._step(name, step)
        finally:
            self.progress = "ended"
            await self.log.finish()
            self.ended.set()

    async def _step(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            with tracing.span(name, self.id):
                await work
        except Exception as error:
            # Its text may hold content: only the kind is told.
            log.error("%s failed: %s", name, type(error).__name__, extra={"session": self.id})

    async def _end_event(self) -> None:
        await self.save()
        for track in self.tracks:
            totals = track.totals()
            if totals.received_ticks > totals.transcribed_ticks + totals.gap_ticks:
                # Only after a failure: what no stage got to is named, never left out.
                await track.pass_over(track.heard_through(), track.received, "recognizer_error")
        totals_of_all = tuple(track.totals() for track in self.tracks)
        started_at = self.log.state.started_at
        assert started_at is not None, "a session begins with its start"
        ended_at = wall_clock.after(started_at, time.monotonic() - self._began)
        ended = SessionEnded(ended_at, self._reason, totals_of_all)
        await self.log.append_surely(ended, *_skeleton(self.log.state, ended))

    async def _settle_speakers(self) -> None:
        """Cluster the whole session again, now that all of it is known, and correct what was shown live."""
        loop = asyncio.get_running_loop()
        for track_id, diarizer in self._diarizers.items():
            try:
                turns = await loop.run_in_executor(self._engines.diarizing, diarizer.settle)
            except Exception:
                await self.log.append_surely(StageFailed("diarize", "settle_failed"))
                continue
            mine = [one for one in self.log.state.in_order() if one.track == track_id]
            changes = await asyncio.to_thread(relabelled, mine, turns)
            await self.log.append_surely(
                *(SpeakerRelabelled(utterance, speaker) for utterance, speaker in changes.items()),
                TurnsSettled(track_id, turns),
            )

    async def _show(self, section: str, sentences: tuple[str, ...], done: bool) -> None:
        """Tell readers of a section that is being written; the note itself has the last word."""
        message = {"type": "writing", "section": section, "sentences": sentences, "done": done}
        await self.log.pass_on(f"writing {section}", message)

    async def _draft(self) -> None:
        state = self.log.state
        try:
            while True:
                heard = state.heard
                note = await drafted(state, self._writer, state.note_format, self._show)
                await self.log.append_surely(NoteDrafted(note, now()))
                if state.heard == heard:
                    return
                # The clinician corrected who is who meanwhile, by which the note is written, or named the client.
        except Exception as error:
            log.error("drafting failed: %s", type(error).__name__, extra={"session": self.id})
            # Times, code and what is to be entered by hand: nobody goes home without a note.
            note = skeleton(state.transcript(), state.note_format).as_json()
            await self.log.append_surely(StageFailed("draft", "draft_failed"), NoteDrafted(note, now()))


def _skeleton(state: SessionState, ended: SessionEnded) -> list[SkeletonDrafted]:
    """The note that is there with the end itself, whatever becomes of the draft; the end does not hang on it."""
    try:
        transcript = state.transcript()
        context = replace(transcript.context, ended_at=ended.ended_at)
        note = skeleton(replace(transcript, context=context), state.note_format)
    except Exception as error:
        log.error("no skeleton: %s", type(error).__name__)
        return []
    return [SkeletonDrafted(note.as_json())]
