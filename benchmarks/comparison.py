"""Systems beside each other on the same audio: errors with intervals, latency, cost. Pure, but for DER's library.

Intervals of word errors are bootstrapped over utterances (percentiles of 2,000 draws), paired: the same draw counts
for both of two systems. Costs and latencies have the least and greatest of their runs.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, Target, at_least, figure
from benchmarks.normalise import located
from benchmarks.scoring import align, quantile
from streaming.types import Transcript, seconds

_DRAWS = 2000
Counts = NDArray[np.int64]
"""Per utterance of the reference its words and the errors on them, shape (utterances, 2)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a system: words with the second at which each was final, cost, DER where it has speakers."""

    words: tuple[tuple[str, float], ...]
    audio_s: float
    cpu_s: float
    der: float = math.nan


@dataclass(frozen=True, slots=True)
class System:
    """What is compared, and its runs."""

    name: str
    says: str
    runs: tuple[Run, ...]

    @property
    def cpu_per_s(self) -> list[float]:
        """Core-seconds per second of audio, a value a run."""
        return [run.cpu_s / run.audio_s for run in self.runs]


def utterance_errors(reference: Transcript, said: Sequence[str]) -> Counts:
    """Words and errors of each utterance of the reference; an inserted word counts for the utterance before it."""
    ordered = sorted(
        ((word, place) for place, one in enumerate(reference.utterances) for word in one.words),
        key=lambda pair: pair[0].start,
    )
    ours = located([word.text for word, _ in ordered])
    theirs = [word.text for word in located(list(said))]
    counts = np.zeros((len(reference.utterances), 2), dtype=np.int64)
    owner = 0
    for one, other in align([word.text for word in ours], theirs):
        if one is not None:
            owner = ordered[ours[one].first][1]
            counts[owner, 0] += 1
        counts[owner, 1] += one is None or other is None or ours[one].text != theirs[other]
    return counts


def rate(counts: Counts) -> float:
    """Errors over words."""
    return float(counts[:, 1].sum() / max(1, counts[:, 0].sum()))


def interval(counts: Counts, other: Counts | None = None, seed: int = 1) -> tuple[float, float]:
    """95 % of the bootstrapped error rates; with `other`, of the difference to its rate over the same draws."""
    if not len(counts):
        return math.nan, math.nan
    drawn = np.random.default_rng(seed).integers(0, len(counts), size=(_DRAWS, len(counts)))
    rates = _rates(counts, drawn) - (_rates(other, drawn) if other is not None else 0.0)
    low, high = np.quantile(rates, (0.025, 0.975))
    return float(low), float(high)


def _rates(counts: Counts, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    sums = counts[drawn].sum(axis=1)
    return np.asarray(sums[:, 1] / np.maximum(1, sums[:, 0]), dtype=np.float64)


def latencies(reference: Transcript, words: Sequence[tuple[str, float]]) -> list[float]:
    """Per utterance whose last word was heard: seconds from that word's end to its being final."""
    ordered = sorted(
        ((word, one) for one in reference.utterances for word in one.words), key=lambda pair: pair[0].start
    )
    ours, theirs = located([word.text for word, _ in ordered]), located([text for text, _ in words])
    found: list[float] = []
    for one, other in align([word.text for word in ours], [word.text for word in theirs]):
        if one is None or other is None or ours[one].text != theirs[other].text:
            continue
        word, utterance = ordered[ours[one].last - 1]
        if word is utterance.words[-1]:
            found.append(words[theirs[other].last - 1][1] - seconds(word.end))
    return found


def row(system: System, reference: Transcript) -> dict[str, Any]:
    """A system's row of the report."""
    counts = utterance_errors(reference, [text for text, _ in system.runs[0].words])
    finals = [latencies(reference, run.words) for run in system.runs]
    cost = system.cpu_per_s
    der = quantile([run.der for run in system.runs if math.isfinite(run.der)], 0.5)
    return {
        "name": system.name,
        "says": system.says,
        "runs": len(system.runs),
        "wer": rate(counts),
        "wer_interval": list(interval(counts)),
        "der": der if math.isfinite(der) else None,
        "final_p50_s": _median(finals, 0.5),
        "final_p95_s": _median(finals, 0.95),
        "cpu_per_s": {"median": statistics.median(cost), "least": min(cost), "most": max(cost)},
        "sessions_a_core": 1.0 / statistics.median(cost) if statistics.median(cost) else None,
    }


def _median(runs: Sequence[Sequence[float]], share: float) -> float | None:
    values = [quantile(run, share) for run in runs if run]
    return statistics.median(values) if values else None


def figures(part: str, systems: Sequence[System], reference: Transcript) -> list[Figure]:
    """Each system's figures, then each other one against the first, run by run."""
    rows: list[Figure] = []
    for one in systems:
        finals = [latencies(reference, run.words) for run in one.runs]
        counts = [utterance_errors(reference, [text for text, _ in run.words]) for run in one.runs]
        low, high = interval(counts[0])
        note = f"95 % of bootstrapped rates: {100 * low:.1f} to {100 * high:.1f} %"
        rows += [
            figure(part, f"{one.name}: WER", "%", [100 * rate(found) for found in counts], note=note, exact=True),
            figure(part, f"{one.name}: last sample to final words, p50", "s", [quantile(run, 0.5) for run in finals]),
            figure(
                part, f"{one.name}: last sample to final words, p95", "s", [quantile(run, 0.95) for run in finals]
            ),
            figure(part, f"{one.name}: core-seconds per second of audio", "core-s/s", one.cpu_per_s),
            figure(part, f"{one.name}: sessions a core", "x", [1.0 / used for used in one.cpu_per_s if used]),
        ]
        if math.isfinite(one.runs[0].der):
            rows.append(figure(part, f"{one.name}: DER", "%", [100 * run.der for run in one.runs], exact=True))
    return rows + [row for other in systems[1:] for row in against(part, systems[0], other, reference)]


def against(
    part: str, ours: System, other: System, reference: Transcript, target: Target | None = None
) -> list[Figure]:
    """The other one's cost over ours, a value a run; its WER less ours, with the paired interval."""
    times = [b / a for a, b in zip(ours.cpu_per_s, other.cpu_per_s, strict=False) if a]
    one, two = (utterance_errors(reference, [text for text, _ in system.runs[0].words]) for system in (ours, other))
    low, high = interval(two, one)
    sure = "ours is better" if low > 0 else "ours is worse" if high < 0 else "nobody can tell which is better"
    if low == high == 0:
        sure = "the same errors"
    if target is None and "with speakers" in other.name:
        target = at_least(4)
    return [
        figure(part, f"{other.name}: cost over that of {ours.name}", "x", times, target),
        figure(part, f"{other.name}: WER above that of {ours.name}", "points", 100 * (rate(two) - rate(one)),
               note=f"paired, 95 % of draws {100 * low:+.1f} to {100 * high:+.1f} points: {sure}", exact=True),
    ]  # fmt: skip
