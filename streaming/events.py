"""What a session's log holds. The union is closed; a replay of the log gives the session again.

On the wire (docs/protocol.md) and in a store an event is a JSON object with its `type`; the audio of a span
travels beside it as bytes. Ticks stay ticks here: seconds are made at the edge that shows them to people.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from streaming.errors import StoreFailed
from streaming.types import (
    ConsentWay,
    Gap,
    HoldCause,
    Int16Mono,
    RoleGuess,
    SpeakerId,
    Tick,
    TrackId,
    TrackPlan,
    Turn,
    Utterance,
    UtteranceId,
    Word,
)


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """First event of every session. `started_at` is ISO 8601 with zone; `consent` names who agreed to it by then.

    `practice` is whose session it is, `account` the login that started it, empty where there are no accounts.
    `present` are all participants, by role or label; empty where they are those who agreed. `written` are those of
    them who agreed in writing, not by word of mouth; `script` is what they were told.
    """

    started_at: str
    tracks: tuple[TrackPlan, ...]
    consent: tuple[str, ...]
    note_format: str = "soap"
    practice: str = "local"
    account: str = ""
    present: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    script: str = ""


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """Somebody is in the session from now on, or no longer: by role or label, never a name that was made up."""

    who: str
    present: bool
    at: str


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """A participant agreed to the recording; `script` is what they were told, empty where it was the start's."""

    who: str
    how: ConsentWay
    script: str
    at: str


@dataclass(frozen=True, slots=True)
class RecordingHeld:
    """From these ticks on, per track, audio is not kept, and why; without a cause it is kept again.

    `off_record` says whether the talk is off the record, also while a consent is missing beside it.
    """

    cause: HoldCause | None
    ticks: dict[TrackId, Tick]
    off_record: bool
    at: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model made of a stretch of a track's audio, so that it need not be asked again (`remembered.py`)."""

    kind: str
    start: int
    end: int
    data: bytes


@dataclass(frozen=True, slots=True)
class AudioSpan:
    """Audio as received: int16 mono at 16 kHz from tick `start` on.

    `heard` is what models have made of audio before it since the last span; it goes when the audio goes.
    """

    track: TrackId
    start: Tick
    pcm: Int16Mono
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class GapMarked:
    """A stretch that was not heard or not transcribed."""

    gap: Gap


@dataclass(frozen=True, slots=True)
class UtteranceClosed:
    """An utterance whose words and speaker were final."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class SpeakerRelabelled:
    """The end-of-session clustering gave an utterance to another speaker."""

    utterance: UtteranceId
    speaker: SpeakerId


@dataclass(frozen=True, slots=True)
class UtteranceCorrected:
    """The clinician's word for what was said; the newest one counts."""

    utterance: UtteranceId
    text: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A correction of an utterance that is heard anew: it counts again once `heard` is heard again at `start`."""

    track: TrackId
    start: Tick
    end: Tick
    heard: str
    text: str


@dataclass(frozen=True, slots=True)
class Struck:
    """Stretches were struck: what was said there is in this log no more. `by` is an account.

    `removed` are the utterances that went, and those that are heard anew, whose numbers may come again with other
    words. `late` are stretches whose audio may still come, [start, end) per track: it is not kept. `carried` are the
    clinician's corrections of what is heard anew, all that wait: those of an earlier strike are in it too.
    """

    spans: tuple[Gap, ...]
    removed: tuple[UtteranceId, ...]
    late: dict[TrackId, tuple[Tick, Tick]]
    at: str
    by: str = ""
    carried: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class MomentMarked:
    """A moment that the clinician wants to find again, or no longer (`on` false). It is in no note."""

    at: Tick
    on: bool = True


@dataclass(frozen=True, slots=True)
class TurnsSettled:
    """Final speaker turns of a shared track over the whole session."""

    track: TrackId
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class RolesAssigned:
    """Who each speaker is; the newest one counts, also for what was said before it."""

    guess: RoleGuess


@dataclass(frozen=True, slots=True)
class TrackTotals:
    """One track's account: every received tick is transcribed, or in a gap that was named."""

    track: TrackId
    received_ticks: int
    transcribed_ticks: int
    gap_ticks: int
    speech_ticks: int
    """Ticks that the recognizer was given at least once."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """No more audio; everything received has been transcribed or named as a gap."""

    ended_at: str
    reason: Literal["requested", "idle", "failed"]
    totals: tuple[TrackTotals, ...]


@dataclass(frozen=True, slots=True)
class ContextGiven:
    """What is known beside the talk, each time it is given.

    `client` is the chart's id, `entered` what the clinician entered of this session, `context` both together: fields
    of `NoteContext` as `streaming.context_json` has them. The chart's part is as the chart was at that moment.
    """

    client: str | None
    entered: dict[str, Any]
    context: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SkeletonDrafted:
    """What a note can say before the talk is read: written with the end, so that whatever fails there is a note."""

    note: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NoteDrafted:
    """A note as the drafting stage made it: the object that `sameday draft --json` prints.

    `at` is ISO 8601 with zone; `why` says what it was drafted for: the end, roles, context, redraft or recap.
    """

    note: dict[str, Any]
    at: str = ""
    why: str = "end"


@dataclass(frozen=True, slots=True)
class NoteReviewed:
    """What a person did to the note, as `drafting.review` has it: edit, redraft, format, sign, addend."""

    action: dict[str, Any]


Scope = Literal["session", "transcript", "audio"]
"""What a deletion takes: all of the session; its audio and all that was understood of it; its audio alone."""


@dataclass(frozen=True, slots=True)
class ContentDeleted:
    """Something of the session was deleted for good; this stays as the receipt and holds no content.

    `removed` counts entries by kind, `why` and `by` are a reason's code and a login. Of a whole session it is the
    only event that is left, so it says whose session it was.
    """

    scope: Scope
    at: str
    why: str
    by: str
    practice: str
    removed: dict[str, int]


@dataclass(frozen=True, slots=True)
class StageFailed:
    """A part of the session failed and what follows goes without it; `code` is an error's, never its text."""

    stage: Literal["recognize", "diarize", "draft", "store"]
    code: str


