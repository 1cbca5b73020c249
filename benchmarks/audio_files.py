"""Audio files of the benchmarks, through PyAV: written as Ogg/Opus or WAV, read as int16 mono at 16 kHz."""

from pathlib import Path
from typing import cast

import av
import numpy as np

from streaming.types import SAMPLE_RATE, Int16Mono

CHUNK = 320


def write_audio(path: Path, pcm: Int16Mono, bit_rate: int = 32_000) -> None:
    """Writes `pcm` (16 kHz mono) as the suffix says: .opus or .ogg (Opus at `bit_rate`), .flac, .wav.

    Opus starts with a pre-skip, which the file declares and readers cut, so samples keep their times.
    The same samples give the same bytes.
    """
    opus = path.suffix in (".opus", ".ogg")
    codec = "libopus" if opus else "flac" if path.suffix == ".flac" else "pcm_s16le"
    container = {".opus": "ogg", ".ogg": "ogg", ".flac": "flac", ".wav": "wav"}[path.suffix]
    with av.open(str(path), "w", format=container, options={"fflags": "+bitexact"}) as out:
        stream = cast(av.AudioStream, out.add_stream(codec, rate=SAMPLE_RATE, layout="mono"))
        if opus:
            stream.bit_rate = bit_rate
            stream.options = {"application": "audio", "vbr": "on", "compression_level": "10", "flags": "+bitexact"}
        for start in range(0, len(pcm), CHUNK):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + CHUNK], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            frame.pts = start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def read_audio(path: Path) -> Int16Mono:
    """The file's first audio stream as int16 mono at 16 kHz. Raises PyAV's errors for what is no audio."""
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    pieces: list[Int16Mono] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            pieces += [part.to_ndarray()[0] for part in resampler.resample(frame)]
        pieces += [part.to_ndarray()[0] for part in resampler.resample(None)]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)
