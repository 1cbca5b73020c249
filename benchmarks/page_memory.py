"""What an hour of talk costs the page: the heap of its scripts after garbage was collected, nodes, listeners.

python -m benchmarks.page_memory [--minutes 60] [--json FILE]

The page records a real session of a real server in Debian's chromium; into its connection for events an hour's events
are put, much faster than they come: words that are not final, lag, utterances of ten words each. The microphone goes
on in real time. What the page holds at the end is what it would hold after the hour, its audio apart, of which it
keeps what is not acknowledged alone.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, WebSocketRoute, sync_playwright

from benchmarks.screenshots import CHROMIUM, FLAGS
from benchmarks.server_process import running_server

UTTERANCES_A_MINUTE = 15
WORDS = ("and", "then", "I", "lay", "awake", "again", "thinking", "about", "what", "would", "happen")
PARTIALS = 3
POINTS = 12
"""How often it is measured."""


@dataclass(frozen=True, slots=True)
class Point:
    """How the page stands after so many minutes of talk."""

    minutes: float
    heap_mb: float
    nodes: int
    listeners: int
    rows: int


def events_of(number: int, sequence: int) -> list[dict[str, Any]]:
    """The messages around one utterance, as docs/protocol.md has them."""
    start = number * 60 / UTTERANCES_A_MINUTE
    each = 0.3
    speaker = f"S{1 + number % 2}"
    words = [
        {"text": word, "start": start + each * at, "end": start + each * (at + 0.9), "confidence": 0.93}
        for at, word in enumerate(WORDS)
    ]
    at_moment: list[dict[str, Any]] = []
    for part in range(1, PARTIALS + 1):
        told = " ".join(WORDS[: part * len(WORDS) // PARTIALS])
        at_moment.append({"type": "partial", "track": "mic", "start": start, "speaker": speaker, "role": None,
                          "committed": told, "tentative": "perhaps"})  # fmt: skip
        lag = {"id": "mic", "received_s": start + part, "transcribed_s": start + part - 0.4, "lag_s": 0.4}
        at_moment.append({"type": "lag", "tracks": [lag]})
    end = start + each * len(WORDS)
    text = f"Number {number}: {' '.join(WORDS)}."
    said = {"type": "utterance", "id": f"mic-{number}", "track": "mic", "start": start, "end": end,
            "speaker": speaker, "role": None, "text": text, "confidence": 0.93, "words": words}  # fmt: skip
    return [*({"sequence": None} | one for one in at_moment), {"sequence": sequence} | said]


def measured(page: Page, cdp: CDPSession, minutes: float) -> Point:
    """After two collections: what weak references held goes with the second."""
    for _ in range(2):
        cdp.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    rows = page.locator("[data-utterance]").count()
    heap = round(found["JSHeapUsedSize"] / 1e6, 2)
    return Point(minutes, heap, int(found["Nodes"]), int(found["JSEventListeners"]), rows)


def run(minutes: int) -> list[Point]:
    """The page over so many minutes of talk."""
    lines: list[WebSocketRoute] = []

    def between(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    with running_server() as running, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(permissions=["microphone"], viewport={"width": 820, "height": 1180}).new_page()
        page.route_web_socket("**/events*", between)
        page.goto(running.url)
        for box in page.get_by_role("checkbox").all():
            box.check()
        page.get_by_role("button", name="Start the session").click()
        page.get_by_text("Connected.").first.wait_for()
        page.wait_for_timeout(1000)
        cdp = page.context.new_cdp_session(page)
        cdp.send("Performance.enable")
        points = [measured(page, cdp, 0.0)]
        total = minutes * UTTERANCES_A_MINUTE
        for number in range(1, total + 1):
            for message in events_of(number, 1_000_000 + number):
                lines[-1].send(json.dumps(message))
            if number % (total // POINTS) == 0:
                page.get_by_text(f"Number {number}:").first.wait_for(timeout=120_000)
                points.append(measured(page, cdp, number / UTTERANCES_A_MINUTE))
        browser.close()
    return points


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="What an hour of talk costs the page.")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    points = run(chosen.minutes)
    print("minutes  heap MB   nodes  listeners  rows in the page")
    for one in points:
        print(f"{one.minutes:7.0f}  {one.heap_mb:7.2f}  {one.nodes:6}  {one.listeners:9}  {one.rows:16}")
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(one) for one in points], indent=1) + "\n")


if __name__ == "__main__":
    main()
