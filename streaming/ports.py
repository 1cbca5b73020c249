"""The seams: what an engine, a transport, a store or a writer promises to the rest."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from streaming.events import Event, Stored
from streaming.types import Float32, GapCause, Int16Mono, Section, Tick, TrackId, Transcript, Word


@dataclass(frozen=True, slots=True)
class Window:
    """Audio to recognize: `pcm` is int16 mono at 16 kHz and begins at tick `start`.

    `language` is an ISO 639-1 code; `hotwords` are names and terms to expect, the most telling first. An engine may
    ignore both. What a `final` window gives stays; of others the words are shown for a second and not worth a second
    try.
    """

    start: Tick
    pcm: Int16Mono
    language: str = "en"
    hotwords: tuple[str, ...] = ()
    final: bool = True


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The words heard in one window, in order, with times of the session; none where there was no speech."""

    words: tuple[Word, ...]


class Recognizer(Protocol):
    """Speech recognition of windows that may come from any sessions.

    Deterministic: the same window gives the same words whatever else is in the batch, but for a final window that an
    engine tries again by chance. Keeps no state between calls. Called from one thread at a time, never the event
    loop's; only where a call has hung, from another one beside it.
    """

    name: str
    max_window_ticks: int
    max_batch: int

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """One hypothesis per window, in order. Raises only if the whole batch failed."""
        ...


class Segmentation(Protocol):
    """Who speaks in the windows of one track, which overlap: what they share may be kept from one to the next."""

    def segment(self, begin: int, window: Float32) -> Float32:
        """Activity in [0, 1], (window_frames, local_speakers), of the audio (window_ticks,) from tick `begin` on.

        Windows come in order, at multiples of `frame_ticks`, and agree wherever they overlap.
        """
        ...


class SpeakerModel(Protocol):
    """Local speakers of a window, and the voice in a clip. Called from one thread at a time."""

    window_ticks: int
    window_frames: int
    frame_ticks: int
    lead_ticks: int
    """Frame i of a window stands for its ticks [i * frame_ticks + lead_ticks, (i + 1) * frame_ticks + lead_ticks)."""
    local_speakers: int
    dimension: int
    voices: str
    """Names the weights that voices are embedded with: those of other weights are not comparable."""

    def follow(self) -> "Segmentation":
        """The segmentation of one track's windows."""
        ...

    def embed(self, clips: Sequence[Float32]) -> Float32:
        """Unit-length voice embeddings, shape (len(clips), dimension), of clips at 16 kHz of any lengths."""
        ...


class TrackSink(Protocol):
    """Where a transport puts the audio of one track; one writer at a time."""

    track: TrackId
    awaited: bool
    """Whether audio is missing that its sender may still send: what is, by the session's end, is named a gap."""

    @property
    def received(self) -> Tick:
        """The next tick expected: all before it has been accepted or named as a gap."""
        ...

    async def write(self, start: Tick, pcm: Int16Mono) -> Tick:
        """Accept audio and return, once it is durable, the tick through which all is durable.

        What lies before `received` is a repeat and is dropped; a hole before `start` becomes a gap of cause
        `packet_loss`. What a refused write left is stored first, and with no samples that alone: until then the tick
        of what is durable lies before `received`. Raises SessionOver, StoreFailed.
        """
        ...

    async def lose(self, end: Tick, cause: GapCause) -> Tick:
        """Name all from `received` to `end` as a gap. Raises SessionOver, StoreFailed."""
        ...


class TrackLine(Protocol):
    """What orders the packets of a track whose sender knows its ticks; the track's only writer while it is open."""

    open: bool

    async def finish(self) -> None:
        """The session ends: what is missing is named, and what waited for it written."""
        ...

    async def leave(self) -> None:
        """Another sender writes from now on, once what is being written has been: what waits is dropped."""
        ...

    def drop(self) -> None:
        """Nobody here writes any more, from this moment on."""
        ...


