"""Who is who in a session, as it goes on: what is known best counts, what is missing is filled in. Pure."""

from streaming import roles
from streaming.state import SessionState
from streaming.types import Role, RoleGuess, SpeakerId

LEAST = 6
"""Utterances before roles are guessed from the talk: fewer say little, see streaming/roles.py."""
OFTEN = 40
EVERY = 10
"""An hour's talk takes 60 ms to weigh, and its weight hardly moves: past OFTEN only with each EVERY more."""


def due(count: int, weighed: int) -> bool:
    """Whether to weigh the talk again with `count` utterances, when `weighed` of them were the last time."""
    return count <= OFTEN or count - weighed >= EVERY


def news(state: SessionState, *, live: bool) -> RoleGuess | None:
    """Roles that should be told now, or None: nothing new is known.

    Tracks with a role and the clinician's own word stand; speakers they do not name are filled in. An enrolled voice
    comes next, then the talk.
    """
    utterances = state.in_order()
    speakers = sorted({utterance.speaker for utterance in utterances})
    current = state.roles
    if current and current.source in ("track", "clinician"):
        guess = _filled(current, [speaker for speaker in speakers if speaker not in current.roles], state)
    else:
        known = roles.enrolled(speakers)
        if known is None and live and len(utterances) < LEAST:
            return None
        guess = known or roles.guess(utterances, speakers)
    if not speakers or (current and guess.roles == current.roles):
        return None
    return guess


def _filled(known: RoleGuess, missing: list[SpeakerId], state: SessionState) -> RoleGuess:
    if not missing:
        return known
    if "clinician" in known.roles.values():
        # A couple or a family on the other microphone: all of them are clients.
        rest: dict[SpeakerId, Role] = dict.fromkeys(missing, "client")
    else:
        guessed = roles.guess(state.in_order(), [*known.roles, *missing]).roles
        rest = {speaker: guessed[speaker] for speaker in missing}
    return RoleGuess(known.roles | rest, known.source, known.confidence)
