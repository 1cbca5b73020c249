"""LocalAgreement-2 and where to cut."""

import pytest

from streaming.agreement import agreed, best_cut, cut_tick, fold, mend_seam
from streaming.types import SAMPLE_RATE, Tick, Word

pytestmark = pytest.mark.unit


def spoken(
    text: str, start_s: float = 0.0, word_s: float = 0.3, pauses: dict[int, float] | None = None
) -> list[Word]:
    words, at = [], start_s
    for index, piece in enumerate(text.split()):
        at += (pauses or {}).get(index, 0.0)
        words.append(Word(Tick(int(at * SAMPLE_RATE)), Tick(int((at + word_s) * SAMPLE_RATE)), piece, 0.9))
        at += word_s
    return words


def test_folding_ignores_case_punctuation_and_accents() -> None:
    assert fold("Café,") == fold("cafe") == "cafe"
    assert fold("Don't") == "dont"


def test_agreement_is_the_common_head() -> None:
    assert agreed(spoken("I feel worse today"), spoken("i feel, worse to day")) == 3
    assert agreed(spoken("no"), spoken("yes")) == 0
    assert agreed([], spoken("yes")) == 0


def test_the_cut_prefers_a_pause_and_a_sentence_end() -> None:
    words = spoken("one two three four five six", pauses={3: 0.4})
    assert best_cut(words, Tick(0), Tick(10 * SAMPLE_RATE)) == 3
    words = spoken("one two. three four five six")
    assert best_cut(words, Tick(0), Tick(10 * SAMPLE_RATE)) == 2


def test_no_cut_outside_the_allowed_stretch() -> None:
    words = spoken("one two three")
    assert best_cut(words, Tick(5 * SAMPLE_RATE), Tick(6 * SAMPLE_RATE)) is None


def test_the_cut_is_searched_between_the_two_words() -> None:
    words = spoken("one two", pauses={1: 0.5})
    asked: list[tuple[int, int]] = []

    def quietest(start: Tick, end: Tick) -> Tick:
        asked.append((start, end))
        return Tick((start + end) // 2)

    cut = cut_tick(words, 1, quietest)
    assert words[0].end < cut < words[1].start
    assert asked[0][0] < words[0].end
    assert asked[0][1] > words[1].start


def test_the_rest_of_a_cut_word_is_dropped() -> None:
    committed = spoken("worse")[0]
    promised = spoken("and worse", start_s=0.3)
    heard = spoken("Worse and worse", start_s=0.3)
    assert [word.text for word in mend_seam(committed, promised, heard)] == ["and", "worse"]


def test_a_word_that_is_said_twice_stays() -> None:
    committed = spoken("very")[0]
    promised = spoken("very bad", start_s=0.3)
    assert [word.text for word in mend_seam(committed, promised, spoken("Very bad.", 0.3))] == ["very", "bad."]


def test_the_first_word_after_a_cut_keeps_the_case_it_had_in_the_sentence() -> None:
    committed = spoken("feel")[0]
    mended = mend_seam(committed, spoken("much better now", 0.3), spoken("Much better.", 0.3))
    assert [word.text for word in mended] == ["much", "better."]


def test_without_a_cut_nothing_is_mended() -> None:
    assert mend_seam(None, (), spoken("Yes. Yes.")) == tuple(spoken("Yes. Yes."))
