"""What clients send as JSON, checked at the edge."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from streaming.consents import Agreement
from streaming.note_bodies import ContextBody, RecordId, Sentence
from streaming.settings import NoteFormat
from streaming.types import ConsentWay, Role

TrackName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
Participant = Annotated[str, Field(min_length=1, max_length=64)]


class TrackBody(BaseModel):
    """A track as a client announces it."""

    model_config = ConfigDict(extra="forbid")
    id: TrackName
    speakers: Annotated[int, Field(ge=1, le=8)] = 1
    role: Role | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"


class AgreedBody(BaseModel):
    """Who agrees to the recording, by role or label, and how."""

    model_config = ConfigDict(extra="forbid")
    who: Participant
    how: ConsentWay = "spoken"


Script = Annotated[str, Field(max_length=8_000)]


class SessionBody(BaseModel):
    """What starts a session. `participants` are all who are there, where not all of them have agreed yet."""

    model_config = ConfigDict(extra="forbid")
    consent: Annotated[list[Participant | AgreedBody], Field(max_length=16)] = []
    participants: Annotated[list[Participant], Field(max_length=16)] = []
    script: Script = ""
    tracks: Annotated[list[TrackBody], Field(min_length=1, max_length=8)] = [TrackBody(id="mic", speakers=2)]
    format: NoteFormat | None = None
    client: RecordId | None = None
    context: ContextBody = ContextBody()
    visit: RecordId | None = None

    def agreement(self) -> Agreement:
        """Who is there, who of them agrees, and what they were told."""
        agreed: dict[str, ConsentWay] = {}
        for one in self.consent:
            agreed |= {one: "spoken"} if isinstance(one, str) else {one.who: one.how}
        return Agreement(tuple(dict.fromkeys([*self.participants, *agreed])), agreed, self.script)


Ticks = Annotated[dict[TrackName, Annotated[int, Field(ge=0, le=1 << 40)]], Field(max_length=8)]
"""Per track the tick that a sender has come to: it knows best which sample is being spoken."""


class ConsentBody(AgreedBody):
    """A participant agrees while the session goes on."""

    script: Script = ""
    ticks: Ticks = {}


class ParticipantBody(BaseModel):
    """Somebody comes, or goes."""

    model_config = ConfigDict(extra="forbid")
    who: Participant
    present: bool = True
    ticks: Ticks = {}


class MomentBody(BaseModel):
    """What counts from now on."""

    model_config = ConfigDict(extra="forbid")
    ticks: Ticks = {}


class RevokeBody(BaseModel):
    """Who takes their consent back."""

    model_config = ConfigDict(extra="forbid")
    who: Participant


class StrikeBody(BaseModel):
    """What is to be struck: the newest seconds, what lies between two moments (s), or utterances."""

    model_config = ConfigDict(extra="forbid")
    last_s: Annotated[float, Field(gt=0, le=48 * 3600, allow_inf_nan=False)] | None = None
    start: Annotated[float, Field(ge=0, le=48 * 3600, allow_inf_nan=False)] | None = None
    end: Annotated[float, Field(ge=0, le=48 * 3600, allow_inf_nan=False)] | None = None
    utterances: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=500)] = []
    ticks: Ticks = {}


class UtteranceBody(BaseModel):
    """What was said, in the clinician's word."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    text: Sentence


class MarkBody(BaseModel):
    """A moment of the session, in seconds; `on` false forgets it."""

    model_config = ConfigDict(extra="forbid")
    at_s: Annotated[float, Field(ge=0, le=48 * 3600, allow_inf_nan=False)]
    on: bool = True


class RolesBody(BaseModel):
    """Who is who, or a swap of clinician and client."""

    model_config = ConfigDict(extra="forbid")
    roles: dict[Annotated[str, Field(max_length=64)], Role] | None = None
    swap: Literal[True] | None = None
