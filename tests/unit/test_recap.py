"""Recaps: every word in the note once and nothing beside it, each stretch where it belongs, what is missing asked."""

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drafting.formats import named
from drafting.recap import BadRecap, Recap, Spoken, answer, late_entry, recap
from drafting.recap_checks import again
from drafting.recap_pieces import pieces
from drafting.recap_risk import Entry, entered
from drafting.recap_time import given as given_time
from drafting.recap_words import alone, worded
from drafting.shorthand import vocabulary, written_out
from streaming.types import NoteContext, Statement, UtteranceId

pytestmark = pytest.mark.unit

CASES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).resolve().parents[1] / "recap_cases.toml").read_text(encoding="utf-8")
)["case"]
HELD_OUT = [one for number, one in enumerate(CASES, 1) if number % 3 == 0]
WRITTEN_FROM = [one for number, one in enumerate(CASES, 1) if number % 3]


def own(found: Recap) -> list[tuple[str, str]]:
    """The clinician's statements as (section, text)."""
    return [
        (section.name, one.text)
        for section in found.note.sections
        for one in section.statements
        if one.provenance == "clinician"
    ]


def statements(found: Recap) -> list[Statement]:
    return [one for section in found.note.sections for one in section.statements]


def placed(cases: list[dict[str, Any]]) -> float:
    """The share of stretches that stand in the section they belong in."""
    right = total = 0
    for case in cases:
        told = own(recap(case["text"], format=case.get("format", "soap")))
        for words, section in case["goes"]:
            total += 1
            right += any(
                name == section and any(one.lower() in text.lower() for one in words.split("|"))
                for name, text in told
            )
    return right / total


def test_stretches_stand_where_they_belong() -> None:
    assert len(CASES) >= 60
    assert placed(WRITTEN_FROM) >= 0.97


def test_stretches_of_cases_kept_for_testing_stand_where_they_belong() -> None:
    assert placed(HELD_OUT) >= 0.9


def test_risk_is_entered_as_the_clinician_found_it() -> None:
    wrong = []
    for number, case in enumerate(CASES, 1):
        found = {one.item: one.finding for one in recap(case["text"]).risk_entered}
        wrong += [(number, item) for item, state in case.get("risk", {}).items() if found.get(item) != state]
    assert wrong == []


def test_a_note_that_nobody_changed_reads_again_as_it_was_made() -> None:
    context = NoteContext(client="J. D.", service_date="2026-03-04")
    for case in CASES:
        made = recap(case["text"], context)
        assert again(made.note, context, named("soap"), made.as_json()) == made.note


def test_what_is_missing_is_asked_and_what_is_there_is_not() -> None:
    wrong = []
    for number, case in enumerate(CASES, 1):
        kinds = {one.kind for one in recap(case["text"]).asks}
        clear = {"risk"} if "risk_clear" in kinds else set()
        wrong += [(number, kind) for kind in case.get("asks", []) if kind not in kinds | clear]
        wrong += [(number, kind) for kind in case.get("quiet", []) if kind in kinds]
    assert wrong == []


# Nothing lost, nothing added.