Event = (
    SessionStarted
    | PresenceChanged
    | ConsentGiven
    | RecordingHeld
    | AudioSpan
    | GapMarked
    | UtteranceClosed
    | SpeakerRelabelled
    | UtteranceCorrected
    | Struck
    | MomentMarked
    | TurnsSettled
    | RolesAssigned
    | SessionEnded
    | ContextGiven
    | SkeletonDrafted
    | NoteDrafted
    | NoteReviewed
    | ContentDeleted
    | StageFailed
)

_BY_NAME: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


@dataclass(frozen=True, slots=True)
class Stored:
    """An event with its place in the session's log."""

    sequence: int
    event: Event


def encode(event: Event) -> tuple[str, bytes]:
    """The event as JSON text and, for an audio span, its samples (little-endian int16) and what was heard."""
    kind = type(event).__name__
    if isinstance(event, AudioSpan):
        body: dict[str, Any] = {"type": kind, "track": event.track, "start": event.start}
        if event.heard:
            body["heard"] = [[one.kind, one.start, one.end, len(one.data)] for one in event.heard]
        samples = event.pcm.astype("<i2", copy=False).tobytes()
        return json.dumps(body), b"".join([samples, *(one.data for one in event.heard)])
    if isinstance(event, UtteranceClosed):
        event = UtteranceClosed(replace(event.utterance, words=tuple(event.utterance.words)))
    return json.dumps({"type": kind} | asdict(event)), b""


def decode(text: str, blob: bytes = b"") -> Event:
    """The event of `encode`. Raises KeyError for a type it does not know, TypeError for a wrong shape."""
    body = json.loads(text)
    kind = _BY_NAME[body.pop("type")]
    if kind is AudioSpan:
        return _span(body, blob)
    return kind(**{name: _READERS[kind, name](value) if (kind, name) in _READERS else value
                   for name, value in body.items()})  # fmt: skip


def _span(body: dict[str, Any], blob: bytes) -> AudioSpan:
    heard: list[Heard] = []
    end = len(blob)
    for kind, start, stop, length in reversed(body.get("heard", [])):
        heard.insert(0, Heard(kind, start, stop, blob[end - length : end]))
        end -= length
    pcm = np.frombuffer(blob[:end], dtype="<i2").astype(np.int16)
    return AudioSpan(body["track"], body["start"], pcm, tuple(heard))


def restore(sequence: int, text: str, blob: bytes = b"") -> Stored:
    """An entry of a store's log. Raises StoreFailed for one that this version cannot read."""
    try:
        return Stored(sequence, decode(text, blob))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise StoreFailed(
            f"Entry {sequence} of the log cannot be read.", mend="Was it made by a newer version?"
        ) from None


def _utterance(body: dict[str, Any]) -> Utterance:
    return Utterance(**(body | {"words": tuple(Word(**word) for word in body["words"])}))


_READERS: dict[tuple[type[Event], str], Any] = {
    (SessionStarted, "tracks"): lambda value: tuple(TrackPlan(**plan) for plan in value),
    (SessionStarted, "consent"): tuple,
    (SessionStarted, "present"): tuple,
    (SessionStarted, "written"): tuple,
    (GapMarked, "gap"): lambda value: Gap(**value),
    (UtteranceClosed, "utterance"): _utterance,
    (Struck, "spans"): lambda value: tuple(Gap(**span) for span in value),
    (Struck, "removed"): tuple,
    (Struck, "carried"): lambda value: tuple(Carried(**one) for one in value),
    (Struck, "late"): lambda value: {track: tuple(span) for track, span in value.items()},
    (TurnsSettled, "turns"): lambda value: tuple(Turn(**turn) for turn in value),
    (RolesAssigned, "guess"): lambda value: RoleGuess(**value),
    (SessionEnded, "totals"): lambda value: tuple(TrackTotals(**total) for total in value),
}
