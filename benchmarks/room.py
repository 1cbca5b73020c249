"""A small room around dry voices: a synthetic impulse response per voice, levels, and pink noise. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from streaming.types import SAMPLE_RATE, Float32, Int16Mono, Tick

NOISE_PERIOD_S = 60
"""Noise repeats after this long: seamless, and a session of an hour needs no hour of random numbers at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a voice sits: its level against full scale, how long the room rings, direct against reflected sound."""

    level_db: float = -26.0
    ring_s: float = 0.25
    """RT60: time in which the tail falls by 60 dB."""
    direct_db: float = 10.0


CLINICIAN_PLACE = Place(level_db=-24.0, ring_s=0.22, direct_db=12.0)
CLIENT_PLACE = Place(level_db=-27.0, ring_s=0.28, direct_db=8.0)

LARGE_RING_S, LARGE_DIRECT_DB = 0.6, 3.0
"""A hall, heard from some metres: the tail is half as loud as the voice and rings for 0.6 s."""


def impulse_response(place: Place, seed: int) -> Float32:
    """Direct sound at sample 0 (so that no time shifts), six early reflections, and an exponential tail of noise."""
    random = np.random.default_rng(seed)
    length = int(place.ring_s * SAMPLE_RATE)
    tail = random.standard_normal(length) * 10.0 ** (-3.0 * np.arange(length) / length)
    first = int(0.004 * SAMPLE_RATE)
    tail[: 3 * first] = 0.0
    early = random.integers(first, 5 * first, size=6)
    tail[early] += random.choice([-1.0, 1.0], size=6) * 8.0 * np.exp(-early / (6 * first))
    tail *= 10.0 ** (-place.direct_db / 20.0) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(tail, dtype=np.float32)


def pink_noise(samples: int, seed: int) -> Float32:
    """Noise whose power falls by 3 dB an octave above 50 Hz, root mean square 1, shape (samples,)."""
    period = min(samples, NOISE_PERIOD_S * SAMPLE_RATE)
    if not period:
        return np.zeros(0, dtype=np.float32)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(period))
    hertz = np.fft.rfftfreq(period, 1 / SAMPLE_RATE)
    spectrum *= np.where(hertz < 50.0, 0.0, 1.0 / np.sqrt(np.maximum(hertz, 50.0)))
    noise = np.fft.irfft(spectrum, period)
    noise /= max(float(np.sqrt(np.mean(noise**2))), 1e-12)
    return np.resize(noise.astype(np.float32), samples)


def track(sounds: Iterable[tuple[Tick, Int16Mono]], samples: int, place: Place, room: Float32 | None) -> Float32:
    """One voice's own track: its sounds at their ticks, in the room (None: dry), at the place's level.

    1.0 is full scale. The level is the root mean square over the dry speech. A tail past the timeline is cut.
    """
    pieces = list(sounds)
    power = sum(float(np.sum(np.square(pcm, dtype=np.float64))) for _, pcm in pieces)
    length = sum(len(pcm) for _, pcm in pieces)
    out = np.zeros(samples, dtype=np.float32)
    if power == 0.0:
        return out
    gain = 10.0 ** (place.level_db / 20.0) / np.sqrt(power / length)
    for start, pcm in pieces:
        dry = pcm.astype(np.float32) * np.float32(gain)
        wet = dry if room is None else _convolve(dry, room)
        wet = wet[: samples - start]
        out[start : start + len(wet)] += wet
    return out


def mix(tracks: Sequence[Float32], speech_samples: int, snr_db: float | None, seed: int) -> Float32:
    """The sum of the tracks and pink noise `snr_db` below the speech (its mean power while somebody talks)."""
    # One after the other: stacked, an hour of two voices would need half a gigabyte more.
    total: Float32 = tracks[0].copy()
    for one in tracks[1:]:
        total += one
    if snr_db is None or not speech_samples:
        return total
    power = float(np.sum(np.square(total, dtype=np.float64))) / speech_samples
    amplitude = np.sqrt(power) * 10.0 ** (-snr_db / 20.0)
    return np.asarray(total + pink_noise(len(total), seed) * np.float32(amplitude), dtype=np.float32)


def to_pcm(signal: Float32) -> Int16Mono:
    """Float samples as int16, clipped at full scale."""
    return np.asarray(np.clip(np.rint(signal * 32767.0), -32768, 32767), dtype=np.int16)


def _convolve(dry: Float32, room: Float32) -> Float32:
    length = len(dry) + len(room) - 1
    size = 1 << (length - 1).bit_length()
    return np.asarray(np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(room, size), size)[:length], dtype=np.float32)
