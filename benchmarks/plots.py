"""Drawings for the report, as SVG text: curves, points, bars, a session's time line. Pure; colours are CSS classes.

Classes `s0` to `s5` are series; `axis`, `grid`, `label`, `mark` the rest. A drawing is as wide as its page.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH = 1040
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Plane:
    """A drawing area with linear axes over `[x0, x1]` and `[y0, y1]`, in a picture of WIDTH x `height`."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: int = 300
    left: int = 62
    right: int = 16
    top: int = 14
    bottom: int = 42

    def at_x(self, value: float) -> float:
        low, high = self.x
        return round(self.left + (value - low) / (high - low or 1) * (WIDTH - self.left - self.right), 1)

    def at_y(self, value: float) -> float:
        low, high = self.y
        room = self.height - self.top - self.bottom
        return round(self.top + (1 - (value - low) / (high - low or 1)) * room, 1)

    def axes(self, x_says: str, y_says: str, *, y_ticks: bool = True) -> str:
        """Grid, numbers and the two titles."""
        foot, parts = self.height - self.bottom, []
        for value in ticks(*self.x):
            at = self.at_x(value)
            parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{self.top}" y2="{foot}"/>')
            parts.append(f'<text class="label" x="{at}" y="{foot + 17}" text-anchor="middle">{value:g}</text>')
        for value in ticks(*self.y) if y_ticks else ():
            at = self.at_y(value)
            parts.append(f'<line class="grid" x1="{self.left}" x2="{WIDTH - self.right}" y1="{at}" y2="{at}"/>')
            parts.append(f'<text class="label" x="{self.left - 8}" y="{at + 4}" text-anchor="end">{value:g}</text>')
        middle = (self.left + WIDTH - self.right) // 2
        parts.append(
            f'<text class="label" x="{middle}" y="{self.height - 6}" text-anchor="middle">{escape(x_says)}</text>'
        )
        if y_says:
            half = self.height // 2
            parts.append(
                f'<text class="label" x="14" y="{half}" text-anchor="middle" transform="rotate(-90 14 {half})">'
                f"{escape(y_says)}</text>"
            )
        parts.append(f'<line class="axis" x1="{self.left}" x2="{WIDTH - self.right}" y1="{foot}" y2="{foot}"/>')
        return "".join(parts)

    def upright(self, value: float, says: str) -> str:
        """A marked place on the x axis."""
        at = self.at_x(value)
        return (
            f'<line class="mark" x1="{at}" x2="{at}" y1="{self.top}" y2="{self.height - self.bottom}"/>'
            f'<text class="label" x="{at + 5}" y="{self.top + 11}">{escape(says)}</text>'
        )

    def picture(self, body: str, title: str) -> str:
        """The whole as one element; `title` is what a screen reader says of it."""
        return svg(self.height, title, body)


def svg(height: int, title: str, body: str) -> str:
    """A picture of WIDTH x `height`."""
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{body}</svg>'


def ticks(low: float, high: float, count: int = 8) -> list[float]:
    """Round numbers in [low, high], about `count` of them."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def ceiling(value: float) -> float:
    """A round number that is no smaller, for the end of an axis."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    step = ticks(0.0, value)[1] if len(ticks(0.0, value)) > 1 else value
    return math.ceil(value / step - 1e-9) * step


def cumulative(
    series: Mapping[str, Sequence[float]], x_says: str, marks: Sequence[tuple[float, str]], title: str
) -> str:
    """Shares of values that are no larger, a curve per series."""
    most = max((value for values in series.values() for value in values), default=1.0)
    plane = Plane((0.0, ceiling(max([most, *(at for at, _ in marks)]))), (0.0, 100.0))
    body = plane.axes(x_says, "% of utterances")
    body += "".join(plane.upright(at, says) for at, says in marks)
    for number, values in enumerate(series.values()):
        ordered = sorted(values)
        spots = [(0.0, 0.0)]
        for place, value in enumerate(ordered):
            spots += [(value, 100.0 * place / len(ordered)), (value, 100.0 * (place + 1) / len(ordered))]
        spots.append((plane.x[1], 100.0 if ordered else 0.0))
        body += _path(plane, spots, number)
    return plane.picture(body, title) + legend(list(series))


def curve(points: Points, x_says: str, y_says: str, title: str, *, bound: float | None = None) -> str:
    """A line through points, from 0 up."""
    most = max([y for _, y in points] + ([bound] if bound is not None else []), default=1.0)
    plane = Plane((0.0, max((x for x, _ in points), default=1.0)), (0.0, ceiling(most)), height=240)
    body = plane.axes(x_says, y_says)
    if bound is not None:
        at = plane.at_y(bound)
        body += f'<line class="mark" x1="{plane.left}" x2="{WIDTH - plane.right}" y1="{at}" y2="{at}"/>'
    return plane.picture(body + _path(plane, points, 0), title)


def curves(series: Mapping[str, Points], x_says: str, y_says: str, title: str, *, bound: float | None = None) -> str:
    """A line with dots per series, from 0 up; `bound` is drawn across."""
    spots = [spot for points in series.values() for spot in points]
    most = max([y for _, y in spots] + ([bound] if bound is not None else []), default=1.0)
    plane = Plane((0.0, ceiling(max((x for x, _ in spots), default=1.0))), (0.0, ceiling(most)), height=260)
    body = plane.axes(x_says, y_says)
    if bound is not None:
        at = plane.at_y(bound)
        body += f'<line class="mark" x1="{plane.left}" x2="{WIDTH - plane.right}" y1="{at}" y2="{at}"/>'
    for number, points in enumerate(series.values()):
        body += _path(plane, points, number) if points else ""
        body += "".join(
            f'<circle class="s{number}" cx="{plane.at_x(x)}" cy="{plane.at_y(y)}" r="3.2"/>' for x, y in points
        )
    return plane.picture(body, title) + legend(list(series))


