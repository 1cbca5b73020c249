"""What people decide about the recording of a live session: who is there, who agreed, what is off the record.

What is held back takes effect before anything is awaited: no sample that comes after it is kept. What is kept again
is so only once it is in the log. A decision counts from a tick of each track, which a sender that knows better than
the clock which sample is being spoken may name, within bounds.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy

from streaming.consents import Consent
from streaming.errors import NoConsent, SessionOver
from streaming.events import ConsentGiven, PresenceChanged, RecordingHeld
from streaming.session import Session
from streaming.state import SessionState
from streaming.track import Track
from streaming.types import SAMPLE_RATE, ConsentWay, HoldCause, Tick
from streaming.wall_clock import now

_BEHIND_TICKS = 5 * SAMPLE_RATE
"""A sender's time line lies at most so far behind the session's clock."""

Ticks = Mapping[str, int]
_People = PresenceChanged | ConsentGiven


def check_open(state: SessionState) -> None:
    """Whether audio may be taken at all. Raises NoConsent before everybody has agreed for the first time."""
    if not state.opened:
        raise NoConsent(
            f"{len(state.consents.missing)} of the participants have not consented: no audio is taken.",
            mend="Give their consent with POST …/consent, or say with POST …/participants who is not there.",
        )


async def off_record(session: Session, on: bool, *, ticks: Ticks, by: str) -> None:
    """Keep nothing of what is said from now on, or keep it again. Raises SessionOver, StoreFailed."""
    await _decide(session, (), on, ticks, by)


async def presence(session: Session, who: str, present: bool, *, ticks: Ticks, by: str) -> None:
    """Somebody comes: nothing is kept until they agree. Or goes. Raises SessionOver, StoreFailed."""
    await _decide(session, (PresenceChanged(who, present, now()),), None, ticks, by)


async def consent(session: Session, who: str, how: ConsentWay, script: str, *, ticks: Ticks, by: str) -> None:
    """A participant agrees to the recording. Raises SessionOver, StoreFailed."""
    await _decide(session, (ConsentGiven(who, how, script, now()),), None, ticks, by)


async def _decide(session: Session, people: Sequence[_People], off: bool | None, ticks: Ticks, by: str) -> None:
    if session.progress != "live":
        raise SessionOver("The session has ended.", mend="What was recorded can be struck or deleted.")
    state = session.log.state
    off = state.off_record if off is None else off
    cause = _cause(state, people, off)
    if (cause, off) == (state.held, state.off_record):
        await session.log.append(*people)
        return
    begins = state.held is None
    at = {one.track: _begins(one, ticks) if begins else come_to(one, ticks) for one in session.tracks}
    if cause is None:
        for track in session.tracks:
            await track.go_on(at[track.track])
    else:
        for track in session.tracks:
            track.holds.change(at[track.track], cause)
    await session.log.append(*people, RecordingHeld(cause, at, off, now(), by))


def _cause(state: SessionState, people: Sequence[_People], off: bool) -> HoldCause | None:
    """Why audio is not kept once this is decided."""
    if off:
        return "off_the_record"
    then = deepcopy(state.consents)
    for one in people:
        if isinstance(one, ConsentGiven):
            then.agrees(one.who, Consent(one.how, one.at))
        elif one.present:
            then.comes(one.who)
        else:
            then.goes(one.who)
    return "awaiting_consent" if then.missing else None


def _begins(track: Track, ticks: Ticks) -> Tick:
    """From where on nothing is kept: what has come by now is, and what the sender says it had before."""
    latest = max(track.received, track.clock())
    return Tick(min(max(ticks.get(track.track, 0), track.received), latest))


def come_to(track: Track, ticks: Ticks) -> Tick:
    """How far a track has come, by its sender's word or by the clock: what was said before now lies before it."""
    clock = track.clock()
    named = ticks.get(track.track, clock)
    return Tick(max(track.received, track.holds.since, min(max(named, clock - _BEHIND_TICKS), clock + _BEHIND_TICKS)))
