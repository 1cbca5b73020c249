"""The backlog page against the real server: from a pile to zero, at phone and desktop size, light and dark.

With SAMEDAY_SHOTS=FOLDER each state is kept as a picture, to be looked at.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from browser_axe import axe, violations
from browser_pages import OpenPage, Scheme, at_each
from playwright.sync_api import Page, expect

from benchmarks.server_process import Running, running_server

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)
__all__ = ["axe"]

_SHOTS = os.environ.get("SAMEDAY_SHOTS")
_LOOKS: list[tuple[str, Scheme]] = [("phone", "light"), ("phone", "dark"), ("desktop", "light"), ("desktop", "dark")]
_TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
_TOO_SMALL = """() => [...document.querySelectorAll("button, select, summary, label.pick, input:not([type=radio])")]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""
RECAP = "Ct anxious about job, wakes 4x/wk, missed 2 shifts. Did CBT thought record on being fired. Denies SI."


@pytest.fixture(scope="module")
def practice() -> Iterator[Running]:
    """A server of this module's own, with its own records."""
    with running_server() as running:
        yield running


@pytest.fixture
def client(practice: Running) -> Iterator[httpx.Client]:
    """A client of the server; the visits that it knew of are gone at the test's end."""
    made: list[str] = []

    def note(answer: httpx.Response) -> None:
        if answer.status_code == 201 and answer.request.url.path == "/api/visits":
            made.append(answer.headers["location"])

    with httpx.Client(base_url=practice.url, timeout=30, event_hooks={"response": [note]}) as one:
        yield one
        made += [f"/api/visits/{visit['id']}" for visit in one.get("/api/backlog").json()["visits"]]
        for address in dict.fromkeys(made):
            one.delete(address)


def days_ago(days: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=days)).isoformat()


def fill(client: httpx.Client) -> None:
    """Three visits, one in each band."""
    for label, days, more in (
        ("J. D.", 2, {"cpt": "90834", "payer": "Aetna"}),
        ("K. L.", 12, {"audit": True}),
        ("M. N.", 40, {"risk": True, "kind": "intake"}),
    ):
        answer = client.post("/api/visits", json={"label": label, "date": days_ago(days), **more})
        assert answer.status_code == 201, answer.text


def look(page: Page, axe: str | None, state: str, looks: Sequence[tuple[str, Scheme]] = _LOOKS) -> None:
    """Nothing sticks out, all can be hit, and axe finds nothing; keeps pictures where they are wanted."""
    page.wait_for_timeout(150)
    for name in at_each(page, looks):
        if _SHOTS:
            Path(_SHOTS).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(_SHOTS) / f"backlog-{name}-{state}.png", full_page=True)
        assert not page.evaluate(_TOO_WIDE), (name, state)
        assert page.evaluate(_TOO_SMALL) == [], (name, state)
        if axe:
            assert violations(page, axe) == [], (name, state)


def test_from_a_pile_to_a_signed_note(practice: Running, client: httpx.Client, open_page: OpenPage, axe: str) -> None:
    fill(client)
    page = open_page(f"{practice.url}/backlog", "phone")
    expect(page.locator(".visit")).to_have_count(3)
    expect(page.locator(".visit").first).to_contain_text("J. D.")
    look(page, axe, "1-pile")
    page.get_by_role("combobox", name="Order").select_option("risk")
    expect(page.locator(".visit").first).to_contain_text("M. N.")
    row = page.locator(".visit", has_text="K. L.")
    row.get_by_role("button", name="Write a recap: K. L.").click()
    expect(row.get_by_label("Two or three lines, as you would say them")).to_be_focused()
    page.keyboard.type(RECAP)
    row.get_by_label("Why it is late (optional)").fill("ill")
    row.get_by_role("button", name="Make the note").click()
    note = row.get_by_role("article", name="Note from your recap")
    expect(note).to_contain_text("Client anxious about job, wakes 4 times a week, missed 2 shifts.")
    expect(note).to_contain_text(f"for the session of {days_ago(12)}. Reason: ill.")
    expect(note.get_by_label("What is the plan until the next session, and when is it?")).to_be_visible()
    look(page, axe, "2-note")
    note.get_by_label("What is the plan until the next session, and when is it?").fill("weekly, thought record daily")
    note.get_by_role("button", name="Add the answers").click()
    expect(note).to_contain_text("Weekly, thought record daily")
    expect(note.get_by_label("What is the plan until the next session")).to_have_count(0)
    expect(row.locator(".mark", has_text="draft")).to_be_visible()
    expect(note.get_by_label("Why this note is written after")).to_have_value("ill")
    note.get_by_label("Your name").fill("Pat Doe")
    note.get_by_label("Credentials").fill("LCSW")
    note.get_by_label("Reason to sign all the same").fill("The chart is on paper.")
    look(page, axe, "3-sign", _LOOKS[:1])
    note.get_by_role("button", name="Sign the note").click()
    expect(page.locator(".visit")).to_have_count(2)
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-label", "1 of 3 notes are signed")
    expect(page.get_by_role("status").filter(has_text="Done. 2 notes left.")).to_be_attached()
    look(page, None, "4-signed")
    signed = client.get("/api/backlog").json()
    assert (signed["count"], signed["signed"]) == (2, 1)
    recap = next(one["recap"] for one in client.get("/api/visits").json()["visits"] if one["note"] == "signed")
    kept = client.get(f"/api/sessions/{recap}/note").json()
    assert (kept["signed"]["signer"], kept["signed"]["intact"]) == ("Pat Doe", True)
    page.goto(f"{practice.url}/#session={recap}")
    expect(page.get_by_role("region", name="Sign", exact=True)).to_contain_text("Signed by Pat Doe, LCSW")
    expect(page.get_by_role("textbox", name="Addendum")).to_be_visible()
    assert violations(page, axe) == []


