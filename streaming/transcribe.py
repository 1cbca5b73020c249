"""An audio file through a whole session: the same stages as live audio, at real-time pace or as fast as they go."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Literal

from streaming import media
from streaming.consents import Agreement
from streaming.engines import running
from streaming.errors import SessionOver
from streaming.memory_store import MemoryStore
from streaming.session import Session
from streaming.session_log import SessionLog
from streaming.settings import Settings
from streaming.state import SessionState
from streaming.track import Track
from streaming.types import SAMPLE_RATE, Int16Mono, Tick, TrackId, TrackPlan, seconds

log = logging.getLogger("sameday.transcribe")

Pace = Literal["real", "fast"]

_AHEAD_TICKS = 20 * SAMPLE_RATE
"""The file is read at most this far ahead of recognition and diarization, so that memory stays flat."""


async def transcribe(
    path: Path,
    settings: Settings,
    *,
    speakers: int,
    pace: Pace,
    progress: Callable[[float], None] = lambda _: None,
) -> SessionState:
    """The state of the ended session; `progress` is told the seconds of audio that have been transcribed.

    Raises BadAudio before anything was heard, EngineMissing.
    """
    blocks = media.read_file(path)
    # A file that cannot be read is refused before a second is spent on loading models.
    first = await asyncio.to_thread(next, blocks, None)
    # The note is not what this is for: no model server hears of the recording.
    async with running(settings.model_copy(update={"writer": "embedded"})) as engines:
        name = uuid.uuid4().hex
        # Everything is worked off within the audio's 2 minutes in memory: the log need not keep it.
        session = Session(name, SessionLog(name, MemoryStore()), engines, watched=pace == "real")
        plan = TrackPlan(TrackId("mic"), speakers)
        await session.start((plan,), Agreement(("recorded",), {"recorded": "spoken"}), settings.note_format)
        running_session = asyncio.create_task(session.run())
        track = session.track("mic")
        try:
            async for piece in _paced(first, blocks, track, pace, running_session):
                await _take(track, piece)
                progress(seconds(track.heard))
        except SessionOver:
            # A stage failed. What was transcribed is there, and the end says that it failed.
            log.error("the session ended before the audio did")
        finally:
            await session.end()
            await running_session
    return session.log.state


async def _take(track: Track, piece: Int16Mono | media.Hole) -> None:
    if not isinstance(piece, media.Hole):
        await track.write(track.received, piece)
    elif piece.end > piece.start:
        await track.lose(piece.end, piece.cause)
    else:
        # The file breaks off, and nothing says how much is missing: a gap without length names the place.
        await track.pass_over(piece.start, piece.end, piece.cause)


async def _paced(
    first: Int16Mono | media.Hole | None,
    rest: Iterator[Int16Mono | media.Hole],
    track: Track,
    pace: Pace,
    session: "asyncio.Task[None]",
) -> AsyncIterator[Int16Mono | media.Hole]:
    began = time.monotonic()
    piece = first
    while piece is not None:
        if pace == "real":
            end = piece.end if isinstance(piece, media.Hole) else Tick(track.received + len(piece))
            await asyncio.sleep(max(0.0, began + seconds(end) - time.monotonic()))
        while track.received - track.needed_from() > _AHEAD_TICKS:
            track.audio.moved.clear()
            moved = asyncio.ensure_future(track.audio.moved.wait())
            await asyncio.wait({moved, session}, return_when=asyncio.FIRST_COMPLETED)
            moved.cancel()
            if session.done():
                return
        yield piece
        piece = await asyncio.to_thread(next, rest, None)
