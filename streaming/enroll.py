"""`sameday enroll`: from a recording of the clinician to a voice file."""

from pathlib import Path

import numpy as np

from diarization.online import enroll
from streaming import media, vad, voice_file
from streaming.errors import BadVoice
from streaming.ports import SpeakerModel
from streaming.segmenting import CHUNK_TICKS, SegmentSettings
from streaming.types import SAMPLE_RATE, Float32, Int16Mono

_ONE_VOICE = 0.55
"""Clips of 5 s of one voice had a cosine of at least 0.76 (two synthetic voices), of two people 0.24 to 0.51."""


def enroll_file(audio: Path, out: Path, model: SpeakerModel) -> float:
    """Write the voice heard in `audio` to `out`, as `model` embeds it; returns the seconds of speech used.

    Raises BadAudio, BadVoice.
    """
    speech = _speech(np.concatenate(list(media.decode_file(audio))))
    clips = voice_file.clips(speech)
    if _unlike(model.embed(clips)) < _ONE_VOICE:
        # The centroid of two voices is nobody's, and would name the wrong one.
        raise BadVoice("More than one voice is heard.", mend="Record the clinician alone, in a quiet room.")
    voice_file.save(out, enroll(model, clips), model.voices)
    return sum(len(clip) for clip in clips) / SAMPLE_RATE


def _unlike(voices: Float32) -> float:
    """Cosine of the two clips that are least alike."""
    unit = voices / np.linalg.norm(voices, axis=1, keepdims=True)
    return float((unit @ unit.T).min())


def _speech(pcm: Int16Mono) -> Int16Mono:
    """The chunks in which somebody speaks, joined."""
    detector = vad.VoiceDetector(vad.load_silero())
    above = SegmentSettings().speech_above
    chunks = [
        pcm[number * CHUNK_TICKS : (number + 1) * CHUNK_TICKS]
        for number, (probability, _) in enumerate(detector.hear(pcm))
        if probability >= above
    ]
    return np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.int16)
