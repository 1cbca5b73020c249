"""Audio over a WebSocket: numbered frames in, acknowledgements out (docs/protocol.md).

The loss-free path: what is acknowledged is durable, and what is not can be sent again over another connection, since
the numbers belong to the track and not to the connection. A reader takes messages off the socket into a bounded
inbox; the writer takes what is there, writes what follows on itself at once, and acknowledges once. When the store is
slow the inbox fills, the reader stops, and TCP slows the sender down: nothing is dropped.

Beside an anchored WebRTC connection (`tick_line.py`) the frames fill what that has lost, and the sender is told how
the track stands whenever that changes.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, Protocol

from streaming.ahead import Piece
from streaming.audio_texts import Skip, read_text
from streaming.audio_wire import AudioFrame, BadFrame, OutOfOrder, TooLarge, UnknownCodec, unpack
from streaming.errors import BadAudio, Fenced, PeerError, SamedayError, SessionOver, StoreFailed
from streaming.ports import TrackSink
from streaming.tick_line import TickLine
from streaming.track_writer import TrackWriter
from streaming.types import SAMPLE_RATE, Int16Mono, Tick

MAX_QUEUED = 256
"""Messages read and not yet written; at most one second of audio each."""
MAX_BATCH = 64
"""Messages written and acknowledged at once."""
LINGER_S = 0.060
"""The request to end a session may overtake the last frames on the way: they get this long."""
QUIET_S = 0.010
"""After it, a pause of this length says that all that was sent has been read."""
AHEAD_TICKS = 2 * 3_600 * SAMPLE_RATE
"""A gap may end so far ahead of the session's clock: more than a clock is set by, and no more than is heard soon."""
DRAIN_LIMIT_S = 5.0
"""A sender that never pauses keeps no session from its end."""
STANDING_S = 0.2
"""How often at most the sender beside an anchored connection is told how the track stands."""
CLOSE_DONE = 1000
CLOSE_REPLACED = 4000
CLOSE_OVER = 4409
CLOSE_FAILED = 1011
CLOSE_MOVED = 4307

End = Literal["done", "disconnected", "replaced", "session_over", "store_failed", "moved"]


class Socket(Protocol):
    """One accepted WebSocket."""

    async def receive(self) -> bytes | str | None:
        """The next message, binary or text; None once the peer is gone, however it went."""
        ...

    async def send(self, text: str) -> None:
        """Send a text message; where the peer is gone, do nothing."""
        ...

    async def close(self, code: int) -> None:
        """Close; where it is closed, do nothing."""
        ...


class PacketDecoder(Protocol):
    """Decodes one stream's packets."""

    def decode(self, packet: bytes) -> Int16Mono:
        """A packet's samples at 16 kHz. Raises BadAudio."""
        ...

    def skip(self) -> None:
        """The next packet does not follow the last one."""
        ...


class TrackNumbers:
    """What must outlive a connection: keep one per track for as long as the session lives, on one event loop."""

    def __init__(self) -> None:
        self.next = 0
        """The sequence number wanted next."""
        self._turn = asyncio.Lock()
        """Held while a connection writes: the next one is told where to go on only after that."""
        self._owner: _Connection | None = None
        self._over = False
        self._moved: str | None = None

    def move(self, address: str) -> None:
        """The track's session goes on at another node, at `address` if that is known: its connection is told.

        What was not acknowledged comes again there.
        """
        self._moved = address
        if self._owner is not None:
            self._owner._arrived.set()

    async def settled(self) -> None:
        """Returns once nobody writes, after `move`: nobody will."""
        async with self._turn:
            return

    async def release(self, *, beside: bool = True) -> None:
        """Close the track's connection, if there is one, with 4000; returns once it writes no more.

        One that is beside an anchored connection stays where `beside` is false.
        """
        if not beside and self._owner is not None and self._owner.line is not None:
            return
        owner, self._owner = self._owner, None
        if owner is not None:
            owner._arrived.set()
        async with self._turn:
            return

    async def finish(self) -> None:
        """The track takes no more: its connection writes what was sent by now, then is closed with 4409.

        Returns once that is written, or after DRAIN_LIMIT_S. Later connections are closed with 4409 at once.
        """
        self._over = True
        if self._owner is not None:
            await self._owner.drain()