def dots(points: Points, x_says: str, y_says: str, title: str) -> str:
    """A dot per point."""
    plane = Plane(
        (0.0, ceiling(max((x for x, _ in points), default=1.0))),
        (0.0, ceiling(max((y for _, y in points), default=1.0))),
        height=260,
    )
    spots = "".join(f'<circle class="s0 dot" cx="{plane.at_x(x)}" cy="{plane.at_y(y)}" r="2.2"/>' for x, y in points)
    return plane.picture(plane.axes(x_says, y_says) + spots, title)


def bars(rows: Sequence[Mapping[str, Any]], x_says: str, title: str) -> str:
    """A stacked bar a row: `{"name", "stages": {stage: value}}`; the sum stands behind it."""
    stages = list(dict.fromkeys(stage for row in rows for stage in row["stages"]))
    sums = [sum(row["stages"].values()) for row in rows]
    height = 34 * len(rows) + 60
    plane = Plane((0.0, ceiling(max(sums, default=1.0) * 1.08)), (0.0, 1.0), height=height, left=230, right=60)
    body = plane.axes(x_says, "", y_ticks=False)
    for place, (row, whole) in enumerate(zip(rows, sums, strict=True)):
        top, reached = plane.top + 34 * place + 4, 0.0
        body += (
            f'<text class="name" x="{plane.left - 10}" y="{top + 17}" text-anchor="end">{escape(row["name"])}</text>'
        )
        for stage, value in row["stages"].items():
            start, end = plane.at_x(reached), plane.at_x(reached + max(value, 0.0))
            body += (
                f'<rect class="s{stages.index(stage)}" x="{start}" y="{top}" height="24" '
                f'width="{round(end - start, 1)}"><title>{escape(stage)}: {value:.3f}</title></rect>'
            )
            reached += max(value, 0.0)
        body += f'<text class="name" x="{plane.at_x(reached) + 7}" y="{top + 17}">{whole:.3f}</text>'
    return plane.picture(body, title) + legend(stages)


_ROW_S = 62.5


def session(line: Mapping[str, Any], title: str) -> str:
    """Who spoke when, when the shown words changed, and how long each utterance's last word waited to be final.

    A row holds about a minute: speakers' talk as bars, a tick per change of the shown words, and below each
    utterance's end a bar from its last sample to its final words.
    """
    speakers = list(dict.fromkeys(speaker for _, _, speaker in line["turns"]))
    last = max([end for _, end, _ in line["turns"]] + [shown for _, shown, _ in line["finals"]], default=1.0)
    rows = max(1, math.ceil(last / _ROW_S))
    tall = 18 * len(speakers) + 62
    pictures = [_row(line, speakers, row * _ROW_S, tall, row * tall) for row in range(rows)]
    names = [*speakers, "shown words changed", "last sample to final words"]
    return svg(rows * tall, title, "".join(pictures)) + legend(names)


def _row(line: Mapping[str, Any], speakers: Sequence[str], begin: float, tall: int, down: int) -> str:
    plane = Plane((begin, begin + _ROW_S), (0.0, 1.0), height=tall, left=14, right=10)
    base, parts = down + 8, []

    def block(start: float, end: float, top: float, height: float, kind: int) -> None:
        start, end = max(start, begin), min(end, begin + _ROW_S)
        if start < end:
            left = plane.at_x(start)
            width = round(max(plane.at_x(end) - left, 1.0), 1)
            parts.append(f'<rect class="s{kind}" x="{left}" y="{top}" width="{width}" height="{height}" rx="2"/>')

    for value in ticks(begin, begin + _ROW_S, 12):
        at = plane.at_x(value)
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{base}" y2="{base + tall - 30}"/>')
        parts.append(f'<text class="label" x="{at}" y="{base + tall - 16}" text-anchor="middle">{value:g} s</text>')
    for start, end, speaker in line["turns"]:
        block(start, end, base + 18 * speakers.index(speaker), 14, speakers.index(speaker))
    under = base + 18 * len(speakers)
    for at in line["partials"]:
        if begin <= at < begin + _ROW_S:
            x = plane.at_x(at)
            parts.append(f'<line class="s{len(speakers)} tick" x1="{x}" x2="{x}" y1="{under}" y2="{under + 9}"/>')
    for ended, shown, _ in line["finals"]:
        block(ended, shown, under + 13, 9, len(speakers) + 1)
    return "".join(parts)


def legend(names: Sequence[str]) -> str:
    """What the series' colours mean."""
    keys = "".join(f'<span><i class="s{number}"></i>{escape(name)}</span>' for number, name in enumerate(names))
    return f'<p class="legend">{keys}</p>'


def _path(plane: Plane, points: Points, series: int) -> str:
    steps = " ".join(
        f"{'L' if number else 'M'}{plane.at_x(x)} {plane.at_y(y)}" for number, (x, y) in enumerate(points)
    )
    return f'<path class="s{series} line" d="{steps}"/>'
