"""What the browser tests share that is no fixture."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from fake_session_server import FakeServer
from playwright.sync_api import Browser, Locator, Page, expect

CHROMIUM = Path("/usr/bin/chromium")
_OFF = (
    # The address bar's suggestions are pages of the browser's own, two for each window: half of what a window costs.
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
    # What Playwright switches off: of two such flags, Chromium takes the last.
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    f"--disable-features={','.join(_OFF)}",
]
SIZES = {"phone": (360, 740), "tablet": (834, 1112), "desktop": (1280, 800)}

Scheme = Literal["light", "dark"]

OpenPage = Callable[..., Page]
_DRAWN = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const going = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.allSettled(going.map((one) => one.finished));
}"""


@contextmanager
def page_with(browser: Browser, tools: str) -> Iterator[Page]:
    """An empty page of a server that answers nothing, in which a script has set out what the tests call."""
    with FakeServer() as server:
        page = browser.new_page()
        page.goto(server.url)
        page.evaluate(tools)
        yield page
        page.close()


def at_each(page: Page, looks: Sequence[tuple[str, Scheme]]) -> Iterator[str]:
    """The page as it is now at one size and scheme after the other, drawn; their names. Ends as the first one."""
    for size, scheme in looks:
        _show_as(page, size, scheme)
        yield f"{size}-{scheme}"
    _show_as(page, *looks[0])


def _show_as(page: Page, size: str, scheme: Scheme) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    page.evaluate(_DRAWN)


def consent_and_start(page: Page, people: int = 2) -> None:
    """Tick for everyone and start."""
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(people)
    for box in boxes.all():
        box.check()
    page.get_by_role("button", name="Start the session").click()
    page.get_by_role("button", name="End session").wait_for()


def live_page(server: FakeServer, open_page: OpenPage) -> Page:
    """A page whose session has started and whose microphone is connected."""
    page = open_page(server.url)
    consent_and_start(page)
    expect(line(page)).to_contain_text("Connected.")
    return page


def end_session(page: Page) -> None:
    """End and say yes to the question."""
    page.get_by_role("button", name="End session").click()
    page.get_by_role("button", name="End the session", exact=True).click()


def said(page: Page, text: str) -> Locator:
    """An utterance of the transcript, as the eye sees it: a screen reader's copy is elsewhere."""
    return page.get_by_role("region", name="Transcript").get_by_role("listitem").filter(has_text=text)


def line(page: Page) -> Locator:
    """The words about the connection."""
    return page.locator(".health")


def tab_to(page: Page, name: str, most: int = 400) -> None:
    """Press Tab until what has the focus is called so: a control by its name, a field by its label."""
    called = """() => {
      const one = document.activeElement;
      return one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent;
    }"""
    for _ in range(most):
        page.keyboard.press("Tab")
        if str(page.evaluate(called)).startswith(name):
            return
    raise AssertionError(f"the keyboard does not reach “{name}”")
