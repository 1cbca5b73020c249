"""What a live session's recording says: latencies by utterance and by word, partials, the session on a time line.

Pure. Times are seconds; on the time line they count from the session's first sample, as its client sent it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.latency import ENDPOINT_S, known_words, measured
from benchmarks.live import Recording
from benchmarks.scoring import quantile, transcript_errors
from streaming import transcript_json
from streaming.types import Gap, Tick, Transcript, Turn, seconds, to_tick

ONSET_PAUSE_S = 1.0
"""Speech that follows so long a pause has an onset of its own: the talk before it is final by then."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What the server's process used from the session's start to its note."""

    cpu_s: float
    threads: dict[str, float]
    peak_mb: float

    @property
    def known(self) -> bool:
        """Whether the server's process could be looked at."""
        return math.isfinite(self.cpu_s)


UNKNOWN = Costs(math.nan, {}, math.nan)
"""Of a server on another machine, or of somebody else."""


@dataclass(frozen=True, slots=True)
class Final:
    """An utterance of the reference: when it ended, and how long from its last sample to its final words.

    `silence_s` is how long nobody spoke after it: negative where somebody else was talking already.
    """

    utterance: str
    ended_s: float
    latency_s: float
    silence_s: float

    @property
    def past_endpoint_s(self) -> float:
        return max(0.0, self.latency_s - ENDPOINT_S)

    @property
    def followed_by(self) -> str:
        """What came after it, for people."""
        if self.silence_s < 0:
            return "spoken over"
        if self.silence_s < ENDPOINT_S:
            return f"talk after {self.silence_s:.2f} s: no endpoint"
        return "the endpoint's silence"


@dataclass(frozen=True, slots=True)
class LiveResult:
    """A session as its client felt it."""

    transport: str
    audio_s: float
    first_word_s: float
    onsets_s: tuple[float, ...]
    """Per onset of speech: until words of it were shown. Infinite where none were before the next onset."""
    finals: tuple["Final", ...]
    partial_gaps_s: tuple[float, ...]
    draft_s: float
    word_error_rate: float
    complete: bool
    """Whether all that was received was transcribed or named as a gap."""
    gaps: tuple[Gap, ...]
    speech_share: float
    """Share of the audio that the recognizer was given."""
    costs: Costs
    line: dict[str, Any] = field(default_factory=dict)

    @property
    def lost_s(self) -> float:
        """Audio in gaps; not the wait for the first packet while a connection comes about, when nothing was sent."""
        lost = [gap for gap in self.gaps if gap.start > 0 or gap.cause != "no_audio"]
        return seconds(sum(gap.end - gap.start for gap in lost))

    @property
    def final_s(self) -> list[float]:
        return [final.latency_s for final in self.finals]

    @property
    def past_endpoint_s(self) -> list[float]:
        """Without the silence that must pass before an utterance is known to be over."""
        return [final.past_endpoint_s for final in self.finals]

    @property
    def past_silence_s(self) -> list[float]:
        """The same where the endpoint silence really followed: what is left is the machine's time."""
        return [final.past_endpoint_s for final in self.finals if final.silence_s >= ENDPOINT_S]

    @property
    def cpu_per_s(self) -> float:
        return self.costs.cpu_s / self.audio_s

    def latest(self, count: int = 5) -> list["Final"]:
        """The utterances whose words were final last."""
        return sorted(self.finals, key=lambda final: -final.latency_s)[:count]


