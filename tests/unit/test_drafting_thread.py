"""The golden thread, progress goal by goal, and what the chart puts into a note."""

import json
from dataclasses import replace

import pytest

from benchmarks.draft_figures import HERE
from drafting.chart import context_of, from_json
from drafting.chart_text import chart_lines, objective_text, place_lines
from drafting.checks import thread_of
from drafting.core import Reading, assemble, draft, read, render
from drafting.formats import keys, named
from drafting.goals import by_goal
from drafting.golden_thread import Thread
from drafting.note import Note
from streaming.transcript_json import parse
from streaming.transcript_json import read as read_transcript
from streaming.types import Goal, NoteContext, Objective, Section, Statement, Transcript

pytestmark = pytest.mark.unit

CHART = from_json(
    {
        "id": "17",
        "client": "Daniel R.",
        "date_of_birth": "1986-04-02",
        "payer": "medicare",
        "diagnoses": ["F41.1 Generalized anxiety disorder"],
        "goals": [
            {
                "text": "Go to the team lunch",
                "objectives": [
                    {
                        "text": "Stays half an hour at the team lunch",
                        "baseline": "could not go",
                        "target": "twice a month",
                        "date": "2026-04-30",
                        "measure": "self-report",
                    }
                ],
            },
            {
                "text": "Resume reading",
                "objectives": [{"text": "Reads an hour", "baseline": "0", "target": "3 a week"}],
            },
        ],
        "usual_interventions": {"CBT": ["cognitive restructuring"]},
        "medications": ["escitalopram 10 mg every morning"],
        "plan": {
            "date": "2026-01-05",
            "type": "individual psychotherapy",
            "amount": "50 minutes",
            "frequency": "weekly",
            "duration": "6 months",
        },
    }
)
SESSION = NoteContext(
    started_at="2026-01-31T10:00:00+01:00",
    ended_at="2026-01-31T10:51:00+01:00",
    modality="telehealth_video",
    client_location="home in Oslo",
    provider_location="office in Oslo",
    platform="a video service",
    telehealth_consent="given 2026-01-05",
    provider="P.",
    credentials="LCSW",
)


def bundled() -> Transcript:
    transcript = parse((HERE / "data" / "session" / "reference.json").read_bytes())
    return replace(transcript, context=context_of(CHART, SESSION))


def thread(note: Note, reading: Reading) -> Thread:
    return thread_of(note, reading.facts, reading.transcript, named(note.format))


def drafted(transcript: Transcript, format: str = "soap") -> tuple[Note, Reading]:
    reading = read(transcript)
    return assemble(reading, render(reading, named(format)), named(format)), reading


NOT_SAID = {
    "soap": {"continued_care"},
    "dap": {"continued_care"},
    "birp": {"continued_care"},
    "girp": {"continued_care"},
    "pirp": {"continued_care"},
    "progress": {"continued_care"},
    "intake": {"intake_history", "intake_mse", "intake_capacity"},
    "plan": {"plan_objectives", "plan_signature"},
}
"""What nobody said in the bundled session: why care continues; what an intake asks for; an objective's date."""


@pytest.mark.parametrize("key", sorted(NOT_SAID))
def test_each_format_passes_its_checks_but_for_exactly_what_was_not_said(key: str) -> None:
    note, _ = drafted(bundled(), key)
    assert {one.rule for one in note.checks} == NOT_SAID[key]
    assert note.unsupported == 0


def test_all_formats_are_looked_at() -> None:
    assert set(NOT_SAID) == set(keys())


def test_the_chart_stands_in_the_note_and_is_marked() -> None:
    for key in keys():
        told = {one.text: one.provenance for part in draft(bundled(), key).sections for one in part.statements}
        assert told["Diagnosis: F41.1 Generalized anxiety disorder."] == "chart", key
        assert told["Treatment goal: Go to the team lunch."] == "chart", key
        objective = next(text for text in told if text.startswith("Objective: Stays half an hour"))
        assert told[objective] == "chart"
        assert "target twice a month; by 2026-04-30; measured by self-report" in objective
        if key != "intake":
            assert any(text.startswith("Usual interventions in the chart: CBT") for text in told), key


def test_progress_is_told_under_its_goal_and_its_lack_is_only_asked_about() -> None:
    note, _ = drafted(bundled())
    lines = next(part.statements for part in note.sections if part.name == "Assessment")
    texts = [one.text for one in lines]
    goal = texts.index("Treatment goal: Go to the team lunch.")
    assert texts[goal + 1].startswith("Objective: Stays half an hour")
    assert texts[goal + 2].startswith('Progress on the goal "Go to the team lunch": client said')
    lack = next(one for one in lines if one.text.startswith('No progress on the goal "Resume reading"'))
    assert lack.provenance == "suggestion"


