"""The vocabulary of a session. Time is an integer tick, a 16 kHz sample since the session's start."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NewType

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
FRAME_TICKS = 320
"""One frame is 20 ms: what RTP senders use, and a length webrtcvad accepts."""

Tick = NewType("Tick", int)
TrackId = NewType("TrackId", str)
SpeakerId = NewType("SpeakerId", str)
UtteranceId = NewType("UtteranceId", str)

Int16Mono = NDArray[np.int16]
Float32 = NDArray[np.float32]

Role = Literal["clinician", "client", "other"]
Provenance = Literal["transcript", "chart", "clinician", "suggestion"]
GapCause = Literal[
    "packet_loss",
    "no_audio",
    "decoder_error",
    "recognizer_error",
    "disconnected",
    "dropped_by_sender",
    "off_the_record",
    "awaiting_consent",
    "struck",
]
HoldCause = Literal["off_the_record", "awaiting_consent"]
"""Why audio that arrives is not kept: somebody asked for it, or has not consented yet."""
ConsentWay = Literal["spoken", "written"]


def seconds(ticks: int) -> float:
    """Ticks as seconds, for people and for the wire."""
    return ticks / SAMPLE_RATE


def to_tick(time_s: float) -> Tick:
    """Seconds as the nearest tick."""
    return Tick(round(time_s * SAMPLE_RATE))


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of one track: `pcm` is int16 mono at 16 kHz, shape (320,)."""

    track: TrackId
    start: Tick
    pcm: Int16Mono

    @property
    def end(self) -> Tick:
        return Tick(self.start + len(self.pcm))


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio of `[start, end)` that was not heard or not transcribed, and why. Never taken for silence."""

    track: TrackId
    start: Tick
    end: Tick
    cause: GapCause


@dataclass(frozen=True, slots=True)
class Word:
    """A recognized word over `[start, end)`; `confidence` is a probability."""

    start: Tick
    end: Tick
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Words:
    """What a track's recognition knows now.

    `committed` holds the words that became final with this message: they never change again, and all
    that starts before `through` has been committed. `tentative` replaces that of the message before.
    `pauses` are the ticks, at or before `through`, at which nobody speaks; `breaks` those at which an utterance
    ends whoever speaks next. A word before one of them starts before it.
    """

    track: TrackId
    committed: tuple[Word, ...]
    tentative: tuple[Word, ...]
    through: Tick
    pauses: tuple[Tick, ...] = ()
    breaks: tuple[Tick, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker talking over `[start, end)`; turns of different speakers may overlap."""

    start: Tick
    end: Tick
    speaker: SpeakerId


