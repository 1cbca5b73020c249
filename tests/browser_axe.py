"""axe-core over a page: a fixture with its source, and what it finds."""

import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = "axe-core@4.14.1"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, from npm."""
    source, missing = _fetched()
    if missing:
        pytest.skip(missing)
    return source


@cache
def _fetched() -> tuple[str, str]:
    """Once for all modules: npm takes seconds. The source, or why it cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        return "", f"npm is not installed: {AXE} cannot be had"
    with TemporaryDirectory(prefix="sameday-axe-") as folder:
        packed = subprocess.run([npm, "pack", AXE], cwd=folder, capture_output=True, timeout=90, check=False)
        if packed.returncode:
            return "", f"npm could not fetch {AXE}"
        return _read(next(Path(folder).glob("*.tgz"))), ""


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
