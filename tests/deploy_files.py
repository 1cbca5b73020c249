"""What the files of a deployment say, read as what reads them would: compose's variables, kustomize's resources."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / "deploy" / "kubernetes" / "base"
PREFIX = "SAMEDAY_"

_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def variables(text: str) -> dict[str, str | None]:
    """The variables that compose.yaml takes, each with its default; None where it must be given."""
    found = [match for match in _VARIABLE.finditer(text) if match["name"]]
    return {match["name"]: match["rest"] if match["kind"] == "-" else None for match in found}


def interpolated(value: Any, given: Mapping[str, str]) -> Any:
    """A parsed file with its variables filled in. Raises KeyError for one that is neither given nor has a default."""
    if isinstance(value, dict):
        return {key: interpolated(one, given) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolated(one, given) for one in value]
    return _VARIABLE.sub(lambda match: _filled(match, given), value) if isinstance(value, str) else value


def _filled(match: re.Match[str], given: Mapping[str, str]) -> str:
    if not match["name"]:
        return "$"
    if match["kind"] == "-":
        return given.get(match["name"], match["rest"])
    return given[match["name"]]


@lru_cache
def composed() -> dict[str, Any]:
    """compose.yaml with values of the kind that deploy/up makes."""
    given = dict.fromkeys(("REDIS_PASSWORD", "WRITER_API_KEY", "TURN_PASSWORD", "GRAFANA_PASSWORD"), "a1b2")
    raw = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return dict(interpolated(raw, given | {"HOST_ADDRESS": "192.0.2.7"}))


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


@lru_cache
def resources() -> dict[str, dict[str, Any]]:
    """All that the kustomization of the base names, by kind and name."""
    kustomization = documents(BASE / "kustomization.yaml")[0]
    every = [one for name in kustomization["resources"] for one in documents(BASE / name)]
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in every}


def pod() -> dict[str, Any]:
    """The specification of a server's pod."""
    return dict(resources()["StatefulSet/sameday"]["spec"]["template"]["spec"])


def lines_of(path: Path) -> dict[str, str]:
    """NAME=value lines."""
    pairs = (line.partition("=") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def expressions() -> Iterator[tuple[str, str]]:
    """Every PromQL expression of the alerts, the dashboard and the autoscaler's figures, with where it stands."""
    for group in documents(ROOT / "deploy" / "prometheus" / "alerts.yml")[0]["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", rule["expr"]
    board = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "sameday.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"].replace("$instance", "any")
    for rule in documents(BASE.parent / "adapter-rule.yaml")[0]["rules"]["custom"]:
        yield f"figure {rule['seriesQuery']}", rule["metricsQuery"].replace("<<.LabelMatchers>>", 'pod="any"')
