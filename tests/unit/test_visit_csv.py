"""Past visits from CSV files as systems and people write them: good rows taken, bad ones named, nothing guessed."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drafting.visit_csv import MAX_ROWS, AmbiguousDates, BadImport, Imported, read_csv
from drafting.visit_dates import read_clock, read_date, read_minutes

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("America/New_York")


def rows(*lines: str, head: str = "Client,Date") -> Imported:
    return read_csv("\n".join((head, *lines)) + "\n", ZONE)


def said(found: Imported, which: str) -> list[tuple[int, str]]:
    return [(one.line, one.message) for one in getattr(found, which)]


def test_a_row_with_all_of_it() -> None:
    head = "Client Name,MRN,Date of Service,Start Time,End Time,CPT Code,Insurance,Note Status,Type,Audit,Risk"
    (one,) = rows(
        '"Doe, Jo",17,2026-03-25,10:00 AM,10:53 AM,90837 - 60 min,Aetna,Locked,Individual,yes,', head=head
    ).visits
    assert (one.label, one.client_id, one.date.isoformat()) == ("Doe, Jo", "17", "2026-03-25")
    assert (one.start, one.stop) == ("2026-03-25T10:00:00-04:00", "2026-03-25T10:53:00-04:00")
    assert (one.cpt, one.payer, one.note, one.kind) == ("90837", "Aetna", "signed", "progress")
    assert (one.audit, one.risk, one.source) == (True, False, "csv")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_line_ends_and_encodings(mark: str, end: str, encoding: str) -> None:
    text = end.join((f"Name{mark}Date", f"Zoé{mark}2026-03-25", f"B{mark}2026-03-26")) + end
    found = read_csv(text.encode(encoding), ZONE)
    assert [one.label for one in found.visits] == ["Zoé", "B"]


def test_a_quoted_field_may_hold_line_ends_delimiters_and_quotes() -> None:
    found = rows('"Doe,\n""Jo""",2026-03-25', "B,not a date")
    assert found.visits[0].label == 'Doe, "Jo"'
    assert said(found, "faults") == [(4, "The date cannot be read. Use 2026-01-31.")]


def test_good_rows_are_taken_and_bad_ones_are_named_by_line() -> None:
    found = rows("A,2026-03-25", "B,31/31/2026", ",2026-03-25", "", "C,", "D,2026-02-30", "E,2026-03-26")
    assert [one.label for one in found.visits] == ["A", "E"]
    assert [line for line, _ in said(found, "faults")] == [3, 4, 6, 7]


def test_no_fault_tells_what_stands_in_the_file() -> None:
    found = rows("Secret Name,secret date", "Other,2026-03-25", head="Client,Date,Status")
    assert "ecret" not in str(found.faults)


def test_a_quote_that_is_never_closed_is_said_and_loses_no_row_before_it() -> None:
    found = rows("A,2026-03-25", '"B,2026-03-26', "C,2026-03-27")
    assert [one.label for one in found.visits] == ["A"]
    assert said(found, "faults")[0][0] == 3
    assert "never closed" in said(found, "faults")[0][1]


def test_duplicates_in_one_file_are_left_out_and_named() -> None:
    found = rows("A,2026-03-25", "a ,2026-03-25", "A,2026-03-26")
    assert len(found.visits) == 2
    assert said(found, "left_out") == [(3, "The same client and time as line 2; a start time would tell them apart.")]


def test_two_sessions_of_a_day_are_told_apart_by_their_start() -> None:
    found = rows("A,2026-03-25,9:00", "A,2026-03-25,14:00", head="Client,Date,Time")
    assert len(found.visits) == 2


@pytest.mark.parametrize("status", ["Cancelled", "no show", "Late Cancel"])
def test_what_was_not_held_is_left_out(status: str) -> None:
    found = rows(f"A,2026-03-25,{status}", head="Client,Date,Appointment Status")
    assert found.visits == ()
    assert said(found, "left_out") == [(2, "No session was held.")]


# Dates that can be read in two ways.


def test_an_ambiguous_date_is_refused_with_its_line() -> None:
    with pytest.raises(AmbiguousDates) as refused:
        rows("A,03/04/2026")
    assert refused.value.code == "ambiguous_dates"
    assert "line 2" in str(refused.value)


def test_another_line_may_show_the_order() -> None:
    assert [one.date.isoformat() for one in rows("A,03/04/2026", "B,03/25/2026").visits] == [
        "2026-03-04",
        "2026-03-25",
    ]
    assert [one.date.isoformat() for one in rows("A,03/04/2026", "B,25/03/2026").visits] == [
        "2026-04-03",
        "2026-03-25",
    ]


