"""The strict reading of a model's answer: each rule, and that nothing is taken that breaks one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting.answer import LEFT_OUT, MAX_CHARACTERS, Answer, Asked, BadAnswer, read_answer, rows_so_far, texts_so_far
from drafting.prompt import Limits
from streaming.types import UtteranceId

pytestmark = pytest.mark.unit

IDS = tuple(UtteranceId(f"mic.{number}") for number in range(1, 6))
ASKED = Asked("Plan", IDS, Limits(120, 3, 16), 4)
GOOD = {"evidence": [2], "text": "Client agreed to call one customer a day."}


def answer(*rows: Any, section: str = "Plan", **more: Any) -> str:
    return json.dumps({"section": section, "statements": list(rows)} | more)


def read(*rows: Any) -> Answer:
    return read_answer(answer(*rows), ASKED)


def row(text: str, *evidence: Any) -> dict[str, Any]:
    return {"evidence": list(evidence or (1,)), "text": text}


def test_a_good_answer_is_taken_as_it_is() -> None:
    found = read(GOOD, row("Next appointment agreed for Tuesday.", 4, 5))
    assert [one.text for one in found.statements] == [
        "Client agreed to call one customer a day.",
        "Next appointment agreed for Tuesday.",
    ]
    assert [one.evidence for one in found.statements] == [("mic.2",), ("mic.4", "mic.5")]
    assert {one.provenance for one in found.statements} == {"transcript"}
    assert found.faults == {}


def test_an_empty_list_is_an_answer() -> None:
    assert read() == Answer((), {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not_json"),
        ("The plan is to rest.", "not_json"),
        ('Here it is: {"section":"Plan","statements":[]}', "not_json"),
        ('{"section":"Plan","section":"Plan","statements":[]}', "not_json"),
        ('{"section":"Plan","statements":[{"evidence":[NaN],"text":"x"}]}', "not_json"),
        ('{"section":"Plan","statements":[', "not_json"),
        ("[" * 100_00, "not_json"),
        ("[]", "wrong_shape"),
        ('{"section":"Plan"}', "wrong_shape"),
        ('{"section":"Plan","statements":"none"}', "wrong_shape"),
        ('{"statements":[]}', "wrong_section"),
        ('{"section":"Subjective","statements":[]}', "wrong_section"),
        (" " * (MAX_CHARACTERS + 1), "too_long"),
    ],
)
def test_an_answer_that_cannot_be_used_is_rejected_whole(text: str, why: str) -> None:
    with pytest.raises(BadAnswer) as raised:
        read_answer(text, ASKED)
    assert raised.value.why == why
    assert text[:20].strip() in ("", "[") or text[:20] not in str(raised.value)


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ("a string", "malformed"),
        ({"text": "Client rests more."}, "malformed"),
        ({"text": 3, "evidence": [1]}, "malformed"),
        ({"text": "Client rests more.", "evidence": 1}, "malformed"),
        (row(""), "empty"),
        (row("  -  "), "empty"),
        (row("Rest."), "empty"),
        (row("Client said нет."), "unreadable"),
        (row("ОООО client rests"), "unreadable"),
        (row("Client rests. " * 20), "over_long"),
        (row("Client\x00 rests more."), "control_characters"),
        (row("Client\x1b[31m rests more."), "control_characters"),
        (row("Client \u202erests more."), "control_characters"),
        (row("Client\x85 rests more."), "control_characters"),
        (row("Client rests <|im_end|> more."), "markup"),
        (row("Client <script>rests</script> more."), "markup"),
        (row("[INST] Client rests more."), "markup"),
        (row('Client {"n": 1} rests more.'), "markup"),
        (row("system: client rests more."), "markup"),
        (row("Client read https://example.org today."), "markup"),
        ({"text": "Client rests more.", "evidence": []}, "no_evidence"),
        (row("Client rests more.", 6), "no_evidence"),
        (row("Client rests more.", 0), "no_evidence"),
        (row("Client rests more.", -1), "no_evidence"),
        (row("Client rests more.", True), "no_evidence"),
        (row("Client rests more.", 1.0), "no_evidence"),
        (row("Client rests more.", "mic.1"), "no_evidence"),
        (row("Client rests more.", "1"), "no_evidence"),
        (row("client agreed to call ONE customer a day"), "repeated"),
    ],
)
def test_a_bad_statement_is_left_out_by_its_rule_and_counted(bad: Any, rule: str) -> None:
    found = read(GOOD, bad)
    assert [one.text for one in found.statements] == [GOOD["text"]]
    assert found.faults[rule] == 1
    assert rule in LEFT_OUT


def test_more_statements_than_asked_for_are_left_out() -> None:
    words = ("one", "two", "three", "four", "five", "six")
    found = read(*(row(f"Client said {word}.") for word in words))
    assert len(found.statements) == ASKED.most
    assert found.faults == {"too_many": 2}


@pytest.mark.parametrize(
    ("raw", "mended"),
    [
        ("Client\n rests\t more.", "Client rests more."),
        ("- Client rests more.", "Client rests more."),
        ("2. Client **rests** more.", "Client rests more."),
        ("Client\u2028rests more.", "Client rests more."),
    ],
)
def test_formatting_is_mended_and_counted(raw: str, mended: str) -> None:
    found = read(row(raw))
    assert [one.text for one in found.statements] == [mended]
    assert found.faults == {"formatting": 1}


def test_lines_that_do_not_exist_are_taken_out_and_the_others_stay() -> None:
    found = read(row("Client rests more.", 2, 77, 2, -3))
    assert found.statements[0].evidence == ("mic.2",)
    assert found.faults == {"unknown_line": 2}


def test_too_much_evidence_is_cut_and_keys_nobody_asked_for_are_counted() -> None:
    found = read_answer(answer({**row("Client rests more.", 1, 2, 3, 4), "risk": "low"}, mood="sad"), ASKED)
    assert found.statements[0].evidence == ("mic.1", "mic.2", "mic.3")
    assert found.faults == {"much_evidence": 1, "extra_key": 2}


def test_a_fence_around_the_whole_is_taken_off() -> None:
    found = read_answer(f"```json\n{answer(GOOD)}\n```", ASKED)
    assert len(found.statements) == 1
    assert found.faults == {"fenced": 1}


def test_of_a_cut_answer_what_came_whole_stays() -> None:
    text = answer(GOOD, row("Next appointment on Tuesday.", 4))
    found = read_answer(text[:-25], ASKED, cut=True)
    assert [one.text for one in found.statements] == [GOOD["text"]]
    assert found.faults == {"cut": 1}
    with pytest.raises(BadAnswer) as raised:
        read_answer(text[:60], ASKED, cut=True)
    assert raised.value.why == "cut"


def test_a_cut_answer_for_another_section_is_worth_nothing() -> None:
    with pytest.raises(BadAnswer):
        read_answer(answer(GOOD, GOOD, section="Objective")[:-3], ASKED, cut=True)


@given(st.integers(0, 400))
def test_what_is_shown_while_writing_is_the_beginning_of_what_is_taken(length: int) -> None:
    text = answer(GOOD, row("No", 1), row("Next appointment on Tuesday.", 4), row("Client rests more.", 9))
    whole = tuple(one.text for one in read_answer(text, ASKED).statements)
    shown = texts_so_far(text[:length], ASKED)
    assert whole[: len(shown)] == shown
    if length >= len(text):
        assert shown == whole


@given(st.text(max_size=200), st.booleans())
def test_whatever_is_written_is_taken_by_the_rules_or_rejected(text: str, cut: bool) -> None:
    for written in (text, answer(text), answer(row(text)), '{"section":"Plan","statements":[' + text):
        try:
            found = read_answer(written, ASKED, cut=cut)
        except BadAnswer:
            continue
        for one in found.statements:
            assert one.evidence
            assert set(one.evidence) <= set(IDS)
            assert one.text.isprintable()
            assert len(one.text) <= 120


def test_an_escape_that_is_none_ends_the_rows() -> None:
    assert rows_so_far('{"section":"\\x", "statements":[', "Plan") == []
    assert rows_so_far('{"section":"Plan", "statements":[1, 2, "\\x"', "Plan") == [1, 2]
