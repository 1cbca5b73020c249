"""Accessibility: axe-core over every state, the keyboard alone, right-to-left."""

import pytest
from browser_axe import axe, violations
from browser_pages import SIZES, OpenPage, Scheme, at_each, consent_and_start, end_session, line, said
from fake_session_server import FakeServer
from playwright.sync_api import Page, Route, expect
from session_script import NOTE, TALK, draft, ended, lag, partial

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)
__all__ = ["axe"]

_LOOKS: list[tuple[str, Scheme]] = [("phone", "light"), ("phone", "dark"), ("desktop", "light"), ("desktop", "dark")]
_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


def test_axe_finds_nothing(server: FakeServer, open_page: OpenPage, axe: str) -> None:
    def look() -> None:
        for name in at_each(page, _LOOKS):
            assert violations(page, axe) == [], name

    server.on_end = [ended(47.5, 5.8), draft(NOTE)]
    page = open_page(server.url, "phone")
    page.get_by_role("button", name="Check the microphone").click()
    page.get_by_role("meter").wait_for()
    page.get_by_role("button", name="Start the session").click()
    look()
    consent_and_start(page)
    server.emit(*TALK, partial(48.0, "I will also", "write down the", "S2"), lag(49))
    said(page, "Yes, I can do that.").wait_for()
    look()
    page.get_by_role("button", name="End session").click()
    look()
    page.get_by_role("button", name="End the session", exact=True).click()
    page.get_by_role("heading", name="Draft note").wait_for()
    page.get_by_role("button", name="Client, 0:36: show what was said").first.click()
    look()


def test_a_session_by_keyboard_alone(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5), draft(NOTE)]
    page = open_page(server.url)
    keys = page.keyboard
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys.press("Enter")
    keys.press("Tab")
    expect(page.get_by_role("radio", name="In one room")).to_be_focused()
    keys.press("Tab")
    expect(page.get_by_role("radio", name="2")).to_be_focused()
    for number in range(2):
        keys.press("Tab")
        expect(page.get_by_role("checkbox").nth(number)).to_be_focused()
        keys.press("Space")
        keys.press("Tab")
        expect(page.get_by_role("combobox").nth(number)).to_be_focused()
    keys.press("Tab")
    expect(page.get_by_role("button", name="Check the microphone")).to_be_focused()
    keys.press("Tab")
    expect(page.locator("summary")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(line(page)).to_contain_text("Connected.")
    expect(page.get_by_role("heading", name="Session")).to_be_focused()
    server.emit(*TALK)
    said(page, "Yes, I can do that.").wait_for()
    _tab_to(page, "End session")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Keep recording")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Draft note")).to_be_focused()
    _tab_to(page, "Client, 0:36: show what was said")
    keys.press("Enter")
    expect(said(page, "That they will find out")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Client, 0:36: show what was said").first).to_be_focused()


def test_a_late_note_leaves_the_focus_where_somebody_works(server: FakeServer, open_page: OpenPage) -> None:
    held: list[Route] = []
    page = open_page(server.url)
    page.route("**/js/view/note.js", lambda route: held.append(route))
    server.on_end = [ended(47.5)]
    consent_and_start(page)
    expect(line(page)).to_contain_text("Connected.")
    server.emit(*TALK)
    said(page, "Yes, I can do that.").wait_for()
    end_session(page)
    page.locator("body[data-part=note]").wait_for()
    said(page, "Yes, I can do that.").get_by_role("button", name="Correct").click()
    field = page.get_by_role("textbox", name="What was said")
    expect(field).to_be_focused()
    page.keyboard.type("Well: ")
    held[0].continue_()
    expect(page.get_by_role("heading", name="Draft note")).to_be_visible()
    server.emit(draft(NOTE))
    expect(page.get_by_role("status").filter(has_text="The draft note is ready.")).to_be_attached()
    page.keyboard.type("now ")
    expect(field).to_be_focused()
    expect(field).to_have_value("Well: now Yes, I can do that.")


def _tab_to(page: Page, name: str) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        if page.evaluate(focused) == name:
            return
    pytest.fail(f"the keyboard does not reach “{name}”")


def test_right_to_left_sticks_out_nowhere(server: FakeServer, open_page: OpenPage) -> None:
    looks: list[tuple[str, Scheme]] = [(size, "light") for size in SIZES]
    server.on_end = [ended(47.5), draft(NOTE)]
    page = open_page(server.url, "phone")
    page.evaluate("document.documentElement.dir = 'rtl'")
    for name in at_each(page, looks):
        assert not page.evaluate(_WIDE), name
    consent_and_start(page)
    server.emit(*TALK)
    said(page, "Yes, I can do that.").wait_for()
    for name in at_each(page, looks):
        assert not page.evaluate(_WIDE), name
        badge = said(page, "Yes, I can do that.").locator(".name").bounding_box()
        text = said(page, "Yes, I can do that.").bounding_box()
        assert badge
        assert text
        middle = text["x"] + text["width"] / 2
        assert badge["x"] > middle, "the speaker stands at the line's beginning, on the right"
    end_session(page)
    page.get_by_role("heading", name="Draft note").wait_for()
    for name in at_each(page, looks):
        assert not page.evaluate(_WIDE), name
