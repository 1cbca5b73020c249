"""How long a WAV file says it is. FFmpeg believes the size of the file, and so cannot see that it was cut off."""

from streaming.types import SAMPLE_RATE

HEAD_BYTES = 65_536
_UNKNOWN = 0x7FFF0000
"""Recorders that write to a pipe put a size this large or larger, or none."""


def wav_ticks(head: bytes) -> int | None:
    """Ticks of audio stated by the first bytes of a file; None where it is no WAV or states no length."""
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, byte_rate = 12, 0
    while at + 8 <= len(head):
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt " and at + 12 <= len(head):
            byte_rate = int.from_bytes(head[at + 8 : at + 12], "little")
        elif name == b"data":
            if not byte_rate or not 0 < size < _UNKNOWN:
                return None
            return size * SAMPLE_RATE // byte_rate
        at += size + (size & 1)
    return None
