"""The data files of this package, read once: lexicons, formats, wording, rule packs."""

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any


@lru_cache(maxsize=64)
def load(name: str) -> dict[str, Any]:
    """A TOML file under drafting/, such as "risk.toml". Raises FileNotFoundError for one that is not there."""
    return tomllib.loads((resources.files("drafting") / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def names(folder: str) -> tuple[str, ...]:
    """The TOML files of a folder under drafting/, without their ending, in order of name."""
    entries = (resources.files("drafting") / folder).iterdir()
    return tuple(sorted(one.name.removesuffix(".toml") for one in entries if one.name.endswith(".toml")))
