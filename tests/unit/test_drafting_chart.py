"""The client's chart: JSON both ways, errors that name the field and no content, and the context of a note."""

import copy
from typing import Any

import pytest

from drafting.chart import BadChart, Chart, as_json, context_of, from_json
from streaming.types import NoteContext

pytestmark = pytest.mark.unit

BODY: dict[str, Any] = {
    "id": "c-17",
    "client": "Daniel Reyes",
    "date_of_birth": "1986-04-02",
    "payer": "medicare",
    "setting": "outpatient",
    "diagnoses": [{"code": "F41.1", "text": "Generalized anxiety disorder"}, "F51.01 Primary insomnia"],
    "goals": [
        {
            "id": "g1",
            "text": "Take part in lunch with the team",
            "objectives": [
                {
                    "text": "Stays half an hour, twice a month",
                    "baseline": "never goes",
                    "target": "2 a month",
                    "date": "2026-04-30",
                    "measure": "self-report",
                    "status": "partly",
                }
            ],
        },
        "Sleep through most nights",
    ],
    "usual_interventions": {"CBT": ["cognitive restructuring", "thought record work"]},
    "medications": ["escitalopram 10 mg every morning"],
    "plan": {"date": "2026-01-05", "type": "individual psychotherapy", "frequency": "weekly", "duration": "6 months"},
}


def changed(path: str, value: object) -> dict[str, Any]:
    body = copy.deepcopy(BODY)
    at: Any = body
    *way, last = path.split(".")
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    at[int(last) if last.isdigit() else last] = value
    return body


def test_a_chart_is_the_same_after_a_round_trip() -> None:
    chart = from_json(BODY)
    assert from_json(as_json(chart)) == chart
    assert as_json(chart)["diagnoses"][1] == {"code": "F51.01", "text": "Primary insomnia"}
    assert [one.id for one in chart.goals] == ["g1", "g2"]
    assert chart.goals[0].objectives[0].id == "g1.1"


def test_only_the_id_must_be_there() -> None:
    assert from_json({"id": "x"}) == Chart("x")


@pytest.mark.parametrize("code", ["F411", "41.1", "F41.", "F41.12345", "FF1.1", "F41,1", ""])
def test_a_code_of_another_shape_is_refused(code: str) -> None:
    with pytest.raises(BadChart, match=r"chart\.diagnoses\[0\]\.code"):
        from_json(changed("diagnoses.0.code", code))


@pytest.mark.parametrize("code", ["F41.1", "f33.9", "Z63.0", "F10", "T14.91XA", "O9A.213"])
def test_codes_of_the_shape_are_taken(code: str) -> None:
    assert from_json(changed("diagnoses.0.code", code)).diagnoses[0].code == code.upper()


@pytest.mark.parametrize(
    "path, value, field",
    [
        ("date_of_birth", "02.04.1986", "chart.date_of_birth"),
        ("date_of_birth", "1986-02-30", "chart.date_of_birth"),
        ("date_of_birth", "19860402", "chart.date_of_birth"),
        ("date_of_birth", 19860402, "chart.date_of_birth"),
        ("goals.0.objectives.0.date", "spring", "chart.goals[0].objectives[0].date"),
        ("goals.0.objectives.0.status", "nearly", "chart.goals[0].objectives[0].status"),
        ("goals.0.text", " ", "chart.goals[0].text"),
        ("goals.0.id", "g2", "chart.goals"),
        ("goals", "one", "chart.goals"),
        ("diagnoses.1", "Insomnia", "chart.diagnoses[1]"),
        ("medications", [4], "chart.medications[0]"),
        ("plan.date", "soon", "chart.plan.date"),
        ("plan", [], "chart.plan"),
        ("usual_interventions", ["CBT"], "chart.usual_interventions"),
        ("client", "a\x00b", "chart.client"),
        ("client", "a" * 2001, "chart.client"),
        ("id", "two words", "chart.id"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(path: str, value: object, field: str) -> None:
    with pytest.raises(BadChart) as raised:
        from_json(changed(path, value))
    assert field in str(raised.value)
    assert str(value).strip() == "" or len(str(value)) < 4 or str(value) not in str(raised.value)


def test_a_key_that_is_not_known_names_its_neighbour() -> None:
    with pytest.raises(BadChart, match="Did you mean diagnoses"):
        from_json(BODY | {"diagnosis": []})


def test_no_object_is_no_chart() -> None:
    with pytest.raises(BadChart):
        from_json([])


def test_the_context_of_a_note_has_the_chart() -> None:
    context = context_of(from_json(BODY), NoteContext(modality="in_person", place="office"))
    assert context.client == "Daniel Reyes"
    assert context.client_id == "c-17"
    assert context.diagnosis == "F41.1 Generalized anxiety disorder; F51.01 Primary insomnia"
    assert context.goals == ("Take part in lunch with the team", "Sleep through most nights")
    assert context.plan_goals[0].objectives[0].target == "2 a month"
    assert context.usual_interventions == ("CBT: cognitive restructuring, thought record work",)
    assert context.medications == ("escitalopram 10 mg every morning",)
    assert context.plan is not None
    assert context.plan.frequency == "weekly"
    assert (context.payer, context.modality, context.place) == ("medicare", "in_person", "office")


def test_what_is_known_of_the_session_counts_more_than_the_chart() -> None:
    context = context_of(from_json(BODY), NoteContext(goals=("another goal",), payer="aetna"))
    assert (context.goals, context.plan_goals, context.payer) == (("another goal",), (), "aetna")


def test_an_empty_chart_adds_its_id_alone() -> None:
    assert context_of(Chart("c")) == NoteContext(client_id="c")
