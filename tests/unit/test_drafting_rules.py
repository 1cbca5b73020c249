"""Formats as data, billing, checks, vague phrases, clone guard and recap."""

from dataclasses import replace

import pytest

from drafting.billing import billing, told
from drafting.checks import vague_sections
from drafting.clones import findings as clones
from drafting.clones import similarity
from drafting.core import assemble, draft, read, render
from drafting.formats import BadFormat, keys, named, parse
from drafting.note import Note
from drafting.recap import MAX_QUESTIONS, recap
from streaming.transcript_json import read as read_transcript
from streaming.types import NoteContext, Section, Statement, Transcript

pytestmark = pytest.mark.unit

OWN = """
key = "short"
[[section]]
name = "What was said"
  [[section.part]]
  kind = "facts"
  of = ["symptom", "function"]
  limit = 3
[[section]]
name = "Safety"
  [[section.part]]
  kind = "risk"
"""


def lasting(minutes: int, **more: str) -> Transcript:
    start, end = "2026-01-31T10:00:00+01:00", f"2026-01-31T{10 + minutes // 60:02d}:{minutes % 60:02d}:59+01:00"
    body = {"utterances": [], "context": {"started_at": start, "ended_at": end} | more}
    return read_transcript(body)


def noted(*texts: str, name: str = "Plan") -> Note:
    statements = tuple(Statement(text, "clinician", ()) for text in texts)
    return replace(draft(Transcript((), {})), sections=(Section(name, statements),))


@pytest.mark.parametrize(
    "minutes, cpt, margin",
    [
        (0, None, 16),
        (15, None, 1),
        (16, "90832", 22),
        (37, "90832", 1),
        (38, "90834", 15),
        (51, "90834", 2),
        (52, "90834", 1),
        (53, "90837", 0),
        (90, "90837", 37),
    ],
)
def test_cpt_by_minutes(minutes: int, cpt: str | None, margin: int) -> None:
    found = billing(lasting(minutes))
    assert (found.minutes, found.cpt, found.margin_min, found.source) == (minutes, cpt, margin, "clock")


def test_the_margin_is_told_and_nobody_is_told_to_stretch() -> None:
    assert told(billing(lasting(51))) == "51 min: 90834, 2 min short of 90837"


def test_without_a_clock_the_span_of_the_talk_counts_and_times_are_an_error() -> None:
    rows = [{"role": "client", "start": 0, "text": "a"}, {"role": "client", "start": 1200, "end": 1260, "text": "b"}]
    note = draft(read_transcript({"utterances": rows}))
    assert (note.billing.minutes, note.billing.source) == (21, "transcript")
    assert "start_stop_times" in {one.rule for one in note.checks}


def test_all_eight_formats_come_along() -> None:
    assert set(keys()) == {"soap", "dap", "birp", "girp", "pirp", "progress", "intake", "plan"}
    assert all(named(key).home("risk") for key in keys())


def test_a_practice_s_own_format() -> None:
    own = parse(OWN)
    reading = read(
        read_transcript({"utterances": [{"role": "client", "start": 0, "text": "I worry every day about money."}]})
    )
    note = assemble(reading, render(reading, own), own)
    assert [section.name for section in note.sections] == ["What was said", "Safety"]
    assert "worry every day" in note.sections[0].statements[0].text


@pytest.mark.parametrize(
    "change",
    [
        ('kind = "risk"', 'kind = "danger"'),
        ('key = "short"', ""),
        ("limit = 3", "limit = 0"),
        ('of = ["symptom", "function"]', 'of = ["symptoms"]'),
        ('name = "Safety"', 'name = "What was said"'),
        ("[[section]]", "[[section"),
        ('kind = "risk"', 'kind = "session"'),
        ("limit = 3", 'colour = "red"'),
    ],
)
def test_a_format_that_is_wrong_is_refused(change: tuple[str, str]) -> None:
    with pytest.raises(BadFormat):
        parse(OWN.replace(*change))


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadFormat):
        draft(Transcript((), {}), "haiku")


def test_telehealth_asks_for_its_fields_only_where_it_is_telehealth() -> None:
    rules = {one.rule for one in draft(lasting(50, modality="telehealth_video")).checks}
    assert {"telehealth_locations", "telehealth_consent", "telehealth_platform"} <= rules
    assert not any(one.rule.startswith("telehealth") for one in draft(lasting(50, modality="in_person")).checks)


