"""Every state of the page at phone, tablet and desktop size, light and dark: nothing sticks out, all can be reached.

With SAMEDAY_SHOTS=FOLDER each state is kept as a picture, to be looked at.
"""

import os
from pathlib import Path

import pytest
from browser_pages import OpenPage, Scheme, at_each, consent_and_start, end_session, line, said
from fake_session_server import FakeServer
from playwright.sync_api import Page, expect
from session_script import NOTE, TALK, draft, ended, failed, lag, partial, relabel

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)

_SHOTS = os.environ.get("SAMEDAY_SHOTS")
_LOOKS: list[tuple[str, Scheme]] = [
    ("phone", "light"), ("phone", "dark"), ("tablet", "light"), ("desktop", "light"), ("desktop", "dark"),
]  # fmt: skip

_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const over = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 1 && (box.right > width + 1 || box.left < -1);
  });
  return [document.documentElement.scrollWidth > width, over.map((element) => element.outerHTML.slice(0, 120))];
}"""
_TOO_SMALL = """() => [...document.querySelectorAll("button, select, label.tick, label.choice")]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.textContent, element.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""


class Look:
    """Checks each state as it comes, at every size, and keeps its pictures."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self.seen = 0

    def at(self, state: str, *, full: bool = False) -> None:
        self.page.wait_for_timeout(150)
        self.seen += 1
        for look in at_each(self.page, _LOOKS):
            if _SHOTS:
                Path(_SHOTS).mkdir(parents=True, exist_ok=True)
                path = Path(_SHOTS) / f"{self.name}-{look}-{self.seen:02}-{state}.png"
                self.page.screenshot(path=path, full_page=full)
            assert self.page.evaluate(_TOO_WIDE) == [False, []], (state, look)
            assert self.page.evaluate(_TOO_SMALL) == [], (state, look)


def test_every_state(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [relabel(3, "S1"), ended(47.5, 6.6), draft(NOTE)]
    page = open_page(server.url, "phone")
    look = Look(page, "session")
    look.at("setup", full=True)
    page.get_by_role("button", name="Check the microphone").click()
    page.get_by_role("meter").wait_for()
    page.get_by_role("button", name="Start the session").click()
    look.at("consent-missing", full=True)
    consent_and_start(page)
    look.at("live-empty")
    server.emit(*TALK[:5], partial(17.0, "And when you lie there", "what goes through"), lag(20))
    said(page, "Four. Last month").wait_for()
    look.at("live-first-words")
    server.emit(*TALK[5:], partial(48.0, "I will also", "write down the", "S2"), lag(49))
    said(page, "Yes, I can do that.").wait_for()
    look.at("live")
    server.take_media = False
    server.cut_media()
    expect(line(page)).to_contain_text("What is said now is kept on this device", timeout=20_000)
    look.at("live-lost")
    server.take_media = True
    expect(line(page)).to_contain_text("Connected.", timeout=20_000)
    page.get_by_role("button", name="End session").click()
    look.at("ask-end")
    page.get_by_role("button", name="End the session", exact=True).click()
    page.get_by_role("heading", name="Draft note · SOAP").wait_for()
    look.at("note", full=True)
    page.get_by_role("button", name="Client, 0:36: show what was said").first.click()
    look.at("note-evidence")
    page.get_by_role("button", name="New session").click()
    page.get_by_role("region", name="Earlier sessions in this browser").wait_for()
    look.at("setup-again", full=True)


def test_states_of_trouble(server: FakeServer, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/#session=gone", "phone")
    look = Look(page, "trouble")
    page.get_by_role("heading", name="does not know the session").wait_for()
    look.at("unknown-session")
    page.get_by_role("button", name="New session").click()
    server.refusals["POST", "sessions"] = (503, "overloaded")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Start the session").click()
    page.get_by_text("The server is full").wait_for()
    look.at("full", full=True)
    server.refusals.clear()
    page.get_by_role("radio", name="4").check()
    consent_and_start(page, people=4)
    server.emit(*TALK[:5], failed("diarize"))
    page.get_by_text("Telling the voices apart has failed").wait_for()
    look.at("live-failed-stage")
    server.on_end = [ended(20.0), failed("draft", "draft_failed")]
    end_session(page)
    page.get_by_text("The note could not be drafted").first.wait_for()
    look.at("no-note", full=True)
