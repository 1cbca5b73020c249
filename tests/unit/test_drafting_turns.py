"""Turns that go on past a listening noise, answers taken back, and what directly follows what."""

import pytest

from benchmarks.draft_figures import HERE
from drafting.core import Reading, draft, read
from drafting.risk import Denied, RiskState
from drafting.risk_mentions import RiskItem
from drafting.text import plain
from streaming.transcript_json import parse
from streaming.transcript_json import read as read_transcript
from streaming.types import Transcript

pytestmark = pytest.mark.unit


def spoken(*lines: str) -> Transcript:
    """Lines "T: …" of the clinician and "C: …" of the client."""
    rows = [
        {"role": {"T": "clinician", "C": "client"}[line[0]], "start": 5 * n, "text": line[3:]}
        for n, line in enumerate(lines)
    ]
    return read_transcript({"utterances": rows})


def reading(*lines: str) -> Reading:
    return read(spoken(*lines))


def state(item: RiskItem, *lines: str) -> RiskState:
    return reading(*lines).ledger[item].state


@pytest.mark.parametrize("noise", ["Mm-hmm.", "Yeah.", "Okay."])
def test_a_wish_broken_by_a_noise_keeps_its_negation(noise: str) -> None:
    said = ("C: I was low but I don't want to", f"T: {noise}", "C: kill myself.")
    assert state("si", "T: How was your week?", *said) == "not_asked"


def test_a_fragment_is_quoted_with_its_first_half_and_shows_both() -> None:
    found = reading("T: What worries you?", "C: Don't want to", "T: Yeah.", "C: end up dead because of the drinking.")
    told = plain(draft(found.transcript))
    assert "End up dead" not in told
    assert all("end up dead" not in one.text.lower() or "don't want to" in one.text.lower() for one in found.facts)
    held = [one.evidence for one in found.facts if "end up dead" in one.text.lower()]
    ids = [one.id for one in found.transcript.utterances]
    assert all({ids[1], ids[3]} <= set(one) for one in held)


def test_a_turn_that_ended_is_not_joined_to_the_next() -> None:
    found = reading(
        "T: How do you sleep?", "C: I cannot sleep at night.", "T: Mm-hmm.", "C: I feel anxious every single morning."
    )
    assert {len(one.evidence) for one in found.facts if one.kind == "symptom"} == {1}


@pytest.mark.parametrize(
    "said", ["I don't know that it helped me with the panic.", "No one helped me when the panic attacks came."]
)
def test_what_opens_a_sentence_and_turns_its_sense_is_not_cut(said: str) -> None:
    told = plain(draft(spoken("T: Did the breathing help?", f"C: {said}", "T: I see.", "C: It was a hard week.")))
    for line in told.splitlines():
        if "helped" in line:
            assert (
                "don't know that it helped" in line or "do not know that it helped" in line or "o one helped" in line
            )
    assert "That it helped" not in told


ASKED = "T: Have you had any thoughts of suicide?"


@pytest.mark.parametrize(
    "lines",
    [
        ("C: No.", "T: Okay.", "C: Well, actually, yes, last night."),
        ("C: No.", "T: Okay. Good.", "C: Actually, yes, last night."),
        ("C: No.", "T: I am glad to hear that.", "C: Well, actually, sometimes."),
        ("C: No, not", "T: Okay.", "C: until last night, when I almost did it."),
        ("C: No. Well, actually, yes, last night.",),
    ],
)
def test_a_denial_that_is_taken_back_is_endorsed(lines: tuple[str, ...]) -> None:
    found = reading(ASKED, *lines)
    assert found.ledger["si"].state == "endorsed"
    assert found.transcript.utterances[len(lines)].id in found.ledger["si"].evidence


@pytest.mark.parametrize(
    "lines",
    [
        ("C: No.", "T: Okay.", "C: Actually, that's not quite true."),
        ("C: No.", "T: Okay.", "C: I lied."),
        ("C: No. Wait, that isn't true.",),
        ("C: No, not", "T: Okay."),
        ("C: I don't", "T: How is work?"),
    ],
)
def test_a_denial_in_doubt_is_no_denial_and_is_shown(lines: tuple[str, ...]) -> None:
    found = reading(ASKED, *lines).ledger["si"]
    assert found.state in ("not_asked", "endorsed")
    assert found.evidence


