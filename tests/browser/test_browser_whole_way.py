"""The whole way over TLS: sign-in, today, a session with its mishaps, note, signature; in one room and on a call.

The microphone plays the bundled session. Over a call the other side's sound comes from the page's own audio context:
a browser without a screen has no tab to listen to.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from browser_pages import CHROMIUM, FLAGS, consent_and_start, end_session, line, tab_to
from fake_microphone import written
from live_server import piece
from playwright.sync_api import Page, Playwright, expect
from tls_house import LOGIN, PASSWORD, House, house

from streaming.clip import wav

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
pytest_plugins = ("browser_fixtures",)

CLIENT = "Dana <b>Example</b>"
ADD_VISIT = """body => fetch("/api/visits", {
  method: "POST", body, headers: { "Content-Type": "application/json" },
}).then((answer) => answer.status)"""
CALL = """sound => {
  navigator.mediaDevices.getDisplayMedia = async () => {
    const context = new AudioContext();
    const bytes = Uint8Array.from(atob(sound), (one) => one.charCodeAt(0));
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(bytes.buffer);
    const out = context.createMediaStreamDestination();
    source.connect(out);
    source.start();
    return out.stream;
  };
}"""


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as made:
        yield made


@contextmanager
def chromium(playwright: Playwright, practice: House, microphone: Path) -> Iterator[Page]:
    """A window whose microphone plays this file, and which trusts the server's certificate and no other."""
    flags = [*FLAGS, practice.flag, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
    try:
        page = browser.new_context(permissions=["microphone"]).new_page()
        page.set_default_timeout(20_000)
        page.on("dialog", lambda dialog: dialog.accept())
        yield page
    finally:
        browser.close()


def sign_in(page: Page, url: str) -> None:
    """By keyboard, from where an address without a sign-in leads to."""
    page.goto(f"{url}/today")
    expect(page).to_have_url(re.compile(f"^{re.escape(url)}/sign-in"))
    page.get_by_label("Login").focus()
    page.keyboard.type(LOGIN)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Consent").wait_for()


def appoint(page: Page, url: str, modality: str) -> None:
    """Enter an appointment of a client with a chart, and start it."""
    page.goto(f"{url}/today")
    page.get_by_label("Client", exact=True).fill(CLIENT)
    page.get_by_label("Time", exact=True).fill(datetime.now().strftime("%H:%M"))
    page.get_by_label("How you meet").select_option(modality)
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".visit", has_text=CLIENT).get_by_role("link", name="Start the session").last.click()


def break_the_line(page: Page, practice: House) -> None:
    """For a moment nothing gets through; what is said meanwhile waits in the browser and is sent afterwards."""
    practice.wire.cut()
    expect(line(page)).to_contain_text("What is said now is kept on this device")
    practice.wire.mend()
    expect(line(page)).to_contain_text("Connected.")


def review_and_sign(page: Page) -> None:
    """With the keyboard alone."""
    keys = page.keyboard
    tab_to(page, "Add a sentence to Objective")
    keys.press("Enter")
    keys.type("Alert and oriented, affect constricted.")
    keys.press("Control+Enter")
    expect(page.get_by_role("heading", name="Objective")).to_be_focused()
    if page.get_by_label("Reason to sign all the same").is_visible():
        tab_to(page, "Reason to sign all the same")
        keys.type("A stretch of a session, for a test.")
    tab_to(page, "Sign the note")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_role("region", name="Sign", exact=True)).to_contain_text("Signed by Anna North, LCSW")


def asked(page: Page, rest: str = "") -> dict[str, Any]:
    """What the server says of the page's session."""
    session = page.url.partition("#session=")[2]
    found: dict[str, Any] = page.evaluate(
        "at => fetch(at).then((one) => one.json())", f"/api/sessions/{session}{rest}"
    )
    return found


def is_accounted_for(session: dict[str, Any]) -> None:
    """Nothing is missing but what nobody could hear: the wait for the microphone, and the moment of the reload.

    Had the cut line cost anything, that would be a gap more.
    """
    account = session["completeness"]
    assert account["adds_up"]
    gaps = Counter((gap["track"], gap["cause"]) for gap in account["gaps"])
    assert {cause for _, cause in gaps} <= {"dropped_by_sender", "no_audio"}
    assert set(gaps.values()) <= {1}, gaps


