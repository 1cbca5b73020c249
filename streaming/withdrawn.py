"""What of a session's log goes with its transcript. Pure.

The words go, with who said them, and every draft of a note that is signed: what a writer made of the talk may quote
it, and what is signed is the record, not what led to it. Of a draft, an edit, or a signature that was given back it
stays that it was made, when, by whom, in which format and under which headings: the trail and the versions count as
before, and the record keeps the digest that it was signed with. A note that is not signed yet is its newest draft, so
drafts stay until it is.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import Any

from streaming.events import (
    AudioSpan,
    Event,
    MomentMarked,
    NoteDrafted,
    NoteReviewed,
    SkeletonDrafted,
    SpeakerRelabelled,
    Stored,
    Struck,
    TurnsSettled,
    UtteranceClosed,
    UtteranceCorrected,
)
from streaming.state import SessionState

WORDS = (UtteranceClosed, UtteranceCorrected, SpeakerRelabelled, TurnsSettled, MomentMarked)
"""A fold of the log works without them, and none of them is in a note."""

_KEPT = (
    "format", "version", "writer", "billing", "unsupported",
    "context", "signer", "credentials", "signed_at", "override", "overridden", "late_entry", "cosigned",
)  # fmt: skip
"""What of a note, and of a record, says nothing of the talk."""


def withdrawn(entries: Iterable[Stored], state: SessionState) -> dict[int, Event | None]:
    """What stands in the log in the place of what goes with the transcript; `state` is the log's fold."""
    standing = _standing(state)
    made: dict[int, Event | None] = {}
    for stored in entries:
        event = _left(stored.event, standing)
        if event != stored.event:
            made[stored.sequence] = event
    return made


def drafts_go(state: SessionState) -> bool:
    """Whether there is a record, so that drafts are no longer needed."""
    return state.review is not None and state.review.final


def _standing(state: SessionState) -> Set[str] | None:
    """The digests of what is signed; None where nothing is."""
    review = state.review
    if review is None or review.signed is None or review.record is None or not review.final:
        return None
    return {review.signed.digest, (review.record.get("cosigned") or {}).get("signed_digest", "")}


def _left(event: Event, standing: Set[str] | None) -> Event | None:
    if isinstance(event, AudioSpan):
        return event  # goes by itself
    if isinstance(event, WORDS):
        return None
    if isinstance(event, Struck):
        return replace(event, carried=())
    if standing is None:
        return event
    if isinstance(event, NoteDrafted | SkeletonDrafted):
        return replace(event, note=emptied(event.note))
    if isinstance(event, NoteReviewed):
        return replace(event, action=_without_words(event.action, standing))
    return event


def _without_words(action: dict[str, Any], standing: Set[str]) -> dict[str, Any]:
    match action["action"]:
        case "edit":
            told: dict[str, Any] = {name: None if rows is None else [] for name, rows in action["sections"].items()}
            return action | {"sections": told}
        case "redraft" | "format":
            return action | {"note": emptied(action["note"])}
        case "sign" | "cosign" if action["digest"] not in standing:
            return action | {"record": emptied(action["record"])}
    return action


def emptied(note: Mapping[str, Any]) -> dict[str, Any]:
    """A note's headings: its format, sections by name, writer and minutes, and no word."""
    sections = [{"name": one["name"], "statements": []} for one in note.get("sections", ())]
    return {name: note[name] for name in _KEPT if name in note} | {"sections": sections}
