"""A flame graph from folded stacks, as SVG text, and the functions that a process spends its own time in. Pure.

Folded: a stack's frames from the outermost in, joined by semicolons, and its weight (samples or seconds).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from benchmarks.plots import WIDTH, svg

_ROW = 18
_LEAST_SHARE = 0.002
"""What is narrower than two pixels is left out."""
_LETTER = 6.6


@dataclass(slots=True)
class _Node:
    weight: float = 0.0
    inside: dict[str, "_Node"] = field(default_factory=dict)


def parse(text: str) -> dict[str, float]:
    """Stacks of lines `frame;frame;frame weight`; lines that are none are left out."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        stack, _, weight = line.rpartition(" ")
        try:
            found[stack] = found.get(stack, 0.0) + float(weight)
        except ValueError:
            continue
    found.pop("", None)
    return found


_WAITING = ("_worker (", "wait (threading", "Condition.wait (", "Event.wait (", "select (selectors", "get (queue")


def working(folded: Mapping[str, float]) -> dict[str, float]:
    """Without stacks whose innermost frame only waits: a sampler from outside sometimes takes it for work."""
    return {
        stack: weight
        for stack, weight in folded.items()
        if not any(waits in stack.rpartition(";")[2] for waits in _WAITING)
    }


def own_time(folded: Mapping[str, float], count: int = 12) -> list[tuple[str, float]]:
    """The innermost frames with the greatest share of all weight."""
    whole = sum(folded.values()) or 1.0
    own: dict[str, float] = {}
    for stack, weight in folded.items():
        frame = stack.rpartition(";")[2]
        own[frame] = own.get(frame, 0.0) + weight
    return [(frame, weight / whole) for frame, weight in sorted(own.items(), key=lambda item: -item[1])[:count]]


def pruned(folded: Mapping[str, float], share: float = _LEAST_SHARE) -> dict[str, float]:
    """Without stacks that no drawing shows; their weight goes to the last frame that is wide enough."""
    whole = sum(folded.values())
    sums: dict[str, float] = {}
    for stack, weight in folded.items():
        for prefix in _prefixes(stack):
            sums[prefix] = sums.get(prefix, 0.0) + weight
    kept: dict[str, float] = {}
    for stack, weight in folded.items():
        wide = [prefix for prefix in _prefixes(stack) if sums[prefix] >= share * whole]
        if wide:
            kept[wide[-1]] = kept.get(wide[-1], 0.0) + weight
    return kept


def _prefixes(stack: str) -> list[str]:
    frames = stack.split(";")
    return [";".join(frames[: place + 1]) for place in range(len(frames))]


def graph(folded: Mapping[str, float], title: str) -> str:
    """The picture: outermost frames at the top, as wide as their share; each says its share when pointed at."""
    root = _Node()
    for stack, weight in folded.items():
        root.weight += weight
        node = root
        for frame in stack.split(";"):
            node = node.inside.setdefault(frame, _Node())
            node.weight += weight
    if not root.weight:
        return ""
    boxes = list(_boxes(root, root.weight, 0.0, 0, 0))
    depth = max((row for _, _, row, _, _, _ in boxes), default=0) + 1
    body = "".join(_box(*box) for box in boxes)
    return svg(depth * _ROW + 4, title, body)


_Box = tuple[float, float, int, int, str, float]


def _boxes(node: _Node, whole: float, left: float, row: int, kind: int) -> Iterator[_Box]:
    ordered = sorted(node.inside.items(), key=lambda item: -item[1].weight)
    for place, (name, child) in enumerate(ordered):
        width = child.weight / whole * WIDTH
        shade = place % 5 if row == 0 else kind
        if child.weight / whole >= _LEAST_SHARE:
            yield left, width, row, shade, name, child.weight / whole
            yield from _boxes(child, whole, left, row + 1, shade)
        left += width


def _box(left: float, width: float, row: int, kind: int, name: str, share: float) -> str:
    letters = int((width - 6) / _LETTER)
    says = name if len(name) <= letters else name[: max(0, letters - 1)] + "…" if letters > 3 else ""
    text = f'<text class="frame" x="{left + 3:.1f}" y="{row * _ROW + 13}">{escape(says)}</text>' if says else ""
    return (
        f'<g><title>{escape(name)}: {share:.1%}</title><rect class="s{kind} flame" x="{left:.1f}" y="{row * _ROW}" '
        f'width="{max(width - 0.6, 0.6):.1f}" height="{_ROW - 1}"/>{text}</g>'
    )
