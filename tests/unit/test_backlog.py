"""The backlog: bands, order, blocks that cut no note, the day of zero, the same-day rule, changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drafting.after_hours import Hours, shares, trend
from drafting.backlog import (
    BadPlan,
    Plan,
    Slot,
    backlog,
    band_key,
    budget,
    ordered,
    with_minutes,
)
from drafting.plan_text import hours, slot
from drafting.visits import BadVisit, Visit, changed, key_of, merged, read

pytestmark = pytest.mark.unit

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
"""A Wednesday, 10:00 in New York; the clocks go forward on Sunday the 8th."""
TODAY = date(2026, 3, 4)
MON_NOON = Slot(0, time(12), 60)


def visit(key: str, days: int = 0, **more: object) -> Visit:
    return Visit(key, TODAY - timedelta(days=days), **more)  # type: ignore[arg-type]


def keys(visits: tuple[Visit, ...]) -> list[str]:
    return [one.id for one in visits]


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (0, "under_1_week"),
        (6, "under_1_week"),
        (7, "1_to_3_weeks"),
        (21, "1_to_3_weeks"),
        (22, "over_3_weeks"),
        (400, "over_3_weeks"),
    ],
)
def test_bands_begin_at_a_week_and_after_three(days: int, band: str) -> None:
    assert band_key(visit("a", days), TODAY) == band


def test_signed_and_coming_visits_are_not_in_the_backlog() -> None:
    visits = [visit("open", 1), visit("signed", 1, note="signed"), visit("draft", 1, note="draft"), visit("next", -1)]
    found = backlog(visits, now=NOW, zone=NEW_YORK)
    assert sorted(keys(found.visits)) == ["draft", "open"]
    assert found.signed == 1
    assert sum(len(band.visits) for band in found.bands) == 2


def test_the_orders() -> None:
    visits = [
        visit("old", 30, payer="Beta", risk=True),
        visit("new", 1),
        visit("audited", 9, payer="Zeta", audit=True),
        visit("alpha", 5, payer="alpha"),
    ]
    assert keys(ordered(visits, "newest")) == ["new", "alpha", "audited", "old"]
    assert keys(ordered(visits, "audit")) == ["audited", "alpha", "old", "new"]
    assert keys(ordered(visits, "risk")) == ["old", "new", "alpha", "audited"]


def test_the_latest_of_a_day_comes_first() -> None:
    early = visit("early", start="2026-03-04T09:00:00-05:00")
    late = visit("late", start="2026-03-04T16:00:00-05:00")
    assert keys(ordered([early, late], "newest")) == ["late", "early"]


def test_minutes_are_those_of_the_kinds() -> None:
    found = backlog([visit("a"), visit("b", kind="intake")], now=NOW, zone=NEW_YORK)
    assert (found.low_min, found.high_min) == (3 + 10, 7 + 20)
    assert budget("plan") == (10, 20)


def test_nothing_waiting_is_zero_today() -> None:
    found = backlog([], now=NOW, zone=NEW_YORK)
    assert found.zero == TODAY
    assert found.words == ("Nothing is waiting. Every session has its note.",)


def test_notes_are_laid_into_blocks_in_order_and_never_cut() -> None:
    visits = [visit(f"v{n:02}", n + 1, kind="intake") for n in range(7)]
    found = backlog(visits, now=NOW, zone=NEW_YORK, plan=Plan((MON_NOON,)))
    assert [one.visits for one in found.blocks] == [("v00", "v01", "v02", "v03"), ("v04", "v05", "v06")]
    assert found.zero == found.blocks[-1].start.date() == date(2026, 3, 16)


def test_a_block_keeps_the_clock_s_time_over_the_change_to_summer_time() -> None:
    visits = [visit(f"v{n}", n + 1, kind="intake") for n in range(9)]
    found = backlog(visits, now=NOW, zone=NEW_YORK, plan=Plan((Slot(5, time(12), 60),)))
    assert [one.start.isoformat() for one in found.blocks] == [
        "2026-03-07T12:00:00-05:00",
        "2026-03-14T12:00:00-04:00",
        "2026-03-21T12:00:00-04:00",
    ]


def test_a_block_in_the_hour_that_is_left_out_begins_after_it() -> None:
    found = backlog([visit("a", 1)], now=NOW, zone=NEW_YORK, plan=Plan((Slot(6, time(2, 30), 60),)))
    assert found.blocks[0].start.isoformat() == "2026-03-08T03:30:00-04:00"


def test_a_block_of_today_counts_only_while_it_is_to_come() -> None:
    plan = Plan((Slot(2, time(9), 60), Slot(2, time(11), 60)))
    found = backlog([visit("a", 1)], now=NOW, zone=NEW_YORK, plan=plan)
    assert found.blocks[0].start.isoformat() == "2026-03-04T11:00:00-05:00"


def test_new_sessions_move_the_day_of_zero() -> None:
    visits = [visit(f"v{n}", n) for n in range(30)]
    plan = Plan((MON_NOON,))
    alone = backlog(visits, now=NOW, zone=NEW_YORK, plan=plan).zero
    busy = backlog(visits, now=NOW, zone=NEW_YORK, plan=Plan((MON_NOON,), new_a_week=6)).zero
    assert alone == date(2026, 3, 23)
    assert busy is not None
    assert busy > alone


def test_where_new_notes_take_all_the_time_there_is_no_zero_and_it_is_said_kindly() -> None:
    found = backlog([visit("a", 30)] * 20, now=NOW, zone=NEW_YORK, plan=Plan((MON_NOON,), new_a_week=25))
    assert found.zero is None
    assert "One more block" in found.words[1]


@settings(max_examples=60, deadline=None)
@given(
    ages=st.lists(st.integers(0, 60), max_size=40),
    slots=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 23), st.sampled_from([10, 60, 90])), max_size=3),
    order=st.sampled_from(["newest", "audit", "risk"]),
)
def test_every_visit_is_in_one_band_and_in_one_block(
    ages: list[int], slots: list[tuple[int, int, int]], order: str
) -> None:
    visits = [visit(f"v{n}", age, kind="intake" if n % 5 == 0 else "progress") for n, age in enumerate(ages)]
    plan = Plan(tuple(Slot(day, time(hour), minutes) for day, hour, minutes in slots))
    found = backlog(visits, now=NOW, zone=NEW_YORK, plan=plan, order=order)  # type: ignore[arg-type]
    assert sorted(key for band in found.bands for key in keys(band.visits)) == sorted(one.id for one in visits)
    planned = [key for block in found.blocks for key in block.visits]
    assert planned == (keys(found.visits) if slots else [])
    assert found == backlog(list(reversed(visits)), now=NOW, zone=NEW_YORK, plan=plan, order=order)  # type: ignore[arg-type]


def test_the_day_is_that_of_the_practice_s_zone() -> None:
    late = datetime(2026, 3, 5, 3, 0, tzinfo=UTC)  # 22:00 on the 4th in New York
    assert backlog([], now=late, zone=NEW_YORK).today == TODAY


def test_the_same_day_rule() -> None:
    held = [visit("a", note="skeleton"), visit("b"), visit("c", note="signed"), visit("old", 1)]
    found = backlog(held, now=NOW, zone=NEW_YORK).same_day
    assert (found.visits, found.without, found.kept) == (3, ("b",), False)
    assert backlog(held[:1], now=NOW, zone=NEW_YORK).same_day.kept


@pytest.mark.parametrize(
    "plan",
    [Plan((Slot(7, time(9)),)), Plan((Slot(0, time(9), 0),)), Plan(new_a_week=-1), Plan((MON_NOON,) * 22)],
)
def test_a_plan_that_cannot_be_kept_is_refused(plan: Plan) -> None:
    with pytest.raises(BadPlan):
        backlog([], now=NOW, zone=NEW_YORK, plan=plan)


def test_own_minutes_for_a_kind() -> None:
    plan = with_minutes(Plan((MON_NOON,)), progress=30)
    found = backlog([visit(f"v{n}", n) for n in range(3)], now=NOW, zone=NEW_YORK, plan=plan)
    assert [len(one.visits) for one in found.blocks] == [2, 1]
    with pytest.raises(BadPlan):
        with_minutes(plan, essay=3)


def test_no_word_of_guilt_stands_in_what_is_said() -> None:
    visits = [visit(f"v{n}", 10 * n) for n in range(9)]
    body = backlog(visits, now=NOW, zone=NEW_YORK, plan=Plan((MON_NOON,), new_a_week=99)).as_json()
    said = " ".join(
        [*body["words"], *(one["title"] + one["advice"] for one in body["bands"]), body["same_day"]["words"]]
    )
    for word in ("fail", "should", "must", "lazy", "late again", "behind", "negligen", "overdue", "bad"):
        assert word not in said.lower()


# After hours.


def test_notes_outside_working_hours_are_counted_by_the_local_clock() -> None:
    written = [
        visit("day", note="signed", signed_at="2026-03-02T20:00:00+00:00"),  # Monday 15:00
        visit("evening", note="signed", signed_at="2026-03-03T01:00:00+00:00"),  # Monday 20:00
        visit("weekend", note="signed", signed_at="2026-03-01T15:00:00+00:00"),  # Sunday, the week before
        visit("edited", note="draft", drafted_at="2026-03-04T06:00:00-05:00"),
    ]
    weeks = shares(written, Hours(), NEW_YORK, TODAY)
    assert [(one.monday.isoformat(), one.notes, one.outside) for one in weeks[-2:]] == [
        ("2026-02-23", 1, 1),
        ("2026-03-02", 3, 2),
    ]


@pytest.mark.parametrize(("outside", "says"), [((3, 0), "falling"), ((0, 3), "rising"), ((2, 2), "steady")])
def test_the_trend_compares_the_halves(outside: tuple[int, int], says: str) -> None:
    visits = []
    for half, late in enumerate(outside):
        for n in range(3):
            at = datetime(2026, 1, 14, 20 if n < late else 10, tzinfo=NEW_YORK) + timedelta(weeks=4 * half)
            visits.append(visit(f"{half}{n}", note="signed", signed_at=at.isoformat()))
    assert trend(shares(visits, Hours(), NEW_YORK, TODAY)) == says
    assert trend(shares(visits[:3], Hours(), NEW_YORK, TODAY)) == "unknown"


# Plans as text.


def test_slots_and_hours_as_they_are_typed() -> None:
    assert slot("mon 12:00 60") == Slot(0, time(12), 60)
    assert slot("Thursday 8:30") == Slot(3, time(8, 30), 60)
    assert hours("mon-fri 09:00-18:00") == Hours()
    assert hours("fri-mon 10:00-14:00").weekdays == {4, 5, 6, 0}
    assert hours("tue,thu 10:00-14:00").weekdays == {1, 3}


@pytest.mark.parametrize("text", ["", "noon", "xyz 12:00 60", "mon 25:00 60", "mon 12:60"])
def test_a_slot_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadPlan):
        slot(text)


@pytest.mark.parametrize("text", ["", "mon-fri", "mon-fri 18:00-09:00", "mon-tue-wed 09:00-10:00", "xyz 09:00-10:00"])
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(BadPlan):
        hours(text)


# Visits.


def test_a_visit_is_read_back_as_it_was_written() -> None:
    one = visit("a", start="2026-03-04T09:00:00-05:00", stop="2026-03-04T09:53:00-05:00", payer="Aetna", audit=True)
    assert read(one.as_json()) == one
    assert one.length_min == 53


@pytest.mark.parametrize(
    "body",
    [
        {"date": "03/04/2026"},
        {"date": None},
        {"note": "finished"},
        {"audit": "yes"},
        {"start": "2026-03-04T09:00:00"},
        {"start": "2026-03-04T09:00:00-05:00", "stop": "2026-03-04T09:00:00-05:00"},
        {"start": "2026-03-03T09:00:00-05:00"},
        {"minutes": 0},
        {"minutes": True},
        {"label": "x" * 201},
        {"signed_at": "2026-03-04T09:00:00-05:00"},
        {"colour": "red"},
    ],
)
def test_a_visit_that_does_not_fit_is_refused_without_its_values(body: dict[str, object]) -> None:
    with pytest.raises(BadVisit) as refused:
        read({"id": "a", "date": "2026-03-04"} | body)
    assert "finished" not in str(refused.value)


def test_fields_are_changed_and_emptied_but_not_the_source() -> None:
    one = visit("a", payer="Aetna", note="signed", signed_at="2026-03-04T09:00:00-05:00")
    assert changed(one, {"payer": None, "note": "draft", "signed_at": None}) == visit("a", note="draft")
    for fixed in ({"source": "csv"}, {"id": "b"}, {"session": "s"}, {"date": None}):
        with pytest.raises(BadVisit):
            changed(one, fixed)


def test_an_import_fills_what_is_empty_and_never_sets_a_note_back() -> None:
    known = visit("a", label="J. D.", note="draft", payer="Aetna")
    other = visit("b", label="J. D.", note="unsigned", payer="Cigna", cpt="90834", risk=True)
    assert merged(known, other) == visit("a", label="J. D.", note="draft", payer="Aetna", cpt="90834", risk=True)
    signed = visit("b", label="J. D.", note="signed", signed_at="2026-03-04T09:00:00-05:00")
    assert merged(known, signed).note == "signed"


def test_one_appointment_has_one_identity_whatever_the_zone_it_is_written_in() -> None:
    assert key_of(visit("a", label="J. D.")) == key_of(visit("b", label="j.  d."))
    assert key_of(visit("a", label="J. D.")) != key_of(visit("a", 1, label="J. D."))


@pytest.mark.parametrize(
    "body",
    [
        {"date": "0001-01-01"},
        {"date": "9999-12-31"},
        {"start": "0001-01-01T00:00:00+14:00"},
        {"note": "signed", "signed_at": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_times_that_have_no_place_in_another_zone_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadVisit):
        read({"id": "v", "date": "2026-03-09", **body})


def test_what_cannot_be_sent_on_is_left_out_of_a_label() -> None:
    assert read({"id": "v", "date": "2026-03-09", "label": "J.\ud800 \u202eD.\x00"}).label == "J. D."