@dataclass(frozen=True, slots=True)
class Turns:
    """Turns that became final with this message, clipped at `through`: all before that tick is final."""

    track: TrackId
    turns: tuple[Turn, ...]
    through: Tick


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one speaker said without a break. `id` is the track and a number, counted per track from 1.

    `words` are a tuple, or what gives the same and takes less room (`streaming/kept_words.py`).
    """

    id: UtteranceId
    track: TrackId
    start: Tick
    end: Tick
    speaker: SpeakerId
    text: str
    confidence: float
    words: Sequence[Word]


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """A track as announced: how many people share it and, where one person has it alone, their role.

    `language` is an ISO 639-1 code; a recognizer that knows one language ignores it.
    """

    id: TrackId
    speakers: int
    role: Role | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class RoleGuess:
    """Who each speaker is, how that is known, and how sure it is (a probability)."""

    roles: dict[SpeakerId, Role]
    source: Literal["track", "enrolled", "talk", "clinician"]
    confidence: float


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of a note, where it comes from, and the utterances that support it."""

    text: str
    provenance: Provenance
    evidence: tuple[UtteranceId, ...]
    supported: bool = True
    uncertain: tuple[str, ...] = ()
    """Words that it rests on and that were recognized with little confidence: shown first in review."""


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of a note."""

    name: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A note as drafted: `version` counts redrafts from 1, `format` is a note format's key, such as soap."""

    version: int
    format: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A draft as signed: `signed_at` is ISO 8601 with zone, `digest` the SHA-256 of the record's canonical JSON.

    `overridden` are the rules that it was signed in spite of, `override` is the reason; `context` is what was known
    of client and session when it was signed. A supervisor's co-signature is empty where none was given.
    """

    draft: Draft
    signer: str
    signed_at: str
    digest: str
    credentials: str = ""
    override: str = ""
    overridden: tuple[str, ...] = ()
    context: "NoteContext | None" = None
    cosigner: str = ""
    cosigner_credentials: str = ""
    cosigned_at: str = ""


Service = Literal[
    "psychotherapy", "em_addon", "crisis", "family", "family_without_client", "group", "intake", "treatment_plan"
]
"""What kind of session it was: decides which procedure codes its minutes can make."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A measurable step toward a goal: where it stood, where it should be, by which ISO date, and measured how.

    `status` is how the clinician says it stands: partly, met or stopped; empty while it is open.
    """

    id: str
    text: str
    baseline: str = ""
    target: str = ""
    date: str = ""
    measure: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal of the treatment plan, in the plan's words."""

    id: str
    text: str
    objectives: tuple[Objective, ...] = ()


@dataclass(frozen=True, slots=True)
class TreatmentPlan:
    """The terms of treatment as the plan has them; `date` and `signed_on` are ISO dates."""

    date: str = ""
    type: str = ""
    amount: str = ""
    frequency: str = ""
    duration: str = ""
    signed_by: str = ""
    signed_on: str = ""


@dataclass(frozen=True, slots=True)
class NoteContext:
    """What is known beside the talk: from the session's own clock and from the client's chart."""

    started_at: str | None = None
    """ISO 8601 with zone: measured, never the calendar's."""
    ended_at: str | None = None
    service_date: str | None = None
    """The session's day (ISO 8601) where no clock measured it."""
    modality: Literal["in_person", "telehealth_video", "telehealth_audio"] | None = None
    client: str | None = None
    diagnosis: str | None = None
    goals: tuple[str, ...] = ()
    client_id: str | None = None
    date_of_birth: str | None = None
    provider: str | None = None
    credentials: str | None = None
    place: str | None = None
    """Where an in-person session was held."""
    client_location: str | None = None
    provider_location: str | None = None
    platform: str | None = None
    telehealth_consent: str | None = None
    """That the client agreed to telehealth, and when."""
    objectives: tuple[str, ...] = ()
    usual_interventions: tuple[str, ...] = ()
    service: Service = "psychotherapy"
    payer: str | None = None
    setting: str | None = None
    """Where care is given, such as community_mental_health: some settings have rules of their own."""
    plan_goals: tuple[Goal, ...] = ()
    """The chart's goals with their objectives; `goals` holds their texts alone."""
    medications: tuple[str, ...] = ()
    plan: TreatmentPlan | None = None
    participants: tuple[str, ...] = ()
    """Who was there beside the clinician, as the record names them: of a family session by relation."""
    group_size: int | None = None
    em_minutes: int | None = None
    """Minutes of evaluation and management within the session, which psychotherapy codes must not count."""
    written_at: str | None = None
    """ISO 8601: when the note was written, where that is known."""
    late_reason: str | None = None
    observations: tuple[str, ...] = ()
    """What the clinician saw and entered during the session, as sentences: never taken from audio."""
    audio: str | None = None
    """What came of the session's audio: how much was transcribed, and what is missing when and why. Measured."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A session's utterances in order of start, who the speakers are, and what was not heard."""

    utterances: tuple[Utterance, ...]
    roles: dict[SpeakerId, Role]
    gaps: tuple[Gap, ...] = ()
    context: NoteContext = NoteContext()