@pytest.mark.parametrize(
    "lines",
    [
        ("C: No.", "T: Okay.", "C: Nothing like that."),
        ("C: No.", "T: Okay.", "C: But I am tired of the worry."),
        ("C: No.", "T: Good. How is your sleep?", "C: Well, actually, yes, it is better."),
        ("C: No, not at all.", "T: Right.", "C: I want to be here for my kids."),
        ("C: I don't.", "T: Okay.", "C: Work is hard."),
    ],
)
def test_a_denial_that_stands_stays(lines: tuple[str, ...]) -> None:
    assert isinstance(reading(ASKED, *lines).ledger["si"], Denied)


@pytest.mark.parametrize(
    "asked", ["T: And in the past?", "T: What about before?", "T: Ever?", "T: Okay. And in the past?"]
)
@pytest.mark.parametrize("said", ["C: I took pills two years ago.", "C: I tried once, in college."])
def test_an_attempt_told_when_asked_for_the_past_is_endorsed(asked: str, said: str) -> None:
    found = reading("T: Any thoughts of killing yourself?", "C: No.", asked, said).ledger
    assert found["attempts"].state == "endorsed"
    assert len(found["attempts"].evidence) == 3
    assert found["si"].state == "asked_denied"


def test_a_plain_yes_for_the_past_is_shown_to_be_checked() -> None:
    found = reading("T: Any thoughts of killing yourself?", "C: No.", "T: And in the past?", "C: Yes, years ago.")
    assert found.ledger["attempts"].state == "not_asked"
    assert found.ledger["attempts"].evidence


@pytest.mark.parametrize(
    "first, said",
    [("Any thoughts of killing yourself?", "C: No, never."), ("How is work?", "C: I took pills two years ago.")],
)
def test_a_past_denied_or_of_other_talk_finds_nothing(first: str, said: str) -> None:
    found = reading(f"T: {first}", "C: No.", "T: And in the past?", said).ledger["attempts"]
    assert (found.state, found.evidence) == ("not_asked", ())


TASK = "T: For next week, please write one thought record every evening."
OPENING = ("T: How are you?", "C: I cannot sleep at night.", "T: I see.", "C: It was a hard week.")


def homework(*lines: str) -> dict[str, str]:
    """The last homework's detail, after some talk."""
    found = [one for one in reading(*OPENING, *lines).facts if one.kind == "homework"]
    return dict(found[-1].detail)


@pytest.mark.parametrize(
    "said, agreed",
    [
        ("No, that sounds good. I definitely think I will.", "yes"),
        ("No problem, I can do that.", "yes"),
        ("I do not think I can.", "no"),
        ("I cannot do that.", "no"),
        ("I will not do that.", "no"),
        ("No, I can't.", "no"),
        ("No. It's too much.", "no"),
    ],
)
def test_what_a_client_agrees_to_and_declines(said: str, agreed: str) -> None:
    assert homework(TASK, f"C: {said}")["agreed"] == agreed


def test_a_response_is_only_what_directly_follows() -> None:
    asked = (
        "T: Let us use cognitive restructuring with that thought. What is the evidence that you will lose your job?"
    )
    apart = (
        *OPENING,
        asked,
        "C: Mm-hmm.",
        "T: Let me first say something about the rent and the bus. It has been a very long winter for all of us.",
        "C: That helps me a lot, I feel much better about the bus now.",
    )
    assert "much better about the bus" not in "".join(
        one.sentence for one in reading(*apart).facts if one.detail.get("key") == "cognitive_restructuring"
    )
    follows = (*OPENING, asked, "T: Mm-hmm.", "C: Well, I missed the deadlines and she was serious.")
    found = [one for one in reading(*follows).facts if one.kind == "response"]
    assert any("missed the deadlines" in one.sentence for one in found)


def bundled() -> Transcript:
    return parse((HERE / "data" / "session" / "reference.json").read_bytes())


