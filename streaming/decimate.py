"""48 kHz to 16 kHz for live audio, three samples to one tick and nothing held back.

Opus always decodes to 48 kHz. A live packet of n samples must give exactly n/3 ticks at once: a resampler that
looks ahead would hold back the end of each packet until the next one, a whole frame later downstream. This filter
looks back only, so what it costs is that sound lies `DELAY_TICKS` (1.5 ms) later than in the packet.
"""

import math

import numpy as np

from streaming.types import Float32, Int16Mono

FACTOR = 3
DELAY_TICKS = 24
_TAPS = 2 * DELAY_TICKS * FACTOR + 1
_CUTOFF = 7_400 / 48_000
"""Half amplitude at 7.4 kHz: with this length and window, flat to 6.7 kHz and 70 dB down from 8.1 kHz."""


def _low_pass() -> Float32:
    """Linear-phase windowed sinc (Kaiser, beta 7), gain 1 at 0 Hz, shape (_TAPS,)."""
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = 2 * _CUTOFF * np.sinc(2 * _CUTOFF * at) * np.kaiser(_TAPS, 7.0)
    return np.asarray(taps / math.fsum(taps), dtype=np.float32)


_PHASES = [np.ascontiguousarray(_low_pass()[::-1][phase::FACTOR]) for phase in range(FACTOR)]
"""The filter by input sample modulo three: only the samples that are kept are computed."""


class Decimator:
    """One stream's filter state."""

    def __init__(self) -> None:
        self._history = np.zeros(_TAPS - 1, dtype=np.float32)

    def reset(self) -> None:
        """Forget what came before: the next samples do not follow the last ones."""
        self._history[:] = 0

    def push(self, pcm48: Int16Mono) -> Int16Mono:
        """The ticks of `pcm48`, int16 at 48 kHz of shape (3n,), as shape (n,). Raises ValueError otherwise."""
        ticks, rest = divmod(len(pcm48), FACTOR)
        if rest:
            raise ValueError("48 kHz audio must come in whole ticks of three samples")
        if ticks == 0:
            return np.zeros(0, dtype=np.int16)
        samples = np.empty(len(self._history) + len(pcm48), dtype=np.float32)
        samples[: len(self._history)] = self._history
        samples[len(self._history) :] = pcm48
        self._history = samples[len(pcm48) :].copy()
        total = np.zeros(ticks, dtype=np.float32)
        for phase, taps in enumerate(_PHASES):
            total += np.correlate(samples[phase::FACTOR], taps)[:ticks]
        return np.clip(np.rint(total), -32768, 32767).astype(np.int16)
