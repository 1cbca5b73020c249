"""Signing in, in a real browser: the page itself, whose signature it is, a sign-in that is over in mid-session."""

import asyncio
import os
import signal
from collections.abc import Iterator

import httpx
import pytest
from accounts_of_two import PASSWORD, people
from browser_axe import axe, violations
from browser_pages import OpenPage, consent_and_start, end_session, line
from playwright.sync_api import Page, expect
from redis_server import free_port

from benchmarks.server_process import Running, running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
pytest_plugins = ("browser_fixtures",)
__all__ = ["axe"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str]]:
    """The environment of a server with accounts, and tokens."""
    folder = tmp_path_factory.mktemp("house") / "data"
    return {"SAMEDAY_DATA_DIR": str(folder)}, asyncio.run(people(folder))


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def seated(house: tuple[dict[str, str], dict[str, str]], port: int) -> Iterator[Running]:
    with running_server(house[0], port=port) as running:
        yield running


def sign_in(page: Page) -> None:
    page.get_by_label("Login").fill("bert")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_the_page_itself(seated: Running, open_page: OpenPage, axe: str) -> None:
    for size, scheme in (("desktop", "light"), ("phone", "dark")):
        page = open_page(seated.url, size, color_scheme=scheme)
        page.wait_for_url("**/sign-in**")
        assert page.title() == "Sign in · sameday"
        assert violations(page, axe) == []
        page.get_by_label("Login").fill("bert")
        page.get_by_label("Password").fill("not the password")
        page.get_by_label("Password").press("Enter")
        expect(page.get_by_role("alert")).to_be_focused()
        assert violations(page, axe) == []
        sign_in(page)
        expect(page.get_by_text("Signed in as Bert South, LMFT (south).")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
    page = open_page(f"{seated.url}/#session={'0' * 32}")
    page.wait_for_url("**/sign-in#session=*")
    sign_in(page)
    page.wait_for_url(f"{seated.url}/#session={'0' * 32}")


def test_a_sign_in_that_is_over_in_mid_session_loses_no_audio(
    house: tuple[dict[str, str], dict[str, str]], seated: Running, port: int, open_page: OpenPage, axe: str
) -> None:
    page = open_page(seated.url)
    sign_in(page)
    consent_and_start(page)
    expect(line(page)).to_contain_text("Connected.")
    page.wait_for_timeout(1000)
    os.kill(seated.process.pid, signal.SIGKILL)
    seated.process.wait()
    page.context.clear_cookies()
    with running_server(house[0], port=port) as again:
        expect(page.get_by_text("Your sign-in is over.")).to_be_visible(timeout=20_000)
        assert violations(page, axe) == []
        with page.expect_popup() as opened:
            page.get_by_role("button", name="Sign in again").click()
        with opened.value.expect_event("close"):
            sign_in(opened.value)
        expect(page.get_by_text("Your sign-in is over.")).to_be_hidden()
        expect(line(page)).to_contain_text("Connected.", timeout=20_000)
        page.wait_for_timeout(500)
        end_session(page)
        page.get_by_role("heading", name="Draft note · SOAP").wait_for()
        expect(page.get_by_text("It is signed as Bert South, LMFT.")).to_be_visible()
        expect(page.get_by_label("Your name")).to_be_hidden()
        session = page.url.rpartition("=")[2]
        known = {"Authorization": f"Bearer {house[1]['bert']}"}
        account = httpx.get(f"{again.url}/api/sessions/{session}", headers=known).json()["completeness"]
    assert account["adds_up"]
    assert account["gaps"] == []
    assert account["received_s"] > 2.0
