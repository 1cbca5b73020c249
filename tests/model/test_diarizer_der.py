"""Diarization error of the embedded model on a real call and on the bundled session, and what it costs."""

from pathlib import Path

import av
import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
from shared_data import ROOT, shared_data

from diarization.embedded import EmbeddedSpeakerModel
from diarization.online import OnlineDiarizer
from streaming.types import SAMPLE_RATE, Int16Mono, TrackId, Turn

pytestmark = pytest.mark.model
SESSION = ROOT / "benchmarks" / "data" / "session"


def audio(path: Path) -> Int16Mono:
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    with av.open(str(path)) as container:
        blocks = [out.to_ndarray() for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.asarray(np.concatenate(blocks, axis=1)[0], np.int16)


def error_rate(reference: Path, turns: list[Turn], length: int) -> float:
    """DER, no collar, overlap scored, over the whole recording."""
    said, heard = Annotation(), Annotation()
    for number, line in enumerate(reference.read_text().splitlines()):
        fields = line.split()
        said[Segment(float(fields[3]), float(fields[3]) + float(fields[4])), number] = fields[7]
    for number, turn in enumerate(turns):
        heard[Segment(turn.start / SAMPLE_RATE, turn.end / SAMPLE_RATE), number] = turn.speaker
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    return float(metric(said, heard, uem=Timeline([Segment(0, length / SAMPLE_RATE)])))


def diarize(pcm: Int16Mono, speakers: int) -> tuple[list[Turn], list[Turn]]:
    diarizer = OnlineDiarizer(EmbeddedSpeakerModel(), TrackId("mic"), speakers)
    messages = [diarizer.hear(pcm[at : at + 8_000]) for at in range(0, len(pcm), 8_000)]
    live = [turn for message in [*messages, diarizer.flush()] if message for turn in message.turns]
    return live, list(diarizer.settle())


def test_a_telephone_call_of_two() -> None:
    pcm = audio(shared_data("conversations/sample.wav"))
    reference = shared_data("conversations/sample.rttm")
    live, settled = diarize(pcm, 2)
    assert error_rate(reference, settled, len(pcm)) <= 0.08
    assert error_rate(reference, live, len(pcm)) <= 0.25


def test_the_bundled_session() -> None:
    pcm = audio(SESSION / "mix.opus")
    live, settled = diarize(pcm, 2)
    assert error_rate(SESSION / "session.rttm", settled, len(pcm)) <= 0.10
    assert error_rate(SESSION / "session.rttm", live, len(pcm)) <= 0.10


def test_noise_settles_to_nobody() -> None:
    assert diarize(audio(shared_data("noise/noise1.wav")), 2)[1] == []
