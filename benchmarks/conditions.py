"""The conditions of `sameday bench load`: what each does to a session, and what has come of it. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.figure import Figure, at_least, at_most, figure
from benchmarks.live import Transport
from benchmarks.relay import CLEAN, Fault
from benchmarks.scoring import quantile

Kind = Literal["line", "cut", "outage", "fallback", "storm", "readers"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One scenario. `clean` names the condition that is the same without its fault."""

    name: str
    says: str
    transport: Transport = "webrtc"
    fault: Fault = CLEAN
    kind: Kind = "line"
    room: float = 1.0
    """For a storm: share of its connections that the server has room for."""

    @property
    def clean(self) -> str:
        return f"clean-{self.transport}"


CONDITIONS: tuple[Condition, ...] = (
    Condition("clean-websocket", "WebSocket, nothing wrong", "websocket"),
    Condition("clean-webrtc", "WebRTC, nothing wrong"),
    Condition("loss-2", "2 % of the packets are lost", fault=Fault(loss=0.02)),
    Condition("loss-10", "10 % of the packets are lost", fault=Fault(loss=0.10)),
    Condition("jitter", "40 ms of delay and up to 80 ms more", fault=Fault(delay_ms=40, jitter_ms=80)),
    Condition("reorder", "5 % of the packets come 60 ms late", fault=Fault(delay_ms=20, reorder=0.05)),
    Condition(
        "narrow-webrtc", "a line of 44 kbit/s for 50, which drops what it cannot hold", fault=Fault(rate_kbps=44)
    ),
    Condition("hole", "nothing comes through for 2 s", fault=Fault(hole_s=(4.0, 6.0))),
    Condition("lossy-websocket", "2 % of the segments are sent again", "websocket", Fault(loss=0.02, delay_ms=5)),
    Condition("narrow-websocket", "a line of 300 kbit/s for 260", "websocket", Fault(rate_kbps=300)),
    Condition("cut", "the connection breaks twice, the client comes back", "websocket", kind="cut"),
    Condition(
        "loss-and-outages",
        "5 % of the segments are sent again, and twice there is no network for 2 s",
        "websocket",
        Fault(loss=0.05, delay_ms=5),
        kind="outage",
    ),
    Condition(
        "fallback",
        "5 % of the packets are lost, and there is no network for 2 s and for 4 s; what WebRTC loses goes over "
        "the WebSocket beside it",
        fault=Fault(loss=0.05, delay_ms=5),
        kind="fallback",
    ),
    Condition(
        "slow-readers", "beside the client one reads an event each 0.5 s, another none", "websocket", kind="readers"
    ),
    Condition("storm", "many connect within a second, both transports", kind="storm"),
    Condition("storm-full", "the same, with room for half of them", kind="storm", room=0.5),
)


def chosen(names: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions of these names in order, with the clean ones that they need; all of none. Raises KeyError."""
    by_name = {one.name: one for one in CONDITIONS}
    for name in names:
        by_name[name]
    if not names:
        return CONDITIONS
    needed = {by_name[name].clean for name in names if by_name[name].kind != "storm"}
    return tuple(one for one in CONDITIONS if one.name in needed or one.name in names)


@dataclass(frozen=True, slots=True)
class Seen:
    """What has come of a condition. `lost_s` is what the line lost of the audio, None where nothing counts it."""

    condition: Condition
    sessions: int = 1
    refused: int = 0
    complete: int = 0
    errors: tuple[str, ...] = ()
    final_s: tuple[float, ...] = ()
    draft_s: float = math.nan
    wer: float = math.nan
    gaps_s: Mapping[str, float] = field(default_factory=dict)
    lost_s: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def served(self) -> int:
        """Sessions that were not refused."""
        return self.sessions - self.refused

    @property
    def whole(self) -> bool:
        """Whether every session that was taken is accounted for, and nothing went wrong that was not to be."""
        expected = self.condition.room < 1.0 or not self.refused
        return self.complete == self.served and not self.errors and expected

    @property
    def outcome(self) -> str:
        """In words."""
        if not self.whole:
            missing = self.served - self.complete
            said = [f"{missing} of {self.served} not accounted for"] if missing else []
            said += [f"{len(self.errors)} errors ({self.errors[0]})"] if self.errors else []
            said += [f"{self.refused} refused"] if self.refused and self.condition.room >= 1.0 else []
            return "NOT WHOLE: " + ", ".join(said)
        said = ["whole"]
        if self.refused:
            said.append(f"{self.refused} of {self.sessions} refused, as they should be")
        if self.lost_s is not None and self.lost_s > 0:
            said.append(f"the line lost {self.lost_s:.2f} s, {sum(self.gaps_s.values()):.2f} s are named as gaps")
        return "; ".join([*said, *self.notes])

    @property
    def gaps(self) -> str:
        """Seconds by cause."""
        return (
            ", ".join(f"{cause.replace('_', ' ')} {length:.2f} s" for cause, length in self.gaps_s.items()) or "none"
        )

    def as_json(self, clean: "Seen | None") -> dict[str, Any]:
        """A row of the report."""

        def known(value: float) -> float | None:
            return round(value, 4) if math.isfinite(value) else None

        return {
            "name": self.condition.name,
            "says": self.condition.says,
            "transport": self.condition.transport,
            "outcome": self.outcome,
            "gaps": self.gaps,
            "gaps_s": {cause: round(length, 3) for cause, length in self.gaps_s.items()},
            "lost_s": self.lost_s,
            "sessions": self.sessions,
            "refused": self.refused,
            "complete": self.complete,
            "errors": list(self.errors),
            "final_p50_s": known(quantile(self.final_s, 0.5)),
            "final_p95_s": known(quantile(self.final_s, 0.95)),
            "draft_s": known(self.draft_s),
            "wer": known(self.wer),
            "wer_clean": known(clean.wer) if clean is not None else None,
        }


def figures(seen: Sequence[Seen]) -> list[Figure]:
    """What the conditions came to, each beside its clean one."""
    by_name = {one.condition.name: one for one in seen}
    rows: list[Figure] = []
    for one in seen:
        part = f"{one.condition.name}: {one.condition.says}"
        clean = by_name.get(one.condition.clean)
        rows.append(
            figure(part, "sessions accounted for", "count", one.complete, at_least(max(1, one.served)), one.outcome)
        )
        rows.append(figure(part, "errors", "count", len(one.errors), at_most(0)))
        if one.final_s:
            rows.append(figure(part, "last sample to final words, p95", "s", quantile(one.final_s, 0.95)))
        if math.isfinite(one.draft_s):
            rows.append(figure(part, "end of session to draft note", "s", one.draft_s))
        if math.isfinite(one.wer):
            rows.append(figure(part, "WER", "%", 100 * one.wer))
            if clean is not None and clean is not one:
                rows.append(figure(part, "WER above the clean line's", "points", 100 * (one.wer - clean.wer)))
        if one.gaps_s or one.lost_s:
            named = sum(one.gaps_s.values())
            rows.append(figure(part, "audio named as gaps", "s", named, note=one.gaps))
    return rows
