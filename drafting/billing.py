"""The procedure code of the measured minutes, with its margin. Pure; services and codes are rules data.

Time is shown as it was, with how far it is from the next code; nothing here suggests a longer session.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from drafting.data import load
from streaming.types import SAMPLE_RATE, NoteContext, Service, Transcript

TABLE = "rules/cpt_psychotherapy.toml"
Source = Literal["clock", "transcript", "entered"]


@dataclass(frozen=True, slots=True)
class Billing:
    """Whole minutes, never rounded up; `cpt` is None where the time is too short to report, or none applies.

    `margin_min` is how many minutes short of the next longer code, or of any code; with the longest code, how many
    minutes past its least; 0 where time does not count. `source` tells measured clock times from the span of what
    was heard. `minutes` leaves out those of evaluation and management where the code does; `service` is the one
    whose codes were taken. `addons` are codes to report beside `cpt`, once per entry, which payers may not agree on.
    """

    minutes: int
    cpt: str | None
    margin_min: int
    source: Source
    service: Service = "psychotherapy"
    addons: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        told: dict[str, object] = {"minutes": self.minutes, "cpt": self.cpt, "margin_min": self.margin_min}
        if self.service != "psychotherapy":
            told["service"] = self.service
        if self.addons:
            told["addons"] = list(self.addons)
        return told


def minutes_of(transcript: Transcript) -> tuple[float, Source]:
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


def billing(transcript: Transcript, service: Service | None = None) -> Billing:
    """The code for the transcript's minutes; of the context's service unless another is given."""
    minutes, source = minutes_of(transcript)
    whole = int(minutes + 1e-6)
    return coded(whole, source, service or transcript.context.service, transcript.context)


def coded(whole: int, source: Source, service: Service, context: NoteContext) -> Billing:
    """The code for whole minutes of a service."""
    row = _service(service)
    if "untimed" in row or "uncoded" in row:
        return Billing(whole, row.get("untimed"), 0, source, service)
    if row.get("counts") == "apart":
        if context.em_minutes is None:
            return Billing(whole, None, 0, source, service)
        whole = max(0, whole - context.em_minutes)
    if "below" in row and whole < row["codes"][0]["from_min"]:
        return coded(whole, source, row["below"], context)
    fitting = [one for one in row["codes"] if whole >= one["from_min"]]
    longer = [one for one in row["codes"] if whole < one["from_min"]]
    margin = longer[0]["from_min"] - whole if longer else whole - fitting[-1]["from_min"]
    addon = row.get("addon")
    further = -(-(whole - addon["past_min"]) // addon["each_min"]) if addon else 0
    return Billing(
        whole,
        str(fitting[-1]["cpt"]) if fitting else None,
        int(margin),
        source,
        service,
        (str(addon["cpt"]),) * max(0, further) if addon else (),
    )


def told(found: Billing) -> str:
    """The code and its margin in words, as CPT time rules want it shown."""
    row = _service(found.service)
    if "untimed" in row:
        return f"{found.minutes} min: {found.cpt}, which is not timed"
    if "uncoded" in row:
        return f"{found.minutes} min; no procedure code goes with a {row['title']} by itself"
    codes = row["codes"]
    longer = next((one for one in codes if found.minutes < one["from_min"]), None)
    if found.cpt is None and found.margin_min == 0:
        return f"{found.minutes} min in all: no {row['title']} code until the minutes of E/M are entered apart"
    if found.cpt is None:
        return f"{found.minutes} min: no {row['title']} code, {found.margin_min} min short of {codes[0]['cpt']}"
    more = ""
    if found.addons:
        more = f"; with {found.addons[0]} x {len(found.addons)} where the payer takes it, to be checked"
    if longer is None:
        return f"{found.minutes} min: {found.cpt}, {found.margin_min} min past its least time{more}"
    return f"{found.minutes} min: {found.cpt}, {found.margin_min} min short of {longer['cpt']}"


def all_codes() -> dict[str, Service]:
    """Every procedure code of the table with its service; add-ons included."""
    found: dict[str, Service] = {}
    for name, row in load(TABLE)["service"].items():
        own = [one["cpt"] for one in row.get("codes", ())]
        for cpt in (*own, row.get("untimed"), row.get("addon", {}).get("cpt")):
            if cpt:
                found[cpt] = name
    return found


def _service(service: str) -> dict[str, Any]:
    row: dict[str, Any] = load(TABLE)["service"][service]
    return row
