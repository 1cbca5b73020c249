"""Who speaks when on one track, as it is heard: segmentation windows, voices of clean stretches, online clustering.

Every decision falls at a multiple of the hop in stream time and depends on the audio alone, so the result is the
same for any chunking and any machine. Kept per session: one embedding per stretch of speech (about 1 kB every two
seconds of talk), three bits per frame and window, and a ring of the last window's audio.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diarization import recluster
from diarization.clustering import Evidence, Voices, VoiceSettings, assign, trust
from diarization.recluster import Heard, Stretch
from diarization.windows import AudioRing, Bools, FrameGrid, runs
from streaming.ports import SpeakerModel
from streaming.types import SAMPLE_RATE, Float32, Int16Mono, SpeakerId, Tick, TrackId, Turn, Turns

_MOST_SPEAKERS = 16


@dataclass(frozen=True, slots=True)
class DiarizerSettings:
    """Times in seconds. The defaults cost about 0.07 core-seconds per second of continuous talk."""

    hop_s: float = 0.7
    """Between two windows: a window costs 32 ms, whatever is new in it."""
    margin_s: float = 0.25
    """The newest frames of a window lack what follows them and are left to the next one."""
    stretch_s: float = 2.0
    """Longest stretch of speech embedded as one: a change of voice that the segmentation missed shows then."""
    closed_s: float = 0.2
    """A pause after which a stretch is over."""
    voiced_s: float = 0.4
    """Least clean speech that is embedded at all."""
    silence: int = 8
    """Samples no larger than this are silence with nobody in it (a muted microphone, a gap): no model is run."""
    voices: VoiceSettings = field(default_factory=VoiceSettings)


class OnlineDiarizer:
    """Turns of one track. Feed it audio contiguous from tick 0; not safe for calls from two threads at once."""

    def __init__(
        self,
        model: SpeakerModel,
        track: TrackId,
        speakers: int,
        *,
        enrolled: Mapping[SpeakerId, Float32] | None = None,
        settings: DiarizerSettings | None = None,
    ) -> None:
        if not 1 <= speakers <= _MOST_SPEAKERS:
            raise ValueError(f"between 1 and {_MOST_SPEAKERS} speakers, not {speakers}")
        self._model, self._track, self._settings = model, track, settings or DiarizerSettings()
        self._grid = FrameGrid(model.frame_ticks, model.lead_ticks)
        self._hop = self._grid.frames(self._settings.hop_s)
        self._margin = self._grid.frames(self._settings.margin_s)
        self._span = -(-model.window_ticks // model.frame_ticks)
        self._voices = Voices(speakers, model.dimension, self._settings.voices, enrolled or {})
        self._enrolled = len(enrolled or {})
        self._speakers = max(speakers, self._enrolled)
        self._ring = AudioRing(model.window_ticks + 2 * self._hop * model.frame_ticks)
        self._next = self._hop
        self._final = 0
        self._labels: NDArray[np.uint16] = np.zeros(4096, np.uint16)
        self._heard: list[Heard] = []
        self._stretches: list[Stretch] = []
        self._turns: list[Turn] = []
        self._over = False

    @property
    def through(self) -> Tick:
        """All before this tick is final."""
        return Tick(self._ring.end) if self._over else min(self._grid.tick(self._final), Tick(self._ring.end))

    def hear(self, pcm: Int16Mono) -> Turns | None:
        """Take the next audio, of any length; the turns that became final by it, or None where nothing did."""
        if self._over:
            raise ValueError("the track has been flushed")
        before, news, at = self.through, [], 0
        while at < len(pcm):
            due = self._next * self._grid.step - self._ring.end
            self._ring.push(pcm[at : at + due])
            at += due
            if self._ring.end == self._next * self._grid.step:
                news += self._decide(self._next, self._next - self._span + self._model.window_frames - self._margin)
                self._next += self._hop
        if self.through == before:
            return None
        self._turns += news
        return Turns(self._track, tuple(news), self.through)

    def flush(self) -> Turns:
        """The end of the track: all the rest, through the last tick. A second time there is nothing more."""
        news: list[Turn] = []
        if not self._over:
            last = -(-self._ring.end // self._grid.step)
            if last > self._final:
                news = self._decide(last + self._margin, last, ended=True)
            self._over = True
            self._turns += news
        return Turns(self._track, tuple(news), self.through)

    def settle(self) -> tuple[Turn, ...]:
        """Turns of all that was heard, clustered anew with everything known; ids stay those used live."""
        voices = recluster.Known(self._voices.ids, self._voices.centroids, self._enrolled)
        labels, ids = recluster.settle(
            self._heard, self._stretches, self._labels[: self._final], voices, self._speakers, self._settings.voices
        )
        return tuple(sorted(self._as_turns(labels, 0, ids), key=lambda turn: (turn.start, turn.end)))

    def enroll(self, clips: Sequence[Float32]) -> Float32:
        """The centroid of a voice from clips of it, as float32 at 16 kHz, for another diarizer's `enrolled`."""
        return enroll(self._model, clips)

    def _decide(self, end: int, edge: int, *, ended: bool = False) -> list[Turn]:
        """Run the window that ends at frame `end`; make final what can be before frame `edge`."""
        first, step = self._final, self._grid.step
        if edge <= first:
            return []
        audio = self._ring.read(first * step, end * step)
        if not len(audio) or float(np.abs(audio).max()) * 32768.0 <= self._settings.silence:
            return self._emit(np.zeros((edge - first, 0), np.bool_), [])
        begin = end - self._span
        window = self._ring.read(begin * step, begin * step + self._model.window_ticks)
        active = self._model.segment(window[None])[0] > 0.5
        active[: max(0, -begin)] = False
        self._heard.append(Heard(begin, active))
        fresh = active[first - begin : edge - begin]
        fresh = fresh[: len(fresh) if ended else self._frontier(active[first - begin :], len(fresh), first)]
        if not len(fresh):
            return []
        stretches = self._embedded(fresh, first)
        self._name(stretches, active, first - begin)
        return self._emit(fresh, stretches)

    def _frontier(self, fresh: Bools, count: int, first: int) -> int:
        """How many of the first `count` frames to make final.

        A stretch still going on waits for its end or for its longest length.
        """
        longest = self._grid.frames(self._settings.stretch_s)
        closed = self._grid.frames(self._settings.closed_s)
        frontier = count
        for local in range(fresh.shape[1]):
            spoken = runs(fresh[:, local], closed)
            if not spoken or spoken[-1][1] <= len(fresh) - closed or spoken[-1][0] >= count:
                continue
            start = spoken[-1][0]
            if count - start >= longest:
                start += self._quietest(first + start + longest // 2, first + start + longest) - first - start
            frontier = min(frontier, start)
        return frontier

    def _quietest(self, low: int, high: int) -> int:
        """The frame in [low, high) with the least energy about it: where a cut hurts least."""
        step = self._grid.step
        audio = self._ring.read(self._grid.tick(low), self._grid.tick(low) + (high - low) * step)
        energy = np.square(audio).reshape(high - low, step).mean(axis=1)
        smooth = np.convolve(energy, np.ones(5) / 5, mode="same")
        smooth[:2], smooth[-2:] = np.inf, np.inf
        return low + int(np.argmin(smooth))

    def _embedded(self, fresh: Bools, first: int) -> list[Stretch]:
        """The stretches of each local speaker, with the voice in the part of it where nobody else speaks."""
        alone = fresh.sum(axis=1) == 1
        least, bridge = self._settings.voiced_s, self._grid.frames(self._settings.closed_s)
        found: list[Stretch] = []
        for local in range(fresh.shape[1]):
            for start, end in runs(fresh[:, local], bridge):
                clean = runs(fresh[start:end, local] & alone[start:end])
                seconds = sum(b - a for a, b in clean) * self._grid.step / SAMPLE_RATE
                voice = np.zeros(self._model.dimension, np.float32)
                if seconds >= least:
                    voice = self._model.embed([self._clip(first + start, clean)])[0]
                else:
                    seconds = 0.0
                found.append(Stretch(first + start, first + end, len(self._heard) - 1, local, seconds, voice))
        return sorted(found, key=lambda stretch: (stretch.start, stretch.local))

    def _clip(self, start: int, clean: list[tuple[int, int]]) -> Float32:
        parts = [
            self._ring.read(self._grid.tick(start + a), self._grid.tick(start + a) + (b - a) * self._grid.step)
            for a, b in clean
        ]
        return np.concatenate(parts)

    def _name(self, stretches: list[Stretch], active: Bools, past: int) -> None:
        """Give every new stretch its voice. `past` frames of the window were labelled before."""
        history = self._history(past)
        for stretch in stretches:
            settings = self._settings.voices
            rows = []
            for local in [stretch.local, *(other for other in range(active.shape[1]) if other != stretch.local)]:
                links = _links(active[:past, local], history[:, : len(self._voices)])
                own = local == stretch.local
                if own or links.any():
                    voice = stretch.voice if own else np.zeros_like(stretch.voice)
                    rows.append(Evidence(voice, stretch.seconds if own else 0.0, links))
            pick = assign(rows, self._voices, settings)[0]
            if pick >= len(self._voices):
                pick = self._voices.found(stretch.voice, max(stretch.seconds, 0.1))
            elif trust(stretch.seconds, settings) > 0:
                self._voices.learn(pick, stretch.voice, stretch.seconds)
            stretch.speaker = pick
            self._stretches.append(stretch)

    def _history(self, past: int) -> Bools:
        """Who was said to speak in the frames of the window before the new ones, (past, most speakers)."""
        bits = np.zeros(past, np.uint16)
        known = min(past, self._final)
        bits[past - known :] = self._labels[self._final - known : self._final]
        return (bits[:, None] >> np.arange(_MOST_SPEAKERS, dtype=np.uint16)) & 1 > 0

    def _emit(self, fresh: Bools, stretches: list[Stretch]) -> list[Turn]:
        first, end = self._final, self._final + len(fresh)
        while end > len(self._labels):
            self._labels = np.concatenate([self._labels, np.zeros_like(self._labels)])
        for stretch in stretches:
            spoken = fresh[stretch.start - first : stretch.end - first, stretch.local]
            self._labels[stretch.start : stretch.end] |= spoken.astype(np.uint16) << np.uint16(stretch.speaker)
        self._final = end
        return self._as_turns(self._labels[first:end], first, self._voices.ids)

    def _as_turns(self, labels: NDArray[np.uint16], first: int, ids: Sequence[SpeakerId]) -> list[Turn]:
        turns = [
            Turn(self._clamped(first + start), self._clamped(first + end), speaker)
            for index, speaker in enumerate(ids)
            for start, end in runs(labels >> np.uint16(index) & 1 > 0)
        ]
        return sorted((turn for turn in turns if turn.start < turn.end), key=lambda turn: (turn.start, turn.speaker))

    def _clamped(self, frame: int) -> Tick:
        return min(self._grid.tick(frame), Tick(self._ring.end))


def enroll(model: SpeakerModel, clips: Sequence[Float32]) -> Float32:
    """One voice's centroid, unit length, from clips of it: each counts by its length. Raises ValueError for none."""
    if not clips:
        raise ValueError("no clip to enroll from")
    lengths = np.array([[len(clip)] for clip in clips], np.float32)
    total = (model.embed(clips) * lengths).sum(axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)


def _links(spoke: Bools, history: Bools) -> Float32:
    """The share of a local speaker's labelled talk in this window that went to each known voice."""
    known = history.any(axis=1) & spoke
    if known.sum() < 6:
        return np.zeros(history.shape[1], np.float32)
    return np.asarray(history[known].mean(axis=0), np.float32)
