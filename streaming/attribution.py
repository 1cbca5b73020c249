"""Who said which words: the join of a track's words and turns into utterances.

Both inputs say how far they are final, and nothing is decided before all that the decision looks at is final. What
comes out is therefore the same in whatever order words and turns arrive. Words are taken in groups, each ended by a
pause or a break. A speaker change that the turns put inside a group is moved to a natural boundary nearby, since
word times and turn edges are only good to a tenth of a second or two.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from streaming.agreement import SENTENCE_END
from streaming.types import (
    SAMPLE_RATE,
    SpeakerId,
    Tick,
    TrackId,
    Turn,
    Turns,
    Utterance,
    UtteranceId,
    Word,
    Words,
)

UNKNOWN = SpeakerId("S1")
"""Words that come before anyone has been told apart belong to the first speaker."""


@dataclass(frozen=True, slots=True)
class AttributionSettings:
    """How far word times and turn edges are trusted."""

    reach_ticks: int = SAMPLE_RATE * 3 // 10
    """A word outside all turns belongs to a turn at most this far away, else to whoever spoke before."""
    snap_ticks: int = SAMPLE_RATE * 4 // 10
    """A speaker change moves at most this far to a pause or a sentence's end."""
    sentence_ticks: int = SAMPLE_RATE * 3 // 10
    """What a sentence's end is worth against distance when a change is moved."""
    reply_ticks: int = SAMPLE_RATE * 4 // 10
    """Another's turn after a pause is a reply, and ends the utterance before it, once it is this long."""
    reply_within_ticks: int = SAMPLE_RATE * 3 // 2
    """A reply begins at most this long after the pause."""