_LINES = [
    "Ct anxious about job",
    "pt wakes 4x/wk",
    "Denies SI/HI",
    "no SI",
    "GAD-7 12→9",
    'she said "I can\'t go on like this. b/c of work"',
    "EMDR BLS on the crash (SUDS 7 to 3)",
    "hw: thought record daily",
    "f/u next Tues 3pm",
    "10:02-10:55",
    "I taught box breathing",
    "We worked on boundaries",
    "Dr. Shah called re: meds",
    "tx plan unchanged",
    "Progress on goal 2",
    "- cries in car",
    "• relieved",
    "-SI",
    "50 min",
    "Insight that anger protects shame",
]
_TEXT = st.lists(st.sampled_from(_LINES) | st.text(max_size=40), max_size=8).flatmap(
    lambda lines: st.lists(
        st.sampled_from([". ", "; ", "\n", ", ", " and ", ""]), min_size=len(lines), max_size=len(lines)
    ).map(lambda ends: "".join(line + end for line, end in zip(lines, ends, strict=True)))
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(text=_TEXT)
def test_every_word_lies_in_one_piece(text: str) -> None:
    cut = pieces(text)
    assert all(text[one.start : one.end] == one.source for one in cut)
    assert all(before.end <= after.start for before, after in itertools.pairwise(cut))
    outside = "".join(
        text[end:start]
        for end, start in zip([0, *[one.end for one in cut]], [*[one.start for one in cut], len(text)], strict=True)
    )
    # A list's own numbers are no words of the recap.
    assert not re.search(r"\w", re.sub(r"^[ \t]*\(?\d{1,2}[.)][ \t]", "", outside, flags=re.MULTILINE))


@settings(max_examples=150, deadline=None)
@given(text=_TEXT, format=st.sampled_from(["soap", "dap", "birp", "girp", "pirp", "progress", "intake", "plan"]))
def test_every_piece_is_one_statement_and_there_is_no_other(text: str, format: str) -> None:
    found = recap(text, NoteContext(diagnosis="F41.1", goals=("leave the house",)), format)
    told = sorted(said.removeprefix("Risk: ") for _, said in own(found))
    expected = [worded(one.source, alone=alone(text)) for one in pieces(text)]
    assert told == sorted(one.removeprefix("Risk: ") for one in expected)


@settings(max_examples=150, deadline=None)
@given(text=_TEXT)
def test_a_sentence_has_no_word_that_was_not_written_or_stands_for_one(text: str) -> None:
    for one in pieces(text):
        sentence = worded(one.source, alone=True)
        words = set(re.findall(r"[a-z]+", sentence.lower()))
        assert words <= set(re.findall(r"[a-z]+", one.source.lower())) | vocabulary() | {"client", "clinician", "and"}


def test_what_has_no_short_forms_stays_letter_by_letter() -> None:
    text = "Sleep is worse since the move. She blames the noise (trams, mostly)."
    assert [said for _, said in own(recap(text))] == text.replace(". S", ".|S").split("|")


def test_a_client_s_quoted_words_are_not_touched() -> None:
    told = own(recap('Ct said, "b/c it\'s w/o hope. SI? no". Denies SI.'))
    assert any('"b/c it\'s w/o hope. SI? no"' in said for _, said in told)


def test_chart_items_are_marked_as_chart_and_nothing_else_is_the_clinician_s() -> None:
    context = NoteContext(diagnosis="F41.1 Generalized anxiety disorder", goals=("sleep through the night",))
    found = recap("Ct slept 5 hrs. No SI.", context)
    by = {one.text: one.provenance for one in statements(found)}
    assert by["Diagnosis: F41.1 Generalized anxiety disorder."] == "chart"
    assert {text for text, provenance in by.items() if provenance == "clinician"} == {
        "Client slept 5 hours.",
        "Risk: No suicidal ideation.",
    }
    assert "transcript" not in by.values()


# Short forms.


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("ct reports 3x/wk", "client reports 3 times a week"),
        ("pt's mom", "client's mom"),
        ("PT eval", "PT eval"),
        ("GAD-7 12→9", "GAD-7 from 12 to 9"),
        ("GAD-7 12->9", "GAD-7 from 12 to 9"),
        ("denies SI/HI", "denies suicidal/homicidal ideation"),
        ("ØSI, ∅ HI", "no suicidal ideation, no homicidal ideation"),
        ("moved to KØBENHAVN with Øystein", "moved to KØBENHAVN with Øystein"),
        ("↑ sleep", "increased sleep"),
        ("anxiety↑ now", "anxiety↑ now"),
        ("reports SI and HI", "reports suicidal and homicidal ideation"),
        ("-SI", "-SI"),
        ("SI+", "SI+"),
        ("w/ partner w/o kids", "with partner without kids"),
        ("tx b/c of hx of panic", "treatment because of history of panic"),
        ("oriented x4", "oriented x4"),
        ("depression x 6 mos", "depression x 6 months"),
        ("EMDR BLS", "EMDR bilateral stimulation"),
        ("next Tues 3pm", "next Tuesday 3pm"),
        ("sx of GAD, dx F41.1", "symptoms of GAD, diagnosis F41.1"),
        ("hi, this is a greeting", "hi, this is a greeting"),
        ("say hi to mom", "say hi to mom"),
        ("he wed in May", "he wed in May"),
        ("the sun set", "the sun set"),
        ("↓ appetite, ↑ energy", "decreased appetite, increased energy"),
    ],
)
def test_short_forms_are_written_out(typed: str, written: str) -> None:
    assert written_out(typed) == written


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("I taught grounding", "Clinician taught grounding."),
        ("we reviewed the log", "Clinician and client reviewed the log."),
        ("I think he is lying to me", "I think he is lying to me."),
        ("restructuring of I will fail", "Restructuring of I will fail."),
        ("denies SI", "Client denies suicidal ideation."),
        ("reviewed homework", "Reviewed homework."),
        ("eBay shopping nightly", "eBay shopping nightly."),
    ],
)
def test_the_third_person_is_taken_where_that_is_safe(typed: str, written: str) -> None:
    assert worded(typed, alone=True) == written