def result(
    transport: str, recording: Recording, reference: Transcript, spoken: Sequence[Turn], costs: Costs
) -> LiveResult:
    """All figures of one session. Raises LookupError where it did not end as it should."""
    latencies = measured(recording, reference)
    totals = recording.first("ended")[1]["totals"]
    received = sum(total["received_ticks"] for total in totals)
    accounted = sum(total["transcribed_ticks"] + total["gap_ticks"] for total in totals)
    heard = transcript_json.read(recording.transcript)
    finals = tuple(
        Final(
            str(utterance.id),
            seconds(utterance.end),
            at - recording.sent_at(utterance.end),
            silence_after(utterance.end, spoken),
        )
        for word, utterance, at in known_words(recording, reference)
        if word is utterance.words[-1]
    )
    return LiveResult(
        transport=transport,
        audio_s=seconds(received),
        first_word_s=latencies.first_word_s,
        onsets_s=tuple(_until_shown(recording, start, stop) for start, stop in onsets(spoken)),
        finals=finals,
        partial_gaps_s=latencies.partial_gaps_s,
        draft_s=recording.draft_s,
        word_error_rate=transcript_errors(reference, heard).rate,
        complete=received == accounted,
        gaps=heard.gaps,
        speech_share=sum(total["speech_ticks"] for total in totals) / max(received, 1),
        costs=costs,
        line=time_line(recording, reference, spoken),
    )


def silence_after(end: Tick, spoken: Iterable[Turn]) -> float:
    """Seconds of silence from `end` on; less than 0 where somebody speaks across it, by how long they still do."""
    slack = to_tick(0.02)
    across = [turn.end for turn in spoken if turn.start < end - slack and turn.end > end + slack]
    if across:
        return seconds(end - max(across))
    return seconds(min((turn.start - end for turn in spoken if turn.start >= end - slack), default=1 << 40))


def onsets(spoken: Sequence[Turn]) -> list[tuple[Tick, Tick]]:
    """Where talk begins after a pause of everybody, and where the next such talk begins."""
    starts: list[Tick] = []
    end = to_tick(-ONSET_PAUSE_S)
    for turn in sorted(spoken, key=lambda turn: turn.start):
        if turn.start - end >= to_tick(ONSET_PAUSE_S):
            starts.append(turn.start)
        end = max(end, turn.end)
    return list(zip(starts, [*starts[1:], Tick(1 << 62)], strict=True))


def _until_shown(recording: Recording, start: Tick, stop: Tick) -> float:
    """From an onset to the first message with words of that stretch of talk."""
    spoken_at = recording.sent_at(start)
    for at, message in recording.messages:
        if at < spoken_at or message["type"] not in ("partial", "utterance"):
            continue
        words = message["text"] if message["type"] == "utterance" else message["committed"] + message["tentative"]
        # A segment begins up to 0.3 s before its first sound; utterances count by what they end with.
        begins = message["end"] if message["type"] == "utterance" else message["start"] + 0.6
        if words and begins >= seconds(start):
            return at - spoken_at if begins < seconds(stop) else float("inf")
    return float("inf")


def word_delays(recording: Recording, reference: Transcript) -> list[tuple[float, float]]:
    """Per word that was heard: when it ended, and seconds from its last sample until it was final, in order."""
    return [
        (seconds(word.end), at - recording.sent_at(Tick(word.end - 1)))
        for word, _, at in known_words(recording, reference)
    ]


def start_and_end(delays: Sequence[tuple[float, float]], share: float, span_s: float = 60.0) -> tuple[float, float]:
    """A quantile of the delays in the first and in the last `span_s`."""
    last = max((at for at, _ in delays), default=0.0)
    first = [delay for at, delay in delays if at < span_s]
    final = [delay for at, delay in delays if at >= last - span_s]
    return quantile(first, share), quantile(final, share)


def time_line(recording: Recording, reference: Transcript, spoken: Sequence[Turn]) -> dict[str, Any]:
    """What was said when, and when it was shown, for a drawing."""
    zero = recording.sent_at(Tick(0))
    return {
        "turns": [[seconds(turn.start), seconds(turn.end), turn.speaker] for turn in spoken],
        "partials": [
            round(at - zero, 3)
            for at, message in recording.messages
            if message["type"] == "partial" and message["committed"] + message["tentative"]
        ],
        "finals": [
            [seconds(utterance.end), round(at - zero, 3), str(utterance.speaker)]
            for word, utterance, at in known_words(recording, reference)
            if word is utterance.words[-1]
        ],
        "draft": round(recording.first("draft")[0] - zero, 3),
    }
