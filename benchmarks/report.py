"""The report as one page that needs nothing else: figures against targets, drawings, the machine. Pure."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from benchmarks import plots, report_load
from benchmarks.figure import shown, spread, summary, target_text, verdict

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dee6; --paper: #fff; --panel: #f6f8fa;
  --good: #12694a; --bad: #b3261e; --c0: #1f6fb2; --c1: #c2571a; --c2: #6b7687; --c3: #2f8f5b; --c4: #8a4fb0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #a3aebc; --line: #38424f; --paper: #14181e;
  --panel: #1b2128; --good: #5fcf9f; --bad: #ff8a80; --c0: #69aee6; --c1: #ee9a63; --c2: #96a2b3; --c3: #6cc795;
  --c4: #c493e6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 32px 24px 64px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 19px; margin: 40px 0 8px; }
p { margin: 4px 0 12px; max-width: 80ch; }
.soft, .note { color: var(--soft); }
.lead { font-size: 18px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; background: var(--panel);
  padding: 14px 16px; border-radius: 8px; font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.part th { padding-top: 22px; font-size: 15px; color: var(--ink); }
.reached { color: var(--good); font-weight: 600; } .missed { color: var(--bad); font-weight: 700; }
.note { font-size: 13px; }
svg { display: block; width: 100%; height: auto; min-width: 720px; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .label { fill: var(--soft); font-size: 12px; }
.axis { stroke: var(--soft); } .grid { stroke: var(--line); } .mark { stroke: var(--ink); stroke-dasharray: 4 4; }
.s0 { fill: var(--c0); background: var(--c0); } .s1 { fill: var(--c1); background: var(--c1); }
.s2 { fill: var(--c2); background: var(--c2); } .s3 { fill: var(--c3); background: var(--c3); }
.s4 { fill: var(--c4); background: var(--c4); }
.line { fill: none; background: none; stroke-width: 2; } .tick { stroke-width: 1.2; }
.s0.tick { stroke: var(--c0); } .s1.tick { stroke: var(--c1); } .s4.tick { stroke: var(--c4); }
.s0.line { stroke: var(--c0); } .s1.line { stroke: var(--c1); } .s2.line { stroke: var(--c2); }
.s3.line { stroke: var(--c3); } .s2.tick { stroke: var(--c2); } .s3.tick { stroke: var(--c3); }
.dot { opacity: .55; } .flame { opacity: .5; } svg .frame { font-size: 11px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14px; color: var(--soft); margin: 6px 0 0; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 7px; }
"""


