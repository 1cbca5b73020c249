"""A clinician's say over the recording, in a real browser against a real server: off the record, strike, revoked."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser_axe import axe, violations
from browser_pages import CHROMIUM, FLAGS, consent_and_start, line
from fake_microphone import written
from live_server import data_folder, words_of
from playwright.sync_api import Page, Playwright, expect

from benchmarks.server_process import running_server

__all__ = ["axe"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
pytest_plugins = ("browser_fixtures",)


@pytest.fixture
def page(playwright: Playwright, tmp_path: Path) -> Iterator[Page]:
    talk = written(tmp_path / "microphone.wav", 60.0)
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={talk.microphone}%noloop"]
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
    opened = browser.new_context(permissions=["microphone"]).new_page()
    opened.set_default_timeout(30_000)
    opened.on("dialog", lambda dialog: dialog.accept())
    yield opened
    browser.close()


def files_of(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file()).lower()


def test_off_the_record_and_back_strike_and_consent_taken_back(page: Page, axe: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running_server(data_folder(folder, SAMEDAY_ENCRYPTION="false")) as server:
        page.goto(server.url)
        page.get_by_role("combobox", name="How the client agreed").select_option("signed it")
        consent_and_start(page)
        session = page.url.rpartition("=")[2]

        def look(rest: str = "") -> httpx.Response:
            return httpx.get(f"{server.url}/api/sessions/{session}{rest}")

        agreed = {one["who"]: one["consent"]["how"] for one in look().json()["participants"]}
        assert agreed == {"clinician": "spoken", "client": "written"}
        page.locator("[data-utterance]").first.wait_for()
        page.keyboard.press("p")
        expect(page.locator(".state__words")).to_have_text("Off the record")
        expect(page.get_by_role("button", name="Back on the record")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("q")
        expect(page.get_by_text("Off the record", exact=True)).to_be_visible()
        page.keyboard.press("q")
        assert look().json()["recording"] == "off_the_record"
        assert violations(page, axe) == []
        before = look().json()["tracks"][0]["received_s"]
        page.reload()
        expect(page.locator(".state__words")).to_have_text("Off the record")
        page.wait_for_timeout(2000)
        assert look().json()["tracks"][0]["received_s"] <= before + 0.2
        page.keyboard.press("p")
        expect(line(page)).to_contain_text("Connected.")
        assert look().json()["recording"] == "on"
        expect(page.get_by_text("This was off the record.")).to_be_visible()

        heard = words_of(look("/transcript").json())
        assert heard
        page.keyboard.press("x")
        dialog = page.get_by_role("dialog", name="Strike the last minute?")
        expect(dialog).to_contain_text("cannot be brought back")
        assert violations(page, axe) == []
        dialog.get_by_role("button", name="Strike it").click()
        expect(page.get_by_text("What was said here was struck.").first).to_be_visible(timeout=20_000)
        expect(line(page)).to_contain_text("Connected.", timeout=20_000)
        struck = look("/transcript").json()
        assert {gap["cause"] for gap in struck["gaps"]} >= {"struck", "off_the_record"}
        assert b"good morning" not in files_of(folder)

        page.locator("[data-utterance]").first.wait_for()
        page.keyboard.press("s")
        passage = page.locator("[data-utterance]").first
        words = passage.locator(".said").inner_text()
        passage.click()
        bar = page.get_by_role("group", name="Strike a passage")
        expect(bar).to_contain_text("1 passage")
        assert violations(page, axe) == []
        bar.get_by_role("button", name="Strike…").click()
        page.get_by_role("dialog", name="Strike 1 passage?").get_by_role("button", name="Strike it").click()
        expect(page.locator(".said", has_text=words)).to_have_count(0, timeout=20_000)
        expect(line(page)).to_contain_text("Connected.", timeout=20_000)
        assert words.lower().encode() not in files_of(folder)

        page.get_by_role("button", name="Consent taken back").click()
        dialog = page.get_by_role("dialog", name="Is consent taken back?")
        dialog.get_by_role("combobox").select_option("client")
        dialog.get_by_role("button", name="Delete the session").click()
        expect(page.get_by_role("heading", name="The session is deleted")).to_be_focused()
        expect(page.get_by_text("pieces of sound")).to_be_visible()
        assert violations(page, axe) == []
        assert look().status_code == 410
        (receipt,) = httpx.get(f"{server.url}/api/deletions").json()["receipts"]
        assert (receipt["why"], receipt["session"]) == ("revoked", session)
        assert b"utteranceclosed" not in files_of(folder)
