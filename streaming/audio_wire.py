"""The binary frames of audio over WebSocket (docs/protocol.md): bytes to a frame and back, and what is refused."""

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

from streaming.errors import PeerError
from streaming.opus import MAX_PACKET_BYTES, packet_ticks
from streaming.types import SAMPLE_RATE, Int16Mono, Tick

Codec = Literal["pcm16", "opus"]

HEADER = struct.Struct("<2sBBIQ")
MAGIC = b"SD"
VERSION = 1
MAX_PCM_SAMPLES = 16_000
MAX_SEQUENCE = 2**32 - 1
MAX_TICK = 48 * 3_600 * SAMPLE_RATE
"""No session lasts two days: a later tick is a mistake, and must not become a gap of years."""
_CODES: dict[Codec, int] = {"pcm16": 1, "opus": 2}
_CODECS = {code: codec for codec, code in _CODES.items()}


class BadFrame(PeerError):
    """A message that is no frame; its number is not used up."""

    code = "bad_frame"


class TooLarge(PeerError):
    """A frame with more than one second of audio, or more bytes than an Opus packet can have."""

    code = "too_large"


class UnknownCodec(PeerError):
    """A frame of a codec that this server does not know."""

    code = "unknown_codec"


class OutOfOrder(PeerError):
    """A frame whose number skips: those from `expected` on are missing."""

    code = "out_of_order"

    def __init__(self, expected: int) -> None:
        super().__init__("A frame is missing before this one.", mend=f"Send again from sequence number {expected}.")
        self.expected = expected


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """One frame: `tick` is that of its first sample; `payload` is PCM16 little-endian or one Opus packet."""

    codec: Codec
    sequence: int
    tick: Tick
    payload: bytes

    @property
    def ticks(self) -> int:
        """How long the frame is."""
        return len(self.payload) // 2 if self.codec == "pcm16" else packet_ticks(self.payload)

    def pcm(self) -> Int16Mono:
        """The samples of a PCM16 frame."""
        return np.frombuffer(self.payload, dtype="<i2").astype(np.int16)


def pack(frame: AudioFrame) -> bytes:
    """The frame as bytes. Raises struct.error for numbers that do not fit."""
    return HEADER.pack(MAGIC, VERSION, _CODES[frame.codec], frame.sequence, frame.tick) + frame.payload


def unpack(message: bytes) -> AudioFrame:
    """The frame in a binary message. Raises BadFrame, TooLarge, UnknownCodec."""
    if len(message) < HEADER.size or message[:2] != MAGIC:
        raise BadFrame("The message is not an audio frame.", mend="Begin each frame with the 16-byte header.")
    _, version, code, sequence, tick = HEADER.unpack_from(message)
    if version != VERSION:
        raise BadFrame("The frame has a version this server does not know.", mend=f"Send version {VERSION}.")
    codec = _CODECS.get(code)
    if codec is None:
        raise UnknownCodec("The frame has a codec this server does not know.", mend="Send PCM16 (1) or Opus (2).")
    if tick > MAX_TICK:
        raise BadFrame("The frame lies days ahead.", mend="Count ticks of 16 kHz from the session's start.")
    size = len(message) - HEADER.size
    limit = 2 * MAX_PCM_SAMPLES if codec == "pcm16" else MAX_PACKET_BYTES
    if size > limit:
        raise TooLarge(f"The frame has more than {limit} bytes of audio.", mend="Send shorter frames.")
    frame = AudioFrame(codec, sequence, Tick(tick), bytes(message[HEADER.size :]))
    if not frame.ticks or (codec == "pcm16" and size % 2):
        raise BadFrame("The frame holds no whole samples or no Opus packet.", mend="Check the payload.")
    return frame
