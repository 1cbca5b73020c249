"""What clients send as JSON, checked at the edge."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from streaming.note_bodies import ContextBody, RecordId, Sentence
from streaming.settings import NoteFormat
from streaming.types import Role

TrackName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
Participant = Annotated[str, Field(min_length=1, max_length=64)]


class TrackBody(BaseModel):
    """A track as a client announces it."""

    model_config = ConfigDict(extra="forbid")
    id: TrackName
    speakers: Annotated[int, Field(ge=1, le=8)] = 1
    role: Role | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"


class SessionBody(BaseModel):
    """What starts a session."""

    model_config = ConfigDict(extra="forbid")
    consent: Annotated[list[Participant], Field(max_length=16)] = []
    tracks: Annotated[list[TrackBody], Field(min_length=1, max_length=8)] = [TrackBody(id="mic", speakers=2)]
    format: NoteFormat | None = None
    client: RecordId | None = None
    context: ContextBody = ContextBody()
    visit: RecordId | None = None


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