async def ingest(
    socket: Socket,
    sink: TrackSink,
    numbers: TrackNumbers,
    new_decoder: Callable[[], PacketDecoder],
    clock: Callable[[], Tick] | None = None,
    device_key: str | None = None,
    line: TickLine | None = None,
) -> End:
    """Serve one connection of a track until it ends; says how it ended. All accepted audio is in `sink` by then.

    `clock` gives the session's elapsed ticks, which the sender is told: it cannot know for how long it slept.
    `device_key` is told too: what a sender keeps of the session it seals with that (`device_keys.py`). With a `line`
    the connection is one beside anchored WebRTC ones.

    A newer connection with the same `numbers` takes the track over, and this one is closed with 4000. Closes the
    socket itself unless the peer did. Raises nothing of the peer's; SessionOver and StoreFailed are told to the peer.
    """
    return await _Connection(socket, sink, numbers, new_decoder, clock, device_key, line).serve()


class _Connection:
    def __init__(
        self,
        socket: Socket,
        sink: TrackSink,
        numbers: TrackNumbers,
        new_decoder: Callable[[], PacketDecoder],
        clock: Callable[[], Tick] | None,
        device_key: str | None,
        line: TickLine | None,
    ) -> None:
        self.line = line
        self._socket = socket
        self._sink = sink
        self._numbers = numbers
        self._new_decoder = new_decoder
        self._clock = clock
        self._device_key = device_key
        self._decoder: PacketDecoder | None = None
        self._inbox: deque[bytes | str | None] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._linger_until: float | None = None
        """The event loop's time; none as long as the track goes on."""
        self._written = asyncio.Event()

    async def drain(self) -> None:
        """Write what was sent by now and end; returns once it is written, or after DRAIN_LIMIT_S."""
        if self._linger_until is None:
            self._linger_until = asyncio.get_running_loop().time() + LINGER_S
        self._arrived.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_LIMIT_S):
                await self._written.wait()

    async def serve(self) -> End:
        if self._numbers._over:
            return await self._break_off(_over(), CLOSE_OVER, "session_over")
        if self._numbers._moved is not None:
            return await self._break_off(_moved(), CLOSE_MOVED, "moved")
        older, self._numbers._owner = self._numbers._owner, self
        if older is not None:
            older._arrived.set()
        tasks = [asyncio.create_task(self._read(), name="websocket-ingest-reader")]
        try:
            async with self._numbers._turn:
                await self._ready()
            if self.line is not None:
                self.line.filled = True
                tasks.append(asyncio.create_task(self._tell_standing(self.line), name="websocket-ingest-standing"))
            try:
                return await self._write()
            finally:
                # The peer may be slow to take the farewell: the end of the session does not wait for it.
                self._written.set()
        except SessionOver as error:
            return await self._break_off(error, CLOSE_OVER, "session_over")
        except Fenced as error:
            return await self._break_off(error, CLOSE_MOVED, "moved")
        except StoreFailed as error:
            return await self._break_off(error, CLOSE_FAILED, "store_failed")
        finally:
            self._written.set()
            if self._numbers._owner is self:
                self._numbers._owner = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ready(self) -> None:
        """Say where to go on. All before it is durable: a sender lets go of it."""
        durable = await (TrackWriter(self._sink).durable() if self.line is None else self.line.put(()))
        ready: dict[str, Any] = {"type": "ready", "sequence": self._numbers.next, "tick": durable}
        if self._clock is not None:
            ready["clock"] = self._clock()
        if self._device_key is not None:
            ready["device_key"] = self._device_key
        await self._tell(ready)

    async def _tell_standing(self, line: TickLine) -> None:
        told: dict[str, Any] = {}
        while line.open:
            standing = line.standing()
            if standing != told:
                await self._tell(standing)
                told = standing
            await asyncio.sleep(STANDING_S)

    async def _read(self) -> None:
        message: bytes | str | None = b""
        while message is not None:
            message = await self._socket.receive()
            self._inbox.append(message)
            self._arrived.set()
            if len(self._inbox) >= MAX_QUEUED:
                self._room.clear()
                await self._room.wait()

    async def _write(self) -> End:
        while True:
            await self._news()
            async with self._numbers._turn:
                if self._numbers._moved is not None:
                    raise _moved()
                if self._numbers._owner is not self:
                    # What came here and was not written is not acknowledged: it comes again over the newer one.
                    await self._socket.close(CLOSE_REPLACED)
                    return "replaced"
                end = await self._take([self._inbox.popleft() for _ in range(min(len(self._inbox), MAX_BATCH))])
            if end is not None:
                return end
            if not self._inbox and self._numbers._owner is self:
                self._arrived.clear()
            self._room.set()

    async def _news(self) -> None:
        """Wait for messages. Raises SessionOver once the track takes no more and all that was sent is written."""
        wait_s = None
        if self._linger_until is not None:
            wait_s = max(QUIET_S, self._linger_until - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(wait_s):
                await self._arrived.wait()
        except TimeoutError:
            raise _over() from None

    async def _take(self, batch: list[bytes | str | None]) -> End | None:
        """Write a batch, then answer it: an acknowledgement for all, then what was refused, in order."""
        if self.line is not None and not self.line.open:
            raise _moved()
        writer = TrackWriter(self._sink)
        pieces: list[Piece] = []
        through = self._numbers.next
        frames = 0
        refused: list[PeerError] = []
        end: End | None = None
        for message in batch:
            try:
                if isinstance(message, bytes) and self.line is None:
                    through = await self._accept(unpack(message), through, writer, refused)
                    frames += 1
                elif isinstance(message, bytes):
                    through = self._accept_beside(unpack(message), through, pieces)
                    frames += 1
                else:
                    end = await self._take_text(message, pieces)
                    if end is not None:
                        break
            except (BadFrame, TooLarge, UnknownCodec, OutOfOrder) as error:
                refused.append(error)
        durable = await (writer.durable() if self.line is None else self.line.put(pieces))
        self._numbers.next = through
        if frames:
            await self._tell({"type": "ack", "sequence": through - 1, "tick": durable})
        for refusal in refused:
            await self._refuse(refusal)
        if end == "done":
            await self._tell({"type": "done", "tick": durable})
            await self._socket.close(CLOSE_DONE)
        return end

    async def _accept(self, frame: AudioFrame, through: int, writer: TrackWriter, refused: list[PeerError]) -> int:
        """Add a frame's audio; returns the number wanted next. Raises OutOfOrder, BadFrame."""
        if frame.sequence > through:
            raise OutOfOrder(through)
        if frame.sequence < through:
            return through
        if frame.tick > writer.end:
            self._check_ahead(frame.tick)
            if self._decoder is not None:
                self._decoder.skip()
            await writer.pass_over(frame.tick, "dropped_by_sender")
        try:
            writer.add(frame.tick, frame.pcm() if frame.codec == "pcm16" else self._decode(frame.payload))
        except BadAudio as error:
            # To send it again would not help: its time is named as a gap, and its number is used up.
            await writer.pass_over(Tick(frame.tick + frame.ticks), "decoder_error")
            refused.append(error)
        return through + 1

    async def _take_text(self, message: str | None, pieces: list[Piece]) -> End | None:
        """Raises BadFrame."""
        asked = None if message is None else read_text(message, beside=self.line is not None)
        if self.line is None or asked == "done":
            if self.line is not None:
                self.line.filled = False
            return "disconnected" if message is None else "done"
        await self.line.put(pieces)
        pieces.clear()
        if isinstance(asked, Skip):
            if not self.line.reach.holds(asked.tick):
                raise BadFrame("What is skipped lies ahead of the session.", mend="Skip what is missing, up to now.")
            await self.line.skip(asked.tick)
            return None
        self.line.went()
        return "disconnected"

    def _accept_beside(self, frame: AudioFrame, through: int, pieces: list[Piece]) -> int:
        """Add a frame for the line; returns the number wanted next. Raises OutOfOrder, BadFrame."""
        if frame.sequence > through:
            raise OutOfOrder(through)
        if frame.sequence < through:
            return through
        self._check_ahead(frame.tick)
        pieces.append(Piece(frame.tick, frame.payload, frame.codec))
        return through + 1

    def _check_ahead(self, tick: Tick) -> None:
        """Raises BadFrame: a mistaken number must not make the session listen to days of nothing."""
        if self._clock is not None and tick > self._clock() + AHEAD_TICKS:
            raise BadFrame("The frame lies far ahead of the session.", mend="Count ticks from the session's start.")

    def _decode(self, packet: bytes) -> Int16Mono:
        if self._decoder is None:
            self._decoder = self._new_decoder()
        return self._decoder.decode(packet)

    async def _break_off(self, error: SamedayError, code: int, end: End) -> End:
        await self._refuse(error)
        await self._socket.close(code)
        return end

    async def _refuse(self, error: SamedayError) -> None:
        body: dict[str, Any] = {"code": error.code, "message": error.message, "mend": error.mend}
        if isinstance(error, OutOfOrder):
            body["expected"] = error.expected
        if isinstance(error, Fenced):
            body["address"] = self._numbers._moved or None
        await self._tell({"error": body})

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message))


def _over() -> SessionOver:
    return SessionOver("The session has ended and takes no more audio.")


def _moved() -> Fenced:
    return Fenced("The session goes on elsewhere.", mend="Connect again.")
