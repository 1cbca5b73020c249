"""An hour of talk on the page: only what is near the window is in it, and all of it can be reached and found."""

from collections.abc import Iterator

import pytest
from browser_axe import axe, violations
from browser_pages import consent_and_start, end_session, line, said
from fake_session_server import FakeServer
from playwright.sync_api import Browser, Page, expect
from session_script import NOTE, draft, ended, statement, utterance

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)
__all__ = ["axe"]

ALL = 500
IN_PAGE = "document.querySelectorAll('[data-utterance]').length"
IN_SIGHT = """() => [...document.querySelectorAll("[data-utterance]")]
  .filter((row) => row.getBoundingClientRect().bottom > 0 && row.getBoundingClientRect().top < innerHeight)
  .map((row) => Number(row.dataset.utterance.slice(4)))"""
LONGER = (
    " It was said at length, so that the line is broken more than once and the row is higher than the others are."
)


def hour() -> list[dict[str, object]]:
    """Rows of different heights, which nobody can know before they are there."""
    return [
        utterance(n, n * 4.0, f"This is what was said as number {n}.{LONGER * (n % 7 // 3)}", f"S{1 + n // 3 % 2}")
        for n in range(1, ALL + 1)
    ]


@pytest.fixture(scope="module")
def long(browser: Browser) -> Iterator[Page]:
    """One page for all tests, the last of which ends its session."""
    note = NOTE | {"sections": [{"name": "Subjective", "statements": [statement("Far back.", 250)]}], "risk": {}}
    errors: list[str] = []
    with FakeServer() as server:
        server.on_end = [ended(3600.0), draft(note)]
        context = browser.new_context(viewport={"width": 1280, "height": 800}, permissions=["microphone"])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url)
        consent_and_start(page)
        expect(line(page)).to_contain_text("Connected.")
        server.emit(*hour())
        said(page, f"as number {ALL}.").wait_for(timeout=60_000)
        yield page
        context.close()
    assert errors == []


def settled(page: Page) -> list[int]:
    """The rows in sight, once what scrolling asked for is drawn."""
    page.wait_for_timeout(150)
    found: list[int] = page.evaluate(IN_SIGHT)
    assert found, "nothing is in sight"
    assert found == list(range(found[0], found[-1] + 1)), "a hole in what is seen"
    return found


def test_only_what_is_near_the_window_is_in_the_page_and_a_reader_is_told_of_all(long: Page, axe: str) -> None:
    assert long.evaluate(IN_PAGE) < 80
    last = said(long, f"as number {ALL}.")
    expect(last).to_be_in_viewport()
    expect(last).to_have_attribute("aria-posinset", str(ALL))
    expect(last).to_have_attribute("aria-setsize", str(ALL))
    assert violations(long, axe) == []
    long.evaluate("scrollTo(0, 0)")
    assert settled(long)[0] == 1
    assert long.evaluate(IN_PAGE) < 80
    expect(long.get_by_role("button", name="Go to the newest")).to_be_visible()
    long.get_by_role("button", name="Go to the newest").click()
    assert settled(long)[-1] == ALL


def test_scrolling_by_wheel_passes_every_row_and_nothing_jumps(long: Page) -> None:
    long.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    before = settled(long)
    long.mouse.move(400, 400)
    for _ in range(10):
        long.mouse.wheel(0, -600)
        now = settled(long)
        assert now[0] < before[0] <= now[-1] + 1, "rows were passed over"
        before = now


def test_where_the_focus_is_stays_in_the_page_and_on_screen_when_it_is_used(long: Page) -> None:
    long.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert settled(long)[-1] == ALL
    row = said(long, f"as number {ALL - 1}.")
    row.get_by_role("button", name="Correct what").focus()
    long.evaluate("scrollTo(0, 0)")
    settled(long)
    expect(row.get_by_role("button", name="Correct what")).to_be_focused()
    long.keyboard.press("Enter")
    expect(row.get_by_role("textbox", name="What was said")).to_be_focused()
    long.keyboard.press("Escape")
    expect(row.get_by_role("textbox", name="What was said")).to_have_count(0)


def test_what_is_looked_for_is_found_wherever_it_is(long: Page) -> None:
    box = long.get_by_role("searchbox", name="Find in the talk")
    box.focus()
    long.keyboard.type("NUMBER 44")
    expect(long.get_by_text("1 of 11")).to_be_visible()
    expect(said(long, "as number 44.")).to_be_in_viewport()
    expect(said(long, "as number 44.")).to_have_attribute("data-found", "now")
    long.keyboard.press("Enter")
    expect(said(long, "as number 440.")).to_be_in_viewport()
    long.keyboard.press("Shift+Enter")
    long.keyboard.press("Shift+Enter")
    expect(long.get_by_text("11 of 11")).to_be_visible()
    expect(said(long, "as number 449.")).to_be_in_viewport()
    expect(box).to_be_focused()
    box.fill("nothing of the kind")
    expect(long.get_by_text("Not found.")).to_be_visible()


def test_rows_near_a_stretch_are_those_that_touch_it(long: Page) -> None:
    wrong = long.evaluate(
        """async () => {
          const { offsetsOf, rangeOf } = await import("/static/js/windowing.js");
          let seed = 1;
          const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
          const wrong = [];
          for (let round = 0; round < 500; round += 1) {
            const lengths = Array.from({ length: Math.floor(random() * 12) }, () => 1 + Math.floor(random() * 50));
            const offsets = offsetsOf(lengths);
            const from = Math.floor(random() * 400) - 100;
            const to = from + 1 + Math.floor(random() * 200);
            const [first, last] = rangeOf(offsets, from, to);
            const touch = lengths.map((_, at) => at).filter((at) => offsets[at] < to && offsets[at + 1] > from);
            const missing = touch.filter((at) => at < first || at >= last);
            const none = lengths.length > 0 && last <= first;
            if (missing.length || last > lengths.length || first < 0 || none) wrong.push(lengths);
            if (touch.length && (first < touch[0] - 1 || last > touch.at(-1) + 1)) wrong.push(lengths);
          }
          return wrong;
        }"""
    )
    assert wrong == []


def test_a_statement_s_evidence_far_back_is_shown(long: Page) -> None:
    end_session(long)
    evidence = long.get_by_role("button", name="show what was said")
    evidence.press("Enter")
    row = said(long, "as number 250.")
    expect(row).to_be_focused()
    expect(row).to_be_in_viewport()
    expect(row.get_by_text("The sound cannot be played now.")).to_be_visible()
    long.keyboard.press("Escape")
    expect(evidence).to_be_focused()
