"""The line of a track whose sender knows its ticks: anchored WebRTC connections and the numbered path beside them.

Both give their packets here by tick; what follows on itself is decoded and written, what came before its turn waits
(`ahead.py`) for the sender to send what is missing over the numbered path. Nothing is named a gap at once:

- A hole with audio behind it waits `MAX_TICKS` at most (what waits is in memory), and less where `wait_s` is less.
  Where no numbered connection was beside the line nobody could fill it: then it is named when reordered packets have
  had their time, as on a line without an anchor, and so is what lies before the first connection.
- A sender that falls silent is expected back for `wait_s`; then the silence until now is named `disconnected`.
- The session's end names at once what is missing (`finish`, and `TrackSink.awaited` where it ends by itself).

One decoder hears all packets in their order whichever way they came. What comes again from before the end is heard by
a decoder that has heard nothing yet: a few packets of lead and it is where the sender's encoder was.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from streaming.ahead import MAX_TICKS, Ahead, Piece
from streaming.anchor import Anchor, Reach
from streaming.errors import BadAudio, Fenced, SessionOver, StoreFailed
from streaming.jitter import DEADLINE_S
from streaming.media import OpusDecoder
from streaming.ports import TrackSink
from streaming.rtp_timeline import DTX_TICKS
from streaming.track_writer import TrackWriter
from streaming.types import GapCause, Tick, seconds

_LOOK_S = 0.05
"""How often a line on which something is missing looks whether it has waited long enough."""
_BRIDGED = 6
"""Packets in a row whose loss the decoder is told of; further apart sounds have nothing to do with each other."""


class TickLine:
    """One track's line, from the first anchored connection until a sender without ticks takes the track over.

    Use it on one event loop; it is the only writer of its sink while it is `open`.
    """

    def __init__(self, sink: TrackSink, clock: Callable[[], Tick], *, wait_s: float) -> None:
        """`clock` gives the session's elapsed ticks; `wait_s` is how long a sender is expected back."""
        self.sink = sink
        self.open = True
        self.filled = False
        """Whether a numbered connection was beside it, and has not said that it sends no more: somebody who can send
        again what is missing."""
        self.durable = Tick(0)
        """All before this tick is in the log."""
        self._clock = clock
        self._wait_s = wait_s
        self._ahead = Ahead()
        self._decoder = OpusDecoder()
        self._cold = True
        self._turn = asyncio.Lock()
        self._calls = 0
        self._begins: Tick | None = None
        self._new = True
        """Whether nothing came yet."""
        self._beyond = Tick(0)
        """Where the newest audio begins that lay too far ahead to be kept."""
        self._last_call = 0
        """Which connection the audio at the end is of."""
        self._lost_ticks = 0
        """What was named a gap right before the end."""
        self._hole: tuple[int, float] | None = None
        """Where something is missing, and since when nothing of it has come."""
        self._away_since: float | None = None
        self._tending: asyncio.Task[None] | None = None

    @property
    def reach(self) -> Reach:
        """Where the session stands now."""
        return Reach(self._clock(), self.sink.received)

    def call(self, anchor: Anchor) -> int:
        """A new anchored connection; returns its number. On a track without audio its anchor is where that begins."""
        self._calls += 1
        if self._begins is None:
            self._begins = anchor.tick
        return self._calls

    async def put(self, pieces: Sequence[Piece]) -> Tick:
        """Write what follows on the end, keep what does not; returns the tick before which all is durable.

        What finds no room is not kept. Raises SessionOver, StoreFailed, Fenced once the line is not `open`.
        """
        async with self._turn:
            self._check_open()
            if pieces:
                self._away_since = None
                await self._begin(min(piece.start for piece in pieces))
            for piece in pieces:
                self._put(piece)
            await self._drain()
            self._watch()
            return self.durable

    async def _begin(self, start: Tick) -> None:
        """Name what was before a track's audio, or before a sender who cannot fill what another one has left."""
        if not self.sink.received:
            await self._lose(start if self._begins is None else min(self._begins, start), "no_audio")
            self._lost_ticks = 0
        elif self._new and not self.filled:
            await self._lose(start, "disconnected")
        self._new = False

    def _put(self, piece: Piece) -> None:
        received = self.sink.received
        if piece.end <= received:
            self._warm_up(piece)
        elif not self._ahead.put(piece, received) and piece.end > received + MAX_TICKS:
            self._beyond = piece.start

    async def skip(self, tick: Tick) -> Tick:
        """The sender has nothing of what is missing before `tick`. Raises as `put`."""
        async with self._turn:
            self._check_open()
            self._away_since = None
            self._new = False
            while self.sink.received < tick:
                first = self._ahead.first
                await self._lose(tick if first is None else min(tick, first.start), "dropped_by_sender")
                await self._drain()
            self._watch()
            return self.durable

    def went(self) -> None:
        """A connection broke off: unless another one sends, its sender is expected back."""
        if self.open:
            self._away_since = asyncio.get_running_loop().time()
            self._watch()

    def standing(self) -> dict[str, Any]:
        """What a sender is told: all before `tick` is durable, and of what lies before `end` this is `missing`."""
        received = self.sink.received
        holes = [list(hole) for hole in self._ahead.holes(received)]
        return {"type": "standing", "tick": self.durable, "end": self._ahead.end(received), "missing": holes}

    async def finish(self) -> None:
        """The session ends: what is missing is named, and what waited for it written.

        Where the store fails the track has it all the same, and writes it with the session's end.
        """
        async with self._turn:
            if not self.open:
                return
            try:
                while (first := self._ahead.first) is not None:
                    with _tried_again():
                        await self._lose(first.start, self._cause())
                    with _tried_again():
                        await self._drain()
                    if self._ahead.first is first:
                        break  # the track does not take it
                missing = self._away_since is not None or self._beyond > self.sink.received
                if missing and self._clock() > self.sink.received:
                    with _tried_again():
                        await self._lose(self._clock(), "disconnected")
            except (SessionOver, Fenced):
                pass  # written by another, or by nobody
            finally:
                self.drop()

    async def leave(self) -> None:
        """Another sender writes from now on, here or elsewhere: what waits is dropped, being unacknowledged."""
        async with self._turn:
            self.drop()

    def drop(self) -> None:
        """Nobody here writes any more, from this moment on: the session is another node's."""
        self.open, self.sink.awaited = False, False
        self._ahead.clear()
        if self._tending is not None and self._tending is not asyncio.current_task():
            self._tending.cancel()

    def unread(self, through: Tick) -> None:
        """What came up to this tick was not read in time: it may be sent again, and is named if it is not."""
        if self.open and through > self.sink.received:
            self._beyond = max(self._beyond, through)
            self._watch()

    def _check_open(self) -> None:
        if not self.open:
            raise Fenced("The track goes on with another sender.", mend="Connect again.")

    def _watch(self) -> None:
        """Look after what is missing, as long as something is."""
        now_s, received = asyncio.get_running_loop().time(), int(self.sink.received)
        if self._ahead.first is None and self._beyond <= received:
            self._hole = None
        elif self._hole is None or self._hole[0] != received:
            self._hole = (received, now_s)
        self.sink.awaited = self._hole is not None or self._away_since is not None
        if self.sink.awaited and (self._tending is None or self._tending.done()):
            self._tending = asyncio.create_task(self._tend(), name="tick-line")

    async def _tend(self) -> None:
        try:
            while self.sink.awaited:
                await asyncio.sleep(_LOOK_S)
                # What could not be written is written with what comes next, or at the next look.
                with _tried_again():
                    async with self._turn:
                        self._check_open()
                        await self._give_up(asyncio.get_running_loop().time())
                        self._watch()
        except (SessionOver, Fenced):
            self.drop()

    async def _give_up(self, now_s: float) -> None:
        """Name what has been waited for long enough."""
        if self._hole is not None and now_s - self._hole[1] >= self._patience_s():
            await self._name()
        elif self._hole is None and self._away_since is not None and now_s - self._away_since >= self._wait_s:
            self._away_since = None
            await self._lose(max(self._clock(), self.sink.received), "disconnected")

    def _patience_s(self) -> float:
        first = self._ahead.first
        if not self.filled and (first is None or first.call == self._last_call):
            return DEADLINE_S
        return min(self._wait_s, seconds(MAX_TICKS))

    async def _name(self) -> None:
        """Name what is missing before the first that waits, and go on with that; or before what could not wait."""
        first = self._ahead.first
        await self._lose(self._beyond if first is None else first.start, self._cause())
        await self._drain()

    def _cause(self) -> GapCause:
        first = self._ahead.first
        return "packet_loss" if first is not None and first.call == self._last_call != 0 else "disconnected"

    async def _lose(self, end: Tick, cause: GapCause) -> None:
        before = self.sink.received
        self.durable = await self.sink.lose(end, cause)
        self._lost_ticks += self.sink.received - before

    async def _drain(self) -> None:
        """Write all that follows on the end; then all that was received is durable."""
        writer = TrackWriter(self.sink)
        while (piece := self._ahead.pop(writer.end)) is not None:
            await self._add(piece, writer)
        self.durable = await writer.durable()

    async def _add(self, piece: Piece, writer: TrackWriter) -> None:
        self._last_call = piece.call or self._last_call
        if piece.codec == "pause":
            self._decoder.skip()
            await writer.pass_over(piece.end, "silence" if piece.ticks <= DTX_TICKS else "no_audio")
        elif piece.codec == "pcm16":
            self._decoder.skip()
            writer.add(piece.start, np.frombuffer(piece.payload, dtype="<i2").astype(np.int16))
        else:
            self._tell_decoder(piece)
            try:
                writer.add(piece.start, self._decoder.decode(piece.payload))
                self._cold = False
            except BadAudio:
                await writer.pass_over(piece.end, "decoder_error")
        self._lost_ticks = 0

    def _tell_decoder(self, piece: Piece) -> None:
        if not self._lost_ticks:
            return
        lost = -(-self._lost_ticks // piece.ticks)
        if lost <= _BRIDGED:
            self._decoder.lose(lost, piece.payload)
        else:
            self._decoder.skip()

    def _warm_up(self, piece: Piece) -> None:
        if self._cold and piece.codec == "opus":
            with contextlib.suppress(BadAudio):
                self._decoder.decode(piece.payload)


@contextlib.contextmanager
def _tried_again() -> Iterator[None]:
    """A store that fails now has what is the track's with the next write. Not so one that knows another writer."""
    try:
        yield
    except Fenced:
        raise
    except StoreFailed:
        pass
