"""What counts as the same word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.normalise import located, words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "one, other",
    [
        ("It is FINE, really.", "it is fine really"),
        ("a follow-up call", "a follow up call"),
        ("I don\u2019t know", "I don't know"),
        ("Um, I, uh, slept. Mm-hmm. Uh-huh.", "I slept"),
        ("twenty-five", "25"),
        ("twenty five milligrams", "25mg"),
        ("three hundred and five", "305"),
        ("one hundred twenty", "120"),
        ("two thousand twenty six", "2026"),
        ("1,000 steps", "one thousand steps"),
        ("at ten thirty", "at 10:30"),
        ("at ten thirty", "at 10.30"),
        ("three point five", "3.5"),
        ("seventy percent", "70 %"),
        ("seventy per cent", "70%"),
        ("five dollars", "$5"),
        ("the second of March", "the 2nd of March"),
        ("the twenty first", "the 21st"),
        ("OK, Dr. Lee. Alright, goodbye.", "okay doctor Lee all right good-bye"),
        ("yes [laughs] <UNSURE>no</UNSURE>", "yes no"),
        ("nine one one", "9 1 1"),
    ],
)
def test_same_words(one: str, other: str) -> None:
    assert words(one) == words(other)
    assert words(one)


@pytest.mark.parametrize(
    "one, other",
    [
        ("I do not", "I don't"),
        ("ten thirty", "forty"),
        ("five six", "eleven"),
        ("twenty ten", "thirty"),
        ("at that point five left", "at that five left"),
        ("her", "here"),
        ("a minute ago", "a second ago"),
        ("oh no", "no"),
    ],
)
def test_different_words(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_only_hesitations_and_marks_leave_nothing() -> None:
    assert words("Um... uh, [noise] -- hmm?!") == []


def test_numbers_said_one_after_the_other_stay_apart() -> None:
    assert words("four nights, nineteen ninety five, zero, one") == ["4", "nights", "19", "95", "0", "1"]


def test_sources_of_a_joined_number_and_of_a_parted_time() -> None:
    found = located(["at", "twenty", "five", "um,", "10:30"])
    assert [(word.text, word.first, word.last, word.whole) for word in found] == [
        ("at", 0, 1, True),
        ("25", 1, 3, True),
        ("10", 4, 5, False),
        ("30", 4, 5, False),
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["and", "one", "five", "ten", "twenty", "hundred", "thousand", "million", "zero", "point", "7"]
        )
    )
)
def test_number_words_never_get_lost_and_digits_stay_as_they_are(tokens: list[str]) -> None:
    found = located(tokens)
    covered = [index for word in found for index in range(word.first, word.last)]
    missing = set(range(len(tokens))) - set(covered)
    assert all(tokens[index] == "point" for index in missing)
    assert covered == sorted(set(covered))
    again = words(" ".join(word.text for word in found if word.text.isdigit()))
    assert again == [word.text for word in found if word.text.isdigit()]


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read_and_comes_out_folded(text: str) -> None:
    assert all(word and not any(letter.isspace() for letter in word) for word in words(text))
