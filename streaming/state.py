"""What a session is now: the fold of its events. The same code serves a live session and one read from its log."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from streaming.events import (
    AudioSpan,
    Event,
    GapMarked,
    NoteDrafted,
    RolesAssigned,
    SessionEnded,
    SessionStarted,
    SpeakerRelabelled,
    StageFailed,
    TrackTotals,
    TurnsSettled,
    UtteranceClosed,
)
from streaming.types import (
    Gap,
    NoteContext,
    Role,
    RoleGuess,
    SpeakerId,
    TrackId,
    TrackPlan,
    Transcript,
    Turn,
    Utterance,
    UtteranceId,
)

Progress = Literal["live", "ending", "ended", "interrupted"]


@dataclass(slots=True)
class SessionState:
    """Changed by `apply` alone."""

    started_at: str | None = None
    ended_at: str | None = None
    reason: str | None = None
    consent: tuple[str, ...] = ()
    note_format: str = "soap"
    tracks: tuple[TrackPlan, ...] = ()
    utterances: dict[UtteranceId, Utterance] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    roles: RoleGuess | None = None
    turns: dict[TrackId, tuple[Turn, ...]] = field(default_factory=dict)
    totals: tuple[TrackTotals, ...] = ()
    note: dict[str, Any] | None = None
    note_roles: RoleGuess | None = None
    """The roles that the note was drafted with: where others count by now, it is out of date."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    last_event: int = 0

    def apply(self, event: Event) -> None:
        """Fold in the next event of the log."""
        match event:
            case SessionStarted():
                self.started_at, self.tracks = event.started_at, event.tracks
                self.consent, self.note_format = event.consent, event.note_format
            case AudioSpan():
                pass
            case GapMarked():
                self.gaps.append(event.gap)
            case UtteranceClosed():
                self.utterances[event.utterance.id] = event.utterance
            case SpeakerRelabelled():
                found = self.utterances[event.utterance]
                self.utterances[event.utterance] = replace(found, speaker=event.speaker)
            case TurnsSettled():
                self.turns[event.track] = event.turns
            case RolesAssigned():
                self.roles = event.guess
            case SessionEnded():
                self.ended_at, self.totals, self.reason = event.ended_at, event.totals, event.reason
            case NoteDrafted():
                self.note, self.note_roles = event.note, self.roles
            case StageFailed():
                self.failures.append((event.stage, event.code))

    def role_of(self, speaker: SpeakerId) -> Role | None:
        """The speaker's role as far as it is known."""
        return self.roles.roles.get(speaker) if self.roles else None

    def in_order(self) -> tuple[Utterance, ...]:
        """Utterances as they were spoken."""
        return tuple(sorted(self.utterances.values(), key=lambda one: (one.start, one.end, one.id)))

    def transcript(self) -> Transcript:
        """What the drafting stage and `transcribe --json` are made from."""
        return Transcript(
            utterances=self.in_order(),
            roles=dict(self.roles.roles) if self.roles else {},
            gaps=tuple(self.gaps),
            context=NoteContext(started_at=self.started_at, ended_at=self.ended_at),
        )
