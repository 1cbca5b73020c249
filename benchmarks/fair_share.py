"""How evenly the recognizer is shared where one session floods: the real scheduler, an engine of known speed."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streaming.ports import Hypothesis, Window
from streaming.scheduler import RecognitionScheduler
from streaming.types import SAMPLE_RATE, Tick, seconds

_CALM_WINDOW_S = 4.0
_FLOOD_WINDOW_S = 12.0
_FLOOD = "flood"
_LOAD = 0.75
"""What the calm sessions ask of the engine together."""


@dataclass(frozen=True, slots=True)
class FairShare:
    """Seconds of audio that each session got recognized, and those that were due to it."""

    served_s: Mapping[str, float]
    due_s: Mapping[str, float]

    @property
    def shares(self) -> dict[str, float]:
        """What each got of what it was due; more than all is no better than all."""
        return {name: min(1.0, self.served_s[name] / due) for name, due in self.due_s.items()}

    @property
    def index(self) -> float:
        """Jain's: 1 where all got the same share of what they were due, one over their number where one got all."""
        return jain(list(self.shares.values()))

    @property
    def least_calm(self) -> float:
        """The least share of a session at the pace of speech."""
        return min(share for name, share in self.shares.items() if name != _FLOOD)

    @property
    def flooding(self) -> float:
        """The share of the one that floods."""
        return self.shares[_FLOOD]


def jain(shares: Sequence[float]) -> float:
    """Jain's fairness index (Jain, Chiu and Hawe, DEC-TR-301, 1984)."""
    given = np.asarray(shares)
    return float(given.sum() ** 2 / (len(given) * np.square(given).sum()))


def due(asked_s: Mapping[str, float], capacity_s: float) -> dict[str, float]:
    """The max-min fair division of a capacity: nobody gets more than asked, what is left over is shared evenly."""
    left, shares = capacity_s, dict.fromkeys(asked_s, 0.0)
    open_ = sorted(asked_s, key=lambda name: asked_s[name])
    while open_:
        even = left / len(open_)
        name = open_.pop(0)
        shares[name] = min(asked_s[name], even)
        left -= shares[name]
    return shares


class Paced:
    """An engine that takes a given time for each second of audio, and notes how long it worked."""

    name = "paced"
    max_window_ticks = 30 * SAMPLE_RATE
    max_batch = 16

    def __init__(self, per_second_s: float) -> None:
        self.per_second_s = per_second_s

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """No words, in the time that the audio takes."""
        time.sleep(self.per_second_s * sum(seconds(Tick(len(window.pcm))) for window in windows))
        return [Hypothesis(()) for _ in windows]


async def fair_share(sessions: int, length_s: float) -> FairShare:
    """All but one session ask for what they speak, as they speak it; one asks for all it can get."""
    engine = Paced(_LOAD / (sessions - 1))
    scheduler = RecognitionScheduler(engine)
    serving = asyncio.create_task(scheduler.run())
    began = time.monotonic()
    names = [f"session {number}" for number in range(1, sessions)]
    served = dict.fromkeys([*names, _FLOOD], 0.0)
    asked = dict.fromkeys([*names, _FLOOD], 0.0)

    async def calm(name: str, first_s: float) -> None:
        at = 0.0
        while first_s + at + _CALM_WINDOW_S <= length_s:
            at += _CALM_WINDOW_S
            await asyncio.sleep(began + first_s + at - time.monotonic())
            asked[name] += _CALM_WINDOW_S
            await scheduler.submit(_window(at - _CALM_WINDOW_S, _CALM_WINDOW_S), owner=name).result
            served[name] += _CALM_WINDOW_S

    async def flood() -> None:
        at = 0.0
        while True:
            asked[_FLOOD] += _FLOOD_WINDOW_S
            await scheduler.submit(_window(at, _FLOOD_WINDOW_S), owner=_FLOOD).result
            at += _FLOOD_WINDOW_S
            served[_FLOOD] += _FLOOD_WINDOW_S

    spread = _CALM_WINDOW_S / len(names)
    flooding = asyncio.create_task(flood())
    await asyncio.gather(*(calm(name, spread * number) for number, name in enumerate(names)))
    capacity_s = (time.monotonic() - began) / engine.per_second_s
    for task in (flooding, serving):
        task.cancel()
    await asyncio.gather(flooding, serving, return_exceptions=True)
    return FairShare(served, due(asked | {_FLOOD: capacity_s}, capacity_s))


def _window(start_s: float, length_s: float) -> Window:
    return Window(Tick(round(start_s * SAMPLE_RATE)), np.zeros(round(length_s * SAMPLE_RATE), np.int16))
