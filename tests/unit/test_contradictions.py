"""A clinician's words on risk against what was heard in the session."""

import pytest
from talk import CLIENT, CLINICIAN, talk

from drafting.contradictions import contradictions
from drafting.core import read
from streaming.types import Section, SpeakerId, Statement

pytestmark = pytest.mark.unit

ENDORSED = ((CLINICIAN, "Have you had thoughts of killing yourself?"), (CLIENT, "Yes, most nights I do."))
DENIED = ((CLINICIAN, "Have you had thoughts of killing yourself?"), (CLIENT, "No, no thoughts of suicide."))
NOTHING = ((CLINICIAN, "How did you sleep?"), (CLIENT, "Four hours a night."))


def rules(
    lines: tuple[tuple[SpeakerId, str], ...], text: str, provenance: str = "clinician"
) -> list[tuple[str, str]]:
    told = Statement(text, provenance, ())  # type: ignore[arg-type]
    found = contradictions((Section("Risk", (told,)),), read(talk(*lines)).ledger)
    assert all(one.section == "Risk" and text not in one.message for one in found)
    return [(one.rule, one.severity) for one in found]


@pytest.mark.parametrize("text", ["Denies SI.", "Client denied suicidal ideation.", "No SI/HI."])
def test_a_denial_against_the_clients_own_words_is_an_error(text: str) -> None:
    assert ("risk_contradicted", "error") in rules(ENDORSED, text)


def test_a_denial_that_nobody_heard_is_shown() -> None:
    assert rules(NOTHING, "Denies SI.") == [("risk_not_heard", "warning")]


def test_what_was_heard_as_denied_and_is_written_as_endorsed_is_shown() -> None:
    assert rules(DENIED, "Client endorsed suicidal ideation.") == [("risk_differs", "warning")]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (DENIED, "Denies SI."),
        (ENDORSED, "Client endorsed suicidal ideation most nights."),
        (ENDORSED, "Safety plan made; means restriction discussed with his mother."),
        (NOTHING, "Client walks daily."),
        (NOTHING, 'Client said, "my brother denies SI."'),
    ],
)
def test_what_agrees_or_says_nothing_is_no_finding(lines: tuple[tuple[SpeakerId, str], ...], text: str) -> None:
    assert [one for one in rules(lines, text) if one[0] != "risk_not_heard"] == []


def test_only_what_a_person_wrote_is_looked_at() -> None:
    assert rules(ENDORSED, "Denies SI.", "transcript") == []
