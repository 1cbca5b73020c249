"""Diarization error beside the wheel's own diarizer, on the same weights, in one run.

    python -m benchmarks.diarization_peer AUDIO.wav [AUDIO.wav ...] [--speakers N] [--no-peer]

Each recording has its reference beside it, `AUDIO.rttm`. DER is without collar, overlap scored, over the whole
recording. Ours is told how many speakers to expect (the reference's number unless given); the peer finds out. Peer
rows: as it comes, and with its voice activity gate off, which lets its diarizer hear quiet speakers. It recognizes
speech at the same time, so its cost is that of both.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diarization.embedded import EmbeddedSpeakerModel
from diarization.online import OnlineDiarizer
from streaming import weights
from streaming.media import decode_file
from streaming.types import SAMPLE_RATE, Int16Mono, TrackId, Turn

_CHUNK = 8_000
Spans = list[tuple[float, float, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One diarizer on one recording: DER and its parts as shares of the speech, core-seconds per audio second."""

    name: str
    system: str
    der: float
    missed: float
    false_alarm: float
    confusion: float
    speakers: int
    cost: float

    def __str__(self) -> str:
        parts = f"{self.missed:7.1%} {self.false_alarm:7.1%} {self.confusion:7.1%}"
        return f"{self.name:14} {self.system:22} {self.der:7.1%} {parts} {self.speakers:5} {self.cost:7.3f}"


def read_rttm(path: Path) -> Spans:
    """Start, end, speaker of each turn, in seconds."""
    rows = [line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER")]
    return [(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows]


def score(name: str, system: str, reference: Spans, found: Spans, length_s: float, cost: float) -> Row:
    """The row of a result. Needs the `bench` extra."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(spans: Spans) -> Any:
        held = Annotation()
        for number, (start, end, speaker) in enumerate(spans):
            held[Segment(start, end), number] = speaker
        return held

    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    uem = Timeline([Segment(0, length_s)])
    parts = metric(annotation(reference), annotation(found), uem=uem, detailed=True)
    total = parts["total"] or 1.0
    return Row(
        name,
        system,
        parts["diarization error rate"],
        parts["missed detection"] / total,
        parts["false alarm"] / total,
        parts["confusion"] / total,
        len({speaker for _, _, speaker in found}),
        cost,
    )


def ours(model: EmbeddedSpeakerModel, pcm: Int16Mono, speakers: int) -> tuple[Spans, Spans, float]:
    """Live and settled turns, and core-seconds per audio second."""
    began = time.process_time()
    diarizer = OnlineDiarizer(model, TrackId("mic"), speakers)
    messages = [diarizer.hear(pcm[at : at + _CHUNK]) for at in range(0, len(pcm), _CHUNK)]
    live = [turn for message in [*messages, diarizer.flush()] if message for turn in message.turns]
    settled = diarizer.settle()
    return _spans(live), _spans(settled), (time.process_time() - began) * SAMPLE_RATE / len(pcm)


def peer(pcm: Int16Mono, options: dict[str, str], update_s: float) -> tuple[Spans, float]:
    """The wheel's own streaming transcriber with speakers, and its cost, recognition included."""
    from moonshine_voice.transcriber import ModelArch, Transcriber

    assets = weights.asset("tiny-en/encoder_model.ort").parent
    began = time.process_time()
    transcriber = Transcriber(assets, ModelArch.TINY, options={"identify_speakers": "true"} | options)
    stream = transcriber.create_stream(update_interval=update_s)
    stream.start()
    for at in range(0, len(pcm), _CHUNK):
        stream.add_audio((pcm[at : at + _CHUNK] / 32768.0).tolist())
    transcript = stream.stop()
    cost = (time.process_time() - began) * SAMPLE_RATE / len(pcm)
    spans = [
        (span.start_time, span.start_time + span.duration, str(span.speaker_index))
        for line in (transcript.lines if transcript else ())
        for span in line.speaker_spans or ()
    ]
    stream.close()
    transcriber.close()
    return spans, cost


def compare(path: Path, model: EmbeddedSpeakerModel, speakers: int | None, with_peer: bool) -> Iterator[Row]:
    """All rows of one recording."""
    pcm = np.concatenate(list(decode_file(path)))
    reference, length_s = read_rttm(path.with_suffix(".rttm")), len(pcm) / SAMPLE_RATE
    expected = speakers or len({speaker for _, _, speaker in reference})
    live, settled, cost = ours(model, pcm, expected)
    yield score(path.stem, "sameday, settled", reference, settled, length_s, cost)
    yield score(path.stem, "sameday, live", reference, live, length_s, cost)
    if with_peer:
        spans, cost = peer(pcm, {}, 0.5)
        yield score(path.stem, "wheel", reference, spans, length_s, cost)
        # Without its gate the line never ends and each update reads all of it again: ten seconds apart will do.
        spans, cost = peer(pcm, {"vad_threshold": "0.0"}, 10.0)
        yield score(path.stem, "wheel, gate off", reference, spans, length_s, cost)


def main(arguments: list[str] | None = None) -> int:
    """Print the table and, for more than one recording, each system's mean DER."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("audio", nargs="+", type=Path)
    parser.add_argument("--speakers", type=int, default=None)
    parser.add_argument("--no-peer", action="store_true")
    chosen = parser.parse_args(arguments)
    model = EmbeddedSpeakerModel()
    print(
        f"{'recording':14} {'system':22} {'DER':>7} {'missed':>7} {'false':>7} {'confus.':>7} {'spk':>5} {'cost':>7}"
    )
    rows: list[Row] = []
    for path in chosen.audio:
        for row in compare(path, model, chosen.speakers, not chosen.no_peer):
            print(row, flush=True)
            rows.append(row)
    for system in dict.fromkeys(row.system for row in rows) if len(chosen.audio) > 1 else ():
        rates = [row.der for row in rows if row.system == system]
        print(f"{'mean':14} {system:22} {sum(rates) / len(rates):7.1%}")
    return 0


def _spans(turns: list[Turn] | tuple[Turn, ...]) -> Spans:
    return [(turn.start / SAMPLE_RATE, turn.end / SAMPLE_RATE, turn.speaker) for turn in turns]


if __name__ == "__main__":
    sys.exit(main())
