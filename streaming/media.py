"""Audio files and Opus packets in, 16 kHz mono out. The only module that knows FFmpeg (PyAV).

A file is read as a stream of blocks and holes, so that damage costs only itself: what lies before it and, where the
container allows, behind it is delivered, and the damaged stretch is named.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from streaming.decimate import FACTOR, Decimator
from streaming.errors import BadAudio
from streaming.opus import packet_ticks
from streaming.types import SAMPLE_RATE, GapCause, Int16Mono, Tick
from streaming.wav_header import HEAD_BYTES, wav_ticks

BLOCK_TICKS = 1_600
"""100 ms: few enough blocks for an hour, small enough to start at once."""

_READABLE = (
    "3gp,aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,eac3,flac,flv,m4a,matroska,mov,mp3,mp4,mpeg,mpegts,ogg,oma,"
    "rm,tta,voc,w64,wav,webm,wv"
)
"""Demuxers a file may use. Playlists (hls, concat, dash) are left out: they make the reader open other files and
addresses that their writer names."""
_EXACT = {"wav", "w64", "aiff", "caf", "flac", "ogg", "mov,mp4,m4a,3gp,3g2,mj2"}
"""Containers whose length is stated by the writer, not estimated from the size of the file."""
_MAY_PAUSE = {"matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"}

_JUMP_TICKS = 640
"""A time stamp this far ahead is a pause of the recorder; less is rounding, as in Matroska's milliseconds."""
_JUMP_AFTER_DAMAGE_TICKS = 32
_SHORT_TICKS = 1_600
"""A file may be this much shorter than stated: encoder padding and edit lists are counted differently."""
_LONGEST_TICKS = 24 * 3_600 * SAMPLE_RATE
_MAX_READ_ERRORS = 64
_MOST_CONCEALED = 5
_UNREADABLE = "Convert it to WAV, FLAC, Ogg Opus, MP3 or M4A."


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch `[start, end)` of a file that has no usable audio, and why."""

    start: Tick
    end: Tick
    cause: GapCause


class DamagedAudio(BadAudio):
    """Audio that breaks off: all before `hole.start` was delivered."""

    def __init__(self, hole: Hole) -> None:
        super().__init__(
            f"The audio breaks off after {hole.start / SAMPLE_RATE:.2f} s.",
            mend="What came before was read. Send a complete file for the rest.",
        )
        self.hole = hole


def decode_file(source: str | Path | IO[bytes], *, block_ticks: int = BLOCK_TICKS) -> Iterator[Int16Mono]:
    """The file's audio as int16 mono blocks at 16 kHz, each of `block_ticks` but the last.

    Strict: raises DamagedAudio at the first hole, after all before it. Raises BadAudio for what is no audio.
    """
    for piece in read_file(source, block_ticks=block_ticks):
        if isinstance(piece, Hole):
            raise DamagedAudio(piece)
        yield piece


def read_file(source: str | Path | IO[bytes], *, block_ticks: int = BLOCK_TICKS) -> Iterator[Int16Mono | Hole]:
    """The file's audio in order of time: int16 mono blocks at 16 kHz, and holes where there is none.

    Goes on behind a damaged stretch where the container allows it. Blocks have `block_ticks` except before a hole
    and at the end. A pause in the time stamps is a hole of cause `no_audio`, damage one of `decoder_error`. Raises
    BadAudio for what cannot be opened or holds no audio; its text names neither the file nor what is in it.
    """
    with ExitStack() as stack:
        file = _file(stack, source)
        stated = wav_ticks(_head(file))
        container, stream = _open(stack, file)
        # Recorders pause in these containers; in the others a jump is a stretch that could not be read.
        reader = _Reader(block_ticks, may_pause=container.format.name in _MAY_PAUSE)
        for frame in _frames(container, stream, reader):
            yield from reader.take(frame)
        yield from reader.finish(_stated_ticks(container, stream) if stated is None else stated)
    if reader.ticks == 0:
        if reader.damaged:
            raise BadAudio("The audio of this file cannot be decoded.", mend=_UNREADABLE)
        raise BadAudio("The file holds no audio samples.", mend="Record again, or send another file.")


def _file(stack: ExitStack, source: str | Path | IO[bytes]) -> IO[bytes]:
    """The source as an open file. A path is opened here, never by FFmpeg, which might take it for an address."""
    if not isinstance(source, str | Path):
        return source
    try:
        return stack.enter_context(Path(source).open("rb"))
    except FileNotFoundError:
        raise BadAudio("There is no such audio file.", mend="Check the path.") from None
    except (OSError, ValueError):
        raise BadAudio("The audio file cannot be opened.", mend="Check that it is a file you may read.") from None


def _head(file: IO[bytes]) -> bytes:
    """The file's first bytes; the file is left at its start. Raises BadAudio for an empty one."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if not head:
        raise BadAudio("The audio file is empty.", mend="Record again, or send another file.")
    return head


