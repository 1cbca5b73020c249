"""What models have made of audio is kept beside it, and a track that is heard again asks only for what is missing."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from streaming.events import AudioSpan, decode, encode
from streaming.remembered import Remembered, RememberedSpeakers
from streaming.types import Float32, Tick, TrackId, Word

pytestmark = pytest.mark.unit

WORDS = (Word(Tick(10), Tick(300), "Zwölf,", 0.1234567890123), Word(Tick(300), Tick(301), "Uhr", 1.0))


class Model:
    """Answers with what it was asked; counts how often."""

    window_ticks, window_frames, frame_ticks, lead_ticks, local_speakers, dimension = 40, 4, 10, 0, 3, 2
    voices = "numbers"

    def __init__(self) -> None:
        self.asked = 0

    def follow(self) -> "Model":
        return self

    def segment(self, begin: int, window: Float32) -> Float32:
        self.asked += 1
        return np.full((4, 3), begin + float(window[0]) / 3, np.float32)

    def embed(self, clips: Sequence[Float32]) -> Float32:
        self.asked += len(clips)
        return np.array([[clip[0] / 3, clip[-1]] for clip in clips], np.float32)


def handed_over(old: Remembered) -> Remembered:
    """What another process finds in the log, where it lies beside audio."""
    span = AudioSpan(TrackId("mic"), Tick(7), np.arange(-3, 3, dtype=np.int16), old.take())
    read = decode(*encode(span))
    assert isinstance(read, AudioSpan)
    assert (read.pcm == span.pcm).all()
    assert read.heard == span.heard
    new = Remembered()
    new.recall(read.heard)
    return new


def test_words_come_back_exactly_and_once() -> None:
    old = Remembered()
    old.keep_words(Tick(5), Tick(900), WORDS)
    old.keep_words(Tick(900), Tick(950), ())
    new = handed_over(old)
    assert new.words(Tick(5), Tick(899)) is None
    assert new.words(Tick(5), Tick(900)) == WORDS
    assert new.words(Tick(900), Tick(950)) == ()
    assert new.words(Tick(5), Tick(900)) is None


def test_only_what_is_missing_is_asked_of_the_speaker_model() -> None:
    first, again = Model(), Model()
    old = Remembered()
    asked = RememberedSpeakers(first, old)
    windows = asked.follow()
    window = np.array([0.7], np.float32)
    expected = [windows.segment(begin, window) for begin in (-30, 10, 50)]
    voices = [asked.embed([window * n, window]) for n in (1, 2)]
    assert first.asked == 7
    resumed = RememberedSpeakers(again, handed_over(old))
    windows = resumed.follow()
    assert all((windows.segment(begin, window) == e).all() for begin, e in zip((-30, 10, 50), expected, strict=True))
    assert all((resumed.embed([window * n, window]) == v).all() for n, v in zip((1, 2), voices, strict=True))
    assert again.asked == 0
    resumed.embed([window])
    windows.segment(90, window)
    assert again.asked == 2


def test_what_was_taken_is_not_taken_again() -> None:
    remembered = Remembered()
    remembered.keep_voice(0, np.ones(2, np.float32))
    assert [one.kind for one in remembered.take()] == ["voice"]
    assert remembered.take() == ()


def test_audio_without_answers_is_written_as_ever() -> None:
    text, blob = encode(AudioSpan(TrackId("mic"), Tick(0), np.ones(2, np.int16)))
    assert json.loads(text) == {"type": "AudioSpan", "track": "mic", "start": 0}
    assert blob == b"\1\0\1\0"


def test_an_answers_words_stand_in_no_text() -> None:
    remembered = Remembered()
    remembered.keep_words(Tick(0), Tick(9), WORDS)
    text, _ = encode(AudioSpan(TrackId("mic"), Tick(0), np.ones(2, np.int16), remembered.take()))
    assert "Uhr" not in text
