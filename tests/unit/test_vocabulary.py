"""What a session's chart has the recognizer expect."""

import pytest

from streaming.types import NoteContext
from streaming.vocabulary import vocabulary

pytestmark = pytest.mark.unit


def test_names_come_first_then_medicines_without_their_dose_then_techniques() -> None:
    context = NoteContext(
        client="Maria  Lindqvist",
        provider="Dr. Osei",
        medications=("sertraline 50 mg daily", "Lamotrigine (25 mg)", "hydroxyzine as needed"),
        usual_interventions=("CBT: thought records, behavioral activation", "urge surfing"),
    )
    terms = vocabulary(context)
    assert terms[:5] == ("Maria Lindqvist", "Dr. Osei", "sertraline", "Lamotrigine", "hydroxyzine")
    assert terms[5:8] == ("thought records", "behavioral activation", "urge surfing")
    assert "grounding" in terms[8:]
    assert len({term.casefold() for term in terms}) == len(terms) <= 60


def test_where_nothing_is_known_nothing_is_expected() -> None:
    assert vocabulary(NoteContext()) == ()
    assert vocabulary(NoteContext(diagnosis="F41.1 Generalized anxiety disorder", goals=("Sleep",))) == ()


def test_a_sentence_is_no_term() -> None:
    assert vocabulary(NoteContext(client="Ada", usual_interventions=("x" * 41,)))[:2][1] != "x" * 41