def test_with_somebody_else_in_the_recap_no_subject_is_guessed() -> None:
    told = [said for _, said in own(recap("Met with mother. Reports tantrums daily."))]
    assert "Reports tantrums daily." in told


# Risk.


@pytest.mark.parametrize(
    ("text", "item", "finding"),
    [
        ("Denies SI.", "si", "denied"),
        ("SI: none.", "si", "denied"),
        ("SI: no.", "si", "denied"),
        ("Asked about SI, client denied.", "si", "unclear"),
        ("SI.", "si", "unclear"),
        ("-SI", "si", "unclear"),
        ("SI/HI", "hi", "unclear"),
        ("No longer denies SI.", "si", "unclear"),
        ("Does not deny SI.", "si", "unclear"),
        ("Denies SI but thinks about not being here most nights.", "si", "endorsed"),
        ("Denied SI last week, today endorses SI with plan to overdose.", "si", "endorsed"),
        ("Denies history of SI.", "si", "unclear"),
        ("SI not assessed.", "si", "not_assessed"),
        ("Passive SI, no plan.", "plan", "denied"),
        ("Has SI with a plan to jump, reports intent.", "plan", "endorsed"),
        ("Denies SI, HI, or self-harm.", "self_injury", "denied"),
        ("Denies SI, HI, or self-harm.", "hi", "denied"),
        ("Cutting twice last week.", "self_injury", "endorsed"),
    ],
)
def test_a_denial_is_entered_only_where_it_is_plain(text: str, item: str, finding: Entry) -> None:
    cut = pieces(text)
    found = {one.item: one.finding for one in entered(cut, [one.source for one in cut])}
    assert found == found | {item: finding}


def test_the_ledger_shows_what_was_entered_as_entered_and_not_as_heard() -> None:
    body = recap("Denies SI.").as_json()
    assert body["risk"]["si"]["state"] == "not_asked"
    assert body["risk"]["si"]["evidence"] == []
    assert body["risk"]["si"]["entered"] == {"finding": "denied", "text": "Risk: Client denies suicidal ideation."}
    assert "entered" not in body["risk"]["hi"]


def test_risk_that_was_not_spoken_of_is_never_filled_in() -> None:
    found = recap("Ct was late. This job is killing me, she said.")
    assert found.risk_entered == ()
    assert found.asks[0].kind == "risk"
    assert any("not assessed this session" in one.text for one in statements(found))


def test_a_brother_s_suicide_is_not_the_client_s() -> None:
    found = recap("Brother died by suicide in May. Grief work.")
    assert found.risk_entered == ()


def test_endorsed_ideation_asks_first_for_what_was_not_said_of_it() -> None:
    found = recap("Reports passive SI. CBT. Weekly.")
    assert found.asks[0].kind == "risk_follow_up"
    assert "a plan, intent, access to means" in found.questions[0]
    assert any(one.rule == "risk_follow_up" and one.severity == "error" for one in found.note.checks)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Wants to hurt her ex. Explored anger. See tomorrow.", True),
        ("Wants to hurt her ex. Consulted supervisor. See tomorrow.", False),
        ("Partner pushed her Friday. Denies SI.", True),
        ("Partner pushed her Friday, hotline given. Denies SI.", False),
    ],
)
def test_harm_without_a_word_of_safety_is_asked_about(text: str, asked: bool) -> None:
    assert ("risk_safety" in [one.kind for one in recap(text).asks]) == asked


