"""What a clinician takes away from a session that is over: passages of the talk, or all of it, with the receipt."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser_axe import axe, violations
from browser_pages import OpenPage, said, tab_to
from playwright.sync_api import Page, expect
from reviewed_session import write_session

from benchmarks.server_process import running_server

__all__ = ["axe"]
pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)

SLEEP, NIGHTS = "And how are you sleeping?", "I still wake up early about four nights a week."


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("gone")
    with running_server({"SAMEDAY_DATA_DIR": str(folder)}) as running:
        yield running.url, folder


def _too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def test_a_passage_is_struck_by_keyboard_and_the_rest_deleted_with_a_receipt(
    practice: tuple[str, Path], open_page: OpenPage, axe: str
) -> None:
    url, folder = practice
    session = write_session(folder)
    page = open_page(f"{url}/#session={session}", "phone")
    expect(said(page, SLEEP)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()  # once the note is there; what comes before loses it
    tab_to(page, "Strike a passage")
    page.keyboard.press("Enter")
    bar = page.get_by_role("group", name="Strike a passage")
    expect(bar).to_contain_text("Press what is to go")
    tab_to(page, "Choose what Clinician said at 0:14")
    page.keyboard.press("Enter")
    expect(bar).to_contain_text("0:14 to 0:16, 1 passage")
    page.keyboard.press("Shift+ArrowDown")
    expect(bar).to_contain_text("0:14 to 0:23, 3 passages")  # with what was said into it
    assert not _too_wide(page)
    assert violations(page, axe) == []
    tab_to(page, "Strike…")
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog", name="Strike 3 passages?")
    expect(question).to_contain_text(NIGHTS)
    expect(question).to_contain_text("It cannot be brought back.")
    assert violations(page, axe) == []
    page.keyboard.press("Escape")
    expect(said(page, SLEEP)).to_be_visible()
    tab_to(page, "Strike…")
    page.keyboard.press("Enter")
    question.get_by_role("button", name="Strike it").click()
    expect(page.get_by_text("What was said here was struck.")).to_be_visible()
    expect(page.locator("[data-utterance]", has_text=SLEEP)).to_have_count(0)
    expect(page.locator(".statement", has_text="wake up early")).to_have_count(0)
    kept = httpx.get(f"{url}/api/sessions/{session}/transcript").text
    assert SLEEP not in kept
    assert NIGHTS not in kept
    assert "So four nights, down from seven." in kept

    page.get_by_role("button", name="Delete…").click()
    question = page.get_by_role("dialog", name="Delete this session?")
    expect(question).to_contain_text("the whole transcript")
    question.get_by_label("Why").select_option("Consent was taken back")
    assert violations(page, axe) == []
    question.get_by_role("button", name="Delete the session").click()
    expect(page.get_by_role("heading", name="The session is deleted")).to_be_focused()
    expect(page.get_by_text("Consent was taken back.")).to_be_visible()
    assert not _too_wide(page)
    assert violations(page, axe) == []
    assert httpx.get(f"{url}/api/sessions/{session}").status_code == 410
    (receipt,) = httpx.get(f"{url}/api/deletions").json()["receipts"]
    assert (receipt["session"], receipt["why"], receipt["scope"]) == (session, "revoked", "session")


def test_of_a_signed_session_the_talk_goes_and_the_note_only_where_it_is_said(
    practice: tuple[str, Path], open_page: OpenPage, axe: str
) -> None:
    url, folder = practice
    session = write_session(folder)
    version = httpx.get(f"{url}/api/sessions/{session}/note").json()["version"]
    signing = {"version": version, "signer": "Pat Doe", "credentials": "LCSW", "override": "Test."}
    httpx.post(f"{url}/api/sessions/{session}/note/sign", json=signing).raise_for_status()
    page = open_page(f"{url}/#session={session}")
    page.get_by_role("heading", name="Addenda").wait_for()
    expect(page.get_by_role("button", name="Strike a passage")).to_be_hidden()
    page.get_by_role("button", name="Delete…").click()
    question = page.get_by_role("dialog", name="Delete sound and transcript?")
    expect(question).to_contain_text("The signed note is part of the client’s record and stays")
    question.get_by_role("button", name="Delete sound and transcript").click()
    expect(page.get_by_role("heading", name="Sound and transcript are deleted")).to_be_focused()
    page.get_by_role("link", name="Open the signed note").click()
    expect(page.get_by_role("region", name="Sign", exact=True)).to_contain_text("Signed by Pat Doe, LCSW")
    expect(page.locator("[data-utterance]")).to_have_count(0)
    assert httpx.get(f"{url}/api/sessions/{session}/note").json()["state"] == "signed"

    tab_to(page, "Delete…")  # by who has nobody beside them, as a supervisor may elsewhere: by keyboard, the note too
    page.keyboard.press("Enter")
    tab_to(page, "Delete the signed note too")
    page.keyboard.press("Space")
    question = page.get_by_role("dialog", name="Delete this session with its signed note?")
    expect(question).to_contain_text("the signed note, with its addenda and who changed what")
    expect(question.get_by_role("checkbox")).to_be_focused()
    assert violations(page, axe) == []
    tab_to(page, "Delete session and signed note")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The session is deleted")).to_be_focused()
    assert httpx.get(f"{url}/api/sessions/{session}/note").status_code == 410
    receipt = next(one for one in httpx.get(f"{url}/api/deletions").json()["receipts"] if one["session"] == session)
    assert (receipt["scope"], receipt["signed_too"], receipt["done"]) == ("session", True, True)
