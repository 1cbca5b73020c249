"""A report as it is kept: one object for all benchmarks, as JSON and as a page beside it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import processes, report
from benchmarks.figure import Figure
from benchmarks.parts import Part

OUT = Path("out")


def now() -> str:
    """The time of day with its zone, to the second."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def head(what: str, *, runs: int = 1, quick: bool = False, **more: Any) -> dict[str, Any]:
    """What a report begins with, taken before anything is measured: the load of the machine counts."""
    return {
        "what": what,
        "started_at": now(),
        "took_s": 0.0,
        "runs": runs,
        "quick": quick,
        **more,
        "machine": processes.machine(),
    }


def assembled(parts: Sequence[Part], head: dict[str, Any], more: Sequence[Figure] = ()) -> dict[str, Any]:
    """The report's object: what was measured where, every figure, material for the drawings."""
    details: dict[str, Any] = {}
    for part in parts:
        for name, found in part.details.items():
            # Several parts draw latencies: what one of them calls by a name of its own stands beside the others'.
            before = details.get(name, {})
            details[name] = found | before if isinstance(found, dict) else found
    figures = [one for part in parts for one in part.figures] + list(more)
    return {
        **head,
        "figures": [one.as_json() for one in figures],
        "skipped": [reason for part in parts for reason in part.skipped],
        "details": details,
    }


def write(body: dict[str, Any], path: Path) -> None:
    """Write an object that has no page, or not yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def save(body: dict[str, Any], path: Path) -> Path:
    """Write the object to `path` and its page beside it, same name, .html; returns the page's path."""
    write(body, path)
    page = path.with_suffix(".html")
    page.write_text(report.page(body), encoding="utf-8")
    return page