@pytest.mark.parametrize("key", ["soap", "dap", "birp", "girp", "pirp", "progress", "plan"])
def test_agreed_homework_stands_in_the_plan_of_every_format(key: str) -> None:
    last = draft(bundled(), key).sections[-1]
    told = " ".join(one.text for one in last.statements)
    assert "write one thought record every evening; call one customer before noon each day" in told
    assert "Next appointment agreed" in told


def test_the_answer_to_a_question_after_a_task_is_no_answer_to_the_task() -> None:
    found = [one for one in read(bundled()).facts if one.kind == "homework" and "easiest" in one.text]
    assert found
    assert all("alarm" not in one.sentence and one.detail["agreed"] == "unheard" for one in found)


def test_a_question_that_asks_for_agreement_is_answered() -> None:
    assert homework(f"{TASK} Does that sound okay?", "C: Yes, I can do that.")["agreed"] == "yes"
    assert homework(f"{TASK} What could get in the way?", "C: Sure, I will. Only the late shift.")["agreed"] == "yes"


@pytest.mark.parametrize("key, section", [("girp", "Goal"), ("plan", "Goals and objectives")])
def test_a_goal_the_clinician_named_stands_among_the_goals(key: str, section: str) -> None:
    part = next(one for one in draft(bundled(), key).sections if one.name == section)
    held = [one for one in part.statements if "team lunch" in one.text]
    assert len(held) == 1
    assert held[0].supported


def test_a_technique_is_not_applied_to_what_was_only_said_elsewhere() -> None:
    far = (
        "C: The headaches are bad.",
        "T: I see.",
        "C: Yes, the headaches and the noise.",
        *("T: I see.", "C: It was loud.") * 5,
    )
    asked = "T: Let us use cognitive restructuring with that thought. What is the evidence for it?"
    found = [one for one in reading(*far, asked, "C: She was serious with me.").facts if one.kind == "intervention"]
    assert found
    assert not any("headaches" in one.sentence for one in found)


def test_an_answer_to_another_question_agrees_to_nothing() -> None:
    talk = (
        "T: How have you been?",
        "C: The worry is still there most days.",
        "T: And your sleep?",
        "C: I wake up four nights a week.",
        "T: For next week, please write one thought record every evening.",
        "C: I can do that.",
        "T: Then start with the easiest customer.",
        "T: What could help you remember?",
        "C: I can set an alarm on my phone.",
    )
    tasks = {one.detail["task"]: one.detail["agreed"] for one in reading(*talk).facts if one.kind == "homework"}
    assert tasks["start with the easiest customer"] == "unheard"
    assert tasks["write one thought record every evening"] == "yes"


def test_a_technique_is_not_applied_to_what_was_spoken_of_earlier() -> None:
    talk = (
        "T: How are you?",
        "C: I am failing my grades this year.",
        "C: And then I hurt him and I do not know why I did that to my brother.",
        "T: Okay.",
        "C: It was the first time that this happened to me.",
        "T: All of those things show how much effort you have put in, and I appreciate that.",
    )
    used = [one.sentence for one in reading(*talk).facts if one.kind == "intervention"]
    assert used, "no technique was heard"
    assert not any("applied to grades" in one for one in used)


def test_a_technique_is_applied_to_what_the_client_ended_on() -> None:
    talk = (
        "T: What is it?",
        "C: I cannot sleep because of the nightmares.",
        "T: What would help you to deal with that?",
    )
    targets = [one.detail["target"] for one in reading(*talk).facts if one.kind == "intervention"]
    assert targets == ["sleep"]


def test_a_number_of_earlier_does_not_stand_alone_as_the_rating() -> None:
    talk = (
        "T: From zero to ten, how strong was the anxiety this week?",
        "C: I would say it was asex. It was an eight in January.",
    )
    told = [one.sentence for one in reading(*talk).facts if one.kind == "measure"]
    assert len(told) == 1
    assert '"I would say it was asex. It was an eight in January."' in told[0]


@pytest.mark.parametrize(
    "said",
    ["Start to feel a little stressed out at work.", "Liquor, whenever people are drinking, but I don't like beer."],
)
def test_words_without_a_subject_are_quoted(said: str) -> None:
    told = [one.sentence for one in reading("T: Tell me more.", f"C: {said}").facts if one.speaker == "client"]
    assert not any(one.startswith("Client reported that") for one in told), told
