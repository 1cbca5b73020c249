"""What an exported note holds: the note's own text, what is open apart from it, nothing that was not asked for."""

import json
from dataclasses import replace

import pytest
from export_samples import CONTEXT, TRANSCRIPT, addended, drafted, late, note, signed
from hypothesis import given, settings
from hypothesis import strategies as st

from drafting.document import DRAFT_BANNER, NOT_RECORDED, TO_ENTER, clock, document, tidy
from drafting.export_text import TextStyle, render
from drafting.review import Addendum, Review
from streaming.types import NoteContext, Section, Statement

pytestmark = pytest.mark.unit


def header(made: object) -> dict[str, str]:
    return {one.label: one.value for one in made.header}  # type: ignore[attr-defined]


def test_the_header_names_client_times_code_and_place() -> None:
    told = header(document(drafted(), CONTEXT))
    assert told["Client"] == "Dana Żółkiewska"
    assert told["Date of birth"] == "1988-05-02"
    assert told["Client ID"] == "17"
    assert told["Date of service"] == "2026-01-31"
    assert told["Start and stop"] == "10:00 to 10:51"
    assert told["Minutes"] == "51"
    assert told["Diagnosis"] == "F41.1 Generalized anxiety disorder"
    assert told["Modality"] == "Telehealth (video)"
    assert told["Client's location"] == "home, Chicago IL"
    assert told["Place of service"] == "10 (client at home)"
    assert told["Modifier"] == "95"
    assert told["Provider"] == "Pat Doe, LCSW"


def test_the_margin_to_the_next_code_is_for_the_draft_alone() -> None:
    assert "short of 90837" in header(document(drafted(), CONTEXT))["CPT code"]
    assert header(document(signed(), CONTEXT))["CPT code"] == "90834"
    assert "short of" not in render(document(signed(), CONTEXT))


def test_what_is_missing_is_to_be_entered_in_a_draft_and_not_recorded_in_a_signed_note() -> None:
    draft = document(drafted(), NoteContext())
    assert {one.label for one in draft.header if one.missing} >= {
        "Client",
        "Date of service",
        "Diagnosis",
        "Modality",
    }
    assert header(draft)["Client"] == TO_ENTER
    assert header(document(signed(), NoteContext()))["Client"] == NOT_RECORDED


def test_a_draft_says_so_and_lists_what_is_open_apart_from_the_note() -> None:
    made = document(drafted(), CONTEXT)
    assert made.banner == DRAFT_BANNER
    assert [(one.kind, one.section) for one in made.open_items] == [
        ("enter", "Objective"), ("suggested", "Plan"), ("error", "Assessment"), ("warning", ""),
    ]  # fmt: skip
    own = " ".join(one.text for part in made.parts for one in part.sentences)
    assert "to be entered by the clinician" not in own
    assert "Consider a sleep diary" not in own


def test_a_signed_note_has_no_prompt_suggestion_or_finding_and_keeps_what_was_not_assessed() -> None:
    made = document(signed(), CONTEXT)
    text = render(made)
    assert made.banner == ""
    assert made.open_items == ()
    assert "to be entered" not in text
    assert "Consider a sleep diary" not in text
    assert "Progress is missing" not in text
    assert "Risk: not assessed this session: self-injury." in text
    assert f"Digest of the signed text (SHA-256): {made.digest}" in text
    assert "Signed by: Pat Doe, LCSW" in text


def test_what_was_signed_is_shown_even_where_the_note_under_review_differs() -> None:
    review = signed()
    other = replace(review, note=replace(note(), sections=(Section("Subjective", ()),)))
    assert document(other, CONTEXT).parts == document(review, CONTEXT).parts


def test_an_unsupported_sentence_is_marked_in_a_draft() -> None:
    text = render(document(drafted(), CONTEXT))
    assert "Client appeared sad. [not supported by the session: check]" in text


def test_a_late_entry_says_so_under_the_title() -> None:
    lines = render(document(late(), CONTEXT)).splitlines()
    assert lines[2].startswith("Late entry, written 2026-02-02 for the session of 2026-01-31.")
    assert "Power cut" in lines[2]
    assert document(signed(), CONTEXT).late_entry == ""


def test_addenda_are_numbered_and_dated_and_leave_the_signed_text_alone() -> None:
    before, after = render(document(signed(), CONTEXT)), render(document(addended(), CONTEXT))
    assert after.startswith(before.rstrip("\n"))
    assert "Addendum 1, 2026-02-03 12:00 (UTC+01:00), Pat Doe, LCSW:\nClient called.\nHomework done." in after
    assert "Addendum 2, 2026-02-04 08:30 (UTC), Sam Roe:\nSeen." in after


