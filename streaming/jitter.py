"""Puts RTP audio packets back in order, and says which are lost. No clock: the caller tells the time.

Rules, and why:

- A packet in order is passed on at once: there is nothing to smooth, since nobody listens to the output.
- Behind a missing packet the others wait, `DEADLINE_S` at most from the arrival of the first that waits. Then the
  missing one is lost, all that wait goes out together, and no delay stays behind.
- 50 ms rather than less: audio thrown away is dearer here than 50 ms. Rather than more: 60 ms is what one lost packet
  may cost, and the timer and the decoder take their share.
- What comes after it was given up, or a second time, is counted and dropped.
- A new SSRC, or a jump of the sequence number by more than `MAX_JUMP` that the next packet confirms, is a new stream
  (RFC 3550, appendix A.1): what waits goes out, then it starts afresh.
"""

from dataclasses import dataclass

DEADLINE_S = 0.050
MAX_JUMP = 3_000
"""A minute of 20 ms packets: a jump further than this is another stream."""
MAX_LATE = 100
_FORGET_S = 1.0
"""Packets of the SSRC left behind may still come in for this long."""


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet: `sequence` is 16 bits, `timestamp` 32 bits in units of 1/48000 s, both wrap around."""

    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """A packet whose turn it is. `timestamp` does not wrap, and counts on within one stream.

    `lost` counts the packets missing right before it. `restart`: a new stream, whose numbers and time stamps say
    nothing about the one before.
    """

    payload: bytes
    timestamp: int
    lost: int = 0
    restart: bool = False


@dataclass(slots=True)
class JitterCounts:
    """What happened so far, in packets."""

    received: int = 0
    lost: int = 0
    late: int = 0
    repeated: int = 0
    reordered: int = 0
    restarts: int = 0


class JitterBuffer:
    """One track's packets in any order in, in their order out."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self.counts = JitterCounts()
        self._deadline_s = deadline_s
        self._ssrc: int | None = None
        self._left: tuple[int, float] | None = None
        """SSRC of the stream before and when it was left."""
        self._next = 0
        """Sequence number, extended beyond 16 bits, of the packet to pass on next."""
        self._highest = 0
        self._waiting: dict[int, tuple[Packet, float]] = {}
        """Packets ahead of the next, by extended sequence number, with their times of arrival."""
        self._passed: set[int] = set()
        """Numbers passed on lately: tells a repeat from a packet that came too late."""
        self._timestamp = 0
        self._stray: tuple[Packet, float] | None = None
        """A packet far off, waiting for its successor to confirm that the numbering jumped."""

    @property
    def deadline(self) -> float | None:
        """When to call `poll` at the latest; None while nothing waits."""
        if not self._waiting:
            return None
        return min(arrived for _, arrived in self._waiting.values()) + self._deadline_s

    def push(self, packet: Packet, now_s: float) -> list[Ready]:
        """Take a packet that arrived at `now_s`; returns what can go on now."""
        if self._ssrc is None:
            self.counts.received += 1
            return self._begin(packet)
        if packet.ssrc != self._ssrc:
            if self._left is not None and self._left[0] == packet.ssrc and now_s - self._left[1] < _FORGET_S:
                self.counts.late += 1
                return []
            self.counts.received += 1
            self._left = (self._ssrc, now_s)
            return self.drain() + self._begin(packet)
        ahead = _signed16(packet.sequence - self._next)
        if ahead < -MAX_LATE or ahead >= MAX_JUMP:
            return self._take_stray(packet, now_s)
        self._stray = None
        return self._take(self._next + ahead, packet, now_s)

    def poll(self, now_s: float) -> list[Ready]:
        """What may wait no longer at `now_s`, with the missing packets before it given up."""
        ready: list[Ready] = []
        while (deadline := self.deadline) is not None and now_s >= deadline:
            ready += self._give_up()
        return ready

    def drain(self) -> list[Ready]:
        """Everything that waits, in order: nothing more will come."""
        ready: list[Ready] = []
        while self._waiting:
            ready += self._give_up()
        return ready

    def _take(self, number: int, packet: Packet, now_s: float) -> list[Ready]:
        if number < self._next:
            if number in self._passed:
                self.counts.repeated += 1
            else:
                self.counts.late += 1
            return []
        if number in self._waiting:
            self.counts.repeated += 1
            return []
        self.counts.received += 1
        if number < self._highest:
            self.counts.reordered += 1
        self._highest = max(self._highest, number)
        self._waiting[number] = (packet, now_s)
        return self._in_order()

    def _in_order(self, lost: int = 0) -> list[Ready]:
        """Pass on from the next number up to the first hole."""
        ready: list[Ready] = []
        while self._next in self._waiting:
            packet, _ = self._waiting.pop(self._next)
            ready.append(self._pass_on(packet, lost))
            lost = 0
        return ready

    def _give_up(self) -> list[Ready]:
        """Count the packets missing before the first that waits as lost, and pass on from there."""
        first = min(self._waiting)
        lost = first - self._next
        self.counts.lost += lost
        self._next = first
        return self._in_order(lost)

    def _pass_on(self, packet: Packet, lost: int = 0, *, restart: bool = False) -> Ready:
        self._passed.add(self._next)
        self._passed.discard(self._next - MAX_LATE - 1)
        self._next += 1
        if restart:
            self._timestamp = packet.timestamp
        else:
            self._timestamp += _signed32(packet.timestamp - self._timestamp)
        return Ready(packet.payload, self._timestamp, lost, restart)

    def _begin(self, packet: Packet) -> list[Ready]:
        if self._ssrc is not None:
            self.counts.restarts += 1
        self._ssrc = packet.ssrc
        # One turn up, so that numbers before the first stay above zero.
        self._next = packet.sequence + 0x10000
        self._highest = self._next
        self._passed.clear()
        self._stray = None
        return [self._pass_on(packet, restart=True)]

    def _take_stray(self, packet: Packet, now_s: float) -> list[Ready]:
        if self._stray is None or _signed16(packet.sequence - self._stray[0].sequence) != 1:
            self._stray = (packet, now_s)
            return []
        first, _ = self._stray
        self.counts.received += 2
        return [*self.drain(), *self._begin(first), self._pass_on(packet)]


def _signed16(difference: int) -> int:
    return ((difference + 0x8000) & 0xFFFF) - 0x8000


def _signed32(difference: int) -> int:
    return ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000
