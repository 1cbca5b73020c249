"""The phrase library: what comes along, a practice's changes, and what is offered for a session."""

import re
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.draft_figures import HERE
from drafting.chart import from_json
from drafting.core import draft, read
from drafting.phrases import BadPhrases, as_json, built_in, filled, library, suggest
from drafting.vague import vague
from streaming.transcript_json import parse
from streaming.types import NoteContext, Transcript

pytestmark = pytest.mark.unit

CHART = from_json(
    {
        "id": "c",
        "goals": ["Go to the team lunch", "Read for pleasure again"],
        "usual_interventions": {"CBT": ["exposure"]},
    }
)


def bundled() -> Transcript:
    return parse((HERE / "data" / "session" / "reference.json").read_bytes())


def test_every_modality_has_interventions_progress_and_its_lack() -> None:
    modalities = {one.modality for one in built_in()}
    assert {"CBT", "EMDR", "ACT", "DBT", "MI", "psychodynamic", "solution-focused", "supportive"} <= modalities
    for name in modalities:
        assert {"intervention", "progress", "no_progress"} <= {one.kind for one in built_in() if one.modality == name}
    assert len({one.id for one in built_in()}) == len(built_in())


def test_no_phrase_is_vague_once_it_is_filled_in() -> None:
    assert [one.id for one in built_in() if vague(re.sub(r"\[.*?\]", "4 nights", one.text))] == []


def test_phrases_fit_the_techniques_heard_and_are_filled() -> None:
    found = suggest(read(bundled()), CHART)
    first = next(one for one in found if one.phrase == "cbt_restructuring")
    assert 'the thought "this is it, I am going to lose my job"' in first.text
    assert first.evidence
    assert first.as_json()["provenance"] == "suggestion"
    assert not any(re.search(r"[{}]", one.text) for one in found)
    heard = {fact.detail["technique"] for fact in read(bundled()).facts if fact.kind == "intervention"}
    assert {one.because.removeprefix("heard: ") for one in found if one.because.startswith("heard")} <= heard


def test_each_goal_has_progress_or_its_lack_offered() -> None:
    reading = read(replace(bundled(), context=NoteContext(goals=tuple(one.text for one in CHART.goals))))
    by_goal = {one.text.split('"')[1]: one for one in suggest(reading, CHART) if 'the goal "' in one.text}
    assert by_goal["Go to the team lunch"].kind == "progress"
    assert by_goal["Read for pleasure again"].kind == "no_progress"
    assert "only if that is so" in by_goal["Read for pleasure again"].because
    assert by_goal["Read for pleasure again"].evidence == ()


def test_the_usual_modality_comes_first() -> None:
    chart = replace(CHART, usual_interventions={"solution-focused": ("scaling",)})
    scaling = [one.phrase for one in suggest(read(bundled()), chart) if one.phrase.endswith("scaling")]
    assert scaling[0] == "sf_scaling"


def test_nothing_of_the_library_is_in_a_note_unasked() -> None:
    texts = {one.text for part in draft(bundled()).sections for one in part.statements}
    assert not texts & {one.text for one in suggest(read(bundled()), CHART)}


def test_nothing_heard_offers_no_intervention() -> None:
    assert suggest(read(Transcript((), {}))) == ()


OWN: dict[str, Any] = {
    "id": "ours",
    "modality": "CBT",
    "kind": "intervention",
    "technique": "exposure",
    "text": "Did {target}.",
}


def test_a_practice_adds_changes_and_hides() -> None:
    changed = OWN | {"id": "cbt_exposure", "text": "Our words on {target}."}
    made = library({"phrases": [OWN, changed], "hidden": ["cbt_progress"]})
    ids = [one.id for one in made]
    assert ids[-1] == "ours"
    assert "cbt_progress" not in ids
    assert ids.index("cbt_exposure") == [one.id for one in built_in() if one.id != "cbt_progress"].index(
        "cbt_exposure"
    )
    assert next(one for one in made if one.id == "cbt_exposure").own
    assert len(as_json(made)) == len(built_in())
    assert library(None) == built_in()
    assert library({}) == built_in()


@pytest.mark.parametrize(
    "own, place",
    [
        ({"phrases": [OWN | {"kind": "poem"}]}, "phrases[0].kind"),
        ({"phrases": [OWN | {"technique": "hypnosis"}]}, "phrases[0].technique"),
        ({"phrases": [OWN | {"text": "Did {thing}."}]}, "phrases[0].text"),
        ({"phrases": [OWN | {"text": ""}]}, "phrases[0].text"),
        ({"phrases": [OWN | {"text": "a" * 601}]}, "phrases[0].text"),
        ({"phrases": [OWN | {"text": "a\x00"}]}, "phrases[0].text"),
        ({"phrases": [OWN | {"id": "No Id"}]}, "phrases[0].id"),
        ({"phrases": [OWN, OWN]}, "phrases[1].id"),
        ({"phrases": [OWN | {"colour": "red"}]}, "phrases[0]"),
        ({"phrases": ["text"]}, "phrases[0]"),
        ({"phrases": {}}, "phrases"),
        ({"hidden": ["nope"]}, "hidden[0]"),
        ({"hidden": "cbt_progress"}, "hidden"),
        ({"other": 1}, "phrases"),
    ],
)
def test_what_is_wrong_names_the_place(own: dict[str, Any], place: str) -> None:
    with pytest.raises(BadPhrases) as raised:
        library(own)
    assert place in str(raised.value)


def test_what_is_not_known_is_left_to_the_clinician() -> None:
    assert filled("Did {target} for {goal}.", target="", goal="sleep") == "Did [target] for sleep."
