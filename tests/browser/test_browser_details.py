"""What a note needs beside the talk, entered on the page: before a session, and with its note."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser_pages import SIZES, OpenPage, at_each
from playwright.sync_api import Page, expect
from reviewed_session import write_session

from benchmarks.server_process import running_server

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("details")
    with running_server({"SAMEDAY_DATA_DIR": str(folder)}) as running:
        yield running.url, folder


def opened(page: Page) -> None:
    page.get_by_role("heading", name="Look at these first").wait_for()


def errors(url: str, session: str) -> set[str]:
    note = httpx.get(f"{url}/api/sessions/{session}/note").json()
    return {one["rule"] for one in note["checks"] if one["severity"] == "error"}


def test_details_entered_with_the_note_mend_its_findings(practice: tuple[str, Path], open_page: OpenPage) -> None:
    url, folder = practice
    session = write_session(folder, context=None)
    before = errors(url, session)
    page = open_page(f"{url}/#session={session}")
    opened(page)
    page.get_by_label("Client", exact=True).select_option("New client…")
    page.get_by_role("button", name="Update the note").click()
    expect(page.get_by_text("Enter the client’s name.")).to_be_visible()
    expect(page.get_by_label("Client’s name")).to_be_focused()
    page.keyboard.type("Dana Example")
    page.get_by_label("Date of birth").fill("1988-05-02")
    page.get_by_label("Diagnosis").fill("F41.1 Generalized anxiety disorder")
    page.get_by_label("Goals of the treatment plan").fill("go to the team lunch")
    page.get_by_label("How you met").select_option("In person")
    page.get_by_label("Place").fill("Office, Room 2")
    page.get_by_label("Provider’s name").fill("Pat Doe")
    page.get_by_label("Provider’s license or degree").fill("LCSW")
    page.get_by_role("button", name="Update the note").click()
    expect(page.get_by_text("Diagnosis: F41.1 Generalized anxiety disorder.")).to_be_visible()
    expect(page.locator(".details__known")).to_have_text("Dana Example · In person")
    after = errors(url, session)
    assert {"client_identity", "modality", "diagnosis", "provider_identity"} <= before
    assert not after & {"client_identity", "modality", "diagnosis", "provider_identity"}, after
    page.reload()
    opened(page)
    expect(page.locator("details.details")).not_to_have_attribute("open", "")
    page.locator(".details__summary").press("Enter")
    expect(page.get_by_label("Place")).to_have_value("Office, Room 2")
    expect(page.get_by_label("Your name")).to_have_value("Pat Doe")


def test_telehealth_asks_for_what_it_needs(practice: tuple[str, Path], open_page: OpenPage) -> None:
    url, folder = practice
    page = open_page(f"{url}/#session={write_session(folder, context=None)}")
    opened(page)
    expect(page.get_by_label("Where the client was")).to_be_hidden()
    page.get_by_label("How you met").select_option("Telehealth, video")
    expect(page.get_by_label("Place")).to_be_hidden()
    page.get_by_label("Where the client was").fill("at home, Albany NY")
    page.get_by_label("Consent to telehealth").fill("verbal, at the start")
    page.get_by_role("button", name="Update the note").click()
    expect(page.locator(".details__known")).to_have_text("Telehealth, video")


def test_a_session_starts_with_the_details_entered_before(practice: tuple[str, Path], open_page: OpenPage) -> None:
    url, _ = practice
    chart = httpx.post(f"{url}/api/charts", json={"client": "Sam Sample"}).json()["id"]
    page = open_page(url)
    page.locator(".details__summary").press("Enter")
    page.get_by_label("Client", exact=True).select_option("Sam Sample")
    page.get_by_label("How you met").select_option("In person")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Start the session").click()
    page.get_by_role("button", name="End session").wait_for()
    session = page.url.partition("#session=")[2]
    made = httpx.get(f"{url}/api/sessions/{session}").json()
    assert (made["client"], made["context"]["modality"]) == (chart, "in_person")


def test_the_details_fit_and_the_backlog_is_at_hand(practice: tuple[str, Path], open_page: OpenPage) -> None:
    page = open_page(practice[0], "phone")
    page.locator(".details__summary").press("Enter")
    page.get_by_label("How you met").select_option("Telehealth, video")
    for name in at_each(page, [(size, "light") for size in SIZES]):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        link = page.get_by_role("navigation").get_by_role("link", name="Backlog")
        expect(link).to_have_attribute("href", "/backlog")