def test_the_transcript_is_there_only_when_it_is_handed_over() -> None:
    said = TRANSCRIPT.utterances[0].text
    assert said not in render(document(drafted(), CONTEXT))
    assert document(drafted(), CONTEXT).transcript == ()
    text = render(document(drafted(), CONTEXT, transcript=TRANSCRIPT))
    assert text.index("Appendix: transcript") < text.index(said)
    assert "00:05 Client: Four nights" in text


def test_what_the_header_says_is_not_said_again() -> None:
    text = render(document(drafted(), CONTEXT))
    assert text.count("10:51") == 1
    assert text.count("Telehealth (video)") + text.count("telehealth (video)") == 1


def test_a_clinicians_own_words_on_the_modality_stay() -> None:
    own = Section("Objective", (Statement("Modality: by video, camera failed twice.", "clinician", ()),))
    assert "camera failed twice" in render(document(replace(note(), sections=(own,)), CONTEXT))


def test_a_signed_note_keeps_what_was_known_of_the_client_when_it_was_signed() -> None:
    then = replace(CONTEXT, client="Dana Before")
    review = signed()
    assert review.signed is not None
    review = replace(review, signed=replace(review.signed, context=then))
    assert header(document(review, CONTEXT))["Client"] == "Dana Before"


def test_a_plain_note_is_a_draft_under_no_review() -> None:
    assert document(note(), CONTEXT) == document(Review(note()), CONTEXT)


def test_a_format_that_does_not_come_along_has_a_title_all_the_same() -> None:
    assert document(replace(note(), format="my-own"), CONTEXT).title == "my-own note"


# Text for pasting


def test_pasted_text_has_no_marks_of_ours_and_lines_of_any_length() -> None:
    text = render(document(signed(), CONTEXT))
    lines = text.splitlines()
    assert not any(line.startswith(("-", "*", "#", "•", " ", ">")) for line in lines)
    assert "\n\n\n" not in text
    assert any(len(line) > 120 for line in lines)
    assert text.endswith("\n")
    assert "\r" not in text


def test_quotes_are_straight_unless_asked_otherwise() -> None:
    curly = Section("Subjective", (Statement("Client said, “It’s – well… fine” in Café Ñ.", "clinician", ()),))
    made = document(replace(note(), sections=(curly,)), CONTEXT)
    assert 'Client said, "It\'s - well... fine" in Café Ñ.' in render(made)
    assert "“It’s – well… fine”" in render(made, TextStyle(straight=False))


def test_line_ends_are_as_asked() -> None:
    text = render(document(signed(), CONTEXT), TextStyle(line_end="\r\n"))
    assert text.count("\r\n") == text.count("\n") > 10


# Text that no format trips over


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("a\x00b\x07c\x1b[31m", "abc[31m"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("eve\u202ednas\u202c", "evednas"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("\ufffe\uffff\ufeffBOM", "BOM"),
        ("e\u0301", "é"),
        ("   ", ""),
        ("שלום 你好 🙂", "שלום 你好 🙂"),
    ],
)
def test_tidy(given_text: str, kept: str) -> None:
    assert tidy(given_text) == kept


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_tidy_text_is_one_line_that_utf8_and_xml_take(text: str) -> None:
    safe = tidy(text)
    assert safe.encode() is not None
    assert len(safe.splitlines()) <= 1
    assert not any(ord(one) < 32 or 0xD800 <= ord(one) <= 0xDFFF or ord(one) in (0xFFFE, 0xFFFF) for one in safe)
    assert tidy(safe) == safe


def test_times_of_every_kind_are_shown() -> None:
    assert clock("2026-01-31T17:40:12-05:30") == "2026-01-31 17:40 (UTC-05:30)"
    assert clock("2026-01-31T17:40:12+00:00") == "2026-01-31 17:40 (UTC)"
    assert clock("2026-01-31T17:40:12") == "2026-01-31 17:40"
    assert clock("soon\x00") == "soon"


def test_the_document_holds_only_safe_text() -> None:
    bad = "x\x00\ud800\u202ey\ufffe"
    dirty = replace(CONTEXT, client=bad, provider=bad, diagnosis=bad, goals=(bad,))
    review = replace(signed(who=bad), addenda=(Addendum(bad, bad, bad, bad),))
    made = document(review, dirty, transcript=TRANSCRIPT)
    whole = json.dumps([header(made), [one.title for one in made.addenda], made.signer, made.context.goals])
    assert "\\u0000" not in whole
    assert "ud800" not in whole
    assert made.context.client == "xy"