def test_in_one_room(playwright: Playwright, practice: House, tmp_path: Path) -> None:
    talk = written(tmp_path / "microphone.wav", 40.0)
    with chromium(playwright, practice, talk.microphone) as page:
        url = practice.wire.url
        sign_in(page, url)
        appoint(page, url, "In person")
        consent_and_start(page)
        expect(line(page)).to_contain_text("Connected.")
        page.locator("[data-utterance]").first.wait_for()
        break_the_line(page, practice)
        page.reload()
        expect(line(page)).to_contain_text("Connected.")
        page.locator("[data-utterance]").nth(2).wait_for()
        end_session(page)
        page.get_by_role("heading", name="Draft note · SOAP").wait_for()
        evidence = page.get_by_role("button", name="show what was said").first
        evidence.press("Enter")
        page.get_by_role("button", name="Play", exact=True).press("Enter")
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        page.keyboard.press("Escape")
        expect(evidence).to_be_focused()
        review_and_sign(page)
        is_accounted_for(asked(page))
        note = asked(page, "/note")
        assert (note["state"], note["signed"]["signer"]) == ("signed", "Anna North")


def test_on_a_call(playwright: Playwright, practice: House, tmp_path: Path) -> None:
    talk = written(tmp_path / "clinician.wav", 40.0, "clinician")
    with chromium(playwright, practice, talk.microphone) as page:
        url = practice.wire.url
        other = base64.b64encode(wav(piece(0.0, 40.0, "client"))).decode()
        page.add_init_script(f"({CALL})('{other}')")
        sign_in(page, url)
        appoint(page, url, "Telehealth, video")
        page.get_by_role("button", name="Choose the call’s sound").click()
        expect(page.get_by_text("The call’s sound is chosen.")).to_be_visible(timeout=20_000)
        consent_and_start(page)
        expect(line(page)).to_contain_text("Connected.")
        page.locator("[data-utterance]").first.wait_for()
        break_the_line(page, practice)
        page.reload()
        page.get_by_role("button", name="Choose the call’s sound").click()
        expect(line(page)).to_contain_text("Connected.")
        for role in ("clinician", "client"):
            page.locator(f'[data-utterance][data-role="{role}"]').nth(0).wait_for()
        end_session(page)
        page.get_by_role("heading", name="Draft note · SOAP").wait_for()
        review_and_sign(page)
        session = asked(page)
        assert session["roles_source"] == "track"
        assert [one["id"] for one in session["tracks"]] == ["clinician", "client"]
        is_accounted_for(session)
        assert asked(page, "/note")["state"] == "signed"


def test_a_recap_is_dictated_into_its_box(playwright: Playwright, practice: House, tmp_path: Path) -> None:
    talk = written(tmp_path / "dictation.wav", 12.0, "clinician")
    with chromium(playwright, practice, talk.microphone) as page:
        url = practice.wire.url
        sign_in(page, url)
        visit = {"date": "2026-01-05", "label": "J. D."}
        page.evaluate(ADD_VISIT, json.dumps(visit))
        page.goto(f"{url}/backlog")
        row = page.locator(".visit", has_text="J. D.")
        row.get_by_role("button", name="Write a recap").click()
        box = row.get_by_label("Two or three lines")
        box.fill("Typed before.")
        speak = row.get_by_role("button", name="Dictate")
        speak.click()
        expect(row.get_by_role("button", name="Stop dictating")).to_have_attribute("aria-pressed", "true")
        expect(box).to_have_value(re.compile(r"^Typed before\. \w"), timeout=20_000)
        row.get_by_role("button", name="Stop dictating").click()
        expect(row.get_by_text("Stopped. Read what was written")).to_be_visible(timeout=20_000)
        expect(speak).to_have_attribute("aria-pressed", "false")
        kept = page.evaluate("fetch('/api/backlog').then((one) => one.json())")
        assert [one["note"] for one in kept["visits"] if one["label"] == "J. D."] == ["unsigned"]
        row.get_by_role("button", name="Make the note").click()
        expect(row.get_by_role("article", name="Note from your recap")).to_contain_text("Typed before.")
