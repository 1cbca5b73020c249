"""A small note in each state of review, for the tests of exports."""

from dataclasses import replace

from drafting.billing import billing
from drafting.note import CheckFinding, Note
from drafting.review import Addendum, Review
from drafting.risk import EMPTY
from streaming.types import (
    NoteContext,
    Section,
    SignedNote,
    SpeakerId,
    Statement,
    Tick,
    TrackId,
    Transcript,
    Utterance,
    UtteranceId,
)

CONTEXT = NoteContext(
    started_at="2026-01-31T10:00:00+01:00",
    ended_at="2026-01-31T10:51:00+01:00",
    modality="telehealth_video",
    client="Dana Żółkiewska",
    client_id="17",
    date_of_birth="1988-05-02",
    diagnosis="F41.1 Generalized anxiety disorder",
    provider="Pat Doe",
    credentials="LCSW",
    client_location="home, Chicago IL",
    provider_location="office, Evanston IL",
    platform="Doxy",
    telehealth_consent="verbal, 2026-01-31",
)


def _said(number: int, start_s: float, who: str, text: str) -> Utterance:
    start = Tick(round(start_s * 16_000))
    return Utterance(
        UtteranceId(f"mic-{number}"), TrackId("mic"), start, Tick(start + 32_000), SpeakerId(who), text, 0.9, ()
    )


TRANSCRIPT = Transcript(
    (_said(1, 1.0, "S1", "How did you sleep?"), _said(2, 5.5, "S2", "Four nights were bad, the rest were fine.")),
    {SpeakerId("S1"): "clinician", SpeakerId("S2"): "client"},
    context=CONTEXT,
)
SECOND = UtteranceId("mic-2")
SECTIONS = (
    Section("Subjective", (
        Statement('Client reported, "Four nights were bad, the rest were fine."', "transcript", (SECOND,)),
        Statement("Worry most days, waking at four, missed two deadlines this month and put off calling three "
                  "customers whom the manager had asked about twice.", "clinician", ()),
    )),
    Section("Objective", (
        Statement("Session on 2026-01-31, start 10:00, stop 10:51. 51 min: 90834, 2 short of 90837.", "chart", ()),
        Statement("Modality: telehealth (video); client at home, Chicago IL.", "chart", ()),
        Statement("Appearance: to be entered by the clinician.", "suggestion", ()),
        Statement("Client appeared sad.", "transcript", (), supported=False),
    )),
    Section("Assessment", (
        Statement("Diagnosis: F41.1 Generalized anxiety disorder.", "chart", ()),
        Statement("Risk: not assessed this session: self-injury.", "suggestion", ()),
    )),
    Section("Plan", (Statement("Consider a sleep diary.", "suggestion", ()),)),
)  # fmt: skip
CHECKS = (
    CheckFinding("progress_goal", "error", "Progress is missing: name the goal.", "Assessment"),
    CheckFinding("roles_guessed", "warning", "Who is the clinician was guessed.", ""),
)


def note() -> Note:
    """A SOAP draft with every kind of statement and two findings."""
    return Note(1, "soap", SECTIONS, EMPTY, CHECKS, billing(TRANSCRIPT))


def drafted() -> Review:
    return Review(note())


def signed(who: str = "Pat Doe", at: str = "2026-01-31T17:40:00+01:00", credentials: str = "LCSW") -> Review:
    """Signed on the day of service, prompts and all, as an older log may hold it."""
    seal = SignedNote(note().draft, who, at, "0f" * 32, credentials)
    return Review(note(), "signed", signed=seal)


def late() -> Review:
    """Signed two days later."""
    header = "Late entry, written 2026-02-02 for the session of 2026-01-31. Reason: Power cut."
    return replace(signed(at="2026-02-02T09:00:00+01:00"), late_entry=header)


def addended() -> Review:
    """Signed, with two addenda by two people."""
    one = Addendum("2026-02-03T12:00:00+01:00", "Pat Doe", "Client called.\r\n\r\nHomework done.", "LCSW")
    two = Addendum("2026-02-04T08:30:00+00:00", "Sam Roe", "Seen.")
    return replace(signed(), state="addended", addenda=(one, two))


STATES = {"draft": drafted, "signed": signed, "late": late, "addended": addended}
