"""Facts from talk: their kind, details and sentence; speech cleaned; first person turned to third."""

import pytest

from drafting.clauses import clauses, clean, is_question, split
from drafting.core import read
from drafting.facts import Fact
from drafting.third import third_person
from streaming.transcript_json import read as read_transcript
from streaming.types import Tick, UtteranceId

pytestmark = pytest.mark.unit


def facts(*lines: str) -> list[Fact]:
    rows = [
        {"role": {"C": "clinician", "P": "client"}[line[0]], "start": 5 * n, "text": line[3:]}
        for n, line in enumerate(lines)
    ]
    return list(read(read_transcript({"utterances": rows})).facts)


def one(kind: str, *lines: str) -> Fact:
    found = [fact for fact in facts(*lines) if fact.kind == kind]
    assert len(found) == 1, [(fact.kind, fact.sentence) for fact in found]
    return found[0]


@pytest.mark.parametrize(
    "said, written",
    [
        ("I-I'm just- I'm just so, um, tired.", "I'm just so, tired."),
        ("I know- I know all the ways.", "I know all the ways."),
        ("It's, you know, [laughs] hard.", "It's hard."),
        ("I'm gonna try 'cause I wanna sleep.", "I'm going to try because I want to sleep."),
        ("Dr. Brown said no.", "Dr Brown said no."),
    ],
)
def test_clean(said: str, written: str) -> None:
    assert clean(said) == written


def test_a_long_stretch_without_punctuation_is_split_at_conjunctions() -> None:
    text = (
        "i was going to work " * 4
        + "and then i stopped because i was so tired and i went home and my wife called me there"
    )
    assert len(split(text)) > 2


@pytest.mark.parametrize(
    "text, asks", [("How are you?", True), ("do you sleep", True), ("I sleep.", False), ("Do it.", False)]
)
def test_questions(text: str, asks: bool) -> None:
    assert is_question(text) is asks


def test_what_was_not_understood_damages_its_clause_only() -> None:
    rows = [{"role": "client", "start": 0, "text": "I sleep [unintelligible 00:00:03] badly. I feel sad every day."}]
    assert [clause.damaged for clause in clauses(read_transcript({"utterances": rows}))] == [True, False]


@pytest.mark.parametrize(
    "said, told",
    [
        ("I'm so tired", "they are so tired"),
        ("Yeah, I've been smoking for ten years", "they have been smoking for ten years"),
        ("I was sad and I wasn't eating", "they were sad and they were not eating"),
        ("I'd been drinking", "they had been drinking"),
        ("I'd like help", "they would like help"),
        ("my boss yells at me", "their boss yells at them"),
        ("No, I can't sleep", "they cannot sleep"),
    ],
)
def test_third_person(said: str, told: str) -> None:
    assert third_person(said) == told


@pytest.mark.parametrize("said", ["you never know", "we had a fight", "they don't like me", "Is it me?", ""])
def test_where_the_third_person_could_mislead_there_is_none(said: str) -> None:
    assert third_person(said) is None


def test_a_symptom_with_frequency() -> None:
    found = one("symptom", "C: How is your sleep?", "P: I wake up at three about four nights a week.")
    assert found.detail["topic"] == "sleep"
    assert "four nights a week" in found.detail["frequency"]
    assert found.sentence == "Client reported that they wake up at three about four nights a week."
    assert found.evidence == ("mic-2",)
    assert (found.speaker, found.experiencer, found.polarity) == ("client", "client", "affirmed")


def test_a_denied_symptom_has_its_polarity() -> None:
    assert one("symptom", "C: And your mood?", "P: I am not sad anymore these days.").polarity == "denied"


def test_impaired_function() -> None:
    found = one("function", "C: And work?", "P: I missed two deadlines at work this month.")
    assert found.detail["topic"] == "work"


def test_medication_is_told_in_the_client_s_words() -> None:
    found = one(
        "medication", "C: Your medication?", "P: I take fifty milligrams of sertraline. I have not missed a day."
    )
    assert (
        found.sentence == 'Medication: client said, "I take fifty milligrams of sertraline. I have not missed a day."'
    )


def test_a_technique_with_its_target_and_the_response() -> None:
    lines = (
        "C: What happened?",
        "P: I thought, everyone at the party hates me.",
        "C: What is the evidence that everyone hates you?",
        "P: There is none, I guess. That helps to see.",
    )
    done = one("intervention", *lines)
    assert done.detail["technique"] == "cognitive restructuring"
    assert done.detail["target"] == 'the thought "everyone at the party hates me"'
    assert done.evidence == ("mic-2", "mic-3")
    assert any(fact.kind == "response" and fact.evidence == ("mic-4",) for fact in facts(*lines))


TALK = ("C: Hello.", "P: I worry a lot about my mother.", "C: I see.", "P: Yes, every single day.")


@pytest.mark.parametrize(
    "answer, agreed",
    [("Sure, I can do that.", "yes"), ("No, I don't want to.", "no"), ("My mother knits.", "unheard")],
)
def test_homework_agreed_declined_and_unheard(answer: str, agreed: str) -> None:
    found = one("homework", *TALK, "C: I'd like you to write down your worries every evening.", f"P: {answer}")
    assert found.detail["agreed"] == agreed
    assert ("Agreed in session" in found.sentence) is (agreed == "yes")
    assert "write down their worries every evening" in found.sentence


def test_the_next_appointment() -> None:
    found = one("appointment", *TALK, "C: Shall we meet again next Tuesday at four?", "P: Yes, that works for me.")
    assert found.detail["agreed"] == "yes"


def test_a_rating() -> None:
    found = one("measure", "C: On a scale from zero to ten, how strong was the worry?", "P: A seven, I would say.")
    assert "the worry" in found.sentence
    assert "seven" in found.sentence


def test_homework_reviewed() -> None:
    found = one("homework_reviewed", "C: Did you do the breathing homework?", "P: I did it twice, then I forgot.")
    assert found.evidence == ("mic-1", "mic-2")


def test_a_fact_cannot_be_made_without_evidence() -> None:
    with pytest.raises(ValueError, match="evidence"):
        Fact("symptom", "x", "x", (), "client", Tick(0))
    assert Fact("symptom", "x", "x", (UtteranceId("a"),), "client", Tick(0)).evidence == ("a",)
