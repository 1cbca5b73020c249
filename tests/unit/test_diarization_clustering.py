"""Clustering of stretches on made-up embeddings: the cap, odd clips, links, names that stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diarization.clustering import Links, VoiceSettings, group, place
from diarization.voices import Voices, best_matching
from streaming.types import Float32, SpeakerId

pytestmark = pytest.mark.unit
SETTINGS = VoiceSettings()
DIMENSION = 256


def spoken(order: list[int], spread: float = 0.7, seed: int = 1) -> Float32:
    """One unit-length embedding per entry, about that speaker's own direction; 0.7 gives cosines around 0.6."""
    random = np.random.default_rng(seed)
    people = np.linalg.qr(random.normal(size=(DIMENSION, 8)))[0].T
    noise = random.normal(size=(len(order), DIMENSION))
    voices = people[order] + spread * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(voices / np.linalg.norm(voices, axis=1, keepdims=True), np.float32)


def links(*pairs: tuple[int, int, float]) -> Links:
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    return Links(np.array(columns[0], np.intp), np.array(columns[1], np.intp), np.array(columns[2], np.float32))


def same_partition(labels: np.ndarray[tuple[int], np.dtype[np.intp]], order: list[int]) -> bool:
    pairs = set(zip(labels.tolist(), order, strict=True))
    return len(pairs) == len(set(labels.tolist())) == len(set(order))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=40), st.integers(0, 999))
def test_clear_voices_are_found_in_any_order(order: list[int], seed: int) -> None:
    labels = group(spoken(order, 0.3, seed), np.full(len(order), 2.0, np.float32), links(), 4, 0, SETTINGS)
    assert same_partition(labels, order)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=40), st.integers(1, 4), st.floats(0.1, 5.0))
def test_the_cap_holds(order: list[int], cap: int, spread: float) -> None:
    seconds = np.linspace(1.0, 2.0, len(order), dtype=np.float32)
    labels = group(spoken(order, spread), seconds, links(), cap, 0, SETTINGS)
    assert labels.min() == 0
    assert labels.max() < cap


def test_beyond_the_cap_the_odd_noise_goes_and_not_a_speaker() -> None:
    order = [0] * 20 + [1] * 3 + [2]
    seconds = np.array([2.0] * 23 + [1.2], np.float32)
    labels = group(spoken(order), seconds, links(), 2, 0, SETTINGS)
    assert len(set(labels[:20].tolist())) == 1
    assert labels[20] == labels[21] == labels[22] != labels[0]


def test_one_odd_second_is_no_new_voice() -> None:
    order = [0] * 6
    voices = spoken(order)
    voices[5] = 0.3 * voices[0] + 0.95 * spoken([6])[0]
    voices[5] /= np.linalg.norm(voices[5])
    seconds = np.array([2.0] * 5 + [1.0], np.float32)
    assert len(set(group(voices, seconds, links(), 4, 0, SETTINGS).tolist())) == 1


def test_windows_keep_close_voices_apart() -> None:
    base = spoken([0] * 8, 0.9, 3)
    alone = group(base, np.full(8, 2.0, np.float32), links(), 2, 0, SETTINGS)
    heard = [(i, j, 1.0 if i % 2 == j % 2 else -1.0) for i in range(8) for j in range(i)]
    told = group(base, np.full(8, 2.0, np.float32), links(*heard), 2, 0, VoiceSettings(link=0.5))
    assert len(set(alone.tolist())) == 1
    assert same_partition(told, [0, 1] * 4)


def test_enrolled_voices_are_never_merged() -> None:
    voices = spoken([0, 0, 0, 0], 0.1)
    labels = group(voices, np.full(4, 2.0, np.float32), links(), 2, 2, SETTINGS)
    assert labels[0] != labels[1]


def test_a_short_stretch_follows_its_window_where_its_voice_says_little() -> None:
    voices = spoken([0, 1, 0, 1])
    voices[3] = spoken([5])[0]
    seconds = np.array([2.0, 2.0, 2.0, 0.4], np.float32)
    centres = voices[:2]
    assert place(voices, seconds, links((3, 1, 1.0), (3, 0, -1.0)), centres, SETTINGS)[3] == 1
    assert place(voices, seconds, links((3, 1, -1.0), (3, 0, 1.0)), centres, SETTINGS)[3] == 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=120), st.integers(0, 99))
def test_names_stay_and_follow_the_order_of_appearance(order: list[int], seed: int) -> None:
    book = Voices(3, DIMENSION, SETTINGS, {})
    named = [book.name([book.add(voice, 2.0)])[0] for voice in spoken(order, 0.3, seed)]
    first = {person: named[order.index(person)] for person in order}
    assert [named[i] for i in range(len(order))] == [first[person] for person in order]
    assert [book.ids[first[person]] for person in dict.fromkeys(order)] == [f"S{n + 1}" for n in range(len(first))]
    assert book.settle().tolist() == named


def test_a_late_voice_is_found_after_hundreds_of_stretches() -> None:
    order = [0] * 300 + [1] * 10
    book = Voices(2, DIMENSION, SETTINGS, {})
    named = [book.name([book.add(voice, 2.0)])[0] for voice in spoken(order)]
    assert named[:300] == [0] * 300
    assert named[302:] == [1] * 8


def test_the_name_of_an_enrolled_voice_is_kept_and_others_count_from_one() -> None:
    voices = spoken([0, 1, 0, 1, 1, 2])
    book = Voices(3, DIMENSION, SETTINGS, {SpeakerId("clinician"): spoken([1], 0.1)[0]})
    named = [book.ids[book.name([book.add(voice, 2.0)])[0]] for voice in voices]
    assert named == ["S1", "clinician", "S1", "clinician", "clinician", "S2"]


def test_silence_of_a_whole_session_settles_to_nothing() -> None:
    assert Voices(2, DIMENSION, SETTINGS, {}).settle().tolist() == []


@pytest.mark.parametrize("columns", [2, 5, 9])
def test_matching_is_one_to_one_and_keeps_the_most(columns: int) -> None:
    overlap = np.eye(columns)[::-1] * 5 + 0.1
    assert best_matching(overlap) == list(range(columns))[::-1]
