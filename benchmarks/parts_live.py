"""Figures of live sessions at real-time pace, and of long talk."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.figure import Figure, Target, at_most, figure
from benchmarks.live import Transport
from benchmarks.live_figures import LiveResult, start_and_end, word_delays
from benchmarks.long_talk import continuous_talk, monologue
from benchmarks.measure_live import Live, Material, Progress, bundled, side_by_side
from benchmarks.parts import Part, Surroundings
from benchmarks.scoring import quantile
from benchmarks.speech_generator import save
from streaming.types import Transcript, seconds

NAMES: dict[Transport, str] = {"webrtc": "WebRTC", "websocket": "WebSocket"}
LONG = "Long talk, live over WebSocket"
_LIVE_S = 120.0
"""Of the bundled session: three runs of it take six minutes."""


def live(around: Surroundings) -> Part:
    """The bundled session's first two minutes over both transports at once, a server each, once a run."""
    part = Part()
    material = around.material_part(_LIVE_S)
    lives: list[Live] = []
    for run in range(around.runs):
        around.say(f"  run {run + 1} of {around.runs}: WebRTC and WebSocket side by side, two minutes")
        lives += side_by_side([(material, "webrtc"), (material, "websocket")], Progress(around.say))
    for transport, name in NAMES.items():
        results = [one.result for one in lives if one.result.transport == transport]
        part.figures += live_figures(f"Live over {name}, bundled session", results)
    part.details |= details([one.result for one in lives])
    return part


def live_figures(part: str, runs: Sequence[LiveResult]) -> list[Figure]:
    """The figures of one transport, the median over the runs of each run's own."""

    def over(values: Callable[[LiveResult], Iterable[float]], share: float) -> list[float]:
        return [quantile(values(run), share) for run in runs]

    onsets = lambda run: run.onsets_s  # noqa: E731
    lost = sum(not run.complete for run in runs)
    return [
        figure(part, "first words shown after talk begins, p50", "s", over(onsets, 0.5)),
        figure(part, "first words shown after talk begins, p95", "s", over(onsets, 0.95), at_most(1.5)),
        *(
            figure(
                part, f"last sample to final words, p{round(100 * share)}", "s", over(lambda run: run.final_s, share)
            )
            for share in (0.5, 0.95, 0.99)
        ),
        *(
            figure(
                part,
                f"past the endpoint silence of 0.7 s, p{round(100 * share)}",
                "s",
                over(lambda run: run.past_endpoint_s, share),
                at_most(0.35) if share == 0.95 else None,
            )
            for share in (0.5, 0.95, 0.99)
        ),
        figure(
            part,
            "  the same where that silence follows, p95",
            "s",
            over(lambda run: run.past_silence_s, 0.95),
            note=f"{len(runs[0].past_silence_s)} of {len(runs[0].finals)} utterances; the others are answered "
            "sooner or spoken over",
        ),
        figure(part, "between two changes of the shown words, p50", "s", over(lambda run: run.partial_gaps_s, 0.5)),
        figure(
            part,
            "between two changes of the shown words, p95",
            "s",
            over(lambda run: run.partial_gaps_s, 0.95),
            at_most(1),
        ),
        figure(part, "end of session to draft note", "s", [run.draft_s for run in runs], at_most(2)),
        figure(part, "WER", "%", [100 * run.word_error_rate for run in runs]),
        *_of_server(part, runs),
        figure(part, "runs with audio neither transcribed nor named a gap", "count", lost, at_most(0)),
        figure(part, "audio lost on the way, named as gaps", "s", [run.lost_s for run in runs], at_most(0)),
    ]


def _of_server(part: str, runs: Sequence[LiveResult]) -> list[Figure]:
    if not all(run.costs.known for run in runs):
        return []
    says = "server, core-seconds per second of audio"
    return [
        figure(part, says, "core-s/s", [run.cpu_per_s for run in runs], at_most(0.12)),
        figure(part, "server's memory, peak", "MB", [run.costs.peak_mb for run in runs], at_most(1000)),
    ]