def _open(stack: ExitStack, file: IO[bytes]) -> tuple[InputContainer, AudioStream]:
    try:
        options = {"format_whitelist": _READABLE, "protocol_whitelist": "pipe"}
        container = stack.enter_context(av.open(file, "r", options=options, metadata_errors="replace"))
    except (FFmpegError, ValueError, OSError):
        raise BadAudio("This is not an audio file that can be read.", mend=_UNREADABLE) from None
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        raise BadAudio("The file has no audio track.", mend="Send a recording with sound.")
    stream.codec_context.thread_count = 1
    # Without these a damaged FLAC or MP3 frame is played as noise.
    stream.codec_context.options = {"err_detect": "crccheck+explode"}
    return container, stream


def _frames(container: InputContainer, stream: AudioStream, reader: "_Reader") -> Iterator[AudioFrame]:
    """Decoded frames; a packet that cannot be read or decoded marks the reader as damaged and is passed over."""
    read_errors = 0
    packets = container.demux(stream)
    while read_errors < _MAX_READ_ERRORS:
        try:
            packet = next(packets, None)
            if packet is None:
                return
        except (FFmpegError, OSError):
            read_errors += 1
            reader.damaged = reader.broken = True
            packets = container.demux(stream)
            continue
        try:
            # A flush packet at the end brings out what the decoder still holds.
            frames = packet.decode()
        except (FFmpegError, ValueError):
            reader.damaged = reader.broken = True
            continue
        yield from frames


def _stated_ticks(container: InputContainer, stream: AudioStream) -> int | None:
    """How long the file says it is, where its container knows."""
    if container.format.name not in _EXACT or not stream.duration or stream.time_base is None:
        return None
    return int(stream.duration * stream.time_base * SAMPLE_RATE)


class _Reader:
    """Frames in, blocks and holes out; keeps the count of ticks exact over any number of frames and holes."""

    def __init__(self, block_ticks: int, *, may_pause: bool) -> None:
        self.ticks = 0
        """Ticks of audio delivered or waiting for a full block; holes are not counted."""
        self.damaged = False
        """Something could not be decoded, anywhere."""
        self.broken = False
        """Something could not be decoded since the last good frame."""
        self._block_ticks = block_ticks
        self._may_pause = may_pause
        self._waiting: list[Int16Mono] = []
        self._waiting_ticks = 0
        self._at = 0
        """The tick behind the last piece, holes included."""
        self._first_s: float | None = None
        self._segment = _Segment(None)

    def take(self, frame: AudioFrame) -> Iterator[Int16Mono | Hole]:
        if frame.samples <= 0 or frame.sample_rate <= 0:
            return
        at = self._place(frame)
        expected = self._at + self._segment.pending_ticks
        limit = _JUMP_AFTER_DAMAGE_TICKS if self.broken else _JUMP_TICKS
        if at is not None and limit < at - expected < _LONGEST_TICKS:
            yield from self._cut(at, "no_audio" if self._may_pause and not self.broken else "decoder_error")
        elif not self._segment.takes(frame):
            self._add(self._segment.flush())
            self._segment = _Segment(frame)
        self.broken = False
        if self._segment.template is None:
            self._segment = _Segment(frame)
        self._add(self._segment.push(frame))
        yield from self._full_blocks()

    def finish(self, stated_ticks: int | None) -> Iterator[Int16Mono | Hole]:
        self._add(self._segment.flush())
        yield from self._full_blocks(all_of_it=True)
        end = min(stated_ticks or 0, _LONGEST_TICKS)
        if self.ticks and end - self._at > _SHORT_TICKS:
            yield Hole(Tick(self._at), Tick(end), "decoder_error")
        elif self.ticks and self.broken:
            # The end is damaged and nobody knows how long it was.
            yield Hole(Tick(self._at), Tick(self._at), "decoder_error")

    def _place(self, frame: AudioFrame) -> int | None:
        """The tick that the frame's time stamp means, counted from the first frame; None without a time stamp."""
        if frame.pts is None or frame.time_base is None:
            return None
        time_s = float(frame.pts * frame.time_base)
        if self._first_s is None:
            self._first_s = time_s
        return round((time_s - self._first_s) * SAMPLE_RATE)

    def _cut(self, end: int, cause: GapCause) -> Iterator[Int16Mono | Hole]:
        self._add(self._segment.flush())
        self._segment = _Segment(None)
        yield from self._full_blocks(all_of_it=True)
        if end > self._at:
            yield Hole(Tick(self._at), Tick(end), cause)
            self._at = end

    def _add(self, pcm: Int16Mono) -> None:
        if len(pcm):
            self._waiting.append(pcm)
            self._waiting_ticks += len(pcm)
            self.ticks += len(pcm)
            self._at += len(pcm)

    def _full_blocks(self, *, all_of_it: bool = False) -> Iterator[Int16Mono]:
        if self._waiting_ticks < self._block_ticks and not (all_of_it and self._waiting_ticks):
            return
        pcm = np.concatenate(self._waiting)
        whole = len(pcm) if all_of_it else len(pcm) // self._block_ticks * self._block_ticks
        for start in range(0, whole, self._block_ticks):
            yield pcm[start : min(start + self._block_ticks, whole)]
        self._waiting = [pcm[whole:]] if whole < len(pcm) else []
        self._waiting_ticks = len(pcm) - whole


