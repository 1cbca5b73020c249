"""A step's figures from what its clients saw. Pure, but for the library that computes DER."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.latency import partial_delays
from benchmarks.live import Recording
from benchmarks.live_figures import Costs, LiveResult, result
from benchmarks.ramp import Step
from benchmarks.scoring import DiarizationErrors, WordErrors, diarization_errors, quantile, transcript_errors
from benchmarks.talk_pieces import Piece
from benchmarks.traffic import Outcome
from streaming import transcript_json
from streaming.errors import EngineMissing
from streaming.types import SpeakerId, Tick, Turn, seconds, to_tick

_END_S = 300.0
"""How much of a session's beginning is compared with as much of its end."""
Alone = tuple[WordErrors, DiarizationErrors | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """One session against the truth about its piece."""

    live: LiveResult
    words: WordErrors
    diarization: DiarizationErrors | None
    partial_s: tuple[float, ...]
    complete: bool


def judged(one: Outcome, piece: Piece) -> Judged | None:
    """What a session came to; None where it did not come to its end."""
    recording = one.recording
    try:
        live = result("", recording, piece.reference, piece.spoken, Costs(0.0, {}, 0.0))
        partial_s = tuple(partial_delays(recording, piece.reference))
    except (LookupError, ValueError):
        return None
    heard = transcript_json.read(recording.transcript)
    sent = Tick(len(one.sent) * one.frame_ticks)
    # The wait for the first packet and a last frame that is not full are no loss; two frames are allowed for.
    arrived = to_tick(live.audio_s) >= min(sent, len(piece.pcm)) - 2 * one.frame_ticks
    return Judged(
        live,
        transcript_errors(piece.reference, heard),
        _diarization(recording, piece),
        partial_s,
        live.complete and arrived,
    )


def _diarization(recording: Recording, piece: Piece) -> DiarizationErrors | None:
    turns = settled(recording)
    if not turns:
        return None
    try:
        return diarization_errors(piece.spoken, turns, Tick(len(piece.pcm)))
    except EngineMissing:
        return None


def settled(recording: Recording) -> list[Turn]:
    """The session's settled turns, on the sender's time: less the wait for the first packet."""
    waited = to_tick(
        max(
            (message["end"] for _, message in recording.messages
             if message["type"] == "gap" and message["start"] == 0 and message["cause"] == "no_audio"),
            default=0.0,
        )
    )  # fmt: skip
    return [
        Turn(Tick(to_tick(turn["start"]) - waited), Tick(to_tick(turn["end"]) - waited), SpeakerId(turn["speaker"]))
        for _, message in recording.messages
        if message["type"] == "turns"
        for turn in message["turns"]
    ]


def step_of(
    step: Step,
    outcomes: Sequence[Outcome],
    judged_ones: Sequence[Judged | None],
    alone: Sequence[Alone | None],
    cores: Mapping[str, float],
    lags: Sequence[tuple[float, float]],
    sender_cores: float,
) -> Step:
    """The step with all that its sessions say. `outcomes`, `judged_ones` and `alone` go together."""
    whole = [one for one in judged_ones if one is not None]
    lives = [one.live for one in whole]
    gaps: dict[str, float] = {}
    for live in lives:
        for gap in live.gaps:
            if gap.start > 0 or gap.cause != "no_audio":
                gaps[gap.cause] = gaps.get(gap.cause, 0.0) + seconds(gap.end - gap.start)
    words = sum((one.words for one in whole), WordErrors())
    errors = [one.error or "NoNote" for one, found in zip(outcomes, judged_ones, strict=True) if found is None]
    baseline = [known for known, found in zip(alone, judged_ones, strict=True) if found is not None]
    known_alone = [one for one in baseline if one is not None]
    return replace(
        step,
        errors=tuple(errors),
        distributions={
            "first_s": [value for live in lives for value in live.onsets_s if math.isfinite(value)],
            "partial_s": [value for one in whole for value in one.partial_s],
            "final_s": [value for live in lives for value in live.final_s],
            "past_endpoint_s": [value for live in lives for value in live.past_endpoint_s],
            "past_silence_s": [value for live in lives for value in live.past_silence_s],
            "between_s": [value for live in lives for value in live.partial_gaps_s],
            "draft_s": [live.draft_s for live in lives],
            "early_s": [value for live in lives for value in _ends(live)[0]],
            "late_s": [value for live in lives for value in _ends(live)[1]],
        },
        wer=words.rate if whole else math.nan,
        wer_alone=sum((one for one, _ in known_alone), WordErrors()).rate
        if len(known_alone) == len(whole) and whole
        else math.nan,
        der=_pooled([one.diarization for one in whole]),
        der_alone=_pooled([der for _, der in known_alone]),
        lag_s=(
            quantile([mean for mean, _ in lags], 0.5),
            max((most for _, most in lags), default=math.nan),
        ),
        cores=cores,
        audio_s=sum(len(one.sent) * one.frame_ticks for one in outcomes) / 16_000,
        complete=sum(one.complete for one in whole),
        gaps_s=gaps,
        line=lives[0].line if lives else {},
        sender_cores=sender_cores,
        sender_late_ms=1000 * quantile([late for one in outcomes for late in one.late_s()], 0.99),
    )


def _ends(live: LiveResult) -> tuple[list[float], list[float]]:
    """Latencies of the finals in the first and in the last five minutes; none of a session too short to compare."""
    if live.audio_s < 2 * _END_S:
        return [], []
    early = [final.latency_s for final in live.finals if final.ended_s <= _END_S]
    late = [final.latency_s for final in live.finals if final.ended_s > live.audio_s - _END_S]
    return early, late


def _pooled(parts: Sequence[DiarizationErrors | None]) -> float:
    known = [part for part in parts if part is not None]
    total = sum(known, DiarizationErrors(0.0, 0.0, 0.0, 0.0))
    return total.rate if known else math.nan
