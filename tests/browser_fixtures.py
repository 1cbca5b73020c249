"""Chromium as fixtures, driven by Playwright with a fake microphone. A test module asks for them by `pytest_plugins`.

Sync, and closed with each module: its loop would else be in the way of the tests that bring their own.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from browser_pages import CHROMIUM, FLAGS, SIZES, OpenPage
from fake_session_server import FakeServer
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

_PATIENCE_MS = 20_000
"""A busy machine takes its time: what comes at all is waited for."""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed: {CHROMIUM}")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium whose microphone beeps once a second."""
    with_beeps = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    yield with_beeps
    with_beeps.close()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A scripted server of its own for each test."""
    with FakeServer() as running:
        yield running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address in a window of its own. What the page logs as an error fails the test at its end."""
    errors: list[str] = []

    def _watch(page: Page) -> None:
        page.set_default_timeout(_PATIENCE_MS)
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if _is_fault(message.text) else None)

    with ExitStack() as stack:

        def _open(url: str, size: str = "desktop", *, beside: Page | None = None, **options: object) -> Page:
            context = beside.context if beside else _context(browser, stack, size, options)
            page = context.new_page()
            _watch(page)
            page.goto(url)
            return page

        yield _open
    assert errors == []


def _context(browser: Browser, stack: ExitStack, size: str, options: dict[str, object]) -> BrowserContext:
    width, height = SIZES[size]
    permissions = options.pop("permissions", ["microphone", "clipboard-read", "clipboard-write"])
    context = browser.new_context(viewport={"width": width, "height": height}, permissions=permissions, **options)  # type: ignore[arg-type]
    stack.callback(context.close)
    return context


def _is_fault(text: str) -> bool:
    return "Content Security Policy" in text or "Uncaught" in text
