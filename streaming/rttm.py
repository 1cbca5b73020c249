"""Who spoke when, as RTTM lines (NIST RT-09 evaluation plan, the format every diarization scorer reads)."""

from streaming.state import SessionState
from streaming.types import Turn, seconds


def rttm(name: str, state: SessionState) -> str:
    """The session's turns: the settled ones of shared tracks, the utterances of tracks that one person has alone."""
    turns = [turn for settled in state.turns.values() for turn in settled]
    turns += [Turn(one.start, one.end, one.speaker) for one in state.in_order() if one.track not in state.turns]
    # White space separates the fields.
    label = "_".join(name.split()) or "session"
    return "".join(
        f"SPEAKER {label} 1 {seconds(turn.start):.3f} {seconds(turn.end - turn.start):.3f} "
        f"<NA> <NA> {turn.speaker} <NA> <NA>\n"
        for turn in sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
    )
