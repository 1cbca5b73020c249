"""Whether this node takes one more session: by number, by what waits, by what it has measured of itself."""

import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from streaming.capacity import Capacity
from streaming.errors import Overloaded, TooMany
from streaming.session import Session
from streaming.session_engines import Engines
from streaming.settings import Settings
from streaming.track import Track
from streaming.types import Tick, seconds, to_tick

_SPOKEN_ON_S = 30.0
"""A session that has sent audio, or begun, within so long takes its share."""
_UNFED_RETRY_S = 60.0


class Admission:
    """Looks at the sessions of this node, and at how long its engines have worked."""

    def __init__(self, settings: Settings, live: Mapping[str, Session], engines: Engines) -> None:
        self._settings = settings
        self._live = live
        self._engines = engines
        self._capacity = Capacity(settings.max_load)
        self._heard: WeakKeyDictionary[Track, Tick] = WeakKeyDictionary()
        self._heard_ticks = 0

    @property
    def load(self) -> float:
        """The share of the scarcest engine's time that the tracks spoken on now take; 0 while not known."""
        return self._capacity.load(self._spoken_on())

    def measure(self) -> None:
        """Take a sample; to be called every few seconds."""
        for session in self._live.values():
            for track in session.tracks:
                # What a restarted server hears again costs its models nothing, and would make all seem cheap.
                before = max(self._heard.get(track, Tick(0)), track.restored)
                self._heard_ticks += max(0, track.heard - before)
                self._heard[track] = max(track.heard, before)
        self._capacity.observe(time.monotonic(), self._engines.busy_s(), seconds(Tick(self._heard_ticks)))

    def check_room(self, tracks: int) -> None:
        """Whether one more session of so many tracks can be taken. Raises Overloaded."""
        backlog = sum(track.lag_ticks for session in self._live.values() for track in session.tracks)
        if len(self._live) >= self._settings.max_sessions or backlog > to_tick(self._settings.max_backlog_s):
            raise Overloaded("The server is at its limit of sessions.", mend="Try again in a minute.")
        if not self._capacity.has_room(self._spoken_on(), tracks):
            raise Overloaded("The server has no time for one more session.", mend="Try again in a minute.")

    def check_account(self, account: str) -> None:
        """Whether an account may begin one more. Raises TooMany where too many of its own wait for audio.

        The one clinician of a machine without accounts has no name and is not counted.
        """
        if not account:
            return
        mine = [one for one in self._live.values() if one.owner.account == account and one.progress == "live"]
        unfed = sum(not any(track.received for track in one.tracks) for one in mine)
        if unfed >= self._settings.unfed_sessions:
            raise TooMany(
                "Sessions that were begun wait for their audio.",
                retry_after_s=_UNFED_RETRY_S,
                mend="Send it, or end them with POST /api/sessions/{id}/end.",
            )

    def _spoken_on(self) -> int:
        live = (one for one in self._live.values() if one.progress == "live" and one.idle_s() < _SPOKEN_ON_S)
        return sum(len(session.tracks) for session in live)
