"""Dictation: one person's talk as text while it is spoken, by the recognizer of the sessions. Nothing of it is kept.

A session over a log in memory does the work, as for `sameday transcribe`: it has no id that anybody could ask for, is
nobody's visit, and its audio and words are gone with the connection.

What a client sends is PCM16, mono, 16 kHz, little-endian, in binary messages, and at the end {"type": "end"} as text.
What it gets: `partial` (the text after the last final words, which may change), `words` (final), and `done`.
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import numpy as np

from drafting.embedded import EmbeddedWriter
from streaming import refusals
from streaming.consents import Agreement
from streaming.errors import BadAudio, Overloaded, SamedayError, SessionOver
from streaming.events import SessionEnded, Stored, UtteranceClosed
from streaming.memory_store import MemoryStore
from streaming.session import Session
from streaming.session_engines import Engines
from streaming.session_log import SessionLog
from streaming.track import Track
from streaming.types import SAMPLE_RATE, TrackId, TrackPlan

MAX_S = 600
"""A recap is two or three lines; what goes on for so long has been forgotten about."""
_MAX_SAMPLES = SAMPLE_RATE
_MAX_BEHIND = 10 * SAMPLE_RATE
_LOOK_S = 1.0
_SILENT_S = 30.0
_TRACK = "dictation"


class TooLong(BadAudio):
    """A dictation past its bound."""

    code = "too_long"


class Peer(Protocol):
    """The WebSocket of who dictates."""

    async def receive(self) -> bytes | str | None:
        """The next message; None once the peer has gone."""
        ...

    async def send(self, text: str) -> None:
        """Send a message; nothing happens where the peer has gone."""
        ...

    async def close(self, code: int) -> None:
        """Close; nothing happens where the peer has gone."""
        ...


class Dictations:
    """How many go on in this process, and on what."""

    def __init__(self, engines: Engines, sessions: int) -> None:
        """`sessions` is how many live ones the server takes: a quarter as many may dictate beside them."""
        self._engines = replace(engines, writer=EmbeddedWriter())  # whose note nobody sees: no model server is asked
        self._most = max(1, sessions // 4)
        self._count = 0

    async def run(self, peer: Peer, check_room: Callable[[], None]) -> None:
        """One dictation to its end. Raises Overloaded before anything was heard."""
        check_room()
        if self._count >= self._most:
            raise Overloaded("The server is at its limit of dictations.", mend="Try again in a minute.")
        self._count += 1
        try:
            await _dictate(self._engines, peer)
        finally:
            self._count -= 1


async def _dictate(engines: Engines, peer: Peer) -> None:
    name = uuid.uuid4().hex
    session = Session(name, SessionLog(name, MemoryStore()), engines)
    plan = TrackPlan(TrackId(_TRACK), 1, "clinician")
    await session.start((plan,), Agreement(("clinician",), {"clinician": "spoken"}), "soap")
    refused: SamedayError | None = None
    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        telling = group.create_task(_tell(session.log, peer))
        try:
            await _take(peer, session.track(_TRACK))
        except SamedayError as error:
            refused = error
        finally:
            await session.end()
        await telling
    if refused is not None and not isinstance(refused, SessionOver):
        await peer.send(json.dumps(refusals.told(refused)))
        await peer.close(refusals.close_code(refused))
        return
    await peer.send(json.dumps({"type": "done"}))
    await peer.close(1000)


async def _take(peer: Peer, track: Track) -> None:
    """Audio until the peer says that it is all, or goes. Raises BadAudio, TooLong, SessionOver."""
    while isinstance(message := await _next(peer), bytes):
        if not message or len(message) % 2 or len(message) > 2 * _MAX_SAMPLES:
            raise BadAudio("A message is 1 to 16,000 samples of 16 bits.", mend="See docs/protocol.md.")
        if track.received > MAX_S * SAMPLE_RATE:
            raise TooLong("The dictation is longer than ten minutes.", mend="What is written stays; begin another.")
        await track.write(track.received, np.frombuffer(message, "<i2").astype(np.int16))
        while track.lag_ticks > _MAX_BEHIND and not track.audio.closed:  # who sends faster than anybody speaks waits
            track.audio.moved.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(track.audio.moved.wait(), _LOOK_S)


async def _next(peer: Peer) -> bytes | str | None:
    """The next message; None where a microphone that gives ten a second has fallen silent."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_SILENT_S):
            return await peer.receive()
    return None


async def _tell(log: SessionLog, peer: Peer) -> None:
    """What was understood, as it comes, until the end of the session."""
    async for news in log.follow():
        if isinstance(news, Stored):
            if isinstance(news.event, UtteranceClosed):
                await peer.send(json.dumps({"type": "words", "text": news.event.utterance.text}))
            if isinstance(news.event, SessionEnded):
                return
        elif news["type"] == "partial":
            text = f"{news['committed']} {news['tentative']}".strip()
            await peer.send(json.dumps({"type": "partial", "text": text}))
