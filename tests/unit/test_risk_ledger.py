"""The ledger over labelled talk, and what its types make impossible."""

import json

import pytest
from shared_data import shared_data

from benchmarks.draft_figures import RISK, SHARED, risk_cases, risk_figures, transcripts
from drafting.core import draft
from drafting.risk import Denied, Endorsed, Ledger, NotAsked, Span, Volunteered, ledger
from drafting.risk_mentions import ITEMS
from drafting.risk_text import denial
from streaming.transcript_json import read
from streaming.types import UtteranceId

pytestmark = pytest.mark.unit


def talk(*lines: str) -> Ledger:
    """Lines "C: …" of the clinician and "P: …" of the client."""
    rows = [
        {"role": {"C": "clinician", "P": "client"}[line[0]], "start": 5 * n, "text": line[3:]}
        for n, line in enumerate(lines)
    ]
    return ledger(read({"utterances": rows}))


CASES = risk_cases()


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["split"] == "develop" and not case.get("open")],
    ids=lambda case: str(case["id"]),
)
def test_labelled_talk(case: dict[str, object]) -> None:
    found = ledger(read(case))
    expected = case["expect"]
    assert isinstance(expected, dict)
    assert {one.item: one.state for one in found.findings if one.state != "not_asked"} == expected


def test_labelled_talk_kept_for_testing_does_not_fall_behind() -> None:
    """Bounds under what was last measured, not the targets: sensitivity should be 1."""
    found = risk_figures({})["test"]
    assert found["cases"] >= 240
    assert found["sensitivity"] >= 0.9
    assert found["precision"] >= 0.9
    assert found["state_accuracy"] >= 0.97
    assert found["state_accuracy_spoken_of"] >= 0.84


def test_few_cases_are_left_open() -> None:
    assert sum(bool(case.get("open")) for case in CASES) <= 20
    assert all(case["split"] == "develop" for case in CASES if case.get("open"))


def test_a_denial_taken_back_after_another_topic_is_endorsed() -> None:
    found = talk(
        "C: Any thoughts of suicide?", "P: No.", "C: How is work?", "P: Fine.", "C: And sleep?",
        "P: I lied about what you asked before. I do think about it.",
    )  # fmt: skip
    assert found["si"].state == "endorsed"
    assert UtteranceId("mic-6") in found["si"].evidence


def test_an_admission_without_an_earlier_denial_changes_nothing() -> None:
    found = talk("C: How is work?", "P: I lied before about the report. I do think about it.")
    assert {one.state for one in found.findings} == {"not_asked"}


@pytest.mark.parametrize(("answer", "state"), [("No, never.", "asked_denied"), ("Once, in college.", "endorsed")])
def test_a_bare_question_goes_back_to_talk_of_another_person(answer: str, state: str) -> None:
    found = talk(
        "C: Has anyone in the family attempted suicide?",
        "P: My aunt did.",
        "C: And you, have you ever?",
        f"P: {answer}",
    )
    assert found["attempts"].state == state


@pytest.mark.parametrize(
    ("again", "state"), [("Yes.", "asked_denied"), ("Well, one night.", "endorsed"), ("No.", "asked_denied")]
)
def test_a_clinicians_echo_of_a_denial_is_answered(again: str, state: str) -> None:
    found = talk("C: Any suicidal thoughts this week?", "P: No.", "C: None?", f"P: {again}")
    assert found["si"].state == state


def test_a_bare_yes_after_a_denial_and_a_noise_is_no_denial() -> None:
    found = talk("C: Any thoughts of suicide?", "P: No.", "C: Okay.", "P: Yes.")
    assert found["si"].state == "endorsed"


@pytest.mark.parametrize(
    "heard", ["any sue aside all thoughts", "any suicide or thoughts", "any suicide all thoughts"]
)
def test_misheard_words_are_understood(heard: str) -> None:
    assert talk(f"C: {heard}", "P: yes i do")["si"].state == "endorsed"


def test_a_rehearsed_safety_plan_asks_for_no_thoughts_of_now() -> None:
    found = talk("C: If the thoughts of suicide came back, who would you call?", "P: My sister.")
    assert found["si"].state == "not_asked"


def test_unpunctuated_talk_answers_in_full() -> None:
    found = talk("C: have you been thinking about killing yourself", "P: no im not", "C: okay")
    assert found["si"].state == "asked_denied"


