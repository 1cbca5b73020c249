"""The clinician's check-in: pointers to people, the crisis lines first, no score and no trace."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting import self_check
from drafting.self_check import BadAnswer, as_json, countries, pointers, questions

pytestmark = pytest.mark.unit

ANSWERS = st.fixed_dictionaries(
    {}, optional={one.id: st.sampled_from([key for key, _ in one.answers]) for one in questions()}
)


def test_thoughts_of_self_harm_bring_the_lines_of_the_country_first() -> None:
    found = pointers({"rest": "no", "self_harm": "yes"}, "us")
    assert found[0].id == "crisis"
    assert any("988" in line for line in found[0].lines)
    assert any("911" in line for line in found[0].lines)


@pytest.mark.parametrize("country", [code for code, _ in countries()])
def test_every_country_has_lines_and_an_emergency_number(country: str) -> None:
    lines = pointers({"self_harm": "yes"}, country)[0].lines
    assert len(lines) >= 2
    assert any(any(letter.isdigit() for letter in line) for line in lines[:-1])
    assert lines[-1].startswith("Emergency: ")


def test_elsewhere_is_not_told_the_numbers_of_the_united_states() -> None:
    lines = " ".join(pointers({"self_harm": "yes"}, "xx")[0].lines)
    assert "988" not in lines
    assert "local emergency number" in lines


def test_an_answer_left_unsaid_is_met_with_care() -> None:
    assert pointers({"self_harm": "unsaid"})[0].id == "crisis_quiet"


@given(answers=ANSWERS)
def test_whatever_is_answered_there_is_a_pointer_and_never_a_score(answers: dict[str, str]) -> None:
    found = pointers(answers)
    assert found
    if answers.get("self_harm") == "yes":
        assert found[0].id == "crisis"
    else:
        assert all(one.id != "crisis" for one in found)
    shown = json.dumps([one.as_json() for one in found]).lower()
    assert "score" not in shown
    assert "diagnos" not in shown
    assert "burnout" not in shown


def test_pointers_do_not_tell_the_answers_apart_by_number() -> None:
    few, many = pointers({"rest": "no"}), pointers({"rest": "no", "distance": "often", "meaning": "no"})
    assert few == many


@pytest.mark.parametrize("answers", [{"weather": "no"}, {"rest": "purple"}])
def test_what_is_no_answer_is_refused_without_being_told(answers: dict[str, str]) -> None:
    with pytest.raises(BadAnswer) as refused:
        pointers(answers)
    assert "purple" not in str(refused.value)
    assert "weather" not in str(refused.value)


def test_the_questions_can_be_shown() -> None:
    body = as_json()
    assert 5 <= len(body["questions"]) <= 8
    assert all(len(one["answers"]) >= 2 for one in body["questions"])
    assert "no diagnosis" in body["intro"]
    assert self_check.for_reading(pointers({})).startswith("NOTHING PRESSING")
