"""The verifier: what evidence bears out passes, what it does not is told apart, above plain word cover."""

import pytest
from shared_data import shared_data

from benchmarks.draft_figures import transcripts
from benchmarks.verifier_figures import verifier_figures
from drafting.verify import verdict
from drafting.words import content_stems, numbers, stem
from streaming.types import Role

pytestmark = pytest.mark.unit

EVIDENCE: list[tuple[Role, str]] = [
    ("clinician", "How is your sleep, and are you still taking the Zoloft?"),
    ("client", "I still wake up four nights a week. I don't take it on weekends, uh, 'cause I'm gonna drink."),
]


@pytest.mark.parametrize(
    "sentence",
    [
        "Client reported that they still wake up four nights a week.",
        "Client reported that they do not take it on weekends.",
        'Client said, "I still wake up four nights a week."',
        'Clinician asked, "How is your sleep, and are you still taking the Zoloft?"',
        "The client wakes 4 nights a week.",
        "Client reported that they are going to drink.",
    ],
)
def test_what_was_said_is_supported(sentence: str) -> None:
    assert verdict(sentence, EVIDENCE).supported


@pytest.mark.parametrize(
    "sentence, fault",
    [
        ("Client reported that they wake up six nights a week.", "number"),
        ("Client reported that they take it on weekends.", "negation"),
        ("Clinician stated that they still wake up four nights a week.", "speaker"),
        ('Clinician said, "I still wake up four nights a week."', "speaker"),
        ("Client still takes the Lexapro on weekends.", "medicine"),
        ("Client made good eye contact and wakes up four nights a week.", "observation"),
        ("Client reported that they wake up four nights a week with Robert.", "name"),
        ("Client agreed to complete a sleep diary every week.", "plan"),
        ("In the past the client used to wake up four nights a week.", "tense"),
    ],
)
def test_what_was_not_said_has_its_fault(sentence: str, fault: str) -> None:
    assert fault in verdict(sentence, EVIDENCE).faults


@pytest.mark.parametrize(
    "sentence",
    [
        "Client reported that they take it on weekends.",
        "Client made good eye contact.",
        "Client reported daily panic at the supermarket.",
        "Client still takes the Lexapro on weekends.",
    ],
)
def test_what_was_not_said_is_not_supported(sentence: str) -> None:
    assert not verdict(sentence, EVIDENCE).supported


def test_what_only_eyes_can_find_comes_from_the_clinician_alone() -> None:
    assert verdict("Client made good eye contact.", (), observed=True).supported
    assert not verdict("Client made good eye contact.", EVIDENCE).supported


def test_the_figures_over_real_sessions() -> None:
    found = verifier_figures(transcripts(shared_data("therapy")))
    assert found["sentences"] >= 400
    assert found["auc"] >= 0.85
    assert found["auc"] > found["auc_word_cover"]


@pytest.mark.parametrize(
    "one, other", [("worrying", "worried"), ("medications", "meds"), ("slept", "sleeping"), ("cries", "cry")]
)
def test_inflections_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_numbers_in_words_and_figures_are_the_same() -> None:
    assert numbers("twenty-five and 4 or five, twice") == {25.0, 4.0, 5.0, 2.0}
    assert content_stems("Four nights") == content_stems("4 night")
