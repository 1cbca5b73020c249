"""Past visits from calendar files: recurring ones with their exceptions; what is left out is said."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from drafting.visit_csv import BadImport, Imported
from drafting.visit_ics import read_ics

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("America/New_York")
UNTIL = datetime(2026, 3, 24, 12, tzinfo=ZONE)


def event(*lines: str, uid: str = "1", title: str = "J. D.") -> str:
    return "\n".join(
        ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{title}", *lines, "END:VEVENT")
    )


def calendar(*events: str, since: date = date(2026, 3, 1)) -> Imported:
    text = "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *events, "END:VCALENDAR", ""))
    return read_ics(text.replace("\n", "\r\n").encode(), ZONE, since=since, until=UNTIL)


HOUR = ("DTSTART;TZID=America/New_York:20260302T100000", "DTEND;TZID=America/New_York:20260302T105000")


def starts(found: Imported) -> list[str | None]:
    return [one.start for one in found.visits]


def reasons(found: Imported) -> list[tuple[int, str]]:
    return [(one.line, one.message) for one in found.left_out]


def test_a_weekly_session_keeps_its_hour_over_the_change_to_summer_time() -> None:
    found = calendar(event(*HOUR, "RRULE:FREQ=WEEKLY"))
    assert starts(found) == [
        "2026-03-02T10:00:00-05:00",
        "2026-03-09T10:00:00-04:00",
        "2026-03-16T10:00:00-04:00",
        "2026-03-23T10:00:00-04:00",
    ]
    assert {one.label for one in found.visits} == {"J. D."}
    assert found.visits[0].length_min == 50


def test_exceptions_moved_and_cancelled_occurrences() -> None:
    moved = event(
        "RECURRENCE-ID;TZID=America/New_York:20260309T100000",
        "DTSTART;TZID=America/New_York:20260310T150000",
        "DTEND;TZID=America/New_York:20260310T155000",
    )
    cancelled = event(
        "RECURRENCE-ID;TZID=America/New_York:20260323T100000",
        "STATUS:CANCELLED",
        "DTSTART;TZID=America/New_York:20260323T100000",
        "DTEND;TZID=America/New_York:20260323T105000",
    )
    series = event(*HOUR, "RRULE:FREQ=WEEKLY", "EXDATE;TZID=America/New_York:20260316T100000")
    found = calendar(series, moved, cancelled)
    assert starts(found) == ["2026-03-02T10:00:00-05:00", "2026-03-10T15:00:00-04:00"]
    assert reasons(found) == [(1, "It was cancelled.")]


def test_times_in_utc_and_without_a_zone_are_days_of_the_practice() -> None:
    found = calendar(
        event("DTSTART:20260311T003000Z", "DTEND:20260311T012000Z", uid="1", title="UTC"),
        event("DTSTART:20260312T090000", "DURATION:PT50M", uid="2", title="floating"),
    )
    assert [(one.date.isoformat(), one.start) for one in found.visits] == [
        ("2026-03-10", "2026-03-10T20:30:00-04:00"),
        ("2026-03-12", "2026-03-12T09:00:00-04:00"),
    ]


@pytest.mark.parametrize(
    ("lines", "title", "reason"),
    [
        (("DTSTART;VALUE=DATE:20260310", "DTEND;VALUE=DATE:20260311"), "Holiday", "It lasts whole days."),
        ((*HOUR, "STATUS:CANCELLED"), "A", "It was cancelled."),
        (HOUR, "Canceled: A", "It was cancelled."),
        (HOUR, "", "It has no title to know the client by."),
        (("DTSTART:20260310T100000", "DTEND:20260310T100000"), "A", "It has no length, or one of more than a day."),
        ((*HOUR, "RRULE:FREQ=SECONDLY"), "A", "It repeats by the hour or faster, which no session does."),
    ],
)
def test_what_is_left_out_is_said(lines: tuple[str, ...], title: str, reason: str) -> None:
    found = calendar(event(*lines, title=title))
    assert found.visits == ()
    assert reasons(found) == [(1, reason)]


def test_a_session_that_has_begun_by_now_is_held_and_a_later_one_is_not() -> None:
    found = calendar(
        event("DTSTART;TZID=America/New_York:20260324T113000", "DURATION:PT50M", uid="1", title="now"),
        event("DTSTART;TZID=America/New_York:20260324T160000", "DURATION:PT50M", uid="2", title="later"),
    )
    assert [one.label for one in found.visits] == ["now"]


def test_a_broken_event_is_named_and_costs_no_other() -> None:
    found = calendar(event("DTSTART:2026", uid="1"), event(*HOUR, uid="2"))
    assert len(found.visits) == 1
    assert [one.line for one in found.faults] == [1]


def test_only_the_title_is_kept_of_an_event() -> None:
    found = calendar(event(*HOUR, "DESCRIPTION:secret", "LOCATION:secret", "ATTENDEE:mailto:secret@example.org"))
    assert "secret" not in str(found)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", b"BEGIN:VCALENDAR\r\n"])
def test_what_is_no_calendar_is_refused(data: bytes) -> None:
    with pytest.raises(BadImport):
        read_ics(data, ZONE, since=date(2026, 3, 1), until=UNTIL)


def test_a_stretch_without_bound_is_refused() -> None:
    with pytest.raises(BadImport):
        calendar(event(*HOUR, "RRULE:FREQ=DAILY"), since=date(1990, 1, 1))


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:20260309T100000", "DTEND:20260309T110000", "RRULE:FREQ=DAILY;INTERVAL=0"),
        ("DTSTART:20260309T100000", "DTEND:99991231T235959"),
        ("DTSTART:00010101T000000Z", "DTEND:00010101T010000Z"),
    ],
)
def test_an_event_that_never_goes_on_or_lies_at_the_calendars_ends_is_named(lines: tuple[str, ...]) -> None:
    found = calendar(event(*lines), event("DTSTART:20260310T100000", "DTEND:20260310T110000", uid="2"))
    assert [one.line for one in found.faults] == [1]
    assert len(found.visits) == 1


def test_a_rule_of_many_times_a_day_is_left_out() -> None:
    every = ",".join(map(str, range(60)))
    rule = f"RRULE:FREQ=DAILY;BYHOUR=9,10;BYMINUTE={every};BYSECOND={every}"
    found = calendar(event("DTSTART:20260309T100000", "DTEND:20260309T110000", rule))
    assert (found.visits, len(found.left_out)) == ((), 1)
