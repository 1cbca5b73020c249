"""Accuracy in this process: whole sessions at fast pace, utterances decoded whole, diarization by itself.

Final words are a function of the audio alone, so one run says it all, and pace does not matter.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks import diarization_peer
from benchmarks.accuracy import Scores, score
from benchmarks.manifest import Item, Reference, parse_rttm
from benchmarks.measure_live import Material
from benchmarks.scoring import (
    DiarizationErrors,
    WordErrors,
    diarization_errors,
    ordered_text,
    transcript_errors,
    word_errors,
)
from diarization.embedded import EmbeddedSpeakerModel
from streaming.media import decode_file
from streaming.ports import Recognizer, Window
from streaming.settings import Settings
from streaming.state import SessionState
from streaming.transcribe import transcribe
from streaming.types import (
    Int16Mono,
    SpeakerId,
    Tick,
    TrackId,
    Transcript,
    Turn,
    Utterance,
    UtteranceId,
    seconds,
    to_tick,
)

SPEECH_REFERENCES = Path(__file__).parent / "data" / "speech_references.json"
_PADDING = to_tick(0.2)


@dataclass(frozen=True, slots=True)
class Heard:
    """A file's session, scored."""

    scores: Scores
    words: int
    speech_share: float
    """Share of the audio that the recognizer was given."""
    state: SessionState


def heard(name: str, audio: Path, reference: Reference, speakers: int, settings: Settings) -> Heard:
    """Transcribe a file as a whole session and score it. Raises BadAudio, EngineMissing."""
    state = asyncio.run(transcribe(audio, settings, speakers=speakers, pace="fast"))
    received = Tick(max(total.received_ticks for total in state.totals))
    turns = state.turns.get(TrackId("mic"))
    transcript = state.transcript()
    return Heard(
        scores=score(name, reference, transcript, turns, received),
        words=sum(len(one.words) for one in transcript.utterances),
        speech_share=sum(total.speech_ticks for total in state.totals) / max(received, 1),
        state=state,
    )


def speech_references() -> dict[str, str]:
    """The texts of the development recordings, by file name."""
    found: dict[str, str] = json.loads(SPEECH_REFERENCES.read_text(encoding="utf-8"))
    return found


def decoded_whole(material: Material, recognizer: Recognizer) -> tuple[WordErrors, int]:
    """Word errors where each reference utterance is decoded as one window, and how many windows that made.

    Utterances that overlap are one window: a window with two voices cut in two would hear words twice.
    """
    pcm = read(material.audio)
    spans = whole_spans(material.reference.utterances, Tick(len(pcm)))
    return transcript_errors(material.reference, decoded(pcm, spans, recognizer)), len(spans)


def decoded(pcm: Int16Mono, spans: Sequence[tuple[Tick, Tick]], recognizer: Recognizer) -> Transcript:
    """What is heard in each span as one window; a span longer than the engine's window in equal parts."""
    parts = [part for span in spans for part in _parts(*span, recognizer.max_window_ticks)]
    utterances: list[Utterance] = []
    for first in range(0, len(parts), recognizer.max_batch):
        some = parts[first : first + recognizer.max_batch]
        hypotheses = recognizer.recognize([Window(start, pcm[start:end]) for start, end in some])
        for (start, end), one in zip(some, hypotheses, strict=True):
            text = " ".join(word.text for word in one.words)
            name = UtteranceId(f"mic-{len(utterances) + 1}")
            if one.words:
                utterances.append(Utterance(name, TrackId("mic"), start, end, SpeakerId("S1"), text, 1.0, one.words))
    return Transcript(tuple(utterances), {})


def _parts(start: Tick, end: Tick, most: int) -> list[tuple[Tick, Tick]]:
    count = max(1, -(-(end - start) // most))
    edges = [Tick(start + (end - start) * place // count) for place in range(count + 1)]
    return list(pairwise(edges))


def offline(item: Item, recognizer: Recognizer) -> WordErrors | None:
    """Word errors of a recording decoded whole: by its utterances, else its turns, else all of it.

    None where its words are not known.
    """
    reference, pcm = item.reference, read(item.audio)
    length = Tick(len(pcm))
    if not reference.words_known():
        return None
    timed = reference.transcript.utterances if reference.transcript is not None else ()
    spans = whole_spans([one for one in timed if one.start < one.end], length)
    if not spans and reference.turns:
        spans = whole_spans(reference.turns, length)
    heard_whole = decoded(pcm, spans or [(Tick(0), length)], recognizer)
    if reference.transcript is not None:
        return transcript_errors(reference.transcript, heard_whole)
    return word_errors(reference.text or "", ordered_text(heard_whole))


def side_by_side(
    item: Item, scores: Scores, speakers: int, recognizer: Recognizer, model: EmbeddedSpeakerModel
) -> Scores:
    """A recording's scores with what the same engines reach else: words decoded whole, turns as they came."""
    turns = item.reference.turns
    online = diarized(item.audio, turns, speakers, model).online if turns else None
    return replace(scores, whole=offline(item, recognizer), online=online)


def whole_spans(utterances: Iterable[Utterance | Turn], length: Tick) -> list[tuple[Tick, Tick]]:
    """Where the utterances are, overlapping ones as one, with 0.2 s around them but never into the next one's."""
    joined: list[tuple[Tick, Tick]] = []
    for one in sorted(utterances, key=lambda one: one.start):
        if joined and one.start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], one.end))
        else:
            joined.append((one.start, one.end))
    if not joined:
        return []
    middles = [Tick((end + start) // 2) for (_, end), (start, _) in pairwise(joined)]
    floors, ceilings = [Tick(0), *middles], [*middles, length]
    return [
        (Tick(max(start - _PADDING, floor)), Tick(min(end + _PADDING, ceiling)))
        for (start, end), floor, ceiling in zip(joined, floors, ceilings, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Diarized:
    """Our diarizer on one recording. `cost` in core-seconds per audio second."""

    name: str
    expected: int
    settled: DiarizationErrors
    online: DiarizationErrors
    speakers: int
    cost: float


def diarized(audio: Path, reference: Sequence[Turn], expected: int, model: EmbeddedSpeakerModel) -> Diarized:
    """Online and settled turns of a file."""
    pcm = read(audio)
    online, settled, cost = diarization_peer.ours(model, pcm, expected)
    length = Tick(len(pcm))
    return Diarized(
        audio.stem,
        expected,
        diarization_errors(reference, spans_as_turns(settled), length),
        diarization_errors(reference, spans_as_turns(online), length),
        len({speaker for _, _, speaker in settled}),
        cost,
    )


def spans_as_turns(spans: Iterable[tuple[float, float, str]]) -> list[Turn]:
    """(start_s, end_s, speaker) as turns."""
    return [Turn(to_tick(start), to_tick(end), SpeakerId(speaker)) for start, end, speaker in spans]


def reference_turns(rttm: Path) -> tuple[Turn, ...]:
    """The turns of an RTTM file that speaks of one recording."""
    return next(iter(parse_rttm(rttm.read_text(encoding="utf-8")).values()), ())


def spoken_s(turns: Iterable[Turn]) -> float:
    """Seconds in which at least one speaks."""
    total, reached = 0, 0
    for turn in sorted(turns, key=lambda turn: turn.start):
        start = max(turn.start, reached)
        total += max(0, turn.end - start)
        reached = max(reached, turn.end)
    return seconds(total)


def read(audio: Path) -> Int16Mono:
    """The whole file, 16 kHz mono."""
    return np.concatenate(list(decode_file(audio)))
