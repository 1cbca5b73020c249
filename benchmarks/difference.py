"""What changed between two reports beyond noise. Pure.

Noise is what the runs of one report differ by. A figure has changed where the runs of both do not overlap and their
medians are farther apart than either spread; with a single run on a side nobody can tell, unless the figure is exact
(words on a given recording do not depend on the machine).
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from benchmarks.figure import shown

Verdict = Literal["changed", "within noise", "cannot tell", "same", "only before", "only after", "not measured"]
_EXACT_SHARE = 1e-4


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Each figure of either report with its verdict, and what differs between the machines."""
    old, new = _by_name(before), _by_name(after)
    rows = [_row(name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new])]
    return {"machines": machines(before.get("machine", {}), after.get("machine", {})), "figures": rows}


def _by_name(body: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(row["part"], row["name"].strip()): row for row in body["figures"]}


def _row(name: tuple[str, str], old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, Any]:
    one, other = _runs(old), _runs(new)
    exact = all(row is not None and row.get("exact", False) for row in (old, new))
    some = new or old or {}
    return {
        "part": name[0],
        "name": name[1],
        "unit": some["unit"],
        "before": statistics.median(one) if one else None,
        "after": statistics.median(other) if other else None,
        "noise": max(_spread(one), _spread(other)) if len(one) > 1 and len(other) > 1 else None,
        "runs": [len(one), len(other)],
        "verdict": "only after"
        if old is None
        else "only before"
        if new is None
        else verdict(one, other, exact=exact),
    }


def _runs(row: Mapping[str, Any] | None) -> list[float]:
    return [run for run in row["runs"] if run is not None] if row else []


def _spread(runs: Sequence[float]) -> float:
    return max(runs) - min(runs)


def verdict(before: Sequence[float], after: Sequence[float], *, exact: bool = False) -> Verdict:
    """Whether the runs of two reports differ by more than they do among themselves."""
    if not before or not after:
        return "not measured"
    far = abs(statistics.median(after) - statistics.median(before))
    size = max(abs(statistics.median(before)), abs(statistics.median(after)))
    if far <= _EXACT_SHARE * size:
        return "same"
    if exact:
        return "changed"
    if min(len(before), len(after)) < 2:
        return "cannot tell"
    apart = max(before) < min(after) or max(after) < min(before)
    return "changed" if apart and far > max(_spread(before), _spread(after)) else "within noise"


def machines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What of the machines makes times and costs of the two hard to compare."""
    found = [
        f"{name.replace('_', ' ')}: {before.get(name)} before, {after.get(name)} after"
        for name in ("processor", "usable_cores", "python")
        if before.get(name) != after.get(name)
    ]
    old, new = before.get("versions", {}), after.get("versions", {})
    found += [
        f"{name}: {old.get(name, 'none')} before, {new.get(name, 'none')} after"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]
    for says, machine in (("before", before), ("after", after)):
        load = (machine.get("load_before") or [0.0])[0]
        if load > 0.5:
            found.append(f"the machine was busy {says} (load {load}): times and costs are too high")
    return found


def said(found: Mapping[str, Any], *, everything: bool = False) -> str:
    """The difference for people; what has not changed only where `everything` is wanted."""
    lines = [f"  {line}" for line in found["machines"]]
    if lines:
        lines = ["Not the same conditions:", *lines, ""]
    rows = found["figures"]
    for kind in ("changed", "cannot tell", "only before", "only after", "not measured", "within noise", "same"):
        chosen = [row for row in rows if row["verdict"] == kind]
        if not chosen:
            continue
        if kind in ("within noise", "same") and not everything:
            lines.append(f"{kind}: {len(chosen)}")
            continue
        lines.append(f"{kind}: {len(chosen)}")
        lines += [f"  {_line(row)}" for row in chosen]
    return "\n".join(lines) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    before, after = row["before"], row["after"]
    both = f"{shown(before, row['unit'])} -> {shown(after, row['unit'])}"
    share = f" ({100 * (after - before) / abs(before):+.0f} %)" if before and after is not None else ""
    noise = f", runs differ by up to {shown(row['noise'], row['unit'])}" if row["noise"] else ""
    return f"{row['part']}: {row['name']}: {both}{share}{noise}"
