"""Audio of one track that has come before its turn, by its ticks: packets that wait for what is missing before them.

A track takes audio in order alone. What waits is kept as it came, undecoded, so that one decoder hears all packets in
the order they were encoded in, whichever way and in whichever order they came: the samples are those of a line that
loses nothing. Bounded three ways; what finds no room is not taken, and stays its sender's, who sees that it is
missing.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import Literal

from streaming.audio_wire import Codec
from streaming.opus import packet_ticks
from streaming.types import SAMPLE_RATE, Tick

MAX_TICKS = 60 * SAMPLE_RATE
"""So far behind what is missing audio is kept, which is also how long words behind a hole may have to wait."""
MAX_PIECES = 6_000
MAX_BYTES = 2 * 1024 * 1024
"""A minute of PCM16, which is more than Opus has."""
MAX_HOLES = 64
"""So many holes are told at once, the first ones."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One packet or frame. `call` counts the track's anchored connections from 1; 0 came over the numbered path.

    `number` is the RTP sequence number. A `pause` has no payload: its sender chose to send nothing there.
    """

    start: Tick
    payload: bytes
    codec: Codec | Literal["pause"] = "opus"
    call: int = 0
    number: int = 0
    pause_ticks: int = 0
    ticks: int = field(init=False)
    """How long it is; read once, since thousands may wait."""

    def __post_init__(self) -> None:
        ticks = packet_ticks(self.payload) if self.codec == "opus" else len(self.payload) // 2
        object.__setattr__(self, "ticks", self.pause_ticks if self.codec == "pause" else ticks)

    @property
    def end(self) -> Tick:
        """The tick behind it."""
        return Tick(self.start + self.ticks)

    def follows(self, other: "Piece") -> bool:
        """Whether nothing was sent between the two."""
        return self.call == other.call != 0 and self.number == (other.number + 1) & 0xFFFF


class Ahead:
    """The pieces that wait, none of them wholly before `received`, which each call is told."""

    def __init__(self) -> None:
        self._pieces: dict[int, Piece] = {}
        self._starts: list[int] = []
        self._bytes = 0
        self._newest: Piece | None = None
        """Of RTP, by its sequence number."""

    @property
    def first(self) -> Piece | None:
        """The earliest."""
        return self._pieces[self._starts[0]] if self._starts else None

    def put(self, piece: Piece, received: Tick) -> bool:
        """Take a piece, if it is news and there is room; says whether it is there now."""
        pause = self._pause_before(piece)
        if pause is not None:
            self._put(pause, received)
        return self._put(piece, received)

    def pop(self, received: Tick) -> Piece | None:
        """The next piece, if it begins at `received` or before; those wholly before it go."""
        while self._starts and self._starts[0] <= received:
            piece = self._pieces.pop(self._starts.pop(0))
            self._bytes -= len(piece.payload)
            if piece.end > received:
                return piece
        return None

    def clear(self) -> None:
        """Nothing waits any more."""
        self._pieces.clear()
        self._starts.clear()
        self._bytes = 0

    def end(self, received: Tick) -> Tick:
        """The tick behind the last that is there."""
        return max((piece.end for piece in self._pieces.values()), default=received)

    def holes(self, received: Tick) -> list[tuple[int, int]]:
        """What is missing from `received` to the end of what waits, the first `MAX_HOLES` stretches."""
        found: list[tuple[int, int]] = []
        at = int(received)
        for start in self._starts:
            if start > at:
                found.append((at, start))
                if len(found) == MAX_HOLES:
                    break
            at = max(at, self._pieces[start].end)
        return found

    def _put(self, piece: Piece, received: Tick) -> bool:
        known = self._pieces.get(piece.start)
        if piece.end <= received or (known is not None and known.end >= piece.end):
            return True
        size = self._bytes + len(piece.payload) - (len(known.payload) if known is not None else 0)
        if piece.end > received + MAX_TICKS or size > MAX_BYTES:
            return False
        if known is None:
            if len(self._starts) >= MAX_PIECES:
                return False
            insort(self._starts, int(piece.start))
        self._pieces[piece.start] = piece
        self._bytes = size
        return True

    def _pause_before(self, piece: Piece) -> Piece | None:
        """A jump of the time stamp without one of the sequence number: the sender sent nothing there."""
        before = self._newest
        if piece.call == 0:
            return None
        if before is None or before.call != piece.call or (piece.number - before.number) & 0xFFFF < 0x8000:
            self._newest = piece
        if before is None or not piece.follows(before) or piece.start <= before.end:
            return None
        at = bisect_left(self._starts, before.end)
        if at < len(self._starts) and self._starts[at] < piece.start:
            return None
        return Piece(before.end, b"", "pause", pause_ticks=piece.start - before.end)