# Questions and answers.


def test_at_most_three_questions_those_of_most_harm_first() -> None:
    found = recap("Client was late.")
    assert [one.kind for one in found.asks] == ["risk", "plan", "times"]


def test_an_answer_is_folded_in_and_what_is_still_missing_is_asked() -> None:
    text = "Panic daily, missed work. Grounding."
    first = recap(text)
    kinds = [one.kind for one in first.asks]
    assert kinds == ["risk", "plan", "times"]
    answers = answer((), {"risk": "denied SI", "times": "10 to 10:52"})
    then = recap(text, answers=answers)
    told = own(then)
    assert ("Assessment", "Risk: Denied suicidal ideation.") in told or (
        "Assessment", "Risk: Client denied suicidal ideation.") in told  # fmt: skip
    assert then.note.billing.cpt == "90834"
    assert [one.kind for one in then.asks] == ["plan", "response", "progress"]
    last = recap(text, answers=answer(answers, {"plan": "weekly", "response": "calmer", "progress": "none yet"}))
    assert last.questions == ()
    assert ("Plan", "Plan: Weekly.") in own(last) or ("Plan", "Weekly.") in own(last)
    assert len(own(last)) == len(own(first)) + 5


def test_a_bare_no_to_the_question_of_risk_is_no_denial() -> None:
    found = recap("Panic daily.", answers=answer((), {"risk": "no"}))
    assert not any(one.finding == "denied" for one in found.risk_entered)
    assert ("Assessment", "Risk: No.") in own(found)


@pytest.mark.parametrize("given_answers", [{"weather": "fine"}, {"risk": " . "}])
def test_an_answer_that_cannot_be_used_is_refused(given_answers: dict[str, str]) -> None:
    with pytest.raises(BadRecap):
        answer((), given_answers)


# Time.


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("10:02-10:55.", 53),
        ("Session 3:05-3:58pm.", 53),
        ("Start 11:30 stop 12:20.", 50),
        ("Session 12:30 to 1:20 pm.", 50),
        ("Session 12:30-1:20.", 50),
        ("50 min.", 50),
        ("90834, 45 minutes.", 45),
        ("Met w/ mom first 15 min.", None),
        ("Walked 30 min a day.", None),
        ("Grounding 5-4-3-2-1.", None),
        ("Next Tues 3pm-3:50pm.", None),
        ("Seen 10-12.", None),
    ],
)
def test_minutes_are_taken_from_what_is_a_session_s_time(text: str, minutes: int | None) -> None:
    assert given_time(pieces(text)).minutes == minutes


def test_a_measured_clock_counts_before_what_was_written() -> None:
    context = NoteContext(started_at="2026-01-31T10:00:00+01:00", ended_at="2026-01-31T10:40:00+01:00")
    found = recap("60 min. 90837.", context)
    assert found.note.billing.minutes == 40
    assert any(one.rule in ("cpt_mismatch", "cpt_agrees") and "90837" in one.message for one in found.note.checks)


# Late entries.


def test_a_late_recap_has_a_header_from_the_chart_s_or_the_visit_s_date() -> None:
    says = "Late entry, written 2026-02-02 for the session of 2026-01-31. Reason: ill."
    assert recap("x", written_on="2026-02-02", service_date="2026-01-31", late_reason="ill").header == says
    assert late_entry("2026-01-31", "2026-01-31T10:00:00+01:00") == ""
    assert late_entry(None, "2026-01-31") == ""


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(BadRecap):
        late_entry("02/02/2026", "2026-01-31")


# Dictation.


def test_a_dictation_is_told_with_the_utterances_that_hold_it() -> None:
    spoken = Spoken(
        (
            (UtteranceId("mic-1"), "Um, the client sleeps four hours."),
            (UtteranceId("mic-2"), "We worked on"),
            (UtteranceId("mic-3"), "stimulus control. No suicidal ideation."),
        )
    )
    found = {one.text: one for one in statements(recap(spoken)) if one.provenance == "clinician"}
    assert found["The client sleeps four hours."].evidence == ("mic-1",)
    assert found["Clinician and client worked on stimulus control."].evidence == ("mic-2", "mic-3")
    assert found["Risk: No suicidal ideation."].evidence == ("mic-3",)
