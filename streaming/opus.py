"""How long an Opus packet is, read from its first bytes (RFC 6716, section 3)."""

from streaming.types import SAMPLE_RATE

MAX_PACKET_TICKS = SAMPLE_RATE * 120 // 1000
MAX_PACKET_BYTES = 6 * 1275 + 13
"""Six frames of 20 ms at the most bytes a frame may have, with their lengths and the header."""

_SILK_TICKS = (160, 320, 640, 960)
_HYBRID_TICKS = (160, 320)
_CELT_TICKS = (40, 80, 160, 320)


def frame_ticks(toc: int) -> int:
    """Ticks of one frame under table-of-contents byte `toc`."""
    config = toc >> 3
    if config < 12:
        return _SILK_TICKS[config & 3]
    if config < 16:
        return _HYBRID_TICKS[config & 1]
    return _CELT_TICKS[config & 3]


def packet_ticks(packet: bytes) -> int:
    """Ticks of a whole packet; 0 for what cannot be an Opus packet: empty, without frames, or over 120 ms."""
    if not packet or len(packet) > MAX_PACKET_BYTES:
        return 0
    code = packet[0] & 3
    if code == 3:
        if len(packet) < 2:
            return 0
        frames = packet[1] & 0x3F
    else:
        frames = 1 if code == 0 else 2
    ticks = frames * frame_ticks(packet[0])
    return ticks if ticks <= MAX_PACKET_TICKS else 0
