"""The wide net under the risk ledger: what it calls, what it sets aside, and that nothing else follows from it."""

import pytest

from benchmarks.draft_figures import wide_cases, wide_figures
from drafting.core import draft
from drafting.risk import ledger
from streaming.transcript_json import read
from streaming.types import Transcript

pytestmark = pytest.mark.unit


def talk(*said: tuple[str, str]) -> Transcript:
    rows = [{"role": role, "start": 6 * n, "text": text} for n, (role, text) in enumerate(said)]
    return read({"utterances": rows})


def called(*said: tuple[str, str]) -> set[str]:
    return {one.item for one in ledger(talk(*said)).unclear}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("si", "An exit, that is all I look for."),
        ("attempts", "In the spring I put the belt round the closet rail and then the dog barked."),
        ("self_injury", "I dig the compass point in under the desk till it bleeds."),
        ("hi", "I wait behind the door with the bat some nights."),
        ("being_harmed", "She twists my arm if I complain."),
    ],
)
def test_oblique_talk_is_called_where_the_ledger_is_silent(item: str, text: str) -> None:
    said = (("clinician", "How are things?"), ("client", text))
    found = ledger(talk(*said))
    assert found[item].state == "not_asked"  # type: ignore[index]
    assert item in called(*said)


@pytest.mark.parametrize(
    "text",
    [
        "We watched a film where a man is stabbed with a knife.",
        "I cut my hours and it hit my budget.",
        "My phone died and I was starving.",
        "I quit smoking because my dad died of lung cancer.",
    ],
)
def test_harmless_talk_is_not_called(text: str) -> None:
    assert called(("clinician", "How was the week?"), ("client", text)) == set()


def test_an_evaded_question_is_called_with_question_and_answer() -> None:
    said = (("clinician", "Are you having thoughts of suicide?"), ("client", "Let's talk about my mother instead."))
    found = next(one for one in ledger(talk(*said)).unclear if one.item == "si")
    assert len(found.evidence) == 2


def test_a_plain_denial_is_not_called() -> None:
    assert called(("clinician", "Any thoughts of suicide?"), ("client", "No, none at all.")) == set()


def test_the_check_names_item_and_utterances_comes_first_and_is_an_error() -> None:
    transcript = talk(("clinician", "How are nights?"), ("client", "I dig the compass point in till it bleeds."))
    note = draft(transcript)
    first = note.checks[0]
    assert first.rule == "risk_unclear"
    assert first.severity == "error"
    assert "self-injury" in first.message
    assert first.evidence == (transcript.utterances[1].id,)
    assert first.as_json()["evidence"] == [transcript.utterances[1].id]


def test_the_net_changes_no_state_and_writes_no_sentence_of_risk() -> None:
    transcript = talk(("clinician", "How are nights?"), ("client", "I dig the compass point in till it bleeds."))
    note = draft(transcript)
    assert {one.state for one in note.risk.findings} == {"not_asked"}
    risk = [one.text for part in note.sections for one in part.statements if one.text.startswith("Risk:")]
    assert all("not assessed" in text for text in risk)


def test_the_oblique_cases_are_nearly_all_shown() -> None:
    """A bound under what was measured; the target is 1."""
    found = wide_figures({})["oblique"]
    assert found["cases"] == len(wide_cases()) >= 120
    assert found["with_wide_net"] >= 0.94 > found["ledger_alone"]
