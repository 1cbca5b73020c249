"""One track from marks to words, with a scripted recognizer that hears what a script says at each tick."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.segmenting import CHUNK_TICKS, Segmenter
from streaming.transcription import Request, Transcription, TranscriptionSettings
from streaming.types import SAMPLE_RATE, Tick, TrackId, Word, Words

pytestmark = pytest.mark.unit

SETTINGS = TranscriptionSettings()


@dataclass
class Talk:
    """Words at known times, and a recognizer that hears those that lie in a window.

    A word that the window's end cuts off is heard wrong, as real recognizers do.
    """

    words: list[Word]
    end: Tick
    asked: list[Request] = field(default_factory=list)

    def voice(self, chunk: int) -> float:
        middle = chunk * CHUNK_TICKS + CHUNK_TICKS // 2
        return 0.9 if any(word.start <= middle < word.end + 800 for word in self.words) else 0.0

    def recognize(self, request: Request) -> list[Word]:
        self.asked.append(request)
        heard = [word for word in self.words if word.start >= request.start - 400 and word.start < request.end]
        return [word if word.end <= request.end else Word(word.start, request.end, "uh", 0.3) for word in heard]


def talk(*runs: tuple[float, int], word_s: float = 0.35) -> Talk:
    """Runs of (start in seconds, number of words), words back to back."""
    words = []
    for run, (start_s, count) in enumerate(runs):
        for index in range(count):
            at = start_s + index * word_s
            words.append(
                Word(Tick(int(at * SAMPLE_RATE)), Tick(int((at + word_s) * SAMPLE_RATE)), f"w{run}-{index}", 0.9)
            )
    return Talk(words, Tick(words[-1].end + 2 * SAMPLE_RATE))


def run(scene: Talk, partials: list[bool] | None = None, batch: int = 1) -> list[Words]:
    """Hear the scene; `partials` says which tentative requests a busy machine still answers."""
    choices = iter(partials or [])
    segmenter, heard = Segmenter(), []
    transcription = Transcription(TrackId("mic"), lambda start, end: Tick((start + end) // 2))

    def work_off() -> None:
        while (step := transcription.next_request()) is not None:
            if isinstance(step, Words):
                heard.append(step)
            elif not step.final and not next(choices, True):
                heard.append(transcription.drop())
            else:
                heard.append(transcription.answer(scene.recognize(step)))

    for chunk in range(scene.end // CHUNK_TICKS):
        transcription.mark(segmenter.hear(scene.voice(chunk)))
        if chunk % batch == batch - 1:
            work_off()
    transcription.mark(segmenter.flush(scene.end))
    transcription.close()
    work_off()
    assert transcription.over
    return heard


def committed(heard: list[Words]) -> list[Word]:
    return [word for message in heard for word in message.committed]


def test_every_word_is_committed_once() -> None:
    scene = talk((1.0, 5), (4.5, 12), (11.0, 2))
    assert [word.text for word in committed(run(scene))] == [word.text for word in scene.words]


def test_a_monologue_without_pauses_is_committed_whole_and_its_delay_stays_bounded() -> None:
    scene = talk((0.5, 860))  # five minutes
    heard = run(scene)
    assert [word.text for word in committed(heard)] == [word.text for word in scene.words]
    assert max(request.end - request.start for request in scene.asked) <= SETTINGS.longest_ticks + SAMPLE_RATE
    late = [request.end - request.start for request in scene.asked if request.end > scene.end * 0.9]
    early = [request.end - request.start for request in scene.asked if request.end < scene.end * 0.1]
    assert max(late) <= max(early) + SAMPLE_RATE // 2


def test_a_monologue_is_broken_into_utterances() -> None:
    heard = run(talk((0.5, 250)))
    breaks = [tick for message in heard for tick in message.breaks]
    assert len(breaks) >= 3
    spans = [later - before for before, later in zip([Tick(0), *breaks], breaks, strict=False)]
    assert max(spans) <= SETTINGS.break_at_latest_ticks + SETTINGS.longest_ticks


def test_partial_words_come_at_least_every_second() -> None:
    scene = talk((1.0, 20))
    run(scene)
    ends = sorted(request.end for request in scene.asked if request.end <= scene.words[-1].end)
    assert ends[0] - scene.words[0].start <= 1.5 * SAMPLE_RATE
    assert all(later - before <= SAMPLE_RATE + CHUNK_TICKS for before, later in pairwise(ends))


def test_nothing_is_recognized_in_silence() -> None:
    scene = talk((1.0, 3))
    scene.end = Tick(60 * SAMPLE_RATE)
    run(scene)
    assert all(request.start < 4 * SAMPLE_RATE for request in scene.asked)


def test_a_silence_is_recognized_once_at_its_breath() -> None:
    scene = talk((0.5, 9))
    heard = run(scene)
    (last,) = [request for request in scene.asked if request.final]
    ended = next(message for message in heard if message.breaks)
    assert last.end < ended.through, "the end was known before it came, and cost no window"


def test_a_sentence_is_final_at_the_breath_after_it() -> None:
    scene = talk((0.5, 4), (2.2, 4))
    scene.words[3] = replace(scene.words[3], text="over.")
    first = next(message for message in run(scene) if message.committed)
    assert [word.text for word in first.committed] == [word.text for word in scene.words[:4]]
    assert first.through < scene.words[4].start


def test_a_breath_inside_a_sentence_cuts_nothing() -> None:
    scene = talk((0.5, 4), (2.2, 4))
    first = next(message for message in run(scene) if message.committed)
    assert len(first.committed) == 8


def test_a_window_that_fails_is_named_and_the_rest_goes_on() -> None:
    scene = talk((0.5, 9), (8.0, 9))
    segmenter, heard, failed = Segmenter(), [], []
    transcription = Transcription(TrackId("mic"), lambda start, end: Tick((start + end) // 2))
    for chunk in range(scene.end // CHUNK_TICKS):
        transcription.mark(segmenter.hear(scene.voice(chunk)))
        while (step := transcription.next_request()) is not None:
            if isinstance(step, Words):
                heard.append(step)
            elif step.final and step.start < 4 * SAMPLE_RATE:
                request, words = transcription.fail()
                failed.append(request)
                heard.append(words)
            else:
                heard.append(transcription.answer(scene.recognize(step)))
    assert len(failed) == 1
    assert failed[0].end > scene.words[8].start
    assert [word.text for word in committed(heard)] == [word.text for word in scene.words[9:]]


@given(
    st.lists(st.tuples(st.floats(0.1, 3.0), st.integers(1, 40)), min_size=1, max_size=5),
    st.lists(st.booleans(), max_size=60),
    st.integers(1, 200),
)
def test_what_is_final_does_not_depend_on_pace(
    shape: list[tuple[float, int]], partials: list[bool], batch: int
) -> None:
    """Leaving out tentative windows, or working marks off late and many at once, changes no final word."""
    runs, at = [], 0.0
    for pause_s, count in shape:
        runs.append((at + pause_s, count))
        at += pause_s + count * 0.35
    one, other = talk(*runs), talk(*runs)
    at_ease, pressed = run(one), run(other, partials, batch)
    assert [ask for ask in one.asked if ask.final] == [ask for ask in other.asked if ask.final]
    assert committed(at_ease) == committed(pressed)
    assert [message.breaks for message in at_ease if message.breaks] == [
        message.breaks for message in pressed if message.breaks
    ]


@given(st.lists(st.sampled_from([0.0, 0.1, 0.19, 0.25, 0.3, 0.45]), min_size=40, max_size=120))
def test_windows_stay_bounded_however_haltingly_somebody_talks(pauses: list[float]) -> None:
    words, at = [], 0.5
    for index, pause_s in enumerate(pauses):
        at += pause_s
        words.append(Word(Tick(int(at * SAMPLE_RATE)), Tick(int((at + 0.64) * SAMPLE_RATE)), f"w{index}", 0.9))
        at += 0.64
    scene = Talk(words, Tick(words[-1].end + 2 * SAMPLE_RATE))
    heard = run(scene)
    assert max(request.end - request.start for request in scene.asked) <= SETTINGS.longest_ticks + SAMPLE_RATE
    assert [word.text for word in committed(heard)] == [word.text for word in words]


@given(st.lists(st.tuples(st.floats(0.1, 3.0), st.integers(1, 40)), min_size=1, max_size=5))
def test_the_watermark_only_rises_and_keeps_its_promise(shape: list[tuple[float, int]]) -> None:
    runs, at = [], 0.0
    for pause_s, count in shape:
        runs.append((at + pause_s, count))
        at += pause_s + count * 0.35
    through = 0
    for message in run(talk(*runs)):
        assert all(word.start >= through - 400 for word in message.committed), "a word came behind the watermark"
        assert message.through >= through
        assert all(tick <= message.through for tick in (*message.breaks, *message.pauses))
        through = message.through