def test_telehealth_place_of_service_and_modifier() -> None:
    more = {"modality": "telehealth_audio", "client_location": "home in Oslo", "provider_location": "office"}
    text = " ".join(one.text for part in draft(lasting(50, **more)).sections for one in part.statements)
    assert "POS 10" in text
    assert "modifier 93" in text


def test_long_sessions_ask_why() -> None:
    assert "length_90837" in {one.rule for one in draft(lasting(55)).checks}
    assert "length_90837" not in {one.rule for one in draft(lasting(52)).checks}


def test_endorsed_risk_without_follow_up_is_an_error() -> None:
    rows = [
        {"role": "clinician", "start": 0, "text": "Any thoughts of suicide?"},
        {"role": "client", "start": 3, "text": "Yes, most nights."},
    ]
    assert "risk_follow_up" in {one.rule for one in draft(read_transcript({"utterances": rows})).checks}


def test_messages_say_how_to_mend_and_where() -> None:
    for one in draft(Transcript((), {})).checks:
        assert len(one.message.split()) > 5
        assert one.severity in ("error", "warning", "info")
        assert one.section in ("", "Subjective", "Objective", "Assessment", "Plan")


@pytest.mark.parametrize(
    "text", ["Client stable.", "Processed feelings.", "Supportive therapy provided.", "Client is doing better."]
)
def test_vague_phrases_are_found(text: str) -> None:
    assert vague_sections(noted(text)) != {}


@pytest.mark.parametrize(
    "text",
    [
        "Client is doing better: sleeps six hours, up from four.",
        'Client said, "I am doing better."',
        "Worry most days.",
    ],
)
def test_a_specific_or_a_quote_is_not_vague(text: str) -> None:
    assert vague_sections(noted(text)) == {}


def test_clone_guard() -> None:
    text = "Client reported waking at three every night and worrying about rent until morning came around again."
    assert similarity(text, text) == 1.0
    assert similarity(text, "Nothing in common here at all, not one stretch of words.") == 0.0
    assert clones(noted(text), [text])[0].severity == "error"
    assert (
        clones(noted(text), ["Client walked the dog on Sunday and liked the quiet streets very much indeed."]) == ()
    )
    assert "another client" in clones(noted(text), [], [text])[0].message


RECAP = (
    "Worked on thought records for fear of being fired. Anxiety 5/10, wakes 4 nights. No SI. "
    "Plan: thought record daily."
)


def test_a_recap_is_told_as_the_clinician_s_and_nothing_is_added() -> None:
    found = recap(RECAP, NoteContext(diagnosis="F41.1"))
    told = [one for part in found.note.sections for one in part.statements]
    own = {one.text.removeprefix("Risk: ") for one in told if one.provenance == "clinician"}
    assert own == {
        "Worked on thought records for fear of being fired.",
        "Anxiety 5/10, wakes 4 nights.",
        "No suicidal ideation.",
        "Plan: thought record daily.",
    }
    assert {one.provenance for one in told} == {"clinician", "chart", "suggestion"}
    assert found.note.risk["si"].state == "not_asked"
    assert not any("not assessed this session" in one.text for one in told)


def test_a_recap_asks_at_most_three_questions_of_what_is_missing() -> None:
    found = recap("Client was late.")
    assert len(found.questions) == MAX_QUESTIONS
    assert "risk" in found.questions[0]
    assert len(recap(RECAP).questions) <= MAX_QUESTIONS
    assert not any("risk" in one for one in recap(RECAP).questions)


def test_a_late_recap_has_a_header() -> None:
    context = NoteContext(started_at="2026-01-31T10:00:00+01:00")
    assert recap(RECAP, context, written_on="2026-02-02").header.startswith("Late entry, written 2026-02-02")
    assert recap(RECAP, context, written_on="2026-01-31").header == ""


def test_an_empty_recap_is_a_skeleton_that_asks() -> None:
    found = recap("")
    assert len(found.questions) == MAX_QUESTIONS
    assert not any(one.provenance == "clinician" for part in found.note.sections for one in part.statements)
