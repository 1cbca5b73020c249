"""A figure of the report: what was measured, in which runs, against which target. Pure."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["%", "points", "s", "ms", "x", "core-s/s", "MB", "MB/h", "count"]

_DIGITS: dict[Unit, int] = {
    "%": 1,
    "points": 1,
    "s": 2,
    "ms": 0,
    "x": 1,
    "core-s/s": 3,
    "MB": 0,
    "MB/h": 1,
    "count": 0,
}


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure is to keep; `strict` where reaching the bound itself is not enough."""

    side: Literal["at most", "at least"]
    bound: float
    strict: bool = False
    says: str = ""
    """What the bound is, where it is no constant."""

    def kept(self, value: float) -> bool:
        if self.side == "at most":
            return value < self.bound if self.strict else value <= self.bound
        return value > self.bound if self.strict else value >= self.bound


def at_most(bound: float, says: str = "") -> Target:
    """A target from above."""
    return Target("at most", bound, says=says)


def at_least(bound: float, says: str = "") -> Target:
    """A target from below."""
    return Target("at least", bound, says=says)


def below(bound: float, says: str = "") -> Target:
    """A target that must be beaten, not met."""
    return Target("at most", bound, strict=True, says=says)


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is the median of `runs`, NaN where nothing could be measured; `target` None where none is set."""

    part: str
    name: str
    unit: Unit
    runs: tuple[float, ...]
    target: Target | None = None
    note: str = ""
    exact: bool = False
    """Whether another run on the same audio gives the same: words do not depend on the machine's load."""

    @property
    def value(self) -> float:
        return statistics.median(self.runs) if self.runs else math.nan

    @property
    def reached(self) -> bool | None:
        """None where there is no target. What could not be measured has not been reached."""
        if self.target is None:
            return None
        return not math.isnan(self.value) and self.target.kept(self.value)

    def as_json(self) -> dict[str, Any]:
        """For the report's file; what is not finite is null."""
        target = self.target
        return {
            "part": self.part,
            "name": self.name,
            "unit": self.unit,
            "value": _finite(self.value),
            "runs": [_finite(run) for run in self.runs],
            "target": None
            if target is None
            else {
                "side": "less than" if target.strict else target.side,
                "bound": _finite(target.bound),
                "says": target.says,
            },
            "reached": self.reached,
            "note": self.note,
            "exact": self.exact,
        }


def figure(
    part: str,
    name: str,
    unit: Unit,
    values: float | Iterable[float],
    target: Target | None = None,
    note: str = "",
    *,
    exact: bool = False,
) -> Figure:
    """A figure of one value or of a value per run."""
    runs = (float(values),) if isinstance(values, int | float) else tuple(float(value) for value in values)
    return Figure(part, name, unit, runs, target, note, exact)


def _finite(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None


def shown(value: float | None, unit: str, digits: int | None = None) -> str:
    """A value with its unit, for people."""
    if value is None or not math.isfinite(value):
        return "-"
    places = digits if digits is not None else _DIGITS.get(unit, 2)  # type: ignore[call-overload]
    text = f"{value:.{places}f}"
    return text + ("" if unit == "count" else f" {unit}")


def target_text(row: dict[str, Any]) -> str:
    """A row's target in words, from its JSON form."""
    target = row["target"]
    if target is None:
        return ""
    says = f" ({target['says']})" if target["says"] else ""
    return f"{target['side']} {shown(target['bound'], row['unit'])}{says}"


def verdict(row: dict[str, Any]) -> str:
    """One word for a row."""
    return "" if row["reached"] is None else "reached" if row["reached"] else "MISSED"


def table(figures: Sequence[Figure]) -> str:
    """A text table, a heading per part."""
    rows = [one.as_json() for one in figures]
    name_width = max((len(row["name"]) for row in rows), default=0)
    lines: list[str] = []
    part = None
    for row in rows:
        if row["part"] != part:
            part = row["part"]
            lines += ["", part]
        value = shown(row["value"], row["unit"])
        line = f"  {row['name']:<{name_width}} {value:>15}  {verdict(row):<8} {target_text(row)}".rstrip()
        lines.append(line + (f"   {spread(row)}" if len(row["runs"]) > 1 else ""))
        if row["note"]:
            lines.append(f"      {row['note']}")
    lines += ["", summary(rows)]
    lines += [f"  missed: {row['part']}: {row['name'].strip()}" for row in rows if row["reached"] is False]
    return "\n".join(lines).lstrip("\n") + "\n"


def spread(row: dict[str, Any]) -> str:
    """The least and greatest run."""
    runs = [run for run in row["runs"] if run is not None]
    if not runs:
        return ""
    least, most = shown(min(runs), row["unit"]).split(" ")[0], shown(max(runs), row["unit"]).split(" ")[0]
    return f"[{least} .. {most}, {len(runs)} runs]"


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """How many targets were reached."""
    aimed = [row for row in rows if row["reached"] is not None]
    return f"{sum(row['reached'] for row in aimed)} of {len(aimed)} targets reached."