class Store(Protocol):
    """The log. Sequence numbers count from 1 per session, without holes, in order of append.

    Who decides by what a log holds says with `on` what was read: the number of its last event that is no audio, 0
    where there is none. Where the log has another one by now, whoever wrote it, nothing is written and Overtaken is
    raised, in the step that would have written. A rewriting appends something, or it is not seen by this.
    """

    async def append(self, session: str, events: Sequence[Event], *, on: int | None = None) -> int:
        """Append all or none; returns the last one's sequence number once durable.

        Raises StoreFailed, Overtaken, and SessionPurged for a session that was purged.
        """
        ...

    async def rewrite(
        self,
        session: str,
        changes: Mapping[int, Event | None],
        then: Sequence[Event] = (),
        *,
        on: int | None = None,
    ) -> int:
        """Put other events in the place of some, by sequence number, or nothing, and append `then`; all or none.

        What was there is gone for good, and what is not there any more is not put back. `then` holds no audio.
        Returns the last sequence number of the session. Raises StoreFailed, Overtaken, SessionPurged.
        """
        ...

    async def purge(self, session: str, receipt: Event, *, on: int | None = None) -> int:
        """Delete all of a session for good, its data key first; only the receipt stays, and nothing can be appended.

        Returns the receipt's sequence number. Raises StoreFailed, Overtaken, SessionPurged.
        """
        ...

    async def rewrap(self) -> int:
        """Wrap every data key under the master key that counts now; returns how many. Raises KeyRefused."""
        ...

    def replay(self, session: str, after: int = 0, *, audio: bool = False) -> AsyncIterator[Stored]:
        """Events with a sequence number above `after`, in order; audio spans only if asked for."""
        ...

    async def drop_audio(self, session: str) -> None:
        """Delete the session's audio spans for good; their numbers are not used again. Raises StoreFailed."""
        ...

    async def sessions(self) -> list[str]:
        """Ids of the sessions in the log, oldest first."""
        ...

    async def left_open(self) -> list[str]:
        """Ids of sessions whose log has no end or no note, oldest first. Raises StoreFailed."""
        ...

    async def with_audio(self) -> list[str]:
        """Ids of sessions whose log holds audio, oldest first. Raises StoreFailed."""
        ...

    async def close(self) -> None:
        """Finish pending appends and release files and connections."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object that a practice keeps; `version` counts its puts from 1."""

    kind: str
    key: str
    version: int
    body: dict[str, Any]


class Records(Protocol):
    """What a practice keeps beside the sessions: charts, visits, recaps, phrases, self-checks. Small and versioned.

    Keys are random ids, since they stand in URLs; what a record says stands in its body alone.
    """

    async def put(self, kind: str, key: str, body: dict[str, Any], *, version: int | None = None) -> int:
        """Keep a record, new or changed; returns its version once durable.

        Where `version` is given, the stored one must be it (0: there must be none yet). Raises Conflict where it is
        not, StoreFailed, TypeError and ValueError for a body that is no JSON.
        """
        ...

    async def get(self, kind: str, key: str) -> Record:
        """A record. Raises UnknownRecord, StoreFailed."""
        ...

    async def all(self, kind: str) -> list[Record]:
        """All records of a kind, by key. Raises StoreFailed."""
        ...

    async def remove(self, kind: str, key: str, *, version: int | None = None) -> None:
        """Delete a record for good; one that is put under its key again counts from 1.

        Raises UnknownRecord; Conflict where `version` is given and is not the stored one; StoreFailed.
        """
        ...

    async def remove_all(self, kind: str, keys: Sequence[str]) -> int:
        """Delete those of a kind that are there, a few hundred at most, in one step; how many. Raises StoreFailed.

        The store's files let go of them too, as far as they can, also where single ones stay until they are written
        anew: for what is deleted by age.
        """
        ...


@dataclass(frozen=True, slots=True)
class SectionSoFar:
    """The sentences of a section that is still being written: for showing, never kept."""

    name: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SectionCorrected:
    """What was mended in a writer's section or left out of it, as counts by rule, or 1 for what befell all of it."""

    name: str
    faults: Mapping[str, int]


MissingCause = Literal["away", "timed_out", "overloaded", "refused", "unusable"]


@dataclass(frozen=True, slots=True)
class SectionMissing:
    """A section that the writer could not give: its server is away, too slow, overloaded or refuses the request, or
    what it wrote could not be used.
    """

    name: str
    cause: MissingCause


Written = Section | SectionSoFar | SectionCorrected | SectionMissing


class NoteWriter(Protocol):
    """Writes a note's sections from a transcript."""

    name: str

    def write(self, transcript: Transcript, format: str) -> AsyncIterator[Written]:
        """Sections in any order, each as soon as it is ready; one that does not come is the embedded writer's.

        Closing the iterator ends what is still being written. Raises EngineMissing, Overloaded.
        """
        ...


@runtime_checkable
class SessionWriter(NoteWriter, Protocol):
    """A note writer that follows one session and prepares while it goes on."""

    async def prepare(self, transcript: Transcript) -> None:
        """Take in what is final by now, so that the note comes sooner. What fails is counted, never raised."""
        ...

    def due(self, transcript: Transcript, now_s: float) -> bool:
        """Whether there is enough news to prepare; `now_s` is of a clock that never goes back. Quick."""
        ...


@runtime_checkable
class PreparingWriter(NoteWriter, Protocol):
    """A note writer that can prepare during sessions."""

    def follow(self, session: str) -> SessionWriter:
        """The writer of one session, which is named in logs alone."""
        ...
