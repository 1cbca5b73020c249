"""Recordings that lie beside the checkout on development machines; tests that use them skip elsewhere."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared_data(relative: str) -> Path:
    """The path of a development recording or transcript, or a skip that says what is missing."""
    path = ROOT.parent / "shared" / "data" / relative
    if not path.exists():
        pytest.skip(f"development data is not here: ../shared/data/{relative}")
    return path
