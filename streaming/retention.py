"""What is due to be deleted by time. Pure; times are given.

A signed note is never due. What waits for its note keeps its words: only a practice that says so deletes sessions
whose notes nobody signed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from streaming.events import Scope
from streaming.state import SessionState


@dataclass(frozen=True, slots=True)
class Times:
    """Days to live; None keeps. As `RetentionSettings` has them."""

    audio_days: float | None = None
    transcript_days: float | None = None
    unsigned_days: float | None = None

    @property
    def any(self) -> bool:
        """Whether anything is ever due."""
        return (self.audio_days, self.transcript_days, self.unsigned_days) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Age:
    """Of an ended session what says when it is due. Times are ISO 8601 with zone; `gone` is what was deleted."""

    ended_at: str
    signed_at: str | None = None
    gone: Scope | None = None


def age_of(state: SessionState) -> Age | None:
    """The age of a session; None for one that goes on, is none any more, or waits for a co-signature."""
    if state.ended_at is None or (state.review is not None and state.review.state == "awaiting"):
        return None
    signed = state.review.signed if state.review is not None else None
    deleted = state.deleted
    gone: Scope | None = None
    if deleted is not None:
        # Drafts that were the note, not being signed, are still there when it is signed later.
        later = signed is not None and _at(signed.signed_at) > _at(deleted.at)
        gone = "audio" if deleted.scope == "transcript" and later else deleted.scope
    return Age(state.ended_at, signed.signed_at if signed is not None else None, gone)


def due(age: Age, times: Times, now: datetime) -> Scope | None:
    """What of a session is due now, the most of it; None for nothing."""
    ended = datetime.fromisoformat(age.ended_at)
    if age.signed_at is None and _over(ended, times.unsigned_days, now):
        return "session"
    if age.gone == "transcript":
        return None
    if age.signed_at is not None and _over(datetime.fromisoformat(age.signed_at), times.transcript_days, now):
        return "transcript"
    return "audio" if age.gone is None and _over(ended, times.audio_days, now) else None


def _at(time: str) -> datetime:
    return datetime.fromisoformat(time)


def _over(since: datetime, days: float | None, now: datetime) -> bool:
    return days is not None and now - since >= timedelta(days=days)
