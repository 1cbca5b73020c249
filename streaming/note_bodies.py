"""What clients send as JSON about a note, a chart or a session's circumstances, checked at the edge."""

import re
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from drafting.document import tidy
from drafting.review_changes import MAX_SENTENCES, Change
from streaming.settings import NoteFormat
from streaming.types import NoteContext, Service

MAX_TEXT = 4000
MAX_ADDENDUM = 20_000


def _one_line(text: str) -> str:
    """A sentence without what does not show: line ends become spaces, as a note's sentences have none."""
    told = tidy(tidy(text))
    if not told:
        raise ValueError("there is no text in it")
    return told


def _lines(text: str) -> str:
    """Text of several paragraphs, each as `_one_line`."""
    told = [line for line in map(tidy, re.split(r"[\r\n]+", text)) if line]
    if not told:
        raise ValueError("there is no text in it")
    return "\n".join(told)


Sentence = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_one_line)]
Paragraphs = Annotated[str, Field(max_length=MAX_ADDENDUM), AfterValidator(_lines)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
Reason = Annotated[str, Field(max_length=1000), AfterValidator(tidy)]
Version = Annotated[int, Field(ge=0, le=2**31)]
SectionName = Annotated[str, Field(min_length=1, max_length=200)]
RecordId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
CLINICIAN = "clinician"
"""Who did it where nobody is named: there is no sign-in yet."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _OfSection(_Body):
    section: SectionName


class WriteBody(_OfSection):
    """The section has these sentences."""

    op: Literal["write"]
    texts: Annotated[list[Sentence], Field(max_length=MAX_SENTENCES)]

    def change(self) -> Change:
        return Change(self.op, self.section, texts=tuple(self.texts))


class RewriteBody(_OfSection):
    """A sentence in the clinician's words."""

    op: Literal["rewrite"]
    index: Annotated[int, Field(ge=0)]
    text: Sentence

    def change(self) -> Change:
        return Change(self.op, self.section, self.index, self.text)


class AddBody(_OfSection):
    """A sentence more, last or before the one at `index`."""

    op: Literal["add"]
    text: Sentence
    index: Annotated[int, Field(ge=0)] | None = None

    def change(self) -> Change:
        return Change(self.op, self.section, self.index, self.text)


class PointBody(_OfSection):
    """A sentence that goes, or that the clinician takes as their own word."""

    op: Literal["drop", "accept"]
    index: Annotated[int, Field(ge=0)]

    def change(self) -> Change:
        return Change(self.op, self.section, self.index)


class RestoreBody(_OfSection):
    """The section as it was drafted."""

    op: Literal["restore"]

    def change(self) -> Change:
        return Change(self.op, self.section)


ChangeBody = Annotated[WriteBody | RewriteBody | AddBody | PointBody | RestoreBody, Field(discriminator="op")]


class EditBody(_Body):
    """Changes to a note of a version, all or none; or another format for it."""

    version: Version
    changes: Annotated[list[ChangeBody], Field(max_length=100)] = []
    format: NoteFormat | None = None
    who: Name = CLINICIAN


class RedraftBody(_Body):
    """Draft again: one section, or all."""

    version: Version | None = None
    section: SectionName | None = None
    who: Name = CLINICIAN


class SignBody(_Body):
    """A signature under a version; why in spite of errors, and why so late, where that is so."""

    version: Version
    signer: Name
    credentials: Name
    override: Reason = ""
    late_reason: Reason = ""


class CosignBody(_Body):
    """A supervisor's signature under a version that awaits it."""

    version: Version


class ReturnBody(_Body):
    """A version that awaits a co-signature, back to its author: why."""

    version: Version
    remark: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_lines)]


class AddendumBody(_Body):
    """Words added to a signed note."""

    text: Paragraphs
    who: Name
    credentials: Annotated[str, Field(max_length=200), AfterValidator(tidy)] = ""
    version: Version | None = None


_Text = Annotated[str, Field(max_length=500), AfterValidator(tidy)]


class ContextBody(_Body):
    """What a clinician can enter of a session beside the talk; null takes one back."""

    modality: Literal["in_person", "telehealth_video", "telehealth_audio"] | None = None
    place: _Text | None = None
    provider: _Text | None = None
    credentials: _Text | None = None
    client_location: _Text | None = None
    provider_location: _Text | None = None
    platform: _Text | None = None
    telehealth_consent: _Text | None = None
    service: Service | None = None
    participants: Annotated[list[_Text], Field(max_length=20)] | None = None
    group_size: Annotated[int, Field(ge=1, le=100)] | None = None
    em_minutes: Annotated[int, Field(ge=0, le=600)] | None = None
    observations: Annotated[list[_Text], Field(max_length=40)] | None = None

    def over(self, known: NoteContext) -> NoteContext:
        """What was known with what is entered now: what is not named here stays."""
        plain = NoteContext()
        given = {name: getattr(self, name) for name in ENTERED if name in self.model_fields_set}
        for name, value in given.items():
            if value is None or value == "":
                given[name] = getattr(plain, name)
            elif isinstance(value, list):
                given[name] = tuple(filter(None, value))
        return replace(known, **given)


ENTERED = tuple(ContextBody.model_fields)


class ContextPatchBody(ContextBody):
    """The same, and whose session it was: a chart's id, or null for none."""

    client: RecordId | None = None
