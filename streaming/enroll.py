"""`sameday enroll`: from a recording of the clinician to a voice file."""

from pathlib import Path

import numpy as np

from diarization.embedded import EmbeddedSpeakerModel
from diarization.online import enroll
from streaming import media, vad, voice_file
from streaming.segmenting import CHUNK_TICKS, SegmentSettings
from streaming.types import SAMPLE_RATE, Int16Mono


def enroll_file(audio: Path, out: Path) -> float:
    """Write the voice heard in `audio` to `out`; returns the seconds of speech used. Raises BadAudio, BadVoice."""
    speech = _speech(np.concatenate(list(media.decode_file(audio))))
    clips = voice_file.clips(speech)
    voice_file.save(out, enroll(EmbeddedSpeakerModel(), clips))
    return sum(len(clip) for clip in clips) / SAMPLE_RATE


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
