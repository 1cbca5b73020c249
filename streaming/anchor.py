"""Where an RTP packet lies on the session's time line by its sender's word: an anchor, one time stamp with its tick.

Without an anchor the time line hangs on when packets came (`rtp_timeline.py`), which a sender cannot know. With one
it can say of each packet where it lies, and so send what is missing again, over either transport, to the same place.
"""

from dataclasses import dataclass

from streaming.errors import BadAnchor
from streaming.types import SAMPLE_RATE, Tick

AHEAD_TICKS = 10 * SAMPLE_RATE
"""How far ahead of the session an anchor or a packet may lie; clocks that drift by 100 ppm come to 0.4 s an hour."""
BEHIND_TICKS = 60 * SAMPLE_RATE
"""How far behind: RTP carries what is being said, and what is older comes over the numbered path."""
_RTP_PER_TICK = 3
_TURN = 1 << 32


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the session stands: its clock, and the end of what a track has received, which a quick sender outruns."""

    now: Tick
    received: Tick

    def holds(self, end: int) -> bool:
        """Whether audio that ends here may have been said by now."""
        return end <= max(self.now, self.received) + AHEAD_TICKS

    def check(self, start: int, end: int) -> None:
        """Whether audio of `[start, end)` may be live. Raises BadAnchor."""
        if not self.holds(end):
            raise BadAnchor(
                "By the anchor the audio lies ahead of the session.",
                mend="Name the tick (16 kHz) of the time stamp (48 kHz) that is sent next.",
            )
        if start < min(self.now, self.received) - BEHIND_TICKS:
            raise BadAnchor(
                "By the anchor the audio lies more than a minute behind the session.",
                mend="Name the tick of the time stamp that is sent next; send what is older over the WebSocket.",
            )


@dataclass(frozen=True, slots=True)
class Anchor:
    """Time stamp `rtp` (32 bits, 48 kHz) is tick `tick`."""

    tick: Tick
    rtp: int

    def tick_of(self, timestamp: int, reach: Reach) -> int:
        """The tick of a time stamp: of its turns of 32 bits (a day each) the one that lies nearest to now.

        Rounded down where a time stamp lies between two ticks. Below zero for what was before the session.
        """
        near = self.rtp + (reach.now - self.tick) * _RTP_PER_TICK
        straight = near + ((timestamp - near + _TURN // 2) % _TURN - _TURN // 2)
        return self.tick + (straight - self.rtp) // _RTP_PER_TICK


def read_anchor(tick: int | None, rtp: int | None, reach: Reach) -> Anchor | None:
    """The anchor that a request names, if it does. Raises BadAnchor."""
    if tick is None and rtp is None:
        return None
    if tick is None or rtp is None:
        raise BadAnchor("An anchor is a tick and its RTP time stamp.", mend="Name both `tick` and `rtp`, or neither.")
    reach.check(tick, tick)
    return Anchor(Tick(tick), rtp)