def test_a_change_that_shares_a_goal_s_words_is_told_under_it() -> None:
    rows = [{"role": "client", "start": 0, "text": "I sleep better, six hours a night, last month it was four."}]
    goal = Goal("g1", "Sleep through most nights", (Objective("g1.1", "Sleeps seven hours a night"),))
    context = NoteContext(goals=(goal.text,), plan_goals=(goal,))
    transcript = replace(read_transcript({"utterances": rows}), context=context)
    note, reading = drafted(transcript)
    (found,) = by_goal(reading.facts, context)
    assert found.objective == goal.objectives[0]
    said = [
        one for part in note.sections for one in part.statements if one.text.startswith("Progress on this goal: ")
    ]
    assert said
    assert all(one.provenance == "transcript" and one.supported for one in said)


def test_words_that_all_talk_shares_tie_nothing() -> None:
    rows = [{"role": "client", "start": 0, "text": "I am less tired this week, and last month I could not get up."}]
    context = NoteContext(goals=("Go to work two days a week",))
    facts = read(replace(read_transcript({"utterances": rows}), context=context)).facts
    assert by_goal(facts, context)[0].facts == ()


def test_the_thread_of_the_bundled_session_holds() -> None:
    note, reading = drafted(bundled())
    found = thread(note, reading)
    assert [one.key for one in found.links] == ["diagnosis", "goal", "intervention", "response", "progress", "plan"]
    assert [one.key for one in found.breaks] == []
    lunch, reading_goal = found.goals
    assert lunch.missing == ("plan",)
    assert reading_goal.missing == ("intervention", "progress", "plan")
    assert json.loads(json.dumps(found.as_json()))["links"][0]["state"] == "held"


def test_what_is_missing_says_how_to_mend_and_where() -> None:
    note, reading = drafted(Transcript((), {}))
    found = thread(note, reading)
    assert {one.state for one in found.links} == {"missing"}
    assert all(len(one.mend.split()) > 5 for one in found.breaks)
    assert found.breaks[-1].section == "Plan"


def test_a_goal_that_nothing_takes_up_hangs_loose() -> None:
    context = NoteContext(diagnosis="F41.1 Generalized anxiety disorder", goals=("Repair the boat",))
    transcript = replace(bundled(), context=context)
    note, reading = drafted(transcript)
    loose = {one.key: one for one in thread(note, reading).links if one.state == "loose"}
    assert {"goal", "progress"} <= set(loose)
    finding = next(one for one in note.checks if one.rule == "thread_goal")
    assert finding.severity == "info"
    assert finding.message == loose["goal"].mend


def test_what_the_clinician_enters_mends_the_thread() -> None:
    note, reading = drafted(replace(bundled(), context=NoteContext(goals=("Repair the boat",))))
    more = Statement("Sanded the boat twice: progress, down from not touching it at all.", "clinician", ())
    last = note.sections[-1]
    mended = replace(note, sections=(*note.sections[:-1], Section(last.name, (*last.statements, more))))
    assert "progress" not in {one.key for one in thread(mended, reading).breaks}


def test_a_treatment_plan_asks_only_for_what_the_chart_lacks() -> None:
    text = "\n".join(one.text for part in draft(bundled(), "plan").sections for one in part.statements)
    assert "Treatment plan of 2026-01-05: individual psychotherapy, 50 minutes, weekly, for 6 months." in text
    assert "to be entered" not in text
    bare = "\n".join(one.text for part in draft(Transcript((), {}), "plan").sections for one in part.statements)
    assert bare.count("to be entered") == 3


@pytest.mark.parametrize(
    "modality, location, says",
    [
        ("telehealth_video", "home in Oslo", "POS 10, modifier 95."),
        ("telehealth_audio", "her apartment", "POS 10, modifier 93."),
        ("telehealth_video", "parked car in Oslo", "POS 02, modifier 95."),
        ("telehealth_video", "nursing home", "POS 02, modifier 95."),
        ("telehealth_video", "away from home, at a hotel", "POS 02, modifier 95."),
        ("telehealth_video", None, "modifier 95."),
    ],
)
def test_the_session_line_of_telehealth(modality: str, location: str | None, says: str) -> None:
    context = replace(SESSION, modality=modality, client_location=location)  # type: ignore[arg-type]
    (line,) = place_lines(context)
    assert line.text.endswith(says)
    for name in ("provider at office in Oslo", "platform a video service", "consent to telehealth: given"):
        assert name in line.text


def test_family_and_group_sessions_name_who_was_there() -> None:
    family = replace(
        bundled(), context=NoteContext(service="family_without_client", participants=("mother", "father"))
    )
    told = [one.text for part in draft(family).sections for one in part.statements]
    assert "Participants: mother, father." in told
    assert "The client was not present." in told
    group = replace(bundled(), context=NoteContext(service="group", group_size=8))
    assert "Group of 8 members." in [one.text for part in draft(group).sections for one in part.statements]


def test_an_objective_is_told_with_what_is_known_of_it() -> None:
    assert objective_text(Objective("o", "Reads.")) == "Reads"
    assert objective_text(Objective("o", "Reads", baseline="0", target="3.")) == "Reads (baseline 0; target 3)"


def test_objectives_that_are_known_as_texts_alone_are_told_too() -> None:
    context = NoteContext(goals=("Sleep",), objectives=("Asleep by eleven",))
    assert [one.text for one in chart_lines(("goals", "objectives"), context)] == [
        "Treatment goal: Sleep.",
        "Objective: Asleep by eleven.",
    ]
