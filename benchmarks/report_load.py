"""Drawings of the report that several sessions make: a ramp, bad conditions, other systems, the profile. Pure."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from benchmarks import flame, plots

Drawing = tuple[str, str, str]
"""Title, what it says, and the picture or table."""


def drawings(details: Mapping[str, Any]) -> Iterator[Drawing]:
    """All that a report's details give."""
    draws: Sequence[Callable[[Mapping[str, Any]], Iterable[Drawing]]] = (
        _ramp, _load, _compare, _accuracy, _profile,
    )  # fmt: skip
    for draw in draws:
        yield from draw(details)


def _ramp(details: Mapping[str, Any]) -> Iterator[Drawing]:
    rows = details.get("ramp", ())
    if not rows:
        return
    if any(len(row["steps"]) > 1 for row in rows):
        series = {
            f"{row['transport']}, {says}": [
                (step["sessions"], step["latency"][name]["p95"])
                for step in row["steps"]
                if step["latency"].get(name, {}).get("p95") is not None
            ]
            for row in rows
            for name, says in (("past_endpoint_s", "past the endpoint"), ("past_silence_s", "where silence follows"))
        }
        says = (
            "95 % of the finals of all sessions at once, past the endpoint's silence of 0.7 s. The line is the limit."
        )
        picture = plots.curves(
            series, "sessions at once", "seconds", "Latency against sessions", bound=rows[0]["within_s"]
        )
        yield "Latency against the number of sessions", says, picture
    bars = [
        {"name": f"{row['transport']}, {step['sessions']} at once",
         "stages": {stage: cores / step["sessions"] for stage, cores in step["cores"].items()}}
        for row in rows for step in row["steps"] if step["core_s_per_s"] is not None
    ]  # fmt: skip
    if bars:
        says = "Cores of the server's process while the step ran, a session, by the threads that used them."
        yield "Cost of a session by stage", says, plots.bars(bars, "cores a session", "Cost by stage")
    cells = [_step_cells(row["transport"], step) for row in rows for step in row["steps"]]
    head = ("transport", "what broke", "at once", "final p50", "p95", "p99", "past endpoint p95", "first p95",
            "shown p95", "draft p95", "WER %", "alone %", "DER %", "lag s", "cores", "MB", "senders",
            "others", "late ms")  # fmt: skip
    says = (
        "A row a step, seconds unless it says otherwise. Alone: the same pieces transcribed one by one. "
        "Senders: cores of the process that plays all sessions; others: cores that the rest of the machine took "
        "meanwhile; late: 99 % of the senders' frames left within so much of their time."
    )
    yield "Steps", says, table(head, cells, numbers=17)


def _step_cells(transport: str, step: Mapping[str, Any]) -> list[str]:
    def at(name: str, share: str = "p95") -> str:
        return number(step["latency"].get(name, {}).get(share), 2)

    return [
        transport, step["fault"] or "", str(step["sessions"]), at("final_s", "p50"), at("final_s"),
        at("final_s", "p99"), at("past_endpoint_s"), at("first_s"), at("partial_s"), at("draft_s"),
        percent(step["wer"]), percent(step["wer_alone"]), percent(step["der"]), number(step["lag_most_s"], 1),
        number(sum(step["cores"].values()), 2), number(step["memory_mb"], 0), number(step["sender_cores"], 2),
        number(step["other_cores"], 2), number(step["sender_late_ms"], 0),
    ]  # fmt: skip


def _load(details: Mapping[str, Any]) -> Iterator[Drawing]:
    rows = details.get("load", ())
    if not rows:
        return
    head = ("condition", "what it is", "outcome", "gaps named", "sessions", "whole", "final p50 s", "p95 s",
            "draft s", "WER %", "clean %")  # fmt: skip
    cells = [
        [row["name"], row["says"], row["outcome"], row["gaps"], str(row["sessions"]), str(row["complete"]),
         number(row["final_p50_s"], 2), number(row["final_p95_s"], 2), number(row["draft_s"], 2),
         percent(row["wer"]), percent(row["wer_clean"])]
        for row in rows
    ]  # fmt: skip
    says = "Whole: sessions of which all that came is transcribed or in a named gap. Clean: the same audio, no fault."
    yield "Under bad conditions", says, table(head, cells, numbers=7)


def _compare(details: Mapping[str, Any]) -> Iterator[Drawing]:
    rows = details.get("compare", ())
    if not rows:
        return
    bars = [{"name": row["name"], "stages": {"core-seconds": row["cpu_per_s"]["median"]}} for row in rows]
    says = "Core-seconds per second of audio, the median of the runs."
    yield "Cost beside others", says, plots.bars(bars, "core-seconds per second of audio", "Cost by system")
    head = ("system", "what it is", "WER %", "95 %", "DER %", "final p50 s", "p95 s", "core-s/s", "least-most",
            "sessions a core")  # fmt: skip
    cells = [
        [row["name"], row["says"], percent(row["wer"]),
         f"{percent(row['wer_interval'][0])}-{percent(row['wer_interval'][1])}", percent(row["der"]),
         number(row["final_p50_s"], 2), number(row["final_p95_s"], 2), number(row["cpu_per_s"]["median"], 3),
         f"{number(row['cpu_per_s']['least'], 3)}-{number(row['cpu_per_s']['most'], 3)}",
         number(row["sessions_a_core"], 1)]
        for row in rows
    ]  # fmt: skip
    yield "Beside other ways of streaming", "The same audio, machine and run, in turn.", table(head, cells, numbers=8)


def _accuracy(details: Mapping[str, Any]) -> Iterator[Drawing]:
    rows = details.get("recordings", ())
    if not rows:
        return
    head = ("recording", "audio s", "WER %", "whole %", "cpWER %", "DER %", "missed %", "false %", "confused %",
            "online DER %", "word start ms", "end ms", "stray", "harm %", "numbers %", "medication %")  # fmt: skip
    says = (
        "Whole: the same engine given each utterance of the reference as one window, which is what streaming costs."
    )
    yield "Recordings", says, table(head, [row["cells"] for row in rows], numbers=15)


def _profile(details: Mapping[str, Any]) -> Iterator[Drawing]:
    found = details.get("profile")
    if not found:
        return
    if not found["folded"]:
        yield "Profile", f"There are no samples. By {found['by']}.", ""
        return
    says = f"Sampled by {found['by']}. Outermost call at the top; width is the share of all samples. Point at a box."
    yield "Where the server's time goes", says, flame.graph(found["folded"], "Flame graph of the server")
    rows = [(frame, f"{share:.1%}") for frame, share in found["own"]]
    yield "Own time", "Functions by the time that is spent in themselves.", table(("function", "share"), rows, 1)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: int) -> str:
    """A table whose last `numbers` columns are numbers."""
    first = len(head) - numbers

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if place >= first else ''}>{escape(cell)}</{tag}>" for place, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{cells(head, 'th')}</tr></thead><tbody>{body}</tbody></table>"


def number(value: float | None, digits: int) -> str:
    """A number for people, a dash where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share in %."""
    return number(None if value is None else 100 * value, 1)
