"""Who speaks when on one track, as it is heard: segmentation windows, voices of clean stretches, online clustering.

Every decision falls at a multiple of the hop in stream time and depends on the audio alone, so the result is the
same for any chunking and any machine. Kept per session: one embedding per stretch of speech (about 1 kB every two
seconds of talk), where speech begins and ends in each window, and a ring of the last window's audio.
"""

from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diarization import frames
from diarization.clustering import VoiceSettings, trust
from diarization.heard import HeardWindows
from diarization.voice_rows import Aside
from diarization.voices import Voices
from diarization.windows import AudioRing, Bools, FrameGrid, context, runs
from streaming.ports import SpeakerModel
from streaming.types import SAMPLE_RATE, Float32, Int16Mono, SpeakerId, Tick, TrackId, Turn, Turns

_MOST_SPEAKERS = 16


@dataclass(frozen=True, slots=True)
class DiarizerSettings:
    """Times in seconds. The defaults cost about 0.07 core-seconds per second of continuous talk."""

    hop_s: float = 1.0
    """Between two windows: a window costs 28 ms, whatever is new in it. A turn is final this and the margin after its
    end at the latest. Windows closer by a sixth, or by half, gave no better error rate."""
    margin_s: float = 0.25
    """The newest frames of a window lack what follows them and are left to the next one."""
    stretch_s: float = 3.0
    """Longest stretch of speech embedded as one: a change of voice that the segmentation missed shows then. With
    2 s the voices of a telephone call were confused half as often again before the end."""
    closed_s: float = 0.2
    """A pause after which a stretch is over."""
    voiced_s: float = 0.4
    """Least clean speech that is embedded at all."""
    context_s: float = 3.0
    """With so much heard on both sides a window's verdict counts in full at the end of the session."""
    silence: int = 8
    """Samples no larger than this are silence with nobody in it (a muted microphone, a gap): no model is run."""
    voices: VoiceSettings = field(default_factory=VoiceSettings)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech of one local speaker over frames [start, end).

    `voice` is its embedding over `seconds` of clean speech, none where that is 0; `clean` are the frames in which
    nobody else spoke.
    """

    start: int
    end: int
    local: int
    seconds: float
    voice: Float32
    clean: NDArray[np.intp]


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
        aside: Aside | None = None,
    ) -> None:
        """Older voices go `aside`, and stay in memory where that is None."""
        if not 1 <= speakers <= _MOST_SPEAKERS:
            raise ValueError(f"between 1 and {_MOST_SPEAKERS} speakers, not {speakers}")
        self._model, self._track, self._settings = model, track, settings or DiarizerSettings()
        self._windows = model.follow()
        self._grid = FrameGrid(model.frame_ticks, model.lead_ticks)
        self._hop = self._grid.frames(self._settings.hop_s)
        self._margin = self._grid.frames(self._settings.margin_s)
        self._enough = self._grid.frames(self._settings.context_s)
        self._span = -(-model.window_ticks // model.frame_ticks)
        self._voices = Voices(speakers, model.dimension, self._settings.voices, enrolled or {}, aside)
        self._ring = AudioRing(model.window_ticks + 2 * self._hop * model.frame_ticks)
        self._next = self._hop
        self._final = 0
        self._heard = HeardWindows(model.window_frames, model.local_speakers)
        self._spans = array("q")  # first frame and end of every stretch, one after the other
        self._recent: deque[Stretch] = deque()  # the newest stretches: those that a window can still hold
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
        return Turns(self._track, tuple(news), self.through)

    def flush(self) -> Turns:
        """The end of the track: all the rest, through the last tick. A second time there is nothing more."""
        news: list[Turn] = []
        if not self._over:
            last = -(-self._ring.end // self._grid.step)
            if last > self._final:
                news = self._decide(last + self._margin, last, ended=True)
            self._over = True
        return Turns(self._track, tuple(news), self.through)

    def settle(self) -> tuple[Turn, ...]:
        """Turns of all that was heard, clustered anew with everything known; ids stay those used live."""
        owners = self._voices.settle()
        spans = np.array(self._spans, np.int64).reshape(-1, 2)
        weights = trust(self._voices.seconds, self._settings.voices)
        labels = frames.settle(
            self._heard,
            spans,
            owners,
            np.maximum(weights, 0.05 * self._voices.purity),
            len(self._voices.ids),
            self._final,
            self._enough,
        )
        return tuple(self._as_turns(labels, 0, self._voices.ids))

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
            return self._emit(np.zeros((edge - first, 0), np.bool_), [], [])
        begin = end - self._span
        window = self._ring.read(begin * step, begin * step + self._model.window_ticks)
        active = self._windows.segment(begin * step, window) > 0.5
        active[: max(0, -begin)] = False
        fresh = active[first - begin : edge - begin]
        fresh = fresh[: len(fresh) if ended else self._frontier(active[first - begin :], len(fresh), first)]
        found = self._embedded(fresh, first) if len(fresh) else []
        known = len(self._spans) // 2
        new = range(known, known + len(found))
        for stretch in found:
            self._spans.extend((stretch.start, stretch.end))
            self._voices.add(stretch.voice, stretch.seconds)
        self._recent.extend(found)
        members, speakers = self._members(begin, active, new)
        self._heard.add(begin, active, members, speakers)
        if not len(fresh):
            return []
        return self._emit(fresh, found, self._voices.name(new))

    def _members(self, begin: int, active: Bools, new: range) -> tuple[list[int], list[int]]:
        """The stretches that lie in the window, which of its local speakers each one is; the voices hear of it."""
        belief = context(len(active), begin, self._enough)
        members, speakers, beliefs = [], [], []
        while self._recent and self._recent[0].start < begin:
            self._recent.popleft()  # stretches begin one after the other, and so do windows
        self._voices.close(len(self._spans) // 2 - len(self._recent))
        for back, stretch in enumerate(reversed(self._recent), 1):
            index = len(self._spans) // 2 - back
            if not len(stretch.clean):
                if index in new:
                    members.append(index)
                    speakers.append(stretch.local)
                    beliefs.append(0.1)
                continue
            shares = active[stretch.clean - begin].mean(axis=0)
            sure = float(belief[stretch.clean - begin].mean())
            self._voices.weigh(index, float(shares.max() / max(shares.sum(), 1.0)), sure)
            if shares.max() >= 0.5:
                members.append(index)
                speakers.append(int(shares.argmax()))
                beliefs.append(sure)
        self._voices.see(members, speakers, beliefs)
        return members, speakers

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
        bridge = self._grid.frames(self._settings.closed_s)
        found: list[Stretch] = []
        for local in range(fresh.shape[1]):
            for start, end in runs(fresh[:, local], bridge):
                spoken = np.flatnonzero(fresh[start:end, local]) + start
                clean = spoken[alone[spoken]]
                seconds = len(clean) * self._grid.step / SAMPLE_RATE
                voice = np.zeros(self._model.dimension, np.float32)
                if seconds >= self._settings.voiced_s:
                    voice = self._model.embed([self._clip(clean + first)])[0]
                else:
                    seconds = 0.0
                found.append(Stretch(first + start, first + end, local, seconds, voice, clean + first))
        return sorted(found, key=lambda stretch: (stretch.start, stretch.local))

    def _clip(self, marks: NDArray[np.intp]) -> Float32:
        """The audio of these frames, one after the other."""
        low, step = int(marks[0]), self._grid.step
        audio = self._ring.read(low * step + self._grid.lead, (int(marks[-1]) + 1) * step + self._grid.lead)
        return np.asarray(audio.reshape(-1, step)[marks - low].reshape(-1))

    def _emit(self, fresh: Bools, found: Sequence[Stretch], speakers: Sequence[int]) -> list[Turn]:
        first = self._final
        labels = np.zeros(len(fresh), np.uint16)
        for stretch, speaker in zip(found, speakers, strict=True):
            frames_of = slice(stretch.start - first, stretch.end - first)
            labels[frames_of] |= fresh[frames_of, stretch.local].astype(np.uint16) << np.uint16(speaker)
        self._final += len(fresh)
        return self._as_turns(labels, first, self._voices.ids)

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
