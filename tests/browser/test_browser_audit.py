"""The audit page and the co-signature, as a supervisor meets them, in every size and scheme."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from accounts_of_two import PASSWORD, House, house_of_two
from browser_axe import axe
from browser_pages import OpenPage
from live_server import CONSENT, until
from playwright.sync_api import Page, expect
from test_browser_workplace import Look

from streaming.accounts import Account

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)
__all__ = ["axe"]

NORA = Account("nora", "Nora North", "north", "clinician", "LSW", password="-", needs_cosignature=True)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with house_of_two() as made:
        yield made


async def _awaiting(house: House) -> str:
    """A session whose note a clinician has signed, and a supervisor has still to; another one that was deleted."""
    token = await house.add(NORA)
    body = {"consent": CONSENT, "tracks": [{"id": "mic", "speakers": 1, "role": "client"}]}
    async with house.client() as nora:
        nora.headers["Authorization"] = f"Bearer {token}"

        async def ended() -> tuple[str, int]:
            session = (await nora.post("/api/sessions", json=body)).json()["id"]
            await nora.post(f"/api/sessions/{session}/end")

            async def drafted() -> httpx.Response | None:
                answer = await nora.get(f"/api/sessions/{session}/note")
                return answer if answer.status_code == 200 else None

            return session, (await until(drafted, 30)).json()["version"]

        gone, _ = await ended()
        assert (await nora.delete(f"/api/sessions/{gone}")).status_code == 200
        session, version = await ended()
        given = {"version": version, "signer": "x", "credentials": "x", "override": "short"}
        assert (await nora.post(f"/api/sessions/{session}/note/sign", json=given)).status_code == 200
    async with house.client("bert") as bert:
        await bert.get(f"/api/sessions/{session}/transcript")
    async with house.client("olga") as olga:
        await olga.get(f"/api/sessions/{session}/transcript")
    return session


def _signed_in(house: House, open_page: OpenPage, login: str, then: str) -> Page:
    page = open_page(f"{house.server.url}/sign-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{house.server.url}/")
    page.goto(f"{house.server.url}{then}")
    return page


def test_a_supervisor_co_signs_from_today_and_sees_who_did_what(house: House, open_page: OpenPage, axe: str) -> None:
    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop of its own in this one
        session = thread.submit(asyncio.run, _awaiting(house)).result()
    page = _signed_in(house, open_page, "sven", "/today")
    waiting = page.get_by_role("region", name="For your co-signature")
    expect(waiting.get_by_role("listitem")).to_have_count(1)
    Look(page, axe).at("today-cosign")
    waiting.get_by_role("link").click()
    part = page.get_by_role("region", name="Co-signature")
    expect(part).to_contain_text("A supervisor has still to sign this note.")
    part.get_by_role("button", name="Send it back").click()
    expect(part.get_by_text("Say what should be changed.")).to_be_visible()
    Look(page, axe).at("cosign")
    part.get_by_role("button", name="Co-sign the note").click()
    expect(page.get_by_text("Co-signed by Sven North, PhD")).to_be_visible()
    expect(part).to_be_hidden()

    page.goto(f"{house.server.url}/audit")
    expect(page.get_by_text("The log is whole")).to_be_visible()
    entries = page.get_by_role("table", name="Entries")
    expect(entries.get_by_role("row").filter(has_text="co-signed the note")).to_contain_text("Sven North")
    expect(entries.get_by_role("row").filter(has_text="refused")).to_contain_text("Olga Ops")
    expect(entries).not_to_contain_text("Bert")
    receipts = page.get_by_role("table", name="Deletions")
    expect(receipts.get_by_role("row").filter(has_text="the whole session")).to_contain_text("Nora North")
    Look(page, axe).at("audit")
    page.get_by_label("Who").select_option("Nora North")
    page.get_by_label("What").select_option("Notes")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(entries.get_by_role("row").filter(has_text="signed the note")).to_have_count(1)
    expect(entries).not_to_contain_text("Sven North")
    page.get_by_label("From").fill("2100-01-01")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("Nothing of this kind was recorded.")).to_be_visible()
    assert session


def test_a_clinician_sees_their_own_name_and_what_was_done_under_it(house: House, open_page: OpenPage) -> None:
    page = _signed_in(house, open_page, "anna", "/audit")
    expect(page.get_by_text("What was done under your own name")).to_be_visible()
    expect(page.get_by_role("table", name="Entries")).to_contain_text("signed in")
    expect(page.get_by_label("Who")).to_be_hidden()
    expect(page.get_by_text("The log is whole")).to_be_hidden()
    page.goto(f"{house.server.url}/settings")
    expect(page.get_by_text("You sign as Anna North, LCSW")).to_be_visible()
    expect(page.get_by_label("Your name")).to_be_hidden()
    page.goto(house.server.url)
    expect(page.get_by_label("Provider’s name")).to_have_value("Anna North")
    expect(page.get_by_label("Provider’s license or degree")).to_have_value("LCSW")
