"""A session of this server as a visit of the backlog. Pure."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from drafting.review import SKELETON
from drafting.visits import NOTE_STATES, Kind, NoteState, Visit, fits
from streaming.state import SessionState

_KINDS: dict[str, Kind] = {"intake": "intake", "treatment_plan": "plan"}
_FORMATS: dict[str, Kind] = {"intake": "intake", "plan": "plan"}
_PRESENT = ("endorsed", "volunteered")


def visit_of(name: str, state: SessionState, zone: ZoneInfo) -> Visit | None:
    """The visit that a session was, by its clock and its note; None before it began."""
    if state.started_at is None:
        return None
    start = datetime.fromisoformat(state.started_at).astimezone(zone)
    stop = datetime.fromisoformat(state.ended_at).astimezone(zone) if state.ended_at else None
    note, context = state.note or {}, state.context
    note_state, signed_at, edited_at = _written(state)
    return Visit(
        name,
        start.date(),
        context.client or "",
        state.client or context.client_id or "",
        start.isoformat(),
        stop.isoformat() if stop is not None and fits(start.isoformat(), stop.isoformat()) else None,
        cpt=str(note.get("billing", {}).get("cpt") or ""),
        payer=context.payer or "",
        kind=_KINDS.get(context.service, _FORMATS.get(state.note_format, "progress")),
        risk=any(one.get("state") in _PRESENT for one in note.get("risk", {}).values()),
        note=note_state,
        signed_at=signed_at,
        drafted_at=edited_at,
        source="session",
        session=name,
        modality=context.modality or "",
    )


def _written(state: SessionState) -> tuple[NoteState, str | None, str | None]:
    """How far the note is, when it was signed, and when a person last wrote in it."""
    review = state.review
    if review is None:
        return "unsigned", None, None
    edited = next((one.at for one in reversed(review.trail) if one.action == "edit"), None)
    if review.state == "awaiting":
        return "awaiting", None, edited
    if review.signed is not None:
        return "signed", review.signed.signed_at, edited
    bare = review.note.writer == SKELETON and not review.edits
    return "skeleton" if bare else "draft", None, edited


def caught_up(known: Visit, now: Visit) -> Visit:
    """What the session is now, with what the clinician set by hand, such as flags or a note signed elsewhere."""
    # A note that waited for its co-signature may have been sent back: that it waits is never set by hand.
    ahead = known.note != "awaiting" and NOTE_STATES.index(known.note) > NOTE_STATES.index(now.note)
    return replace(
        now,
        audit=known.audit,
        risk=known.risk or now.risk,
        payer=known.payer or now.payer,
        label=known.label or now.label,
        client_id=known.client_id or now.client_id,
        modality=now.modality or known.modality,
        kind=known.kind,
        recap=known.recap,
        note=known.note if ahead else now.note,
        signed_at=known.signed_at if ahead else now.signed_at,
        drafted_at=known.drafted_at if ahead else now.drafted_at,
    )
