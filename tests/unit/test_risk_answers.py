"""Answers to questions about risk, in the many ways people say yes and no."""

import pytest

from drafting.risk_answers import classify

pytestmark = pytest.mark.unit

AFFIRMED = [
    "Yes",
    "Yeah",
    "Yep, I do",
    "Sometimes",
    "I do",
    "I have",
    "Every morning, to be honest",
    "I've thought about it",
    "No. Well, once or twice maybe",
    "Not really, but sometimes I think about dying",
    "A couple of times a week",
    "Mm-hmm",
    "It crosses my mind",
    "I'd be lying if I said no",
    "Once, when I was nineteen",
    "Two. The last one was in 2015",
    "A little, last week",
    "A few times, when he's drunk",
    "Maybe",
    "I guess so",
    "Kind of",
    "It comes and goes",
    "Lately, yes",
    "Honestly, yeah",
    "No, well, actually yes",
    "I mean, who doesn't",
    "More than I'd like",
    "Not every day",
    "Only at night",
    "I wish I could say no",
    "Um, yeah, a bit",
    "Probably more than I should",
    "It's been on my mind",
    "They're back",
    "All the time",
    "I did, last week",
    "I try not to, but yeah",
    "yeah sometimes i do",
    "I think about it when I can't sleep",
    "Not today",
    "Not this week, but last week I did",
    "Part of me does",
    "To be honest, I have",
    "It's hard to admit but yes",
    "Here and there",
    "Occasionally",
    "It has crossed my mind once or twice",
    "I won't lie, I have",
    "They come when I'm alone",
    "I feel that way a lot",
    "Pretty often",
    "From time to time, yes",
    "Quite a bit",
    "Well, I did take some pills once",
]

DENIED = [
    "No",
    "No, nothing like that",
    "Nope",
    "Not at all",
    "God no. I love my kids too much",
    "Never",
    "None",
    "Of course not",
    "No, no",
    "Uh, no I haven't had any",
    "Neither, thankfully",
    "No. It's hard but I want to be here",
    "Yeah, no, I'm good",
    "Not really, no",
    "It hasn't, no",
    "What? No!",
    "Nah, I'm okay",
    "I would never do that",
    "I'd never",
    "Honestly, no",
    "Not me",
    "No, I could never do that to my family",
    "Oh no, nothing like that",
    "Absolutely not",
    "I haven't",
    "I'm not",
    "I don't have any",
    "I do not",
    "no not at all",
    "Thankfully no",
    "Not anymore",
    "No, not since college",
    "No to all of those",
    "Nothing like that",
    "Negative",
    "That's not something I think about",
    "I'm good, I'm safe",
    "I have never thought about that",
    "No, that's not me",
    "I can't imagine doing that",
    "None at all",
    "Zero",
    "Definitely not",
    "Oh gosh no",
    "Not in the slightest",
    "No way",
    "No, never, I get sad but that's all",
    "No, I'm just tired",
    "Hm, no",
    "I don't think so",
    "Not that I can think of",
    "Don't worry, no",
]

UNCLEAR = [
    "I don't know.",
    "Can we talk about something else?",
    "I'd rather not say.",
    "My sister called on Tuesday.",
]


@pytest.mark.parametrize("text", AFFIRMED)
def test_affirmed(text: str) -> None:
    assert classify(text) == "affirmed"


@pytest.mark.parametrize("text", DENIED)
def test_denied(text: str) -> None:
    assert classify(text) == "denied"


@pytest.mark.parametrize("text", UNCLEAR)
def test_unclear(text: str) -> None:
    assert classify(text) == "unclear"


@pytest.mark.parametrize(
    "text", [one.lower().replace(",", "").replace(".", "") for one in ("No.", "No, not at all.", "Nope")]
)
def test_denied_without_punctuation(text: str) -> None:
    assert classify(text) == "denied"


def test_nothing_is_no_answer() -> None:
    assert classify("Um,") == "none"


def test_right_denies_after_a_negative_question() -> None:
    assert classify("Right.", negative=True) == "denied"
    assert classify("Right.") == "affirmed"


def test_yes_denies_where_the_question_is_whether_one_is_safe() -> None:
    assert classify("Yes, completely.", inverse=True) == "denied"
    assert classify("Not really.", inverse=True) == "affirmed"
    assert classify("Yes, except when he drinks.", inverse=True) == "affirmed"


def test_an_open_question_is_affirmed_by_any_content() -> None:
    assert classify("With the pills from the cabinet.", open_question=True) == "affirmed"
