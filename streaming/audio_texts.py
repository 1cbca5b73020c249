"""The text messages that a sender of audio frames may send (docs/protocol.md)."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from streaming.audio_wire import MAX_TICK, BadFrame
from streaming.types import Tick

MAX_TEXT = 1_024


@dataclass(frozen=True, slots=True)
class Skip:
    """The sender has nothing of what is missing before `tick`."""

    tick: Tick


def read_text(text: str, *, beside: bool) -> Literal["done"] | Skip:
    """What a text message asks for; a skip only `beside` an anchored connection. Raises BadFrame."""
    message = _object(text)
    if message.get("type") == "end":
        return "done"
    if message.get("type") == "skip" and beside:
        tick = message.get("tick")
        if isinstance(tick, int) and not isinstance(tick, bool) and 0 <= tick <= MAX_TICK:
            return Skip(Tick(tick))
        raise BadFrame("The message names no tick.", mend='Send {"type": "skip", "tick": t}.')
    raise BadFrame("The text message is not known.", mend='Send binary frames, then {"type": "end"}.')


def _object(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text) if len(text) <= MAX_TEXT else None
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
