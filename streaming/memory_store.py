"""A log in memory, for runs whose result is their output: `sameday transcribe`, demonstrations and tests."""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from streaming.errors import Overtaken, SessionPurged, StoreFailed
from streaming.events import AudioSpan, Event, NoteDrafted, SessionEnded, Stored


class _Log:
    """One session: what was said in order, and apart from it the audio that is still kept."""

    def __init__(self) -> None:
        self.head = 0
        self.events: list[Stored] = []
        self.audio: deque[Stored] = deque()
        self.audio_ticks = 0
        self.purged = False

    def holds(self, kind: type[Event]) -> bool:
        return any(isinstance(stored.event, kind) for stored in self.events)


class MemoryStore:
    """Implements `ports.Store` without durability: acknowledged means held in memory.

    `audio_ticks` bounds the audio kept per session: the oldest spans go first, keep their sequence numbers and are
    missing from a replay; 0 keeps none, None keeps all. An hour of kept audio takes 115 MB.
    """

    def __init__(self, *, audio_ticks: int | None = 0) -> None:
        self._bound = audio_ticks
        self._logs: dict[str, _Log] = {}
        self._closed = False

    async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
        return self._append(session, events, on)

    def _append(self, session: str, events: Sequence[Event], on: int | None = None) -> int:
        if self._closed:
            raise StoreFailed("The store is closed.")
        log = self._logs.get(session)
        _check_last(log or _Log(), on)
        if log is None:
            if not events:
                return 0
            log = self._logs[session] = _Log()
        for event in events:
            log.head += 1
            if isinstance(event, AudioSpan):
                self._keep(log, event)
            else:
                log.events.append(Stored(log.head, event))
        return log.head

    async def rewrite(
        self,
        session: str,
        changes: Mapping[int, Event | None],
        then: Sequence[Event] = (),
        *,
        on: int | None = None,
    ) -> int:
        log = self._logs.get(session, _Log())
        _check_last(log, on)
        log.events = _changed(log.events, changes)
        log.audio = deque(_changed(log.audio, changes))
        return self._append(session, then)

    async def purge(self, session: str, receipt: Event, *, on: int | None = None) -> int:
        log = self._logs.get(session, _Log())
        _check_last(log, on)
        await self.drop_audio(session)
        log.head += 1
        log.events, log.purged = [Stored(log.head, receipt)], True
        return log.head

    async def rewrap(self) -> int:
        return 0

    async def replay(self, session: str, after: int = 0, *, audio: bool = False) -> AsyncIterator[Stored]:
        log = self._logs.get(session)
        if log is None:
            return
        found = log.events if not audio else sorted([*log.events, *log.audio], key=lambda stored: stored.sequence)
        for stored in list(found):
            if stored.sequence > after:
                yield stored

    async def drop_audio(self, session: str) -> None:
        log = self._logs.get(session)
        if log is not None:
            log.audio.clear()
            log.audio_ticks = 0

    async def sessions(self) -> list[str]:
        return list(self._logs)

    async def left_open(self) -> list[str]:
        return [
            name
            for name, log in self._logs.items()
            if not log.purged and not all(map(log.holds, (SessionEnded, NoteDrafted)))
        ]

    async def with_audio(self) -> list[str]:
        return [name for name, log in self._logs.items() if log.audio]

    async def close(self) -> None:
        self._closed = True

    def _keep(self, log: _Log, span: AudioSpan) -> None:
        if self._bound == 0:
            return
        # A span may be a view of a buffer that its maker goes on using.
        log.audio.append(Stored(log.head, AudioSpan(span.track, span.start, span.pcm.copy())))
        log.audio_ticks += len(span.pcm)
        while self._bound is not None and log.audio_ticks > self._bound:
            oldest = log.audio.popleft().event
            assert isinstance(oldest, AudioSpan)
            log.audio_ticks -= len(oldest.pcm)


def _check_last(log: _Log, on: int | None) -> None:
    """Raises SessionPurged, and Overtaken where the last event is another one than `on`."""
    if log.purged:
        raise SessionPurged("The session was deleted for good.", mend="Nothing more can be written to it.")
    if on is not None and on != (log.events[-1].sequence if log.events else 0):
        raise Overtaken()


def _changed(found: Iterable[Stored], changes: Mapping[int, Event | None]) -> list[Stored]:
    replaced = ((one.sequence, changes.get(one.sequence, one.event)) for one in found)
    return [Stored(sequence, event) for sequence, event in replaced if event is not None]
