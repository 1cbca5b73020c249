"""The psychotherapy CPT code of the measured minutes, with its margin. Pure; the code table is rules data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from drafting.data import load
from streaming.types import SAMPLE_RATE, Transcript


@dataclass(frozen=True, slots=True)
class Billing:
    """Whole minutes, never rounded up; `cpt` is None where the time is too short to report.

    `margin_min` is how many minutes short of the next longer code, or of any code; with the longest code, how many
    minutes past its least. `source` tells measured clock times from the span of what was heard.
    """

    minutes: int
    cpt: str | None
    margin_min: int
    source: Literal["clock", "transcript"]

    def as_json(self) -> dict[str, object]:
        return {"minutes": self.minutes, "cpt": self.cpt, "margin_min": self.margin_min}


def minutes_of(transcript: Transcript) -> tuple[float, Literal["clock", "transcript"]]:
    """Minutes by the session's clock, else from the first to the last tick that was heard."""
    context = transcript.context
    if context.started_at and context.ended_at:
        span = datetime.fromisoformat(context.ended_at) - datetime.fromisoformat(context.started_at)
        return max(0.0, span.total_seconds() / 60), "clock"
    if not transcript.utterances:
        return 0.0, "transcript"
    first = min(one.start for one in transcript.utterances)
    last = max(one.end for one in transcript.utterances)
    return (last - first) / SAMPLE_RATE / 60, "transcript"


def billing(transcript: Transcript, table: str = "cpt_psychotherapy") -> Billing:
    """The code for the transcript's minutes by a table of rules/."""
    minutes, source = minutes_of(transcript)
    whole = int(minutes + 1e-6)
    rows = load(f"rules/{table}.toml")["code"]
    fitting = [row for row in rows if whole >= row["from_min"]]
    longer = [row for row in rows if whole < row["from_min"]]
    cpt = str(fitting[-1]["cpt"]) if fitting else None
    margin = longer[0]["from_min"] - whole if longer else whole - fitting[-1]["from_min"]
    return Billing(whole, cpt, int(margin), source)


def told(found: Billing, table: str = "cpt_psychotherapy") -> str:
    """The code and its margin in words, as CPT time rules want it shown."""
    rows = load(f"rules/{table}.toml")["code"]
    longer = next((row for row in rows if found.minutes < row["from_min"]), None)
    if found.cpt is None:
        return f"{found.minutes} min: no psychotherapy code, {found.margin_min} min short of {rows[0]['cpt']}"
    if longer is None:
        return f"{found.minutes} min: {found.cpt}, {found.margin_min} min past its least time"
    return f"{found.minutes} min: {found.cpt}, {found.margin_min} min short of {longer['cpt']}"
