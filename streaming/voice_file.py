"""An enrolled voice as a file: the clinician's, so that a shared microphone knows who is who from the first word.

A voice embedding identifies a person. It is made only when asked for (`sameday enroll`), stays in the one file that
the clinician names, readable by its owner alone, and is never logged or sent.
"""

import json
import os
from pathlib import Path

import numpy as np

from streaming.errors import BadSettings, BadVoice
from streaming.types import SAMPLE_RATE, Float32, Int16Mono

LEAST_TICKS = 10 * SAMPLE_RATE
"""Speech that a voice is enrolled from; less gives an unsure centroid."""
_CLIP_TICKS = 5 * SAMPLE_RATE


def clips(speech: Int16Mono) -> list[Float32]:
    """Clips of 5 s to embed, from speech of one person without its pauses. Raises BadVoice where it is too short."""
    if len(speech) < LEAST_TICKS:
        heard = len(speech) / SAMPLE_RATE
        raise BadVoice(
            f"Only {heard:.0f} s of speech were heard.", mend="Record at least 10 s of talk by the clinician alone."
        )
    samples = speech.astype(np.float32) / 32768.0
    whole = len(samples) // _CLIP_TICKS * _CLIP_TICKS
    return list(samples[:whole].reshape(-1, _CLIP_TICKS))


def save(path: Path, voice: Float32, model: str) -> None:
    """Write the voice, for its owner's eyes only. Raises BadVoice where it cannot be written.

    `model` is `SpeakerModel.voices`.
    """
    text = json.dumps({"version": 1, "model": model, "voice": [round(float(value), 6) for value in voice]})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            # The mode above counts for a new file only.
            os.fchmod(file.fileno(), 0o600)
            file.write(text + "\n")
    except OSError as error:
        raise BadVoice(f"The voice file cannot be written: {os.strerror(error.errno or 0)}.") from None


def load(path: Path, dimension: int, model: str) -> Float32:
    """The voice, of unit length, shape (dimension,). Raises BadSettings, also where another model made it."""
    mend = "Make it anew with `sameday enroll AUDIO --out FILE`."
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        voice = np.array(body["voice"], dtype=np.float32)
        known = body["version"] == 1 and body["model"] == model and voice.shape == (dimension,)
    except (OSError, ValueError, KeyError, TypeError):
        raise BadSettings("clinician_voice: the file is missing or is no voice file.", mend=mend) from None
    length = float(np.linalg.norm(voice))
    if not known or not np.isfinite(length) or length == 0.0:
        raise BadSettings("clinician_voice: the file was made for another model or version.", mend=mend)
    return np.asarray(voice / length, dtype=np.float32)
