"""What a session is now: the fold of its events. The same code serves a live session and one read from its log."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from drafting.review import Review
from drafting.review_log import drafted, follow
from streaming import completeness, context_json
from streaming.consents import Consent, Consents
from streaming.correcting import corrected
from streaming.events import (
    AudioSpan,
    Carried,
    ConsentGiven,
    ContentDeleted,
    ContextGiven,
    Event,
    GapMarked,
    MomentMarked,
    NoteDrafted,
    NoteReviewed,
    PresenceChanged,
    RecordingHeld,
    RolesAssigned,
    SessionEnded,
    SessionStarted,
    SkeletonDrafted,
    SpeakerRelabelled,
    StageFailed,
    Struck,
    TrackTotals,
    TurnsSettled,
    UtteranceClosed,
    UtteranceCorrected,
)
from streaming.holds import Holds
from streaming.types import (
    ConsentWay,
    Gap,
    HoldCause,
    NoteContext,
    Role,
    RoleGuess,
    SpeakerId,
    TrackId,
    TrackPlan,
    Transcript,
    Turn,
    Utterance,
)
from streaming.utterance_book import UtteranceBook

Progress = Literal["live", "ending", "ended", "interrupted"]


_OF_RECORDING = PresenceChanged | ConsentGiven | RecordingHeld
_SAYS_NOTHING = AudioSpan | MomentMarked | SkeletonDrafted | NoteDrafted | NoteReviewed | StageFailed | _OF_RECORDING
"""Events after which a note is made of the same things as before."""


@dataclass(slots=True)
class SessionState:
    """Changed by `apply` alone."""

    started_at: str | None = None
    ended_at: str | None = None
    reason: str | None = None
    practice: str = "local"
    """Whose session it is."""
    consents: Consents = field(default_factory=Consents)
    holds: dict[TrackId, Holds] = field(default_factory=dict)
    """Where audio is not kept, per track."""
    held: HoldCause | None = None
    """Why audio that is spoken now is not kept; None where it is."""
    off_record: bool = False
    struck: list[Struck] = field(default_factory=list)
    carried: tuple[Carried, ...] = ()
    """Corrections that wait for their utterances to be heard anew."""
    opened: bool = True
    """Whether any audio could be kept so far: not while the first consents are missing."""
    note_format: str = "soap"
    tracks: tuple[TrackPlan, ...] = ()
    utterances: UtteranceBook = field(default_factory=UtteranceBook)
    """As they count now; `utterances.heard` gives them without what was put right since."""
    gaps: list[Gap] = field(default_factory=list)
    roles: RoleGuess | None = None
    turns: dict[TrackId, tuple[Turn, ...]] = field(default_factory=dict)
    totals: tuple[TrackTotals, ...] = ()
    client: str | None = None
    """The id of the client's chart."""
    entered: dict[str, Any] = field(default_factory=dict)
    """What the clinician entered of this session."""
    context: NoteContext = field(default_factory=NoteContext)
    """What is known beside the talk, from the chart and as entered; the session's own clock apart."""
    note: dict[str, Any] | None = None
    """The newest draft in the note's format, without what people edited: that is in `review`."""
    review: Review | None = None
    note_roles: RoleGuess | None = None
    """The roles that the note was drafted with: where others count by now, it is out of date."""
    marks: set[int] = field(default_factory=set)
    """Ticks that the clinician marked for themselves."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    deleted: ContentDeleted | None = None
    """The newest deletion of any of it."""
    heard: int = 0
    """Counts the events that a note is made of; see `made_of`."""
    last_event: int = 0

    def apply(self, event: Event) -> None:
        """Fold in the next event of the log."""
        self.heard += not isinstance(event, _SAYS_NOTHING)
        match event:
            case SessionStarted():
                self._start(event)
            case PresenceChanged() | ConsentGiven() | RecordingHeld():
                self._record(event)
            case AudioSpan():
                pass
            case GapMarked():
                self.gaps.append(event.gap)
            case UtteranceClosed():
                self.utterances.hear(event.utterance)
                self.carried = tuple(one for one in self.carried if not _is_of(one, event.utterance))
            case SpeakerRelabelled():
                found = self.utterances[event.utterance]
                self.utterances[event.utterance] = replace(found, speaker=event.speaker)
            case UtteranceCorrected():
                if event.utterance in self.utterances:
                    self.utterances[event.utterance] = corrected(self.utterances[event.utterance], event.text)
            case Struck():
                self._strike(event)
            case MomentMarked():
                (self.marks.add if event.on else self.marks.discard)(event.at)
            case TurnsSettled():
                self.turns[event.track] = event.turns
            case RolesAssigned():
                self.roles = event.guess
            case SessionEnded():
                self.ended_at, self.totals, self.reason = event.ended_at, event.totals, event.reason
            case ContextGiven():
                self.client, self.entered = event.client, event.entered
                self.context = context_json.recall(event.context)
            case SkeletonDrafted():
                if self.review is None:
                    self._draft(event.note, "", "skeleton")
            case NoteDrafted():
                self._draft(event.note, event.at, event.why)
            case NoteReviewed():
                self._review(event.action)
            case ContentDeleted():
                self._delete(event)
            case StageFailed():
                self.failures.append((event.stage, event.code))

    def _start(self, event: SessionStarted) -> None:
        self.started_at, self.tracks = event.started_at, event.tracks
        self.note_format, self.practice = event.note_format, event.practice
        self.holds = {plan.id: Holds() for plan in event.tracks}
        for who in event.present or event.consent:
            self.consents.comes(who)
        for who in event.consent:
            how: ConsentWay = "written" if who in event.written else "spoken"
            self.consents.agrees(who, Consent(how, event.started_at), event.script)

    def _record(self, event: PresenceChanged | ConsentGiven | RecordingHeld) -> None:
        match event:
            case PresenceChanged():
                (self.consents.comes if event.present else self.consents.goes)(event.who)
            case ConsentGiven():
                self.consents.agrees(event.who, Consent(event.how, event.at), event.script)
            case RecordingHeld():
                self.held, self.off_record = event.cause, event.off_record
                for track, tick in event.ticks.items():
                    self.holds[track].change(tick, event.cause)
                self.opened = event.cause is None or (self.opened and any(event.ticks.values()))

    def _strike(self, event: Struck) -> None:
        self.struck.append(event)
        self.carried = event.carried
        for name in event.removed:
            self.utterances.pop(name, None)
        for track, (start, end) in event.late.items():
            self.holds[track].between(start, end, "struck")

    def _draft(self, note: dict[str, Any], at: str, why: str) -> None:
        if self.review is None or self.review.signed is None:
            self.note, self.note_roles = note, self.roles
            self.review = drafted(self.review, note, at=at, why=why)

    def _review(self, action: dict[str, Any]) -> None:
        if self.review is None:
            return
        self.review = follow(self.review, action)
        note_format = self.review.note.format
        if self.review.signed is None and note_format in self.review.drafts:
            self.note, self.note_format = dict(self.review.drafts[note_format]), note_format
            if action["action"] == "redraft":
                self.note_roles = self.roles

    def _delete(self, receipt: ContentDeleted) -> None:
        """What was known of what is gone from the log: where it is read anew it is not there."""
        if receipt.scope == "session":
            bare = SessionState(practice=receipt.practice, last_event=self.last_event)
            for one in fields(bare):
                setattr(self, one.name, getattr(bare, one.name))
        elif receipt.scope == "transcript":
            self.utterances.clear()
            self.turns.clear()
            self.marks.clear()
            self.carried = ()
        self.deleted = receipt

    @property
    def made_of(self) -> tuple[int, int, str]:
        """What a note is made of, as a key: where it is the same, a reading of the talk is.

        After a strike or a deletion the log is counted anew, and may come to a number that it had before.
        """
        return self.heard, len(self.struck), "" if self.deleted is None else self.deleted.at

    def correction_of(self, heard: Utterance) -> str | None:
        """The clinician's word for an utterance that was heard before a strike, as it is heard again."""
        return next((one.text for one in self.carried if _is_of(one, heard)), None)

    def role_of(self, speaker: SpeakerId) -> Role | None:
        """The speaker's role as far as it is known."""
        return self.roles.roles.get(speaker) if self.roles else None

    def measured(self, context: NoteContext) -> NoteContext:
        """What is known beside the talk, with what only the session can say: its clock, its audio's account.

        Of a note that was written from a recap no clock says anything: there was no session here.
        """
        if not self.tracks:
            return context
        audio = completeness.told(self.totals, self.gaps)
        return replace(context, started_at=self.started_at, ended_at=self.ended_at, audio=audio)

    def in_order(self) -> tuple[Utterance, ...]:
        """Utterances as they were spoken."""
        return tuple(sorted(self.utterances.values(), key=lambda one: (one.start, one.end, one.id)))

    def transcript(self) -> Transcript:
        """What the drafting stage and `transcribe --json` are made from."""
        return Transcript(
            utterances=self.in_order(),
            roles=dict(self.roles.roles) if self.roles else {},
            gaps=tuple(self.gaps),
            context=self.measured(self.context),
        )


def _is_of(carried: Carried, heard: Utterance) -> bool:
    return (carried.track, carried.start, carried.heard) == (heard.track, heard.start, heard.text)
