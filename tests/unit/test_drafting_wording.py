"""A practice's wording: nothing changes without one, and with one only what stands outside of quotes."""

import re
from collections.abc import Iterator

import pytest
from shared_data import shared_data

from benchmarks.draft_figures import HERE
from drafting import wording
from drafting.core import assemble, draft, read, render
from drafting.formats import named
from drafting.wording import BadWording, built_in, framed, parse, reword, unword
from drafting.wording import read as read_wording
from streaming.transcript_json import parse as parse_transcript

pytestmark = pytest.mark.unit

PATIENT = {"terms": {"client": "patient", "clinician": "therapist"}}


@pytest.fixture
def as_patient() -> Iterator[None]:
    wording.use(read_wording(PATIENT))
    yield
    wording.use(None)


def quotes(text: str) -> list[str]:
    return re.findall(r'"([^"]*)"', text)


def test_every_sentence_stays_as_it_is_in_our_wording_and_can_be_reworded() -> None:
    mine = read_wording(PATIENT)
    sentences = 0
    for path in sorted(shared_data("therapy").glob("*.json"))[:12]:
        for fact in read(parse_transcript(path.read_bytes())).facts:
            sentences += 1
            assert reword(fact.sentence, built_in()) == fact.sentence
            assert framed(fact.sentence), fact.sentence
            changed = reword(fact.sentence, mine)
            assert quotes(changed) == quotes(fact.sentence)
            assert unword(changed, mine) == fact.sentence
            assert "client" not in re.sub(r'"[^"]*"', "", changed.lower())
    assert sentences > 50


@pytest.mark.parametrize(
    "frames, before, after",
    [
        (
            {"reported": "{client} states: {told}"},
            "Client reported that they sleep badly.",
            "Patient states: they sleep badly.",
        ),
        (
            {"applied": "Used {technique} on {target}: "},
            'Graded exposure applied to smoking: clinician asked, "How is it?"',
            'Used graded exposure on smoking: therapist asked, "How is it?"',
        ),
        (
            {"response": '{client} answered to {technique}, "{quote}"'},
            'After summarizing, client responded, "The client in me agrees."',
            'Patient answered to summarizing, "The client in me agrees."',
        ),
        (
            {"homework": "homework set: "},
            'Agreed in session, homework: call. Client answered, "Yes."',
            'Homework set: call. Patient answered, "Yes."',
        ),
    ],
)
def test_frames_and_terms(frames: dict[str, str], before: str, after: str) -> None:
    mine = read_wording({**PATIENT, "sentences": frames})
    assert reword(before, mine) == after
    assert unword(after, mine) == before


def test_a_note_that_is_put_together_again_is_not_reworded_twice() -> None:
    frames = {"reported": "{client} reported that this week {told}", "said": '{client} said to us, "{quote}"'}
    wording.use(read_wording({"terms": {"client": "member"}, "sentences": frames}))
    try:
        reading = read(parse_transcript((HERE / "data" / "session" / "reference.json").read_bytes()))
        once = assemble(reading, render(reading, named("soap")), named("soap"))
        twice = assemble(reading, once.sections, named("soap"))
    finally:
        wording.use(None)
    assert twice == once
    assert once.unsupported == 0
    assert any("reported that this week" in one.text for part in once.sections for one in part.statements)


def test_risk_keeps_its_words_but_for_the_terms() -> None:
    text = 'Risk: client denied suicidal ideation when asked. Clinician asked, "Any?" Client answered, "No."'
    changed = reword(text, read_wording({**PATIENT, "sentences": {"asked": '{clinician} wondered, "{quote}"'}}))
    assert changed == text.replace("client", "patient").replace("Client", "Patient").replace("Clinician", "Therapist")


def test_a_note_in_a_practice_s_wording_has_the_same_findings(as_patient: None) -> None:
    transcript = parse_transcript((HERE / "data" / "session" / "reference.json").read_bytes())
    mine = draft(transcript)
    wording.use(None)
    ours = draft(transcript)
    assert mine.checks == ours.checks
    told = [one.text for part in mine.sections for one in part.statements if one.provenance == "transcript"]
    assert any(text.startswith("Patient reported that") for text in told)
    assert not any("client" in re.sub(r'"[^"]*"', "", text.lower()) for text in told)


@pytest.mark.parametrize(
    "text, place",
    [
        ('[sentences]\nreported = "They told us."', "sentences.reported"),
        ('[sentences]\nreported = "{client} said {told} {told}"', "sentences.reported"),
        ("[sentences]\nsaid = '{client} said, {quote}'", "sentences.said"),
        ('[sentences]\nsaid = \'{client} "really" said, "{quote}"\'', "sentences.said"),
        ('[sentences]\nhomework = "Homework"', "sentences.homework"),
        ('[sentences]\nreport = "{client} {told}"', "sentences"),
        ('[terms]\nclient = "{client}"', "terms.client"),
        ('[terms]\nclient = "the client"', "terms.client"),
        ('[terms]\nperson = "person"', "terms"),
        ("[other]\na = 1", "the wording"),
        ('terms = "x"', "terms"),
        ("[terms", "TOML"),
    ],
)
def test_a_wording_that_is_wrong_names_the_place(text: str, place: str) -> None:
    with pytest.raises(BadWording) as raised:
        parse(text)
    assert place in str(raised.value)
