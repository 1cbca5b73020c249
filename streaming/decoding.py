"""Bounds on greedy decoding, so that a recognizer cannot talk on where nobody does. Pure."""

from collections.abc import Sequence

from streaming.types import SAMPLE_RATE

_TOKENS_PER_SECOND = 6.5
_TOKENS_EXTRA = 4
_LONGEST_REPEAT = 12
_REPEATS_ALLOWED = 3


def token_limit(ticks: int) -> int:
    """The most tokens that speech of this length can hold: fast talk is 6.5 a second in this vocabulary."""
    return int(ticks / SAMPLE_RATE * _TOKENS_PER_SECOND) + _TOKENS_EXTRA


def loop_start(tokens: Sequence[int]) -> int | None:
    """Where the tokens begin to repeat themselves at their end: the place after which a loop is to be cut.

    A loop is a run of up to 12 tokens that comes more than three times in a row ("no, no, no" is speech); what
    is kept is its first turn. None where the tokens do not end in one.
    """
    for length in range(1, min(_LONGEST_REPEAT, len(tokens)) + 1):
        turn = tokens[-length:]
        turns = 1
        while tokens[len(tokens) - length * (turns + 1) : len(tokens) - length * turns] == turn:
            turns += 1
            if length * (turns + 1) > len(tokens):
                break
        if turns > _REPEATS_ALLOWED:
            return len(tokens) - length * (turns - 1)
    return None


def before_loop(tokens: Sequence[int]) -> int:
    """How many tokens to keep of a whole row: all, or those up to the first loop's first turn."""
    for count in range(1, len(tokens) + 1):
        if (start := loop_start(tokens[:count])) is not None:
            return start
    return len(tokens)
