"""Audio files of every make in, 16 kHz mono out; what is broken is said, and costs only itself."""

import io
import wave
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from streaming.errors import BadAudio
from streaming.media import DamagedAudio, Hole, OpusDecoder, OpusEncoder, decode_file, read_file
from streaming.types import Int16Mono

pytestmark = pytest.mark.unit

SECONDS = 2


def speechlike(rate: int, seconds: float = SECONDS) -> Int16Mono:
    """A tone that rises and swells, so that every stretch of it is different; level at most 12,000."""
    at = np.arange(round(rate * seconds)) / rate
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 1.7 * at)
    return np.rint(12_000 * swell * np.sin(2 * np.pi * (200 + 150 * at) * at)).astype(np.int16)


def wav(pcm: Int16Mono, rate: int, *, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm.astype("<i2").tobytes())
    return file.getvalue()


def encoded(container: str, codec: str, sample_format: str, rate: int, layout: str = "mono") -> bytes:
    """`speechlike` audio encoded by FFmpeg."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate)
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = layout
        stream.codec_context.format = sample_format
        stream.codec_context.open()
        channels = 2 if layout == "stereo" else 1
        pcm = np.repeat(speechlike(rate), channels).reshape(1, -1)
        frame = AudioFrame.from_ndarray(pcm, format="s16", layout=layout)
        frame.sample_rate = rate
        frame.pts = 0
        resampler = AudioResampler(sample_format, layout, rate, frame_size=stream.codec_context.frame_size or 1_024)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(part):
                out.mux(packet)
    return file.getvalue()


def decoded(data: bytes) -> Int16Mono:
    return np.concatenate(list(decode_file(io.BytesIO(data))))


def pieces(data: bytes) -> tuple[Int16Mono, list[Hole]]:
    found = list(read_file(io.BytesIO(data)))
    audio = [piece for piece in found if not isinstance(piece, Hole)]
    return np.concatenate(audio), [piece for piece in found if isinstance(piece, Hole)]


def difference(got: Int16Mono, wanted: Int16Mono) -> float:
    """Largest deviation away from the edges, where encoders and filters swing in."""
    shared = min(len(got), len(wanted))
    edge = 400
    return float(np.abs(got[edge : shared - edge].astype(int) - wanted[edge : shared - edge]).max())


def likeness(got: Int16Mono, wanted: Int16Mono) -> float:
    """Correlation coefficient over what both have."""
    shared = min(len(got), len(wanted))
    return float(np.corrcoef(got[:shared], wanted[:shared])[0, 1])


@pytest.mark.parametrize(
    "container, codec, sample_format, rate, layout, tolerance",
    [
        ("wav", "pcm_s16le", "s16", 16_000, "mono", 0),
        ("wav", "pcm_s16le", "s16", 8_000, "mono", 60),
        ("wav", "pcm_s16le", "s16", 44_100, "stereo", 60),
        ("wav", "pcm_s16le", "s16", 48_000, "mono", 60),
        ("wav", "pcm_s24le", "s32", 44_100, "mono", 60),
        ("wav", "pcm_s24le", "s32", 96_000, "stereo", 60),
        ("wav", "pcm_f32le", "flt", 16_000, "mono", 1),
        ("wav", "pcm_f64le", "dbl", 48_000, "stereo", 60),
        ("wav", "pcm_u8", "u8", 16_000, "mono", 300),
        ("wav", "pcm_mulaw", "s16", 8_000, "mono", 700),
        ("flac", "flac", "s16", 44_100, "stereo", 60),
        ("ogg", "libopus", "s16", 48_000, "mono", 1_500),
        ("webm", "libopus", "s16", 48_000, "mono", 1_500),
        ("mp3", "libmp3lame", "s16p", 44_100, "stereo", 1_500),
    ],
)  # fmt: skip
def test_the_usual_makes_keep_their_samples_level_and_count(
    container: str, codec: str, sample_format: str, rate: int, layout: str, tolerance: float
) -> None:
    got = decoded(encoded(container, codec, sample_format, rate, layout))
    assert got.dtype == np.int16
    assert len(got) == SECONDS * 16_000
    assert difference(got, speechlike(16_000)) <= tolerance


def test_an_m4a_is_read_to_its_end() -> None:
    got, holes = pieces(encoded("mp4", "aac", "fltp", 44_100))
    assert holes == []
    assert SECONDS * 16_000 <= len(got) <= SECONDS * 16_000 + 1_200, "priming and padding of AAC"


@pytest.mark.parametrize(
    "rate, samples", [(11_025, 1), (44_100, 10), (44_100, 1_234_567), (22_050, 99_991), (8_000, 3)]
)
def test_the_count_of_ticks_is_exact_for_any_length(rate: int, samples: int) -> None:
    assert len(decoded(wav(np.ones(samples, dtype=np.int16), rate))) == round(samples * 16_000 / rate)


def test_two_channels_are_averaged() -> None:
    left, right = speechlike(16_000), np.zeros(SECONDS * 16_000, dtype=np.int16)
    got = decoded(wav(np.stack((left, right), axis=1).reshape(-1), 16_000, channels=2))
    assert difference(got, left // 2) <= 2


def test_blocks_have_the_size_asked_for_and_come_as_they_are_read() -> None:
    blocks = decode_file(io.BytesIO(wav(speechlike(16_000, 1.05), 16_000)), block_ticks=1_600)
    assert [len(block) for block in blocks] == [1_600] * 10 + [800]


def test_a_long_file_is_not_read_whole_before_it_begins() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

    file = Counting(wav(np.zeros(16_000 * 120, dtype=np.int16), 16_000))
    next(iter(decode_file(file)))
    assert file.taken < len(file.getvalue()) / 4


def test_a_path_is_read_as_a_file_never_as_an_address(tmp_path: Path) -> None:
    path = tmp_path / "session.wav"
    path.write_bytes(wav(speechlike(16_000), 16_000))
    assert np.array_equal(np.concatenate(list(decode_file(path))), speechlike(16_000))
    for wrong in (
        tmp_path / "none.wav",
        tmp_path,
        f"file:{path}",
        "http://192.0.2.1/a.wav",
        f"concat:{path}",
        "a\0b",
    ):
        with pytest.raises(BadAudio):
            list(decode_file(wrong))


@pytest.mark.parametrize("kind", ["m3u8", "ffconcat"])
def test_a_playlist_cannot_make_the_server_open_other_files(kind: str, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(wav(speechlike(16_000), 16_000))
    playlist = {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{other}\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile {other}\n",
    }
    with pytest.raises(BadAudio):
        list(decode_file(io.BytesIO(playlist[kind].encode())))


def bad_files() -> Iterable[tuple[str, bytes, str]]:
    whole = wav(speechlike(16_000), 16_000)
    yield "empty", b"", "The audio file is empty."
    yield "text", b"Dear Sir or Madam,\n" * 50, "This is not an audio file that can be read."
    yield "zeros", bytes(5_000), "This is not an audio file that can be read."
    yield "noise", np.random.default_rng(5).bytes(5_000), "This is not an audio file that can be read."
    yield "cut in the header", whole[:20], "This is not an audio file that can be read."
    yield "header only", whole[:44], "The file holds no audio samples."
    yield (
        "m4a without its index",
        encoded("mp4", "aac", "fltp", 44_100)[:9_000],
        ("This is not an audio file that can be read."),
    )


@pytest.mark.parametrize("name, data, message", [pytest.param(*case, id=case[0]) for case in bad_files()])
def test_what_is_no_audio_is_refused_with_what_to_do(name: str, data: bytes, message: str) -> None:
    with pytest.raises(BadAudio) as caught:
        list(decode_file(io.BytesIO(data)))
    assert caught.value.message == message
    assert caught.value.mend


def test_a_film_without_sound_has_no_audio_track() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        stream: Any = out.add_stream("mjpeg", rate=25)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        for packet in [*stream.encode(av.VideoFrame(16, 16, "yuvj420p")), *stream.encode(None)]:
            out.mux(packet)
    with pytest.raises(BadAudio, match="no audio track"):
        list(decode_file(io.BytesIO(file.getvalue())))


@pytest.mark.parametrize(
    "container, codec, sample_format, rate",
    [("wav", "pcm_s16le", "s16", 44_100), ("wav", "pcm_f32le", "flt", 16_000), ("flac", "flac", "s16", 44_100)],
)
def test_a_file_that_was_cut_off_gives_what_is_there_and_then_says_so(
    container: str, codec: str, sample_format: str, rate: int
) -> None:
    whole = encoded(container, codec, sample_format, rate)
    kept: list[Int16Mono] = []
    blocks = decode_file(io.BytesIO(whole[: len(whole) * 6 // 10]))
    with pytest.raises(DamagedAudio) as caught:
        kept.extend(blocks)
    got = np.concatenate(kept)
    assert 0.45 * SECONDS * 16_000 < len(got) < 0.65 * SECONDS * 16_000
    assert difference(got, speechlike(16_000)[: len(got)]) <= 60
    assert caught.value.hole == Hole(len(got), SECONDS * 16_000, "decoder_error")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "container, codec, sample_format, rate, off_ticks",
    [
        ("flac", "flac", "s16", 44_100, 0),
        # An MP3 frame has no time of its own: where some cannot be found, the rest may lie a frame off.
        ("mp3", "libmp3lame", "s16p", 44_100, 418),
        ("ogg", "libopus", "s16", 48_000, 0),
    ],
)
def test_damage_in_the_middle_is_a_hole_and_what_follows_keeps_its_time(
    container: str, codec: str, sample_format: str, rate: int, off_ticks: int
) -> None:
    data = bytearray(encoded(container, codec, sample_format, rate))
    middle = len(data) // 2
    data[middle : middle + 200] = np.random.default_rng(1).bytes(200)
    got, holes = pieces(bytes(data))
    assert [hole.cause for hole in holes] == ["decoder_error"]
    (hole,) = holes
    assert abs(len(got) + hole.end - hole.start - SECONDS * 16_000) <= 320 + off_ticks
    wanted = speechlike(16_000)
    assert difference(got[: hole.start], wanted[: hole.start]) <= 1_500
    if hole.end < SECONDS * 16_000:
        # The decoder swings in again for 50 ms.
        tail = got[hole.start + 800 :]
        shifts = range(-off_ticks, off_ticks + 1)
        assert max(likeness(tail, wanted[hole.end + 800 + shift :]) for shift in shifts) >= 0.95


def test_a_pause_of_the_recorder_is_no_audio() -> None:
    file = io.BytesIO()
    encoder = OpusEncoder()
    with av.open(file, "w", format="webm") as out:
        stream: Any = out.add_stream("libopus", rate=48_000)
        stream.codec_context.layout = "mono"
        stream.codec_context.open()
        for number, raw in enumerate(encoder.encode(speechlike(16_000))):
            packet: Any = av.Packet(raw)
            # Half-way the recorder stood still for a second.
            packet.pts = packet.dts = number * 20 + (1_000 if number >= 50 else 0)
            packet.time_base = Fraction(1, 1_000)
            packet.stream = stream
            out.mux(packet)
    got, holes = pieces(file.getvalue())
    (hole,) = holes
    assert hole.cause == "no_audio"
    assert abs(hole.end - hole.start - 16_000) <= 32
    assert abs(len(got) - SECONDS * 16_000) <= 960


def test_a_stated_length_of_years_makes_no_hole_of_years() -> None:
    data = bytearray(wav(speechlike(16_000), 16_000))
    data[40:44] = (0x7FFE0000).to_bytes(4, "little")
    data[28:32] = (2).to_bytes(4, "little")
    _, holes = pieces(bytes(data))
    assert all(hole.end <= 24 * 3_600 * 16_000 for hole in holes)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_wav_written_to_a_pipe_has_no_stated_length(size: int) -> None:
    data = bytearray(wav(speechlike(16_000), 16_000))
    data[40:44] = size.to_bytes(4, "little")
    try:
        got, holes = pieces(bytes(data))
    except BadAudio:
        pytest.fail("a recording from a pipe must be read")
    assert holes == []
    assert np.array_equal(got, speechlike(16_000))


def test_a_file_object_is_left_open() -> None:
    file: IO[bytes] = io.BytesIO(wav(speechlike(16_000), 16_000))
    list(decode_file(file))
    assert not file.closed


def test_opus_packets_give_exactly_their_ticks_and_their_level() -> None:
    wanted = speechlike(16_000)
    decoder = OpusDecoder()
    parts = [decoder.decode(packet) for packet in OpusEncoder(64_000).encode(wanted)]
    assert {len(part) for part in parts} == {320}
    got = np.concatenate(parts)
    # 6.5 ms of the encoder and 1.5 ms of the low-pass.
    late = max(range(160), key=lambda ticks: likeness(got[ticks:], wanted))
    assert 126 <= late <= 129
    # The encoder's high-pass turns the phase of low tones.
    assert likeness(got[late:], wanted) > 0.97
    assert np.std(got[late:]) == pytest.approx(np.std(wanted), rel=0.03)


def test_a_packet_that_is_not_opus_is_refused_and_the_next_one_decoded() -> None:
    packets = OpusEncoder().encode(speechlike(16_000))
    decoder = OpusDecoder()
    for bad in (b"", b"\x03", b"\xff\x00", bytes(9_000)):
        with pytest.raises(BadAudio):
            decoder.decode(bad)
    assert len(decoder.decode(packets[0])) == 320
    with pytest.raises(BadAudio, match="cannot be decoded"):
        decoder.decode(b"\xfd\x00\x00\x00")
    assert len(decoder.decode(packets[1])) == 320


def test_bridging_a_loss_brings_what_follows_nearer_to_what_was_sent() -> None:
    packets = OpusEncoder().encode(speechlike(16_000, 4.0))

    def after(lost: int, *, bridged: bool) -> Int16Mono:
        decoder = OpusDecoder()
        for packet in packets[:lost]:
            decoder.decode(packet)
        if bridged:
            decoder.lose(1, packets[lost + 1])
        return np.concatenate([decoder.decode(packet) for packet in packets[lost + 1 : lost + 4]])

    def error(lost: int, *, bridged: bool) -> float:
        decoder = OpusDecoder()
        whole = np.concatenate([decoder.decode(packet) for packet in packets[: lost + 4]])[-960:]
        return float(np.mean((after(lost, bridged=bridged).astype(float) - whole) ** 2))

    losses = range(20, 180, 8)
    assert sum(error(lost, bridged=True) for lost in losses) < 0.9 * sum(
        error(lost, bridged=False) for lost in losses
    )
