"""Events and sessions as clients see them: JSON objects with times in seconds (docs/protocol.md)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from streaming import completeness, transcript_json
from streaming.consents import Consents
from streaming.events import (
    AudioSpan,
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
    Stored,
    Struck,
    TurnsSettled,
    UtteranceClosed,
    UtteranceCorrected,
)
from streaming.state import Progress, SessionState
from streaming.types import Gap, Role, RoleGuess, TrackPlan, Turn, Utterance, seconds


def message(stored: Stored, role: Role | None = None) -> dict[str, Any]:
    """An event of the log; `role` is that of an utterance's speaker, as far as it is known now."""
    return {"sequence": stored.sequence, **_body(stored.event, role)}


def passing(body: dict[str, Any]) -> dict[str, Any]:
    """What only says how things stand."""
    return {"sequence": None, **body}


def session_object(
    name: str, state: SessionState, progress: Progress, standing: Sequence[dict[str, Any]], ice_servers: list[Any]
) -> dict[str, Any]:
    """The session object; `standing` has a row per track of a live session."""
    rows = {row["id"]: row for row in standing} or {
        total.track: {
            "received_s": _s(total.received_ticks),
            "transcribed_s": _s(total.transcribed_ticks),
            "lag_s": 0.0,
        }
        for total in state.totals
    }
    return {
        "id": name,
        "state": progress,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "tracks": [_plan(plan) | rows.get(plan.id, {}) for plan in state.tracks],
        **_roles(state.roles),
        "client": state.client,
        "context": state.entered,
        "marks": [_s(tick) for tick in sorted(state.marks)],
        "completeness": completeness.account(state.totals, state.gaps),
        "participants": participants(state.consents),
        "recording": state.held or "on",
        "struck": [{"at": one.at, "by": one.by, "spans": [_gap(gap) for gap in one.spans]} for one in state.struck],
        "deleted": None if state.deleted is None else {"scope": state.deleted.scope, "at": state.deleted.at},
        "ice_servers": ice_servers,
        "last_event": state.last_event,
    }


def participants(consents: Consents) -> list[dict[str, Any]]:
    """Who is there, and how and when they agreed."""
    agreed = [(who, consents.given.get(who)) for who in consents.present]
    return [{"who": who, "consent": None if one is None else asdict(one)} for who, one in agreed]


def transcript(state: SessionState) -> dict[str, Any]:
    """The object that `transcribe --json` prints. Several tracks: the longest is the audio, the ticks are of all.

    Before the end there are no totals yet: the ticks then span what was said so far.
    """
    if not state.totals:
        return transcript_json.write(state.transcript())
    return transcript_json.write(
        state.transcript(),
        audio_ticks=max(total.received_ticks for total in state.totals),
        received_ticks=sum(total.received_ticks for total in state.totals),
        transcribed_ticks=sum(total.transcribed_ticks for total in state.totals),
    )


def _body(event: Event, role: Role | None) -> dict[str, Any]:
    match event:
        case SessionStarted():
            tracks = [_plan(plan) for plan in event.tracks]
            consent = list(event.consent)
            return {
                "type": "started",
                "started_at": event.started_at,
                "tracks": tracks,
                "consent": consent,
                "participants": list(event.present or event.consent),
                "format": event.note_format,
            }
        case PresenceChanged():
            return {"type": "participant", "who": event.who, "present": event.present}
        case ConsentGiven():
            return {"type": "consent", "who": event.who, "how": event.how, "at": event.at}
        case RecordingHeld():
            since = {track: _s(tick) for track, tick in event.ticks.items()}
            return {"type": "recording", "recording": event.cause or "on", "off_record": event.off_record,
                    "since": since}  # fmt: skip
        case GapMarked(gap):
            return {"type": "gap", **_gap(gap)}
        case UtteranceClosed(utterance):
            return {"type": "utterance", **_utterance(utterance, role)}
        case SpeakerRelabelled():
            return {"type": "relabel", "id": event.utterance, "speaker": event.speaker}
        case UtteranceCorrected():
            return {"type": "corrected", "id": event.utterance, "text": event.text}
        case Struck():
            return {"type": "struck", "spans": [_gap(gap) for gap in event.spans], "removed": list(event.removed),
                    "at": event.at}  # fmt: skip
        case MomentMarked():
            return {"type": "mark", "at": _s(event.at), "on": event.on}
        case TurnsSettled():
            return {"type": "turns", "track": event.track, "turns": [_turn(turn) for turn in event.turns]}
        case RolesAssigned(guess):
            return {
                "type": "roles",
                "roles": guess.roles,
                "source": guess.source,
                "confidence": guess.confidence,
            }
        case SessionEnded():
            totals = [
                {
                    "track": total.track,
                    "received_ticks": total.received_ticks,
                    "transcribed_ticks": total.transcribed_ticks,
                    "gap_ticks": total.gap_ticks,
                    "speech_ticks": total.speech_ticks,
                }
                for total in event.totals
            ]
            return {"type": "ended", "ended_at": event.ended_at, "reason": event.reason, "totals": totals}
        case NoteDrafted():
            return {"type": "draft", "note": event.note}
        case SkeletonDrafted():
            return {"type": "skeleton", "note": event.note}
        case NoteReviewed(action):
            return {"type": "note", "action": action["action"], "at": action["at"]}
        case ContextGiven():
            return {"type": "context", "client": event.client, "context": event.context}
        case ContentDeleted():
            return {
                "type": "deleted",
                "scope": event.scope,
                "at": event.at,
                "why": event.why,
                "removed": event.removed,
            }
        case StageFailed():
            return {"type": "failed", "stage": event.stage, "code": event.code}
        case AudioSpan():
            raise ValueError("audio is not sent to readers")


def _plan(plan: TrackPlan) -> dict[str, Any]:
    return {"id": plan.id, "speakers": plan.speakers, "role": plan.role, "language": plan.language}


def _roles(guess: RoleGuess | None) -> dict[str, Any]:
    if guess is None:
        return {"roles": {}, "roles_source": None, "roles_confidence": 0.0}
    return {"roles": guess.roles, "roles_source": guess.source, "roles_confidence": guess.confidence}


def _gap(gap: Gap) -> dict[str, Any]:
    return {"track": gap.track, "start": _s(gap.start), "end": _s(gap.end), "cause": gap.cause}


def _turn(turn: Turn) -> dict[str, Any]:
    return {"start": _s(turn.start), "end": _s(turn.end), "speaker": turn.speaker}


def _utterance(utterance: Utterance, role: Role | None) -> dict[str, Any]:
    return {
        "id": utterance.id,
        "track": utterance.track,
        "start": _s(utterance.start),
        "end": _s(utterance.end),
        "speaker": utterance.speaker,
        "role": role,
        "text": utterance.text,
        "confidence": round(utterance.confidence, 3),
        "words": [
            {
                "text": word.text,
                "start": _s(word.start),
                "end": _s(word.end),
                "confidence": round(word.confidence, 3),
            }
            for word in utterance.words
        ],
    }


def _s(ticks: int) -> float:
    return round(seconds(ticks), 4)