def page(body: Mapping[str, Any]) -> str:
    """The page of a report's object, as `benchmarks.figures` saves it."""
    details = body["details"]
    parts = [
        _head(body),
        _figures(body["figures"]),
        _skipped(body["skipped"]),
        *(draw(details) for draw in (_latency, _time_line, _late, _gaps)),
        *(drawing(*one) for one in report_load.drawings(details)),
        *(draw(details) for draw in (_cost, _monologue, _memory, _speakers)),
        _machine(body["machine"]),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>sameday: '
        f"{escape(_title(body))}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


_TITLES = {
    "live": "live sessions",
    "load": "under bad conditions",
    "compare": "beside other ways of streaming",
    "accuracy": "accuracy",
}


def _title(body: Mapping[str, Any]) -> str:
    return _TITLES.get(body.get("what", ""), "figures")


def _head(body: Mapping[str, Any]) -> str:
    machine = body["machine"]
    commit = machine.get("commit")
    state = f"commit {commit[:10]}" if commit else "no commit"
    if machine.get("changed_files"):
        state += f" with {machine['changed_files']} changed files"
    length = f"{body['took_s'] / 60:.0f} min" if body["took_s"] >= 60 else f"{body['took_s']:.0f} s"
    kind = "a quick run: one of each, long talk shortened" if body["quick"] else f"medians of {body['runs']} runs"
    busy = machine["load_before"][0] > 0.5
    warning = (
        f'<p class="missed">The machine was busy before it began (load {machine["load_before"][0]}): '
        "times and costs are too high.</p>"
        if busy
        else ""
    )
    server = body.get("server")
    against = (
        f"<p>Against {escape(server['url'])}, sameday {escape(server['version'])}. Machine, load and commit are "
        "the client's; those of the server are not known here.</p>"
        if server
        else ""
    )
    return (
        f"<h1>sameday: {escape(_title(body))}</h1>{against}"
        f'<p class="lead">{escape(summary(body["figures"]))}</p>{_missed(body["figures"])}'
        f'<p class="soft">{escape(body["started_at"])}, {length}, {state}; {kind}; '
        f"{machine['usable_cores']} cores of {escape(machine['processor'])}."
        f" Synthetic voices and public recordings; nobody's session.</p>{warning}"
    )


def _missed(rows: Sequence[Mapping[str, Any]]) -> str:
    names = [f"{row['part']}: {row['name'].strip()}" for row in rows if row["reached"] is False]
    return "<p>Missed:</p><ul>" + "".join(f"<li>{escape(name)}</li>" for name in names) + "</ul>" if names else ""


def _figures(rows: Sequence[Mapping[str, Any]]) -> str:
    lines, part = [], None
    for row in rows:
        if row["part"] != part:
            part = row["part"]
            lines.append(f'<tr class="part"><th colspan="4" scope="rowgroup">{escape(part)}</th></tr>')
        word = verdict(dict(row))
        judged = f'<span class="{word.lower()}">{word.lower()}</span> ' if word else ""
        runs = f'<div class="note">{escape(spread(dict(row)))}</div>' if len(row["runs"]) > 1 else ""
        note = f'<div class="note">{escape(row["note"])}</div>' if row["note"] else ""
        lines.append(
            f"<tr><td>{escape(row['name'].strip())}{note}</td>"
            f'<td class="n">{shown(row["value"], row["unit"])}{runs}</td>'
            f"<td>{judged}</td><td>{escape(target_text(dict(row)))}</td></tr>"
        )
    head = (
        '<tr><th scope="col">figure</th><th class="n" scope="col">measured</th><th></th>'
        '<th scope="col">target</th></tr>'
    )
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table></div>'


def _skipped(reasons: Sequence[str]) -> str:
    if not reasons:
        return ""
    return "<h2>Not measured</h2><ul>" + "".join(f"<li>{escape(reason)}</li>" for reason in reasons) + "</ul>"


def drawing(title: str, says: str, picture: str) -> str:
    """A section of the page."""
    return f'<h2>{escape(title)}</h2><p class="soft">{escape(says)}</p><div class="scroll">{picture}</div>'


def _latency(details: Mapping[str, Any]) -> str:
    if not details.get("latency"):
        return ""
    series = {name: one["past_endpoint_s"] for name, one in details["latency"].items()}
    says = (
        "From an utterance's last sample leaving the client to its last word being final there, less the 0.7 s of "
        "silence that must pass first. What became final before those were over counts as 0. All runs together."
    )
    picture = plots.cumulative(
        series, "seconds past the endpoint silence", [(0.35, "target for 95 %")], "Final latency"
    )
    return drawing("Final latency", says, picture)


def _time_line(details: Mapping[str, Any]) -> str:
    line = details.get("time_line")
    if not line:
        return ""
    says = "The first session that was run. The lowest bars run from an utterance's end to its final words."
    return drawing("A session as its client saw it", says, plots.session(line, "A session on a time line"))


def _late(details: Mapping[str, Any]) -> str:
    rows = [
        (one["transport"], one["utterance"], one["followed_by"], f"{one['ended_s']:.1f}", f"{one['latency_s']:.2f}")
        for one in details.get("late", ())
    ]
    if not rows:
        return ""
    says = "From the last sample, endpoint silence included. Names are the reference's."
    head = ("transport", "utterance", "followed by", "ended at s", "final after s")
    return drawing("The latest finals of a run", says, report_load.table(head, rows, numbers=2))


def _gaps(details: Mapping[str, Any]) -> str:
    rows = [
        (one["transport"], one["cause"].replace("_", " "), f"{one['start_s']:.2f}", f"{one['end_s']:.2f}")
        for one in details.get("gaps", ())
    ]
    if not rows:
        return ""
    says = (
        "As the server named them, all runs. One from 0 on is the wait for the first packet: nothing was sent then."
    )
    return drawing("Gaps", says, report_load.table(("transport", "cause", "from s", "to s"), rows, numbers=2))


def _cost(details: Mapping[str, Any]) -> str:
    rows = [*details.get("cost", ()), *details.get("long_cost", ())]
    if not rows:
        return ""
    says = "Core-seconds of the server's process per second of audio, by the threads that used them."
    return drawing(
        "What a session costs", says, plots.bars(rows, "core-seconds per second of audio", "Cost by stage")
    )


def _monologue(details: Mapping[str, Any]) -> str:
    points = [(at, delay) for at, delay in details.get("monologue", ())]
    if not points:
        return ""
    says = "One voice without a pause: each dot is a word, from its last sample to its being final."
    picture = plots.dots(
        points, "seconds into the monologue", "seconds to final", "Delay of each word of a monologue"
    )
    return drawing("A monologue", says, picture)


def _memory(details: Mapping[str, Any]) -> str:
    points = [(at / 60, mb) for at, mb in details.get("memory", ())]
    if not points:
        return ""
    says = "Resident memory of the whole process while a long recording goes through it as fast as it can."
    return drawing("Memory", says, plots.curve(points, "minutes of audio", "MB", "Memory over a long session"))


def _speakers(details: Mapping[str, Any]) -> str:
    rows = [
        (row["name"], *(_cell(row.get(name)) for name in ("settled", "online", "peer", "peer, gate off")))
        for row in details.get("diarization", ())
    ]
    if not rows:
        return ""
    says = "DER in %, collar 0, overlap scored. The wheel's own diarizer finds out itself how many speak."
    head = ("recording", "ours, settled", "ours, online", "the wheel's", "the wheel's, gate off")
    return drawing("Who speaks when, by recording", says, report_load.table(head, rows, numbers=4))


def _cell(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:.1f}"


def _machine(machine: Mapping[str, Any]) -> str:
    rows = {
        "processor": f"{machine['processor']}, {machine['usable_cores']} of {machine['cores']} cores usable",
        "memory": f"{machine['memory_gb']} GB",
        "system": f"{machine['system']}, Python {machine['python']}",
        "load before": ", ".join(str(load) for load in machine["load_before"]),
        "versions": ", ".join(f"{name} {number}" for name, number in machine["versions"].items()),
        "commit": f"{machine['commit'] or 'none'}; changed files: {machine['changed_files']}",
    }
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in rows.items())
    return f"<h2>Measured on</h2><dl>{items}</dl>"
