"""After the end-of-session clustering: which utterances belong to another speaker than was shown live."""

from collections.abc import Sequence

from streaming.types import SpeakerId, Turn, Utterance, UtteranceId


def relabelled(utterances: Sequence[Utterance], turns: Sequence[Turn]) -> dict[UtteranceId, SpeakerId]:
    """The utterances whose words lie mostly in turns of another speaker, with that speaker.

    An utterance that is in nobody's turns keeps its speaker.
    """
    changes: dict[UtteranceId, SpeakerId] = {}
    for utterance in utterances:
        cover: dict[SpeakerId, int] = {}
        for turn in turns:
            for word in utterance.words:
                shared = min(word.end, turn.end) - max(word.start, turn.start)
                if shared > 0:
                    cover[turn.speaker] = cover.get(turn.speaker, 0) + shared
        if not cover or cover.get(utterance.speaker, 0) == max(cover.values()):
            continue
        changes[utterance.id] = max(sorted(cover), key=lambda speaker: cover[speaker])
    return changes
