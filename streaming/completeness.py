"""Whether all of a session's audio is in its transcript: the account that its end gives. Pure.

Every tick received is transcribed or lies in a gap with its cause, per track. It stands in the session object, and as
one sentence beside the note, where it is signed with it.
"""

from collections.abc import Sequence
from typing import Any

from streaming.events import TrackTotals
from streaming.types import Gap, GapCause, Tick, seconds

CAUSES: dict[GapCause, str] = {
    "packet_loss": "lost by the network",
    "no_audio": "no sound arrived",
    "decoder_error": "could not be decoded",
    "recognizer_error": "could not be recognized",
    "disconnected": "the connection was lost",
    "dropped_by_sender": "the device was not recording",
    "off_the_record": "off the record",
    "awaiting_consent": "before consent was given",
    "struck": "struck",
}
_NAMED = 8
"""Gaps that the sentence names one by one; the session object has all."""
_LEAD_IN_S = 30.0
"""Until the first sound arrives nothing was recorded yet: the wait for the connection is no loss."""


def account(totals: Sequence[TrackTotals], gaps: Sequence[Gap]) -> dict[str, Any] | None:
    """Seconds over all tracks, and the gaps; None before the end. `adds_up`: nothing is unaccounted for."""
    if not totals:
        return None
    received = sum(total.received_ticks for total in totals)
    transcribed = sum(total.transcribed_ticks for total in totals)
    missing = sum(total.gap_ticks for total in totals)
    return {
        "received_s": _s(received),
        "transcribed_s": _s(transcribed),
        "missing_s": _s(missing),
        "adds_up": received == transcribed + missing,
        "gaps": [
            {"track": gap.track, "start": _s(gap.start), "end": _s(gap.end), "cause": gap.cause}
            for gap in sorted(gaps, key=lambda gap: (gap.start, gap.track))
        ],
    }


def told(totals: Sequence[TrackTotals], gaps: Sequence[Gap]) -> str | None:
    """The same as one sentence of a record; None before the end."""
    if not totals:
        return None
    received = sum(total.received_ticks for total in totals)
    transcribed = sum(total.transcribed_ticks for total in totals)
    if received > transcribed + sum(total.gap_ticks for total in totals):
        return f"{_length(received)} received, {_length(transcribed)} transcribed; the rest is unaccounted for."
    lost = sorted((gap for gap in gaps if not _lead_in(gap)), key=lambda gap: (gap.start, gap.track))
    if not lost:
        return f"{_length(transcribed)} received, all of it transcribed."
    named = [f"{_clock(gap.start)} to {_clock(gap.end)} ({CAUSES[gap.cause]})" for gap in lost[:_NAMED]]
    if len(lost) > _NAMED:
        named.append(f"{len(lost) - _NAMED} more")
    missing = sum(gap.end - gap.start for gap in lost)
    return f"{_length(transcribed)} transcribed; {_length(missing)} missing: {', '.join(named)}."


def _lead_in(gap: Gap) -> bool:
    return gap.cause == "no_audio" and gap.start == 0 and seconds(gap.end) <= _LEAD_IN_S


def _s(ticks: int) -> float:
    return round(seconds(Tick(ticks)), 3)


def _length(ticks: int) -> str:
    length = seconds(Tick(ticks))
    if length < 60:
        return f"{length:.1f} s"
    minutes, rest = divmod(round(length), 60)
    return f"{minutes} min {rest} s"


def _clock(tick: Tick) -> str:
    minutes, rest = divmod(int(seconds(tick)), 60)
    return f"{minutes}:{rest:02d}"
