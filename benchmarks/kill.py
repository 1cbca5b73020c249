"""What is asked of a session whose server was killed. Pure.

Nothing that was acknowledged is lost, nothing is there twice, and the transcript is the uninterrupted one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figure import Figure, at_least, at_most, figure
from benchmarks.scoring import quantile
from streaming.types import Tick

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cut:
    """One session that lost its server.

    `acknowledged` is the newest tick that was acknowledged before, `resumed` the one that the next server went on
    from; `recovery_s` the time from there to the first words that nobody had been shown, None where none were left.
    """

    run: int
    piece: int
    acknowledged: Tick
    resumed: Tick
    lost_ticks: int
    twice: int
    differs: bool
    gaps: int
    whole: bool
    recovery_s: float | None
    down_s: float

    @property
    def sound(self) -> bool:
        """Whether the session came through as if nothing had happened."""
        return not (self.lost_ticks or self.twice or self.differs or self.gaps) and self.whole

    def as_json(self) -> dict[str, Any]:
        """A row of the report, ticks as they are."""
        return {
            "run": self.run,
            "piece": self.piece,
            "acknowledged": self.acknowledged,
            "resumed": self.resumed,
            "sound": self.sound,
            "lost_ticks": self.lost_ticks,
            "words_twice": self.twice,
            "differs": self.differs,
            "gaps": self.gaps,
            "whole": self.whole,
            "recovery_s": None if self.recovery_s is None else round(self.recovery_s, 3),
            "down_s": round(self.down_s, 3),
        }


def lost_ticks(acknowledged: Tick, resumed: Tick, transcribed: int) -> int:
    """Acknowledged ticks that the next server did not have, or that nobody transcribed."""
    return max(0, acknowledged - resumed, acknowledged - transcribed)


def twice(expected: Message, found: Message) -> int:
    """Words that the found transcript has more of than the uninterrupted one."""
    return max(0, len(_words(found)) - len(_words(expected)))


def differs(expected: Message, found: Message) -> bool:
    """Whether any utterance has another text, time, speaker or word than without the interruption."""
    return bool(expected["utterances"] != found["utterances"])


def shown(messages: Sequence[Message]) -> int:
    """The most words, final or tentative, that a reader had been shown with these events, in order."""
    closed = most = 0
    for message in messages:
        if message["type"] == "utterance":
            closed += len(message["words"])
            most = max(most, closed)
        elif message["type"] == "partial":
            most = max(most, closed + len(message["committed"].split()) + len(message["tentative"].split()))
    return most


def figures(cuts: Sequence[Cut], runs: int) -> list[Figure]:
    """What all came to."""
    part = f"kill -9, {runs} runs, {len(cuts)} sessions"
    broken = {cut.run for cut in cuts if not cut.sound}
    waits = [cut.recovery_s for cut in cuts if cut.recovery_s is not None]
    return [
        figure(part, "runs in which every session came through", "count", runs - len(broken), at_least(runs)),
        figure(part, "acknowledged ticks lost", "count", sum(cut.lost_ticks for cut in cuts), at_most(0)),
        figure(part, "words twice", "count", sum(cut.twice for cut in cuts), at_most(0)),
        figure(part, "transcripts that differ", "count", sum(cut.differs for cut in cuts), at_most(0)),
        figure(part, "gaps", "count", sum(cut.gaps for cut in cuts), at_most(0)),
        figure(part, "reconnected to new words, p50", "s", quantile(waits, 0.5)),
        figure(part, "reconnected to new words, p95", "s", quantile(waits, 0.95), at_most(3.0)),
        figure(part, "reconnected to new words, most", "s", max(waits, default=float("nan"))),
        figure(part, "killed to reconnected, p50", "s", quantile([cut.down_s for cut in cuts], 0.5)),
    ]


def _words(transcript: Message) -> list[str]:
    return [word["text"] for one in transcript["utterances"] for word in one["words"]]