def test_blocks_are_planned_and_kept(practice: Running, client: httpx.Client, open_page: OpenPage) -> None:
    fill(client)
    page = open_page(f"{practice.url}/backlog")
    page.get_by_label("Day", exact=True).select_option("2")
    page.get_by_label("Time", exact=True).fill("12:30")
    page.get_by_role("button", name="Add block").click()
    expect(page.get_by_text("Wednesday 12:30, 60 min")).to_be_visible()
    expect(page.locator(".blocks li").first).to_contain_text("60 min: 3 notes")
    expect(page.locator(".head")).to_contain_text("At this pace the list is empty by")
    page.reload()
    expect(page.get_by_text("Wednesday 12:30, 60 min")).to_be_visible()
    page.get_by_role("button", name="Remove Wednesday 12:30, 60 min").click()
    expect(page.get_by_text("No block is set yet.")).to_be_visible()


def test_a_file_is_brought_in_and_bad_lines_are_named(
    practice: Running, client: httpx.Client, open_page: OpenPage
) -> None:
    page = open_page(f"{practice.url}/backlog")
    rows = f"Client,Date,Status\nA. B.,{days_ago(3)},\nC. D.,{days_ago(4)},cancelled\nE. F.,soon,\n"
    page.get_by_label("File").set_input_files({"name": "past.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_role("button", name="Bring in", exact=True).click()
    expect(page.get_by_text("1 new, 0 completed, 0 known already.")).to_be_visible()
    expect(page.get_by_text("4: The date cannot be read.")).to_be_visible()
    expect(page.get_by_text("3: No session was held.")).to_be_visible()
    expect(page.locator(".visit", has_text="A. B.")).to_be_visible()
    page.get_by_label("File").set_input_files(
        {"name": "past.csv", "mimeType": "text/csv", "buffer": b"Client,Date\nA. B.,03/04/2026\n"}
    )
    page.get_by_role("button", name="Bring in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("can be read with the day or with the month first")


def test_a_recap_being_written_survives_a_change_of_order(
    practice: Running, client: httpx.Client, open_page: OpenPage
) -> None:
    fill(client)
    page = open_page(f"{practice.url}/backlog")
    row = page.locator(".visit", has_text="K. L.")
    row.get_by_role("button", name="Write a recap").click()
    row.get_by_label("Two or three lines").fill("half a thought")
    page.get_by_role("combobox", name="Order").select_option("audit")
    expect(page.locator(".visit").first).to_contain_text("K. L.")
    expect(row.get_by_label("Two or three lines")).to_have_value("half a thought")
    row.get_by_label("Two or three lines").fill(" ")
    row.get_by_role("button", name="Make the note").click()
    expect(row.get_by_text("Write a line or two first.")).to_be_visible()


def test_the_check_in_points_to_people_and_keeps_nothing(
    practice: Running, client: httpx.Client, open_page: OpenPage, axe: str
) -> None:
    looks: list[tuple[str, Scheme]] = [("phone", "light"), ("desktop", "light")]
    page = open_page(f"{practice.url}/backlog", "phone")
    page.get_by_role("button", name="Open the check-in").click()
    page.get_by_role("group", name="Have you had thoughts of harming yourself").get_by_label("Yes").check()
    look(page, axe, "4-check", looks)
    page.get_by_label("Country").select_option("us")
    page.get_by_role("button", name="Show pointers").click()
    expect(page.locator(".pointer").first).to_contain_text("988")
    expect(page.get_by_role("heading", name="For you")).to_be_focused()
    look(page, axe, "5-pointers", looks)
    assert page.locator("fieldset").count() == 0
    kept = page.evaluate("() => JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + location.href")
    assert "self_harm" not in kept


def test_the_page_loads_every_module_it_names(practice: Running, open_page: OpenPage) -> None:
    failed: list[str] = []
    page = open_page("about:blank")
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{practice.url}/backlog")
    expect(page.get_by_role("heading", name="Backlog")).to_be_visible()
    assert failed == []