def test_there_are_enough_labelled_cases_of_every_kind() -> None:
    kinds = {case["kind"] for case in CASES}
    assert len(CASES) >= 120
    assert kinds >= {"asked_denied", "endorsed", "volunteered", "other", "past", "hypothetical", "idiom", "fiction"}
    assert len({case["id"] for case in CASES}) == len(CASES)


def test_labelled_sessions() -> None:
    sessions = transcripts(shared_data("therapy"))
    labels = json.loads((RISK / "sessions.json").read_text())["sessions"]
    for name, label in labels.items():
        found = {one.item: one.state for one in ledger(sessions[name]).findings if one.state != "not_asked"}
        assert found == label["expect"], name
    assert SHARED.is_dir()


def test_every_item_has_a_finding_also_where_nothing_was_said() -> None:
    found = ledger(read({"utterances": []}))
    assert [one.item for one in found.findings] == list(ITEMS)
    assert {one.state for one in found.findings} == {"not_asked"}


def test_a_denial_holds_question_and_answer_across_an_interruption() -> None:
    found = talk(
        "C: Any thoughts of not being here?",
        "C: I ask everyone this.",
        "P: Sorry, my phone. Okay.",
        "C: Mm-hmm.",
        "P: No, nothing like that.",
    )["si"]
    assert isinstance(found, Denied)
    assert (found.question.utterance, found.answer.utterance) == ("mic-1", "mic-5")


def test_a_denial_cannot_be_made_without_both_spans() -> None:
    span = Span(UtteranceId("a"), "No.")
    with pytest.raises(TypeError):
        Denied("si", span)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="span"):
        Denied("si", span, Span(UtteranceId(""), ""))


def test_a_denial_is_worded_from_a_denial_only() -> None:
    made = Denied("si", Span(UtteranceId("q"), "Any thoughts of suicide?"), Span(UtteranceId("a"), "No."))
    text = denial(made)
    assert "denied suicidal ideation" in text
    assert "Any thoughts of suicide?" in text
    assert '"No."' in text
    assert made.evidence == ("q", "a")


def test_an_unclear_answer_stays_not_asked_with_its_question() -> None:
    found = talk("C: Are you having thoughts of suicide?", "P: Can we talk about something else?")["si"]
    assert isinstance(found, NotAsked)
    assert found.question is not None


def test_a_question_that_nobody_answers_is_not_denied() -> None:
    assert talk("C: Any thoughts of suicide?")["si"].state == "not_asked"


def test_the_client_asking_is_not_the_clinician_asking() -> None:
    assert (
        talk("P: Do people ever get thoughts of suicide from this pill?", "C: No, rarely.")["si"].state == "not_asked"
    )


def test_what_was_volunteered_outweighs_an_earlier_denial() -> None:
    found = talk(
        "C: Any thoughts of suicide?", "P: No.", "C: Okay.", "P: Actually, last night I wanted to kill myself."
    )
    assert isinstance(found["si"], Volunteered | Endorsed)


def test_the_past_is_kept_apart() -> None:
    found = talk("C: Tell me about college.", "P: Years ago I used to cut myself.")["self_injury"]
    assert isinstance(found, Volunteered)
    assert found.time == "past"


def test_talk_about_others_is_shown_but_is_no_finding() -> None:
    found = talk("C: What happened?", "P: My brother killed himself in May.")
    assert {one.state for one in found.findings} == {"not_asked"}
    assert [one.item for one in found.others] == ["si"]


def test_evidence_is_of_the_transcript() -> None:
    for case in CASES[::3]:
        transcript = read(case)
        ids = {one.id for one in transcript.utterances}
        assert all(set(one.evidence) <= ids for one in ledger(transcript).findings)


def test_a_note_never_says_denied_where_nothing_was_asked() -> None:
    for case in CASES[::4]:
        if "asked_denied" in case["expect"].values():
            continue
        note = draft(read(case))
        assert not any("client denied" in one.text for section in note.sections for one in section.statements)


def test_a_note_says_what_was_not_assessed() -> None:
    note = draft(read({"utterances": []}))
    told = [one for section in note.sections for one in section.statements if "not assessed this session" in one.text]
    assert len(told) == 1
    assert told[0].provenance == "suggestion"
