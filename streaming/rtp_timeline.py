"""Where an RTP packet lies on the session's time line, and what to call the stretch before it.

The first packet is placed by the session's clock, all others by their RTP time stamps: times of arrival carry the
network's jitter, time stamps do not. The clock is asked again only where the time stamps cannot be true:

- another stream (new SSRC or numbering): its time stamps have no relation to those before;
- a time stamp that goes back, or lies more than `AHEAD_TICKS` in the future;
- packets that for `BEHIND_PACKETS` in a row end more than `BEHIND_TICKS` before now though none waits behind them:
  the sender's clock stood still (a capture device that hung). A network that stalls and catches up does not come to
  so many, and a server that is itself behind has packets waiting.

A jump of the time stamp without a jump of the sequence number is the sender's own choice not to send. Up to
`DTX_TICKS` it is discontinuous transmission, which Opus uses for silence and refreshes every 400 ms: the stretch is
silence as the sender heard it, and is filled with zeros. Anything longer was not captured: a gap, `no_audio`.
"""

from dataclasses import dataclass
from typing import Literal

from streaming.types import SAMPLE_RATE, GapCause, Tick

DTX_TICKS = SAMPLE_RATE * 420 // 1000
AHEAD_TICKS = 2 * SAMPLE_RATE
BEHIND_TICKS = SAMPLE_RATE
BEHIND_PACKETS = 250
_CLOSE_TICKS = SAMPLE_RATE * 60 // 1000
"""A stream placed by the clock this near to the end of the audio before it follows it: the difference is jitter."""
_RTP_PER_TICK = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A packet's first tick, and how the stretch from the end of what came before is to be named."""

    start: Tick
    before: GapCause | Literal["silence"] | None


class RtpTimeline:
    """One connection's time line."""

    def __init__(self) -> None:
        self._origin: tuple[int, int] | None = None
        """A time stamp and its tick."""
        self._end = 0
        self._before = 0
        """`_end` as it was before the newest packet."""
        self._behind = 0
        self._behind_by = 0

    @property
    def behind(self) -> bool:
        """Whether the last packet came so late that it matters for the next whether more of them wait."""
        return self._behind_by > BEHIND_TICKS

    def place(
        self,
        timestamp: int,
        ticks: int,
        *,
        lost: int,
        restart: bool,
        now: Tick,
        received: Tick,
        more_waiting: bool = False,
    ) -> Place:
        """Place a packet of `ticks` that arrived at session time `now`.

        `received` is where the track's audio ends so far. Never places a packet before it or before the last one.
        """
        if self._origin is None:
            start = max(received, now - ticks)
            cause: GapCause = "no_audio" if received == 0 else "disconnected"
            return self._put(timestamp, start, ticks, cause if start > received else None)
        start = self._origin[1] + (timestamp - self._origin[0]) // _RTP_PER_TICK
        self._behind_by = now - (start + ticks)
        self._behind = self._behind + 1 if self.behind and not more_waiting else 0
        untrue = start < self._end - _CLOSE_TICKS or start + ticks > now + AHEAD_TICKS
        if restart or untrue or self._behind >= BEHIND_PACKETS:
            return self._by_clock(timestamp, ticks, lost, now)
        start = max(start, self._end)
        self._put_end(start, ticks)
        return Place(Tick(start), self._name(start, lost))

    def _by_clock(self, timestamp: int, ticks: int, lost: int, now: Tick) -> Place:
        start = max(self._end, now - ticks)
        if start - self._end <= _CLOSE_TICKS and not lost:
            start = self._end
        return self._put(
            timestamp, start, ticks, ("packet_loss" if lost else "no_audio") if start > self._end else None
        )

    def _name(self, start: int, lost: int) -> GapCause | Literal["silence"] | None:
        jump = start - self._before
        if jump <= 0:
            return None
        if lost:
            return "packet_loss"
        return "silence" if jump <= DTX_TICKS else "no_audio"

    def _put(self, timestamp: int, start: int, ticks: int, cause: GapCause | None) -> Place:
        self._origin = (timestamp, start)
        self._behind = 0
        self._put_end(start, ticks)
        return Place(Tick(start), cause)

    def _put_end(self, start: int, ticks: int) -> None:
        self._before, self._end = self._end, start + ticks
