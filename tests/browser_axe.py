"""axe-core over a page: a fixture with its source, and what it finds."""

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = "axe-core@4.14.1"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed: {AXE} cannot be had")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run([npm, "pack", AXE], cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    if packed.returncode:
        pytest.skip(f"npm could not fetch {AXE}")
    return _read(next(folder.glob("*.tgz")))


def _read(archive: Path) -> str:
    with tarfile.open(archive) as packed:
        found = packed.extractfile("package/axe.min.js")
        assert found is not None
        return found.read().decode()


def violations(page: Page, axe: str) -> list[str]:
    """What axe finds on the page as it is now."""
    page.evaluate(axe)
    run = "tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })"
    found: dict[str, Any] = page.evaluate(run, _TAGS)
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]
