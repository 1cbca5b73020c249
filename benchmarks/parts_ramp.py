"""Figures of sessions at once: a short ramp over WebSocket, in what is left of the report's time."""

import time

from benchmarks.commands_live import Wanted, one_ramp
from benchmarks.measure_ramp import prepared
from benchmarks.parts import Part, Surroundings

_SECONDS = 30.0
_MOST_MINUTES = 5.0


def sessions(around: Surroundings) -> Part:
    """Pieces of half a minute: finds the order of size. `sameday bench live --ramp` takes its time and says more."""
    wanted = Wanted("websocket", start=4, step=4, most=8 if around.quick else 24, seconds=_SECONDS, pieces=3)
    talk = prepared(around.material(), _SECONDS, wanted.pieces, around.work, None, around.say)
    until = min(around.until, time.monotonic() + _MOST_MINUTES * 60.0)
    return one_ramp(talk, "websocket", wanted, around.work, around.say, until)
