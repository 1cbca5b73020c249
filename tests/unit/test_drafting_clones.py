"""The clone guard and the lint for vague phrases."""

import random
import time
from dataclasses import replace

import pytest

from drafting.clones import Earlier, grams, own_words, similarity
from drafting.clones import findings as clones
from drafting.core import assemble, draft, read, render
from drafting.formats import named
from drafting.note import Note
from drafting.vague import vague, vague_sections
from streaming.transcript_json import read as read_transcript
from streaming.types import Section, Statement, Transcript

pytestmark = pytest.mark.unit

_WORDS = (
    "worry sleep work manager deadline lunch walk drive call friend partner school exam panic chest breath morning"
    " evening week month rent money garden dog train shift kitchen letter tired angry calm hopeful slow loud short"
)
WORDS = _WORDS.split()


def noted(*texts: str, name: str = "Plan") -> Note:
    statements = tuple(Statement(text, "clinician", ()) for text in texts)
    return replace(draft(Transcript((), {})), sections=(Section(name, statements),))


def prose(seed: int, words: int = 300) -> str:
    chance = random.Random(seed)
    return " ".join(chance.choice(WORDS) for _ in range(words))


def test_a_copy_of_an_earlier_note_names_its_date() -> None:
    earlier = [Earlier("2026-01-10", prose(1)), Earlier("2026-01-17", prose(2)), Earlier("2026-01-24", prose(3))]
    (found,) = clones(noted(prose(2)), earlier)
    assert (found.rule, found.severity, found.section) == ("cloned_note", "error", "Plan")
    assert "2026-01-17" in found.message
    assert "100%" in found.message


def test_a_copy_with_some_words_changed_is_found_still() -> None:
    words = prose(4).split()
    for place in range(0, len(words), 40):
        words[place] = "else"
    assert clones(noted(" ".join(words)), [Earlier("2026-01-10", prose(4))])


def test_another_client_s_note_is_found_and_nothing_of_it_is_told() -> None:
    (found,) = clones(noted(prose(5)), [], [prose(6), prose(5)])
    assert "another client" in found.message
    assert not any(word in found.message for word in WORDS if word not in ("week", "work"))


def test_notes_of_their_own_are_no_copies() -> None:
    assert clones(noted(prose(7)), [Earlier("2026-01-10", prose(8))], [prose(9)]) == ()


def test_chart_lines_and_prompts_are_left_out_of_the_comparison() -> None:
    same = "Treatment goal: take part in lunch with the team twice a month and stay for half an hour."
    assert grams(same) == frozenset()
    chart = replace(noted(), sections=(Section("Plan", (Statement(same, "chart", ()),)),))
    assert own_words(chart) == ""
    prompt = Statement("Appearance, affect and mental status: to be entered.", "suggestion", ())
    assert own_words(replace(noted(), sections=(Section("Plan", (prompt,)),))) == ""


def test_standard_wording_of_a_practice_is_no_copy_of_another_client() -> None:
    standard = "The limits of confidentiality were gone over and the client said that they understood them in full. "
    others = [standard + prose(seed, 60) for seed in range(20, 40)]
    assert clones(noted(standard + prose(50, 20)), [], others) == ()
    assert clones(noted(standard + prose(21, 60)), [], others)


def test_a_few_words_are_too_short_to_say() -> None:
    assert (
        clones(noted("Client reported worry every single night."), ["Client reported worry every single night."])
        == ()
    )


def test_the_checks_of_a_draft_take_earlier_notes() -> None:
    rows = [
        {"role": "client", "start": 0, "text": "I worry every night about the rent and I wake at three."},
        {"role": "client", "start": 9, "text": "I missed two shifts at work because I was too tired to get up."},
    ]
    reading = read(read_transcript({"utterances": rows}))
    written = render(reading, named("soap"))
    before = assemble(reading, written, named("soap"))
    assert "cloned_note" not in {one.rule for one in before.checks}
    again = assemble(reading, written, named("soap"), earlier=[Earlier("2026-01-10", own_words(before))])
    assert "2026-01-10" in next(one.message for one in again.checks if one.rule == "cloned_note")


def test_two_hundred_notes_are_compared_in_time() -> None:
    earlier = [Earlier(f"2026-01-{seed % 28 + 1:02d}", prose(seed, 600)) for seed in range(100, 200)]
    others = [prose(seed, 600) for seed in range(200, 300)]
    note = noted(prose(99, 600))
    took = []
    for _ in range(3):
        started = time.process_time()
        assert clones(note, earlier, others) == ()
        took.append(time.process_time() - started)
    assert min(took) < 0.2  # the figure is 0.1 s on a free core


def test_similarity_is_of_both_texts_alike() -> None:
    assert similarity(prose(1), prose(1)) == 1.0
    assert similarity(prose(1) + prose(2), prose(2)) == similarity(prose(2), prose(1) + prose(2))
    assert similarity("", prose(1)) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "Client stable.",
        "Patient remains stable.",
        "Client is doing better.",
        "Client feels better.",
        "Client feels a little better.",
        "Making progress toward goals.",
        "Client made good progress towards treatment goals.",
        "Supportive therapy provided.",
        "Supportive psychotherapy was provided.",
        "Provided support.",
        "Provided emotional support.",
        "Processed week.",
        "Processed the past week.",
        "Processed feelings.",
        "Processed client's feelings.",
        "Built rapport.",
        "Listened empathetically.",
        "MSE within normal limits.",
        "Mental status exam WNL.",
        "50-minute session.",
        "45 min session, worry most days.",
        "Continue treatment plan.",
        "Discussed various stressors.",
        "Client tolerated session well.",
    ],
)
def test_vague_phrases_are_found(text: str) -> None:
    assert vague(text) != ""


@pytest.mark.parametrize(
    "text",
    [
        "Client is doing better: sleeps six hours, up from four.",
        "Client stable, no panic since 2 January.",
        "Processed the week with cognitive restructuring of the thought of being fired.",
        "Worry most days, insomnia 4-5 nights a week, impaired concentration at work.",
        "The stable door was open.",
        "She processed the forms.",
    ],
)
def test_a_specific_saves_and_harmless_words_are_left_alone(text: str) -> None:
    assert vague(text) == ""


def test_a_specific_must_follow_in_the_same_section() -> None:
    note = noted("Client stable.", "Sleeps six hours a night.")
    assert vague_sections(note) == {}
    other = Section("Assessment", (Statement("Sleeps six hours a night.", "clinician", ()),))
    alone = replace(note, sections=(Section("Plan", (Statement("Client stable.", "clinician", ()),)), other))
    assert list(vague_sections(alone)) == ["Plan"]


def test_a_length_in_minutes_is_saved_by_start_and_stop_times_alone() -> None:
    assert vague_sections(noted("50-minute session.")) != {}
    assert vague_sections(noted("50-minute session, start 10:00, stop 10:50.")) == {}


def test_a_client_s_own_words_are_no_fault() -> None:
    assert vague_sections(noted('Client said, "I am doing better."')) == {}