class _Segment:
    """Frames of one format in a row, resampled; gives round(samples x 16000 / rate) ticks in all."""

    def __init__(self, template: AudioFrame | None) -> None:
        self.template = None if template is None else _shape(template)
        self._rate = 0 if template is None else template.sample_rate
        self._resampler = AudioResampler("s16", "mono", SAMPLE_RATE)
        self._samples_in = 0
        self._ticks_out = 0

    @property
    def pending_ticks(self) -> int:
        """Ticks taken in and not yet given out."""
        return self._due() - self._ticks_out

    def takes(self, frame: AudioFrame) -> bool:
        return self.template is None or self.template == _shape(frame)

    def push(self, frame: AudioFrame) -> Int16Mono:
        self._samples_in += frame.samples
        # The resampler would take a jump in the time stamps for a gap to fill.
        frame.pts = None
        return self._out(self._resampler.resample(frame))

    def flush(self) -> Int16Mono:
        """What the resampler still holds, padded or cut to the exact count."""
        if self._samples_in == 0:
            return np.zeros(0, dtype=np.int16)
        before = self._ticks_out
        pcm = self._out(self._resampler.resample(None))
        due = self._due() - before
        self._ticks_out = self._due()
        return np.pad(pcm[:due], (0, max(0, due - len(pcm))))

    def _due(self) -> int:
        return (self._samples_in * SAMPLE_RATE + self._rate // 2) // self._rate if self._rate else 0

    def _out(self, frames: list[AudioFrame]) -> Int16Mono:
        pcm = _samples(frames)
        self._ticks_out += len(pcm)
        return pcm


def _shape(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _samples(frames: list[AudioFrame]) -> Int16Mono:
    parts: list[Any] = [frame.to_ndarray().reshape(-1) for frame in frames if frame.samples]
    if not parts:
        return np.zeros(0, dtype=np.int16)
    return np.asarray(parts[0] if len(parts) == 1 else np.concatenate(parts), dtype=np.int16)


class OpusDecoder:
    """One Opus stream's packets, each to its ticks at once.

    Live audio has no pre-skip to cut: sound lies as much later than its tick as the encoder looks ahead (6.5 ms),
    plus the 1.5 ms of the low-pass, and no packet waits for another. Cost: about 60 µs per 20 ms packet.
    """

    def __init__(self) -> None:
        self._decimator = Decimator()
        self._codec = self._new_codec()

    def decode(self, packet: bytes) -> Int16Mono:
        """Exactly `opus.packet_ticks(packet)` samples at 16 kHz. Raises BadAudio; the next packet may follow."""
        ticks = packet_ticks(packet)
        if not ticks:
            raise BadAudio("This is not an Opus packet.", mend="Send one Opus packet of at most 120 ms.")
        try:
            frames = self._codec.decode(av.Packet(packet))
        except (FFmpegError, ValueError):
            self._codec = self._new_codec()
            self._decimator.reset()
            raise BadAudio("An Opus packet cannot be decoded.", mend="Check the encoder.") from None
        pcm48 = _samples(frames)
        if len(pcm48) != ticks * FACTOR:
            # Not seen; but the count of ticks must never hang on a decoder's whim.
            pcm48 = np.pad(pcm48[: ticks * FACTOR], (0, max(0, ticks * FACTOR - len(pcm48))))
        return self._decimator.push(pcm48)

    def skip(self) -> None:
        """The next packet does not follow the last one: the sender paused."""
        self._decimator.reset()

    def lose(self, packets: int, following: bytes) -> None:
        """As many packets were lost before `following`. Lets the codec bridge them, and throws away what it invents.

        With it, the three packets after a loss come out 1 to 1.7 dB nearer to what they are without any loss.
        """
        self.skip()
        # A packet that is only a table of contents makes libopus conceal one of that length.
        lone = bytes([following[0] & 0xFC])
        for _ in range(min(packets, _MOST_CONCEALED)):
            self._codec.decode(av.Packet(lone))

    @staticmethod
    def _new_codec() -> av.AudioCodecContext:
        codec = av.CodecContext.create("libopus", "r")
        assert isinstance(codec, av.AudioCodecContext)
        codec.format = "s16"
        codec.layout = "mono"
        codec.sample_rate = 48_000
        return codec


class OpusEncoder:
    """16 kHz mono to Opus packets of 20 ms, for peers that send to this server."""

    def __init__(self, bit_rate: int = 32_000) -> None:
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, av.AudioCodecContext)
        codec.format = "s16"
        codec.layout = "mono"
        codec.sample_rate = SAMPLE_RATE
        codec.bit_rate = bit_rate
        codec.options = {"application": "voip"}
        self._codec = codec
        self._at = 0

    def encode(self, pcm: Int16Mono) -> list[bytes]:
        """The packets of `pcm`, int16 at 16 kHz of shape (320 n,)."""
        frame = AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = self._at
        self._at += len(pcm)
        return [bytes(packet) for packet in self._codec.encode(frame)]
