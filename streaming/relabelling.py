"""After the end-of-session clustering: which utterances belong to another speaker than was shown live."""

from bisect import bisect_left
from collections.abc import Sequence

from streaming.types import SpeakerId, Turn, Utterance, UtteranceId


def relabelled(utterances: Sequence[Utterance], turns: Sequence[Turn]) -> dict[UtteranceId, SpeakerId]:
    """The utterances whose words lie mostly in turns of another speaker, with that speaker.

    An utterance that is in nobody's turns keeps its speaker.
    """
    changes: dict[UtteranceId, SpeakerId] = {}
    ordered = sorted(turns, key=lambda turn: turn.start)
    starts = [turn.start for turn in ordered]
    longest = max((turn.end - turn.start for turn in ordered), default=0)
    for utterance in utterances:
        cover: dict[SpeakerId, int] = {}
        words = tuple(utterance.words)
        # No turn that began earlier than the longest one is long can reach this utterance.
        for turn in ordered[bisect_left(starts, utterance.start - longest) : bisect_left(starts, utterance.end)]:
            for word in words:
                shared = min(word.end, turn.end) - max(word.start, turn.start)
                if shared > 0:
                    cover[turn.speaker] = cover.get(turn.speaker, 0) + shared
        if not cover or cover.get(utterance.speaker, 0) == max(cover.values()):
            continue
        changes[utterance.id] = max(sorted(cover), key=lambda speaker: cover[speaker])
    return changes
