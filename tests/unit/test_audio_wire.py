"""Binary audio frames: the round trip, and what is refused."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.audio_wire import (
    HEADER,
    MAX_PCM_SAMPLES,
    MAX_SEQUENCE,
    MAX_TICK,
    AudioFrame,
    BadFrame,
    TooLarge,
    UnknownCodec,
    pack,
    unpack,
)
from streaming.opus import MAX_PACKET_BYTES, packet_ticks
from streaming.types import Tick

pytestmark = pytest.mark.unit

sequences = st.integers(0, MAX_SEQUENCE)
ticks = st.integers(0, MAX_TICK).map(Tick)
pcm_payloads = st.binary(min_size=1, max_size=400).map(lambda raw: raw + raw)
opus_payloads = st.binary(min_size=2, max_size=400).filter(lambda raw: packet_ticks(raw) > 0)


def frame(payload: bytes = b"\x01\x00" * 320, *, sequence: int = 3, tick: int = 960) -> AudioFrame:
    return AudioFrame("pcm16", sequence, Tick(tick), payload)


@given(sequences, ticks, pcm_payloads)
def test_a_pcm_frame_comes_back_as_it_was(sequence: int, tick: Tick, payload: bytes) -> None:
    sent = AudioFrame("pcm16", sequence, tick, payload)
    assert unpack(pack(sent)) == sent
    assert sent.ticks == len(payload) // 2


@given(sequences, ticks, opus_payloads)
def test_an_opus_frame_comes_back_as_it_was(sequence: int, tick: Tick, payload: bytes) -> None:
    sent = AudioFrame("opus", sequence, tick, payload)
    assert unpack(pack(sent)) == sent
    assert 0 < sent.ticks <= 1_920


def test_the_bytes_are_those_of_the_protocol() -> None:
    raw = pack(AudioFrame("pcm16", 0x01020304, Tick(0x0A0B), b"\x34\x12"))
    assert raw == b"SD\x01\x01\x04\x03\x02\x01\x0b\x0a\x00\x00\x00\x00\x00\x00\x34\x12"
    assert unpack(raw).pcm().tolist() == [0x1234]
    assert unpack(raw).pcm().dtype == np.int16


@given(st.binary(max_size=200))
def test_hostile_bytes_are_a_frame_or_are_refused(raw: bytes) -> None:
    check_hostile(raw)


@given(st.integers(0, 255), st.integers(0, 255), sequences, st.integers(0, 2**64 - 1), st.binary(max_size=100))
def test_hostile_fields_are_a_frame_or_are_refused(
    version: int, codec: int, sequence: int, tick: int, payload: bytes
) -> None:
    check_hostile(HEADER.pack(b"SD", version, codec, sequence, tick) + payload)


def check_hostile(raw: bytes) -> None:
    try:
        read = unpack(raw)
    except (BadFrame, TooLarge, UnknownCodec):
        return
    assert 0 < read.ticks <= MAX_PCM_SAMPLES
    assert read.tick <= MAX_TICK
    assert pack(read) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SD",
        pack(frame())[:15],
        pack(frame())[:16],
        pack(frame(b"\x00\x00\x00")),
        b"XX" + pack(frame())[2:],
        pack(frame())[:2] + b"\x02" + pack(frame())[3:],
        pack(AudioFrame("opus", 0, Tick(0), b"\x03")),
        pack(AudioFrame("opus", 0, Tick(0), b"\x03\x00")),
        pack(frame(tick=MAX_TICK + 1)),
    ],
    ids=[
        "empty", "cut short", "header cut short", "no payload", "odd bytes", "other magic", "other version",
        "opus without frame count", "opus without frames", "days ahead",
    ],
)  # fmt: skip
def test_what_is_no_frame_is_a_bad_frame(raw: bytes) -> None:
    with pytest.raises(BadFrame) as caught:
        unpack(raw)
    assert caught.value.code == "bad_frame"


def test_one_second_is_the_most_a_frame_may_hold() -> None:
    assert unpack(pack(frame(b"\0\0" * MAX_PCM_SAMPLES))).ticks == MAX_PCM_SAMPLES
    with pytest.raises(TooLarge):
        unpack(pack(frame(b"\0\0" * (MAX_PCM_SAMPLES + 1))))
    with pytest.raises(TooLarge):
        unpack(pack(AudioFrame("opus", 0, Tick(0), b"\xfc" * (MAX_PACKET_BYTES + 1))))


@pytest.mark.parametrize("code", [0, 3, 255])
def test_other_codecs_are_named_unknown(code: int) -> None:
    raw = bytearray(pack(frame()))
    raw[3] = code
    with pytest.raises(UnknownCodec) as caught:
        unpack(bytes(raw))
    assert caught.value.code == "unknown_codec"


def test_numbers_that_do_not_fit_cannot_be_packed() -> None:
    with pytest.raises(struct.error):
        pack(frame(sequence=MAX_SEQUENCE + 1))


@pytest.mark.parametrize(
    "packet, ticks_wanted",
    [
        (b"\xfc", 320),
        (b"\xfd" + bytes(4), 640),
        (b"\x08", 320),
        (b"\x18", 960),
        (b"\xe0", 40),
        (b"\x63\x03", 480),
        (b"\x78", 320),
        (b"\xff\x07", 0),
        (b"\xff\x06", 1_920),
        (b"", 0),
    ],
    ids=["celt 20", "two celt 20", "silk 20", "silk 60", "celt 2.5", "three hybrid 10", "hybrid 20",
         "140 ms", "120 ms", "empty"],
)  # fmt: skip
def test_an_opus_packet_tells_its_length(packet: bytes, ticks_wanted: int) -> None:
    assert packet_ticks(packet) == ticks_wanted