def test_lines_that_contradict_each_other_show_nothing() -> None:
    with pytest.raises(AmbiguousDates):
        rows("A,25/03/2026", "B,03/25/2026", "C,03/04/2026")
    assert len(rows("A,25/03/2026", "B,03/25/2026", "C,04/04/2026").visits) == 3


def test_the_clinician_may_say_it() -> None:
    text = "Client,Date\nA,03/04/2026\n"
    assert read_csv(text, ZONE, "day_first").visits[0].date.isoformat() == "2026-04-03"
    assert read_csv(text, ZONE, "month_first").visits[0].date.isoformat() == "2026-03-04"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-04", "2026-03-04"),
        ("2026/3/4", "2026-03-04"),
        ("03.04.2026", "2026-04-03"),
        ("4 March 2026", "2026-03-04"),
        ("Mar 4, 2026", "2026-03-04"),
        ("Wed, March 4th, 2026", "2026-03-04"),
        ("4-Mar-26", "2026-03-04"),
        ("2026-03-04T10:00", "2026-03-04"),
        ("5/5/26", "2026-05-05"),
        ("2026-13-04", None),
        ("soon", None),
        ("4 Foo 2026", None),
        ("", None),
    ],
)
def test_dates_that_can_be_read_in_one_way(text: str, day: str | None) -> None:
    found = read_date(text, None)
    assert (found and found.day and found.day.isoformat()) == day


@pytest.mark.parametrize(
    ("text", "clock"),
    [("10:00", "10:00"), ("2:30 PM", "14:30"), ("12:05 am", "00:05"), ("9am", "09:00"), ("14.30", "14:30"),
     ("25:00", None), ("13:00 pm", None), ("noon", None), ("10", None)],
)  # fmt: skip
def test_clock_times(text: str, clock: str | None) -> None:
    found = read_clock(text)
    assert (found and found.isoformat("minutes")) == clock


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("50", 50), ("50 min", 50), ("0:50", 50), ("1 h 20 min", 80), ("1 hr", 60), ("an hour", None), ("-5", None)],
)
def test_lengths(text: str, minutes: int | None) -> None:
    assert read_minutes(text) == minutes


def test_times_with_a_zone_of_their_own_and_days_of_the_practice() -> None:
    found = rows("A,2026-03-26T01:00:00Z,2026-03-26T01:50:00Z", head="Client,Start,End")
    assert found.visits[0].date.isoformat() == "2026-03-25"
    assert found.visits[0].start == "2026-03-25T21:00:00-04:00"


def test_a_stop_before_its_start_is_a_fault_of_its_row() -> None:
    found = rows("A,2026-03-25,10:00,9:00", head="Client,Date,Start,Stop")
    assert said(found, "faults") == [(2, "stop is not after start. A visit ends within a day of its start.")]


@pytest.mark.parametrize(
    ("status", "state"),
    [("Signed", "signed"), ("", "unsigned"), ("In Progress", "draft"), ("2026-03-27", "signed"), ("???", "unsigned")],
)
def test_the_note_s_state(status: str, state: str) -> None:
    found = rows(f"A,2026-03-25,{status}", head="Client,Date,Note Status")
    assert found.visits[0].note == state
    assert bool(found.remarks) == (status == "???")


def test_a_note_signed_at_a_time_counts_for_the_evenings() -> None:
    found = rows("A,2026-03-25,2026-03-25 21:30", head="Client,Date,Signed on")
    assert found.visits[0].signed_at == "2026-03-25T21:30:00-04:00"


def test_an_intake_is_known_by_its_type_or_code() -> None:
    found = rows("A,2026-03-25,Initial evaluation,", "B,2026-03-25,,90791", "C,2026-03-25,Treatment plan,",
                 head="Client,Date,Type,CPT")  # fmt: skip
    assert [one.kind for one in found.visits] == ["intake", "intake", "plan"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"Client,Colour\nA,red\n", b"\x00\x01\x02"])
def test_a_file_without_visits_is_refused(data: bytes) -> None:
    with pytest.raises(BadImport):
        read_csv(data, ZONE)


def test_a_file_of_too_many_rows_is_refused() -> None:
    with pytest.raises(BadImport):
        rows(*("A,2026-03-25" for _ in range(MAX_ROWS + 1)))


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: ("Client,Date,Time,Status\n" + text).encode())
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = read_csv(data, ZONE)
    except BadImport:
        return
    assert all(one.id and one.source == "csv" for one in found.visits)