def details(results: Sequence[LiveResult]) -> dict[str, Any]:
    """All latencies, the first run's time line, cost by stage and the latest finals, for the report's drawings."""
    by_name: dict[str, list[LiveResult]] = {}
    for one in results:
        by_name.setdefault(NAMES.get(one.transport, one.transport), []).append(one)  # type: ignore[call-overload]
    return {
        "latency": {
            name: {
                "final_s": [round(value, 3) for run in runs for value in run.final_s],
                "past_endpoint_s": [round(value, 3) for run in runs for value in run.past_endpoint_s],
            }
            for name, runs in by_name.items()
        },
        "time_line": results[0].line,
        "cost": [cost(f"{name}, bundled session", runs) for name, runs in by_name.items() if runs[0].costs.known],
        "gaps": [
            {"transport": name, "start_s": seconds(gap.start), "end_s": seconds(gap.end), "cause": gap.cause}
            for name, runs in by_name.items()
            for run in runs
            for gap in run.gaps
        ],
        "late": [
            {
                "transport": name,
                "utterance": final.utterance,
                "ended_s": round(final.ended_s, 2),
                "latency_s": round(final.latency_s, 2),
                "followed_by": final.followed_by,
            }
            for name, runs in by_name.items()
            for final in runs[0].latest(8)
        ],
    }


def cost(name: str, runs: Sequence[LiveResult]) -> dict[str, Any]:
    """Core-seconds per audio second by stage, means over the runs."""
    audio_s = sum(run.audio_s for run in runs)
    stages = {stage: sum(run.costs.threads.get(stage, 0.0) for run in runs) for stage in runs[0].costs.threads}
    return {"name": name, "stages": {stage: round(used / audio_s, 4) for stage, used in stages.items()}}


def over_time(part: str, one: Live, reference: Transcript, span_s: float = 60.0) -> list[Figure]:
    """A word's delay in the first and in the last minute of a session that is long enough for both."""
    if one.result.audio_s < 3 * span_s:
        return []
    delays = word_delays(one.recording, reference)
    rows: list[Figure] = []
    for share in (0.5, 0.95):
        first, last = start_and_end(delays, share, span_s)
        says = f"a word's end to its being final, p{round(100 * share)}"
        rows += [
            figure(part, f"{says}, first {span_s:.0f} s", "s", first),
            figure(part, f"{says}, last {span_s:.0f} s", "s", last, _no_later(first)),
        ]
    return rows


def long_talk(around: Surroundings) -> Part:
    """Two people without a pause, and one voice without any, side by side."""
    minutes = 1.0 if around.quick else 3.0
    around.say(f"  making {minutes:.0f} minutes of talk without rest and a monologue without a pause")
    talk, speech = (
        _material(around, session, name)
        for name, session in (("talk", continuous_talk(minutes)), ("monologue", monologue(minutes)))
    )
    around.say(f"  both side by side, {minutes:.0f} minutes")
    both = side_by_side([(talk, "websocket"), (speech, "websocket")], Progress(around.say))
    return long_part(both[0], both[1], minutes, speech)


def long_part(talk: Live, speech: Live, minutes: float, material: Material) -> Part:
    """The figures of both."""
    part = Part()
    delays = word_delays(speech.recording, material.reference)
    span_s = min(60.0, 30.0 * minutes)
    p50, p95 = (start_and_end(delays, share, span_s) for share in (0.5, 0.95))
    length = f"{minutes:.0f} min"
    first, last = f"first {span_s:.0f} s", f"last {span_s:.0f} s"
    part.figures += [
        figure(LONG, f"{length} of two people without rest, core-seconds per second", "core-s/s",
               talk.result.cpu_per_s, at_most(0.3)),
        figure(LONG, "two people without rest, WER", "%", 100 * talk.result.word_error_rate),
        figure(LONG, "two people without rest, server's memory", "MB", talk.result.costs.peak_mb, at_most(1000)),
        figure(LONG, f"{length} of monologue, a word's end to its being final, {first}, p50", "s", p50[0]),
        figure(LONG, f"{length} of monologue, the same, {last}, p50", "s", p50[1], _no_later(p50[0])),
        figure(LONG, f"{length} of monologue, the same, {first}, p95", "s", p95[0]),
        figure(LONG, f"{length} of monologue, the same, {last}, p95", "s", p95[1], _no_later(p95[0])),
        figure(LONG, "monologue, core-seconds per second", "core-s/s", speech.result.cpu_per_s),
        figure(LONG, "monologue, WER", "%", 100 * speech.result.word_error_rate),
        figure(LONG, "monologue, end of session to draft note", "s", speech.result.draft_s, at_most(2)),
    ]  # fmt: skip
    part.details["monologue"] = [[round(at, 2), round(delay, 3)] for at, delay in delays]
    part.details["long_cost"] = [
        cost("two people without rest", [talk.result]),
        cost("monologue without a pause", [speech.result]),
    ]
    return part


def _no_later(at_first: float) -> Target:
    return at_most(1.1 * at_first + 0.1, "as at the start, + 10 %, + 0.1 s")


def _material(around: Surroundings, session: Any, name: str) -> Material:
    folder = around.work / name
    save(session, folder, mix_only=True)
    return bundled(folder)
