"""Words that matter and were hardly understood mark the sentences that rest on them."""

import pytest

from drafting import note_json
from drafting.uncertain import low_words, uncertain, weighty
from drafting.verify import verify
from streaming.types import (
    Section,
    SpeakerId,
    Statement,
    Tick,
    TrackId,
    Transcript,
    Utterance,
    UtteranceId,
    Word,
)

pytestmark = pytest.mark.unit


def said(text: str, **low: float) -> Utterance:
    words = tuple(
        Word(Tick(10 * n), Tick(10 * n + 5), word, low.get(word.strip(".,").replace("'", ""), 0.9))
        for n, word in enumerate(text.split())
    )
    return Utterance(UtteranceId("mic-1"), TrackId("mic"), Tick(0), Tick(99), SpeakerId("S1"), text, 0.9, words)


@pytest.mark.parametrize(
    "word", ["not", "can't", "never", "fifteen", "40", "Lexapro", "kill", "milligrams", "overdose"]
)
def test_words_that_turn_a_note_round(word: str) -> None:
    assert weighty(word)


@pytest.mark.parametrize("word", ["the", "garden", "really", "work"])
def test_other_words(word: str) -> None:
    assert not weighty(word)


def test_only_words_of_little_confidence_count() -> None:
    assert low_words(said("I take fifteen milligrams", fifteen=0.3).words) == ("fifteen",)
    assert low_words(said("I take fifteen milligrams", take=0.2).words) == ()


def test_a_misheard_negation_counts_also_where_the_sentence_has_none() -> None:
    assert uncertain("Client reported feeling safe.", [said("I don't feel safe", dont=0.2)]) == ("don't",)


def test_a_number_that_the_sentence_does_not_tell_is_left_out() -> None:
    assert uncertain("Client feels safe.", [said("I slept nine hours and feel safe", nine=0.1)]) == ()


def test_the_verifier_marks_statements() -> None:
    one = said("I take forty milligrams of Lexapro", forty=0.2)
    transcript = Transcript((one,), {SpeakerId("S1"): "client"})
    told = Statement("Client reported that they take forty milligrams of Lexapro.", "transcript", (one.id,))
    found = verify((Section("S", (told,)),), transcript)[0].statements[0]
    assert found.supported
    assert found.uncertain == ("forty",)


def test_uncertain_words_come_with_the_notes_json_and_back_from_a_log() -> None:
    told = Statement("Client takes forty milligrams.", "transcript", (UtteranceId("mic-1"),), True, ("forty",))
    rows = note_json.write([told])
    assert rows[0]["uncertain"] == ["forty"]
    assert note_json.statements(rows) == (told,)
    older = {name: value for name, value in rows[0].items() if name != "uncertain"}
    assert note_json.statements([older])[0].uncertain == ()