class Attribution:
    """Feed it words and turns in any interleaving; each call returns the utterances that closed, in order."""

    def __init__(self, track: TrackId, settings: AttributionSettings | None = None) -> None:
        self.settings = settings or AttributionSettings()
        self._track = track
        self._words: deque[Word] = deque()
        self._boundaries: deque[tuple[Tick, bool]] = deque()  # tick, and whether it is a break
        self._turns: list[Turn] = []
        self._words_through = 0
        self._turns_through = 0
        self._open: list[Word] = []
        self._speaker: SpeakerId | None = None
        self._pause: Tick | None = None  # the pause after the open utterance's last group
        self._count = 0
        self._ended = False

    def words(self, words: Words) -> list[Utterance]:
        """Take what the recognizer made final."""
        self._words.extend(words.committed)
        marks = dict.fromkeys(words.pauses, False) | dict.fromkeys(words.breaks, True)
        self._boundaries.extend(sorted(marks.items()))
        self._words_through = max(self._words_through, words.through)
        return self._advance()

    def turns(self, turns: Turns) -> list[Utterance]:
        """Take what the diarizer made final; a turn that goes on may come in pieces."""
        for turn in turns.turns:
            self._turns = _joined(self._turns, turn)
        self._turns_through = max(self._turns_through, turns.through)
        return self._advance()

    def flush(self) -> list[Utterance]:
        """Both inputs have ended: everything that is left closes."""
        self._ended = True
        if self._words:
            self._boundaries.append((Tick(self._words[-1].end), True))
        closed = self._advance()
        return closed + self._close()

    @property
    def speaker(self) -> SpeakerId | None:
        """Who seems to be speaking now: the newest final turn's speaker, or the open utterance's."""
        return self._turns[-1].speaker if self._turns else self._speaker

    def pending(self) -> list[Word]:
        """Final words that are in no closed utterance yet."""
        return [*self._open, *self._words]

    def _advance(self) -> list[Utterance]:
        closed: list[Utterance] = []
        while self._boundaries and self._decidable(self._boundaries[0][0]):
            tick, is_break = self._boundaries.popleft()
            closed += self._group(tick)
            if is_break:
                closed += self._close()
            elif self._open and self._pause is None:
                # A pause after nothing that was understood is no new chance for a reply: the first one counts.
                self._pause = tick
        if self._pause is not None and self._replied():
            closed += self._close()
        self._forget()
        return closed

    def _decidable(self, tick: Tick) -> bool:
        """Whether all turns that bear on the words before `tick` are final."""
        if self._ended:
            return True
        group = self._before(tick)
        if not group:
            return True
        heard = self._turns_through >= group[-1].end + self.settings.reach_ticks
        return heard and (self._pause is None or self._replied() is not None)

    def _before(self, tick: Tick) -> list[Word]:
        # A word's time may reach over the pause that follows it by some tens of milliseconds: its start decides.
        return [word for word in self._words if word.start < tick]

    def _group(self, tick: Tick) -> list[Utterance]:
        group = self._before(tick)
        if not group:
            return []
        closed = self._close() if self._pause is not None and self._replied() else []
        self._pause = None
        for word, speaker in zip(group, self._assign(group), strict=True):
            self._words.popleft()
            if speaker != self._speaker:
                closed += self._close()
                self._speaker = speaker
            self._open.append(word)
        return closed

    def _assign(self, group: Sequence[Word]) -> list[SpeakerId]:
        horizon = group[-1].end + self.settings.reach_ticks
        turns = [Turn(t.start, Tick(min(t.end, horizon)), t.speaker) for t in self._turns if t.start < horizon]
        speakers: list[SpeakerId] = []
        previous = self._speaker
        for word in group:
            previous = self._nearest(word, turns, previous)
            speakers.append(previous)
        return self._snapped(group, speakers)

    def _nearest(self, word: Word, turns: Sequence[Turn], previous: SpeakerId | None) -> SpeakerId:
        """Whose turns cover most of the word, else the nearest turn's; in doubt whoever spoke before.

        In an overlap the recognizer hears the one who has the floor, rarely the one who says "mm-hmm" into it.
        """
        cover: dict[SpeakerId, int] = {}
        near: tuple[int, SpeakerId] | None = None
        for turn in turns:
            shared = min(turn.end, word.end) - max(turn.start, word.start)
            if shared > 0:
                cover[turn.speaker] = cover.get(turn.speaker, 0) + shared
            elif -shared <= self.settings.reach_ticks and (near is None or -shared < near[0]):
                near = (-shared, turn.speaker)
        if cover:
            most = max(cover.values())
            held = previous is not None and cover.get(previous) == most
            return previous if held and previous else min(who for who, ticks in cover.items() if ticks == most)
        if near:
            return near[1]
        return previous or (turns[0].speaker if turns else UNKNOWN)

    def _snapped(self, group: Sequence[Word], speakers: list[SpeakerId]) -> list[SpeakerId]:
        """Move each speaker change to the best boundary near it, never across another change."""
        speakers = _unsplit(group, speakers, self.settings.reach_ticks)
        snapped = list(speakers)
        changes = [at for at in range(1, len(group)) if speakers[at] != speakers[at - 1]]
        for index, at in enumerate(changes):
            low = changes[index - 1] + 1 if index else 1
            high = changes[index + 1] if index + 1 < len(changes) else len(group)
            edge = (group[at - 1].end + group[at].start) // 2
            best = max(range(low, high), key=lambda place: self._boundary_worth(group, place, edge))
            snapped[min(at, best) : max(at, best)] = [speakers[at if best < at else at - 1]] * abs(at - best)
        return snapped

    def _boundary_worth(self, group: Sequence[Word], place: int, edge: int) -> float:
        before, after = group[place - 1], group[place]
        distance = abs((before.end + after.start) // 2 - edge)
        if distance > self.settings.snap_ticks:
            return -float(distance)
        bonus = self.settings.sentence_ticks if before.text.endswith(SENTENCE_END) else 0
        return (after.start - before.end) + bonus - 0.5 * distance

    def _replied(self) -> bool | None:
        """Whether another speaker took over after the pause; None while the turns do not tell yet."""
        assert self._pause is not None
        limit = self._pause + self.settings.reply_within_ticks
        for turn in self._turns:
            if turn.end <= self._pause:
                continue
            start = max(turn.start, self._pause)
            if start > limit:
                return False
            if turn.speaker == self._speaker:
                return False
            if turn.end - start >= self.settings.reply_ticks:
                return True
            if turn.end >= self._turns_through and not self._ended:
                return None
        return False if self._ended or self._turns_through > limit else None

    def _close(self) -> list[Utterance]:
        words, self._open, self._pause = tuple(self._open), [], None
        if not words:
            return []
        self._count += 1
        return [
            Utterance(
                id=UtteranceId(f"{self._track}.{self._count}"),
                track=self._track,
                start=words[0].start,
                end=words[-1].end,
                speaker=self._speaker or UNKNOWN,
                text=" ".join(word.text for word in words),
                confidence=sum(word.confidence for word in words) / len(words),
                words=words,
            )
        ]

    def _forget(self) -> None:
        """Drop turns that no later decision can look at, now and then."""
        oldest = self._words[0].start if self._words else self._words_through
        keep = oldest - 4 * self.settings.reply_within_ticks
        if len(self._turns) > 64 and self._turns[32].end < keep:
            self._turns = [turn for turn in self._turns if turn.end >= keep]


def _unsplit(group: Sequence[Word], speakers: Sequence[SpeakerId], reach: int) -> list[SpeakerId]:
    """Give a lone word back to whoever was in the middle of a phrase.

    A listener's "mm-hmm" often falls on the last word of a sentence and takes it along. Between two words without
    a comma or a stop nobody hands over for one word.
    """
    mended = list(speakers)
    for at in range(1, len(group)):
        before, word = group[at - 1], group[at]
        lone = mended[at] != mended[at - 1] and (at + 1 == len(group) or speakers[at + 1] == mended[at - 1])
        if lone and before.text[-1:].isalnum() and word.start - before.end < reach:
            mended[at] = mended[at - 1]
    return mended


def _joined(turns: list[Turn], new: Turn) -> list[Turn]:
    """The turns with a new one, in order of start; one that goes on where an earlier one was clipped is joined."""
    for at in range(len(turns) - 1, max(-1, len(turns) - 8), -1):
        if turns[at].speaker == new.speaker and turns[at].end >= new.start:
            turns[at] = Turn(turns[at].start, max(turns[at].end, new.end), new.speaker)
            return turns
    turns.append(new)
    turns.sort(key=lambda turn: (turn.start, turn.end, turn.speaker))
    return turns
