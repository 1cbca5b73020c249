"""An anchored connection's RTP packets, each at its sender's tick into the line of its track (`tick_line.py`)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streaming.ahead import Piece
from streaming.anchor import Anchor
from streaming.errors import BadAnchor
from streaming.jitter import Packet
from streaming.opus import packet_ticks
from streaming.rtp_track import Reason, RtpTrack
from streaming.tick_line import TickLine
from streaming.types import Tick


@dataclass(frozen=True, slots=True)
class Anchored:
    """Where a connection's audio goes, and by which anchor."""

    line: TickLine
    anchor: Anchor


class AnchoredTrack(RtpTrack):
    """As `RtpTrack`; order and loss are the line's, and a silence is not named while its sender is expected back."""

    def __init__(
        self, anchored: Anchored, clock: Callable[[], Tick], *, no_rtp_timeout_s: float, connect_timeout_s: float
    ) -> None:
        super().__init__(
            anchored.line.sink, clock, no_rtp_timeout_s=no_rtp_timeout_s, connect_timeout_s=connect_timeout_s
        )
        self.anchored = True
        self._line = anchored.line
        self._anchor = anchored.anchor
        self._call = anchored.line.call(anchored.anchor)
        self._ssrc: int | None = None

    async def run(self, before_first: Callable[[], Awaitable[None]]) -> Reason:
        reason = await super().run(before_first)
        if self.heard and reason not in ("requested", "replaced", "session_over"):
            self._line.went()
        return reason

    async def _work(self, before_first: Callable[[], Awaitable[None]], *, more_waiting: bool, stopping: bool) -> None:
        """All that has arrived, as it came; a packet that cannot lie where the anchor says ends the connection."""
        arrived = [self._arrived.popleft()[0] for _ in range(len(self._arrived))]
        if arrived:
            await self._take(arrived, before_first)
        if stopping:
            self._line.unread(self._cut_off)

    async def _take(self, arrived: list[Packet], before_first: Callable[[], Awaitable[None]]) -> None:
        await self._go_first(before_first)
        pieces: list[Piece] = []
        try:
            for packet in arrived:
                self._place(packet, pieces)
        except BadAnchor:
            self.stop("bad_anchor")
        await self._line.put(pieces)

    def _place(self, packet: Packet, pieces: list[Piece]) -> None:
        self._ssrc = packet.ssrc if self._ssrc is None else self._ssrc
        if packet.ssrc != self._ssrc:
            raise BadAnchor("Another stream's time stamps say nothing by this anchor.", mend="Connect again.")
        ticks = packet_ticks(packet.payload)
        if not ticks:
            # An empty packet is padding; what is no Opus is missing, and can be sent over the numbered path.
            self._unusable += bool(packet.payload)
            return
        reach = self._line.reach
        start = self._anchor.tick_of(packet.timestamp, reach)
        reach.check(start, start + ticks)
        if start >= 0:
            pieces.append(Piece(Tick(start), packet.payload, call=self._call, number=packet.sequence))

    async def _fall_silent(self) -> None:
        self.stop("no_rtp" if self.heard else "never_connected")
