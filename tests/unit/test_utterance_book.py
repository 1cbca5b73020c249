"""Utterances kept as bytes: what is taken out is what was put in."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.correcting import corrected
from streaming.events import UtteranceClosed, decode, encode
from streaming.types import SpeakerId, Tick, TrackId, Utterance, UtteranceId, Word
from streaming.utterance_book import UtteranceBook

pytestmark = pytest.mark.unit

TICKS = st.one_of(st.integers(0, 1 << 24), st.integers(-(1 << 40), 1 << 40)).map(Tick)
SURE = st.one_of(st.floats(0, 1), st.floats(0, 1, width=32))
PLAIN = st.text(st.characters(exclude_characters=" "), min_size=1)
WORDS = st.lists(st.builds(Word, TICKS, TICKS, st.one_of(PLAIN, st.text()), SURE), max_size=6)


@st.composite
def utterances(draw: st.DrawFn) -> Utterance:
    words = draw(WORDS)
    text = draw(st.one_of(st.just(" ".join(one.text for one in words)), st.text()))
    track = draw(st.sampled_from(["mic", "call"]))
    return Utterance(
        id=UtteranceId(f"{track}.{draw(st.integers(1, 4))}"),
        track=TrackId(track),
        start=draw(TICKS),
        end=draw(TICKS),
        speaker=SpeakerId(draw(st.sampled_from(["S1", "S2", "clinician"]))),
        text=text,
        confidence=draw(SURE),
        words=tuple(words),
    )


@given(st.lists(utterances(), max_size=6))
def test_what_is_kept_is_what_was_heard_to_the_last_bit(said: list[Utterance]) -> None:
    book, plain = UtteranceBook(), dict[UtteranceId, Utterance]()
    for one in said:
        book.hear(one)
        plain[one.id] = one
    assert list(book.items()) == list(plain.items())
    for name, one in plain.items():
        assert encode(UtteranceClosed(book[name])) == encode(UtteranceClosed(one))
        assert hash(book[name]) == hash(one)
        assert (len(book[name].words), book[name].words[:2]) == (len(one.words), one.words[:2])
        assert book.heard(name) == one


def _said(text: str) -> Utterance:
    words = tuple(Word(Tick(at), Tick(at + 900), word, 0.25) for at, word in enumerate(text.split()))
    return Utterance(UtteranceId("mic.1"), TrackId("mic"), Tick(0), Tick(999), SpeakerId("S1"), text, 0.5, words)


def test_what_was_heard_outlasts_what_was_put_right() -> None:
    book, first = UtteranceBook(), _said("I sleep badly")
    book.hear(first)
    book[first.id] = corrected(book[first.id], "I sleep quite badly")
    book[first.id] = replace(book[first.id], speaker=SpeakerId("S2"))
    assert (book[first.id].text, book[first.id].speaker) == ("I sleep quite badly", "S2")
    assert book.heard(first.id) == first
    book.hear(_said("I sleep well"))
    assert book.heard(first.id) == book[first.id] == _said("I sleep well")
    book[first.id] = _said("no")
    del book[first.id]
    assert (dict(book), book.heard(first.id), first.id in book) == ({}, None, False)


def test_an_event_of_kept_words_is_the_event_of_the_words() -> None:
    book = UtteranceBook()
    book.hear(_said("I sleep badly"))
    text, _ = encode(UtteranceClosed(book[UtteranceId("mic.1")]))
    assert [word["text"] for word in json.loads(text)["utterance"]["words"]] == ["I", "sleep", "badly"]
    assert decode(text) == UtteranceClosed(_said("I sleep badly"))
