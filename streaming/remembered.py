"""What models have made of a track's audio, kept beside it: a server that is started anew does not ask them again.

The cores are fed all audio again and come to the same result; only the models' answers, which cost nearly all of the
time, are looked up. Models are deterministic, so a stretch whose answer was not written yet is asked for again. An
answer goes to the log with the next audio, costs a few hundred bytes a second beside 32,000, and is deleted with it.
"""

import json
import zlib
from collections import deque
from collections.abc import Sequence

import numpy as np

from streaming.events import Heard
from streaming.ports import Segmentation, SpeakerModel
from streaming.types import Float32, Tick, Word

_WORDS, _SPEAKERS, _VOICE, _ACTIVITY = "words", "speakers", "voice", "activity"


class Remembered:
    """One track's answers. Models' threads may keep and look up while the event loop takes."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], bytes] = {}
        self._new: deque[Heard] = deque()

    def recall(self, heard: Sequence[Heard]) -> None:
        """Take up what the log holds."""
        for one in heard:
            self._known[one.kind, one.start, one.end] = one.data

    def take(self) -> tuple[Heard, ...]:
        """What is new since the last time, for the log."""
        return tuple(self._new.popleft() for _ in range(len(self._new)))

    def words(self, start: Tick, end: Tick) -> tuple[Word, ...] | None:
        """What the recognizer heard in a window; None where that is not known. Each answer is given out once."""
        data = self._find(_WORDS, start, end)
        return None if data is None else tuple(Word(*fields) for fields in json.loads(data))

    def keep_words(self, start: Tick, end: Tick, words: Sequence[Word]) -> None:
        """Remember a window that was recognized for good."""
        rows = [[word.start, word.end, word.text, word.confidence] for word in words]
        self._keep(_WORDS, start, end, json.dumps(rows).encode())

    def activity(self, block: int, length: int) -> tuple[Float32, Float32] | None:
        """A block's voice probabilities, and what the model knew after it."""
        data = self._find(_ACTIVITY, block, length)
        numbers = np.frombuffer(data or b"", "<f4").astype(np.float32)
        return None if data is None else (numbers[:length], numbers[length:])

    def keep_activity(self, block: int, probabilities: Sequence[float], after: Float32) -> None:
        """Remember a block of chunks that was listened to."""
        numbers = np.concatenate([np.array(probabilities, np.float32), after])
        self._keep(_ACTIVITY, block, len(probabilities), numbers.astype("<f4").tobytes())

    def speakers(self, begin: int, shape: tuple[int, int]) -> Float32 | None:
        """The activity of a segmentation window."""
        data = self._find(_SPEAKERS, begin, 0)
        return None if data is None else np.frombuffer(zlib.decompress(data), "<f4").reshape(shape).astype(np.float32)

    def keep_speakers(self, begin: int, activity: Float32) -> None:
        """Remember a segmentation window. It is mostly zeros and ones."""
        self._keep(_SPEAKERS, begin, 0, zlib.compress(activity.astype("<f4").tobytes(), 1))

    def voice(self, number: int) -> Float32 | None:
        """The embedding that was asked for as number `number`, from 0."""
        data = self._find(_VOICE, number, 0)
        return None if data is None else np.frombuffer(data, "<f4").astype(np.float32)

    def keep_voice(self, number: int, voice: Float32) -> None:
        """Remember an embedding."""
        self._keep(_VOICE, number, 0, voice.astype("<f4").tobytes())

    def _find(self, kind: str, start: int, end: int) -> bytes | None:
        return self._known.pop((kind, start, end), None)

    def _keep(self, kind: str, start: int, end: int, data: bytes) -> None:
        self._new.append(Heard(kind, start, end, data))


class RememberedSpeakers:
    """A speaker model of one track (`ports.SpeakerModel`) that is asked only for what is not remembered."""

    def __init__(self, model: SpeakerModel, remembered: Remembered) -> None:
        self.window_ticks = model.window_ticks
        self.window_frames = model.window_frames
        self.frame_ticks = model.frame_ticks
        self.lead_ticks = model.lead_ticks
        self.local_speakers = model.local_speakers
        self.dimension = model.dimension
        self.voices = model.voices
        self._model = model
        self._remembered = remembered
        self._asked = 0

    def follow(self) -> Segmentation:
        """The segmentation of the track's windows."""
        shape = (self.window_frames, self.local_speakers)
        return _RememberedSegmentation(self._model.follow(), self._remembered, shape)

    def embed(self, clips: Sequence[Float32]) -> Float32:
        """Embeddings of clips, which come in the same order each time the track is heard."""
        voices = np.zeros((len(clips), self.dimension), np.float32)
        for row, clip in enumerate(clips):
            found = self._remembered.voice(self._asked)
            if found is None:
                found = self._model.embed([clip])[0]
                self._remembered.keep_voice(self._asked, found)
            voices[row] = found
            self._asked += 1
        return voices


class _RememberedSegmentation:
    def __init__(self, windows: Segmentation, remembered: Remembered, shape: tuple[int, int]) -> None:
        self._windows = windows
        self._remembered = remembered
        self._shape = shape

    def segment(self, begin: int, window: Float32) -> Float32:
        known = self._remembered.speakers(begin, self._shape)
        if known is None:
            known = self._windows.segment(begin, window)
            self._remembered.keep_speakers(begin, known)
        return known
