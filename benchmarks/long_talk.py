"""Long recordings out of the bundled script: talk without rest, one voice without a pause, hours.

The same lines come again and again: what is asked of these is cost, delay and memory, not how well they are heard.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.audio_files import write_audio
from benchmarks.session_plan import Script, Timing, read_script
from benchmarks.speech_generator import Recipe, Session, generate
from streaming.types import SAMPLE_RATE

SCRIPT = Path(__file__).parent / "data" / "session" / "script.json"

RESTLESS = Timing(
    gap_median_s=0.25,
    gap_sigma=0.3,
    gap_range_s=(0.1, 0.5),
    long_pause_share=0.0,
    overlap_share=0.05,
    sentence_pause_range_s=(0.15, 0.4),
)
"""Two people who leave each other no pause longer than half a second: no endpoint is ever reached."""
BREATHLESS = Timing(
    gap_range_s=(0.0, 0.0), long_pause_share=0.0, overlap_share=0.0, sentence_pause_range_s=(0.0, 0.0)
)
"""One voice; what is left between sentences are the 0.05 s that the voice itself leaves."""


def script() -> Script:
    """The bundled session's lines and voices."""
    return read_script(json.loads(SCRIPT.read_text(encoding="utf-8")))


def continuous_talk(minutes: float) -> Session:
    """Two people, no pause longer than 0.5 s."""
    lines = tuple(replace(line, gap_s=None) for line in script().lines)
    return generate([replace(script(), lines=lines)], Recipe(RESTLESS, minutes, seed=7))


def monologue(minutes: float) -> Session:
    """One person who does not pause."""
    lines = tuple(replace(line, role="client", gap_s=None) for line in script().lines if not line.backchannel)
    return generate([replace(script(), lines=lines)], Recipe(BREATHLESS, minutes, seed=7))


def write_hour(path: Path, minutes: int) -> None:
    """A WAV of sessions of natural pace, about 10 minutes each, one after the other, cut where `minutes` are full."""
    part = generate([script()], Recipe(Timing(), min(minutes, 10), seed=11)).mix
    write_audio(path, np.resize(part, minutes * 60 * SAMPLE_RATE))
