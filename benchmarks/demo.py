"""What `make demo` runs: the bundled session over WebRTC into a real server, its transcript, note and timings."""

import asyncio
import os
import statistics
import sys
import textwrap
from pathlib import Path
from typing import Any

import httpx

from benchmarks.latency import Latencies, measured
from benchmarks.live import Message, Recording, run_live
from benchmarks.manifest import read_reference
from benchmarks.scoring import quantile
from benchmarks.server_process import Running, running_server

_MARKS = {"transcript": "", "chart": "[chart] ", "clinician": "[clinician] ", "suggestion": "[to enter] "}
_RISK = {
    "asked_denied": "asked and denied",
    "endorsed": "ENDORSED",
    "volunteered": "VOLUNTEERED",
    "not_asked": "not assessed this session",
}
_ITEMS = {
    "si": "suicidal ideation",
    "plan": "suicide plan",
    "intent": "intent",
    "means": "access to means",
    "attempts": "attempts",
    "self_injury": "self-injury",
    "hi": "harming others",
    "being_harmed": "being harmed",
}
SESSION = Path(__file__).parent / "data" / "session"


def main() -> int:
    """Returns the exit status: 0 where every word of the way worked."""
    keep = os.environ.get("KEEP") == "1"
    print("sameday demo: three minutes of two synthetic voices (nobody real), over WebRTC at real-time pace.\n")
    with running_server(port=int(os.environ.get("PORT", "0"))) as server:
        print(f"server at {server.url}\n")
        recording = asyncio.run(run_live(server.url, SESSION / "mix.opus", shown=_show))
        _print_note(recording)
        _print_timings(recording, server)
        if keep:
            print(
                f"\nKEEP=1: this session is at {server.url}/#session={recording.session}, a new one at {server.url}/;"
            )
            print("Ctrl-C stops the server, and what it holds goes with it.")
            _wait(server)
    return 0


def _show(message: Message) -> None:
    if message["type"] == "utterance":
        who = message["role"] or message["speaker"]
        print(f"{_clock(message['start'])}  {who:<10} {message['text']}", flush=True)
    elif message["type"] == "roles":
        names = ", ".join(f"{speaker} is the {role}" for speaker, role in sorted(message["roles"].items()))
        print(f"       ({names}: {message['confidence']:.0%} sure from the talk)", flush=True)
    elif message["type"] == "gap":
        print(f"       (gap of {message['end'] - message['start']:.2f} s: {message['cause']})", flush=True)


def _print_note(recording: Recording) -> None:
    note = recording.first("draft")[1]["note"]
    starts = {one["id"]: one["start"] for one in recording.transcript["utterances"]}
    print(f"\ndraft note ({note['format'].upper()})")
    for section in note["sections"]:
        print(f"\n  {section['name']}")
        for statement in section["statements"]:
            times = ", ".join(_clock(starts[one]) for one in statement["evidence"] if one in starts)
            mark = _MARKS[statement["provenance"]] + ("" if statement["supported"] else "[not supported] ")
            line = f"{mark}{statement['text']}" + (f" ({times})" if times else "")
            print(textwrap.fill(line, 100, initial_indent="    - ", subsequent_indent="      "))
    print("\n  Risk")
    for state, told in _RISK.items():
        items = [_ITEMS.get(item, item) for item, entry in note["risk"].items() if entry["state"] == state]
        if items:
            print(
                textwrap.fill(f"{told}: {', '.join(items)}", 100, initial_indent="    - ", subsequent_indent="      ")
            )
    print("\n  Before signing (there is no chart behind this demo)")
    for check in note["checks"]:
        print(textwrap.fill(check["message"], 100, initial_indent="    - ", subsequent_indent="      "))


def _print_timings(recording: Recording, server: Running) -> None:
    reference = read_reference([SESSION / "reference.json"])
    assert reference.transcript is not None
    latencies: Latencies = measured(recording, reference.transcript)
    ended: dict[str, Any] = recording.first("ended")[1]
    received = sum(total["received_ticks"] for total in ended["totals"])
    transcribed = sum(total["transcribed_ticks"] for total in ended["totals"])
    audio_s = received / 16_000
    rows = [
        ("first word shown after speech began", f"{latencies.first_word_s:.2f} s"),
        ("utterance's last sample to final words, p50", f"{statistics.median(latencies.final_s):.2f} s"),
        ("    p95", f"{quantile(latencies.final_s, 0.95):.2f} s"),
        ("    past the endpoint silence of 0.7 s, p50", f"{statistics.median(latencies.past_endpoint_s):.2f} s"),
        ("    p95", f"{quantile(latencies.past_endpoint_s, 0.95):.2f} s"),
        ("end of session to draft note", f"{recording.draft_s:.2f} s"),
        ("audio received, transcribed", f"{audio_s:.2f} s, {transcribed / 16_000:.2f} s"),
        ("server's core-seconds per second of audio", f"{server.cpu_s() / audio_s:.2f}"),
        ("server's memory", f"{server.memory_mb():.0f} MB"),
    ]
    print("\ntimings")
    for name, value in rows:
        print(f"  {name:<46} {value:>20}")


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes:02}:{seconds:02}"


def _wait(server: Running) -> None:
    try:
        while server.process.poll() is None:
            httpx.get(f"{server.url}/healthz")
            server.process.wait()
    except (KeyboardInterrupt, httpx.HTTPError):
        pass


if __name__ == "__main__":
    sys.exit(main())
