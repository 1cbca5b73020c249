"""Makes the tests' own helpers importable from every test folder, and their servers quick to start."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from forked_server import Forked

from benchmarks import server_process

server_process.start = Forked

# A busy machine takes its time: how long an example takes is no property of the code.
settings.register_profile("sameday", deadline=None)
settings.load_profile("sameday")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that drive a browser spread evenly among those with servers, the unit tests last.

    A browser alone takes more than a core, a server's tests mostly wait: beside each other both are quicker.
    """
    files: dict[str, dict[Path, list[pytest.Item]]] = {"browser": {}, "server": {}, "unit": {}}
    for item in items:
        kind = next((one for one in ("browser", "unit") if item.get_closest_marker(one)), "server")
        files[kind].setdefault(item.path, []).append(item)
    spread = [
        ((at + 0.5) / len(group), file)
        for group in (files["browser"].values(), files["server"].values())
        for at, file in enumerate(group)
    ]
    in_turn = [file for _, file in sorted(spread, key=lambda one: one[0])]
    items[:] = [item for file in (*in_turn, *files["unit"].values()) for item in file]
