"""The clinician is found from the talk alone, with a confidence that follows how much was said."""

from collections.abc import Sequence

import pytest
from shared_data import shared_data

from benchmarks.draft_figures import hidden, transcripts
from streaming.roles import guess, swap
from streaming.types import RoleGuess, SpeakerId, Tick, TrackId, Utterance, UtteranceId

pytestmark = pytest.mark.unit

A, B, C = SpeakerId("A"), SpeakerId("B"), SpeakerId("C")
SESSION = [
    (A, "Good morning. How have you been since last week?"),
    (B, "I don't know, I have been so anxious about my job, my boss keeps yelling at me."),
    (A, "It sounds like you have been under a lot of pressure. How does that affect your sleep?"),
    (B, "I can't sleep. I wake up at three and I just lie there."),
    (A, "What would you like to work on today?"),
    (B, "Yeah, I want my life back, I guess."),
]


def said(lines: Sequence[tuple[SpeakerId, str]]) -> list[Utterance]:
    return [
        Utterance(UtteranceId(str(n)), TrackId("mic"), Tick(n * 16000), Tick(n * 16000 + 8000), who, text, 1.0, ())
        for n, (who, text) in enumerate(lines)
    ]


def test_the_one_who_asks_is_the_clinician() -> None:
    found = guess(said(SESSION), (B, A))
    assert found.roles == {A: "clinician", B: "client"}
    assert found.source == "talk"
    assert found.confidence > 0.9


def test_punctuation_and_capitals_are_not_needed() -> None:
    bare = [(who, text.lower().replace("?", "").replace(".", "").replace(",", "")) for who, text in SESSION]
    assert guess(said(bare), (A, B)).roles[A] == "clinician"


def test_little_talk_gives_little_confidence() -> None:
    little = guess(said([(A, "Okay."), (B, "Hello.")]), (A, B))
    assert 0.5 <= little.confidence < 0.75
    assert guess(said(SESSION), (A, B)).confidence > little.confidence


def test_the_order_of_speakers_changes_nothing() -> None:
    assert guess(said(SESSION), (A, B)) == guess(said(SESSION), (B, A))


def test_one_speaker_alone_is_never_sure() -> None:
    found = guess(said([line for line in SESSION if line[0] == B]), (B,))
    assert found.roles == {B: "client"}
    assert found.confidence < 0.7


def test_nobody_has_no_role() -> None:
    assert guess([], ()) == RoleGuess({}, "talk", 0.0)


def test_speakers_who_said_nothing_are_a_toss_up() -> None:
    assert guess([], (A, B)).confidence == 0.5


def test_a_third_speaker_who_says_little_is_other() -> None:
    found = guess(said([*SESSION, (C, "The taxi is here.")]), (A, B, C))
    assert found.roles == {A: "clinician", B: "client", C: "other"}


def test_swap_exchanges_clinician_and_client_and_is_sure() -> None:
    swapped = swap(RoleGuess({A: "clinician", B: "client", C: "other"}, "talk", 0.6))
    assert swapped == RoleGuess({A: "client", B: "clinician", C: "other"}, "clinician", 1.0)


@pytest.mark.parametrize("bare", [False, True])
def test_sessions_with_hidden_roles_are_told_apart(bare: bool) -> None:
    sessions = transcripts(shared_data("therapy"))
    right = 0
    for transcript in sessions.values():
        masked = hidden(transcript, bare=bare)
        true = {
            new.speaker: transcript.roles[old.speaker]
            for new, old in zip(masked.utterances, transcript.utterances, strict=True)
        }
        right += guess(masked.utterances, tuple(true)).roles == true
    assert right >= 0.97 * len(sessions)
