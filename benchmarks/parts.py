"""What every part of the figures shares: its surroundings, and what it hands to the report."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure
from benchmarks.measure_live import Material, beginning, bundled
from streaming.settings import Settings

SESSION = Path(__file__).parent / "data" / "session"
DEVELOPMENT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`runs` is how often what is timed is done; `quick` shortens what is long. `say` prints a line of progress."""

    runs: int
    quick: bool
    work: Path
    say: Callable[[str], None]
    settings: Settings
    data: Path = DEVELOPMENT_DATA
    until: float = math.inf
    """`time.monotonic` by which all is to be done: what takes as much time as there is ends then."""

    def material(self) -> Material:
        """The bundled session."""
        return bundled(SESSION)

    def material_part(self, length_s: float) -> Material:
        """The first so many seconds of the bundled session."""
        return beginning(self.material(), length_s, self.work)

    def recordings(self, folder: str, *suffixes: str) -> list[Path]:
        """Recordings of the development data, none where it is not there."""
        if not (self.data / folder).is_dir():
            return []
        return sorted(path for path in (self.data / folder).iterdir() if path.suffix in suffixes)


@dataclass(slots=True)
class Part:
    """Figures in order, further material for plots, and what could not be measured and why."""

    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    failed: bool = False
