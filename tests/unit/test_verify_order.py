"""A negation put into, or taken out of, words in the same order."""

import pytest

from drafting.verify_order import turned_round

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Client reported that they are not done with this.", "All right, I'm done with this. I'm over it."),
        ("They mentioned that they would not like it to be.", "I'd like it to be, yeah."),
        ("Client shared that they do know if they can quit.", "I don't know if I can quit."),
    ],
)
def test_a_negation_more_or_less_is_seen(sentence: str, evidence: str) -> None:
    assert turned_round(sentence, evidence)


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Client is not ready to reduce to seven drinks.", "I don't think that I'm ready to reduce to seven drinks."),
        ("They do not know if they can quit.", "I don't know if I can quit."),
        ("They went for a walk.", "I went for a walk."),
    ],
)
def test_the_same_sense_is_left_alone(sentence: str, evidence: str) -> None:
    assert not turned_round(sentence, evidence)
