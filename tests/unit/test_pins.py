"""Every version is pinned, and the two places that pin them agree."""

import re
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _direct() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [entry for extra in project["optional-dependencies"].values() for entry in extra]
    return [entry for entry in [*project["dependencies"], *extras] if not entry.startswith("sameday[")]


def _constraints() -> dict[str, str]:
    lines = (ROOT / "requirements" / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {_normal(name): version for name, version in pairs}


def test_every_direct_dependency_is_pinned_to_what_the_constraints_say() -> None:
    constraints = _constraints()
    different = [
        entry
        for entry in _direct()
        if "==" not in entry or constraints.get(_normal(entry.split("==")[0])) != entry.split("==")[1]
    ]
    assert different == []


def test_no_constraint_names_a_place() -> None:
    assert all(re.fullmatch(r"[0-9][\w.+!]*", version) for version in _constraints().values())
