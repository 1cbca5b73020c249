"""Stretches of a track's time line whose audio is not kept: off the record, or before a consent. Pure.

They are ticks and not moments of arrival: what was said before is kept also where it comes late, and what was said
meanwhile is not, whenever it comes.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

from streaming.types import GapCause, Tick

_FOREVER = Tick(1 << 62)


@dataclass(slots=True)
class Holds:
    """One track's. A change counts from its tick on, until the next one."""

    _ticks: list[Tick] = field(default_factory=list)
    _causes: list[GapCause | None] = field(default_factory=list)

    @property
    def cause(self) -> GapCause | None:
        """Why audio is not kept as of the newest change; None where it is."""
        return self._causes[-1] if self._causes else None

    @property
    def since(self) -> Tick:
        """The tick of the newest change."""
        return self._ticks[-1] if self._ticks else Tick(0)

    def change(self, at: Tick, cause: GapCause | None) -> None:
        """From tick `at` on audio is held back, or kept; never from before the newest change. Twice is once."""
        at = max(at, self.since)
        if cause == self.cause:
            return
        if self._ticks and at == self._ticks[-1]:
            self._causes[-1] = cause
        else:
            self._ticks.append(at)
            self._causes.append(cause)

    def between(self, start: Tick, end: Tick, cause: GapCause) -> None:
        """Audio of [start, end) is not kept, whatever counts after it; where none is kept anyway nothing changes."""
        start, after = max(start, self.since), self.cause
        if after is None and start < end:
            self.change(start, cause)
            self.change(end, after)

    def next(self, start: Tick, end: Tick) -> tuple[Tick, GapCause | None]:
        """How far from `start` one rule counts, at most to `end`, and which: a cause where audio is not kept."""
        place = bisect_right(self._ticks, start)
        until = self._ticks[place] if place < len(self._ticks) else _FOREVER
        return min(until, end), self._causes[place - 1] if place else None
