"""The pages around a session, against a real server: today, clients, settings, operations; every size and scheme.

With SAMEDAY_SHOTS=FOLDER each state is kept as a picture, to be looked at.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from browser_axe import axe, violations
from browser_pages import OpenPage, consent_and_start, end_session
from playwright.sync_api import Page, expect

from benchmarks.server_process import Running, running_server

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)
__all__ = ["axe"]

_SHOTS = os.environ.get("SAMEDAY_SHOTS")
_TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
_TOO_SMALL = """() => [...document.querySelectorAll("button, select, summary, a.button, .way, .tick, .choice, input")]
  .filter((element) => !["checkbox", "radio"].includes(element.type))
  .filter((element) => element.checkVisibility())
  .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 43.5)
  .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""
_MOVES = """() => [...document.querySelectorAll("*")].map((element) => [element, getComputedStyle(element)])
  .filter(([, style]) => [style.transitionDuration, style.animationDuration]
    .some((all) => all.split(",").some((one) => Number.parseFloat(one) > 0.01)))
  .map(([element]) => element.outerHTML.slice(0, 80))"""
_WRONG_SIDE = """() => [...document.querySelectorAll("main h1")].filter((one) => {
  const words = document.createRange();
  words.selectNodeContents(one);
  const edge = one.parentElement.getBoundingClientRect().right;
  return one.checkVisibility() && words.getBoundingClientRect().right < edge - 60;
}).map((one) => one.outerHTML.slice(0, 80))"""
EVIL = '<img src=x onerror="window.ran = true">'


@pytest.fixture(scope="module")
def practice() -> Iterator[Running]:
    with running_server() as running:
        yield running


@pytest.fixture
def client(practice: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=practice.url, timeout=30) as one:
        yield one


class Look:
    """Sizes and schemes in one window, each kept as a picture where wanted: nothing sticks out, all can be hit."""

    SIZES = (("phone", 390, 844), ("tablet", 820, 1180), ("desktop", 1440, 900))

    def __init__(self, page: Page, axe: str) -> None:
        self.page, self.axe = page, axe

    def at(self, name: str) -> None:
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            for size, width, height in self.SIZES:
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.wait_for_timeout(60)
                if _SHOTS:
                    Path(_SHOTS).mkdir(parents=True, exist_ok=True)
                    self.page.screenshot(path=Path(_SHOTS) / f"{name}-{size}-{scheme}.png", full_page=True)
                assert not self.page.evaluate(_TOO_WIDE), (name, size)
                assert self.page.evaluate(_TOO_SMALL) == [], (name, size)
            assert violations(self.page, self.axe) == [], (name, scheme)
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        assert self.page.evaluate(_MOVES) == [], name
        self.page.evaluate("document.documentElement.dir = 'rtl'")
        for size, width, height in self.SIZES:
            self.page.set_viewport_size({"width": width, "height": height})
            if _SHOTS:
                self.page.screenshot(path=Path(_SHOTS) / f"{name}-{size}-rtl.png", full_page=True)
            assert not self.page.evaluate(_TOO_WIDE), (name, size, "right to left")
            assert self.page.evaluate(_WRONG_SIDE) == [], (name, size)
        self.page.evaluate("document.documentElement.dir = 'ltr'")
        self.page.emulate_media(reduced_motion="no-preference")


def test_a_day_from_an_appointment_to_a_session(
    practice: Running, client: httpx.Client, open_page: OpenPage, axe: str
) -> None:
    chart = client.post("/api/charts", json={"client": "Dana Example", "diagnoses": ["F41.1 Anxiety"]}).json()["id"]
    client.post(
        "/api/visits", json={"date": (datetime.now(UTC) - timedelta(days=3)).date().isoformat(), "label": EVIL}
    )
    page = open_page(f"{practice.url}/today", timezone_id="UTC")
    expect(page.get_by_text("Nothing is entered for today.")).to_be_visible()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Enter the client’s name.")).to_be_visible()
    now = datetime.now(UTC)
    page.get_by_label("Client", exact=True).fill("Dana Example")
    page.get_by_label("Time", exact=True).fill(now.strftime("%H:%M"))
    page.get_by_label("How you meet").select_option("Telehealth, video")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Add", exact=True).press("Enter")
    row = page.locator(".visit", has_text="Dana Example")
    expect(row).to_contain_text("Telehealth, video · 50 min")
    later = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{_event(now + timedelta(days=1), 'Sam Sample')}END:VCALENDAR\n"
    page.get_by_label("File").set_input_files(
        {"name": "days.ics", "mimeType": "text/calendar", "buffer": later.replace("\n", "\r\n").encode()}
    )
    page.get_by_role("button", name="Bring in", exact=True).click()
    expect(page.get_by_role("region", name="Coming days")).to_contain_text("Sam Sample")
    expect(page.get_by_role("region", name="Not signed yet")).to_contain_text(EVIL)
    Look(page, axe).at("today")
    assert page.evaluate("window.ran") is None
    row.get_by_role("link", name="Start the session: Dana Example").click()
    expect(page.locator(".setup__head")).to_contain_text("Dana Example, ")
    expect(page.locator(".details__known")).to_have_text("Dana Example · Telehealth, video")
    page.get_by_role("button", name="Choose the call’s sound").click()
    expect(page.get_by_text("The call’s sound is chosen.")).to_be_visible()
    consent_and_start(page)
    session = client.get(f"/api/sessions/{page.url.partition('#session=')[2]}").json()
    assert (session["client"], session["context"]["modality"]) == (chart, "telehealth_video")
    page.goto(f"{practice.url}/today")
    expect(page.get_by_role("link", name="Open the session with Dana Example")).to_be_visible()
    expect(page.locator(".visit", has_text="Dana Example")).to_have_count(1)
    client.post(f"/api/sessions/{session['id']}/end")


def _event(at: datetime, name: str) -> str:
    stop = at + timedelta(minutes=50)
    return (
        f"BEGIN:VEVENT\nUID:{name}\nDTSTAMP:20260101T000000Z\nSUMMARY:{name}\nDTSTART:{at:%Y%m%dT%H%M%SZ}\n"
        f"DTEND:{stop:%Y%m%dT%H%M%SZ}\nEND:VEVENT\n"
    )


def test_a_chart_is_written_changed_by_two_and_deleted(
    practice: Running, client: httpx.Client, open_page: OpenPage, axe: str
) -> None:
    page = open_page(f"{practice.url}/clients")
    page.get_by_role("button", name="New client").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_role("button", name="Save the chart").click()
    expect(page.get_by_text("Enter the client’s name.")).to_be_visible()
    page.keyboard.type(f"Kim {EVIL}")
    page.get_by_label("Diagnoses").fill("F33.1 Major depressive disorder, recurrent, moderate\nF41.1 Anxiety")
    page.get_by_label("Usual interventions").fill("CBT: thought record, exposure")
    page.get_by_role("button", name="Add a goal").click()
    page.keyboard.type("sleep through the night")
    page.get_by_role("button", name="Add an objective").click()
    page.keyboard.type("wakes at most once")
    page.get_by_label("Target").fill("1 a night")
    page.get_by_label("By", exact=True).fill("2020-01-31")
    page.get_by_label("How it stands").select_option("partly met")
    page.get_by_label("Frequency").fill("weekly")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("heading", name=f"Kim {EVIL}")).to_be_focused()
    expect(page.get_by_text("Version 1")).to_be_visible()
    (kept,) = [one for one in client.get("/api/charts").json()["charts"] if one["client"].startswith("Kim")]
    assert [one["code"] for one in kept["diagnoses"]] == ["F33.1", "F41.1"]
    assert kept["usual_interventions"] == {"CBT": ["thought record", "exposure"]}
    assert kept["goals"][0]["objectives"][0]["target"] == "1 a night"
    assert (kept["plan"]["frequency"], page.evaluate("window.ran")) == ("weekly", None)
    Look(page, axe).at("chart")
    page.get_by_role("navigation", name="Chart and treatment plan").get_by_role("link", name="Treatment plan").click()
    title = page.get_by_role("heading", name=f"Treatment plan, Kim {EVIL}")
    expect(title).to_be_focused()
    expect(page.get_by_role("region", name="Goal 1")).to_contain_text("wakes at most once partly met, past its date")
    expect(page.get_by_text("There is no note of this client’s sessions yet.")).to_be_visible()
    Look(page, axe).at("plan")
    page.reload()
    expect(title).to_be_visible()  # it has an address of its own
    page.get_by_role("link", name="Chart", exact=True).click()
    body = {name: value for name, value in kept.items() if name != "version"}
    client.put(f"/api/charts/{kept['id']}", json={**body, "payer": "Aetna", "version": 1}).raise_for_status()
    page.get_by_label("Setting").fill("private")
    page.get_by_role("button", name="Save the chart").click()
    expect(page.get_by_role("alert").filter(has_text="changed elsewhere")).to_be_visible()
    expect(page.get_by_label("Setting")).to_have_value("private")
    page.get_by_role("button", name="Show the chart as it is now").click()
    expect(page.get_by_label("Payer")).to_have_value("Aetna")
    page.get_by_label("Find a client").fill("nobody")
    expect(page.get_by_text("No client’s name has that in it.")).to_be_visible()
    page.get_by_role("button", name="Delete the chart").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the chart").click()
    expect(page.get_by_role("heading", name="Clients")).to_be_focused()
    assert client.get(f"/api/charts/{kept['id']}").status_code == 404


def test_settings_and_operations(practice: Running, client: httpx.Client, open_page: OpenPage, axe: str) -> None:
    page = open_page(f"{practice.url}/settings")
    page.get_by_label("Your name").fill("Pat Doe")
    page.get_by_label("License or degree").fill("LCSW")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_attached()
    page.get_by_role("button", name="New phrase").click()
    page.get_by_label("Modality").fill("EMDR")
    page.get_by_label("Wording").fill("Processed the memory of {target} in two sets.")
    page.get_by_role("region", name="Phrases").get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="New phrase")).to_be_focused()
    page.get_by_label("Find a phrase").fill("in two sets")
    expect(page.locator(".phrase")).to_contain_text("yours")
    (own,) = client.get("/api/phrases").json()["own"]
    assert own["text"] == "Processed the memory of {target} in two sets."
    expect(page.get_by_role("region", name="Templates")).to_contain_text("SOAP note")
    Look(page, axe).at("settings")
    page.get_by_role("button", name=re.compile("^Remove yours")).click()
    expect(page.locator(".phrase")).to_have_count(0)
    page.get_by_role("link", name="Session", exact=True).click()
    page.locator(".details__summary").press("Enter")
    expect(page.get_by_label("Provider’s name")).to_have_value("Pat Doe")
    page.goto(f"{practice.url}/ops")
    expect(page.get_by_text("Takes sessions")).to_be_visible()
    page.get_by_text("All metrics").click()
    expect(page.locator(".metrics")).to_contain_text("sameday_")
    Look(page, axe).at("ops")


def test_the_shell_opens_without_a_network_and_holds_nothing_of_anyone(
    practice: Running, client: httpx.Client, open_page: OpenPage
) -> None:
    client.post("/api/charts", json={"client": "Nobody Else Sees"})
    page = open_page(f"{practice.url}/clients")
    expect(page.get_by_text("Nobody Else Sees")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.reload()
    expect(page.get_by_text("Nobody Else Sees")).to_be_visible()
    kept = page.evaluate(
        """async () => {
          const shell = await caches.open((await caches.keys())[0]);
          const keys = await shell.keys();
          const texts = await Promise.all(keys.map(async (one) => (await shell.match(one)).text()));
          return [keys.map((one) => new URL(one.url).pathname), texts.some((text) => text.includes("Nobody Else"))];
        }"""
    )
    assert not kept[1]
    assert {"/today", "/static/js/clients/page.js"} <= set(kept[0])
    assert not [path for path in kept[0] if path.startswith("/api")]
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()
    expect(page.get_by_text("No network: pages open")).to_be_visible()
    expect(page.get_by_text("Nobody Else Sees")).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.context.set_offline(False)


def test_during_a_session_what_is_seen_is_ticked_moments_marked_and_the_text_put_away(
    practice: Running, client: httpx.Client, open_page: OpenPage, axe: str
) -> None:
    page = open_page(practice.url)
    consent_and_start(page)
    session = page.url.partition("#session=")[2]
    page.get_by_role("button", name="Observe").click()
    page.get_by_role("button", name="Tearful at times").click()
    page.get_by_label("In your own words").fill("Brought a drawing")
    page.get_by_label("In your own words").press("Enter")
    expect(page.get_by_role("button", name="Observe (2)")).to_be_visible()
    expect(page.get_by_role("button", name="Tearful at times")).to_have_attribute("aria-pressed", "true")
    Look(page, axe).at("observe")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Close", exact=True).click() if page.locator(".observe").is_visible() else None
    page.keyboard.press("m")
    expect(page.get_by_role("status").filter(has_text="Only you see it")).to_be_attached()
    page.keyboard.press("q")
    expect(page.get_by_role("button", name="End session")).to_be_hidden()
    expect(page.get_by_role("timer")).to_be_visible()
    Look(page, axe).at("quiet")
    page.get_by_role("button", name="Show the text").click()
    expect(page.get_by_role("button", name="End session")).to_be_visible()
    end_session(page)
    objective = page.get_by_role("region", name="Objective", exact=True)
    expect(objective.locator(".statement", has_text="Brought a drawing.").locator(".source")).to_have_text(
        "Entered by you"
    )
    expect(objective).to_contain_text("Tearful at times.")
    expect(page.get_by_role("region", name="Your marks").get_by_role("button")).to_have_count(1)
    note = client.get(f"/api/sessions/{session}/note/export?format=txt").text
    assert "Brought a drawing." in note
    assert "mark" not in note.lower()


KEEP_CALL = """() => {
  const ask = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getDisplayMedia = async (wanted) => (window.call = await ask(wanted));
}"""


def test_over_a_call_each_side_has_a_track_and_what_stops_is_said(
    practice: Running, client: httpx.Client, open_page: OpenPage, axe: str
) -> None:
    page = open_page(practice.url)
    page.evaluate(KEEP_CALL)
    page.get_by_role("radio", name="Over a call").check()
    expect(page.get_by_role("group", name="How many people share this microphone?")).to_be_hidden()
    expect(page.get_by_text("The browser takes the echo away")).to_be_visible()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Start the session").click()
    expect(page.get_by_role("alert").filter(has_text="sound is not chosen yet")).to_be_visible()
    Look(page, axe).at("call")
    page.get_by_role("button", name="Choose the call’s sound").click()
    expect(page.get_by_text("The call’s sound is chosen.")).to_be_visible()
    page.get_by_role("button", name="Start the session").click()
    expect(page.locator(".health")).to_contain_text("Connected.")
    session = page.url.partition("#session=")[2]
    page.wait_for_timeout(2500)
    tracks = client.get(f"/api/sessions/{session}").json()["tracks"]
    assert [(one["id"], one["role"]) for one in tracks] == [("clinician", "clinician"), ("client", "client")]
    assert min(one["received_s"] for one in tracks) > 0.5
    page.evaluate("call.getAudioTracks()[0].dispatchEvent(new Event('ended'))")  # as when the clinician stops sharing
    expect(page.locator(".health")).to_contain_text("The other side of the call is not recorded.")
    assert page.locator(".health").get_attribute("data-tone") == "bad"
    expect(page.get_by_role("button", name="Choose the call’s sound")).to_be_visible()
    end_session(page)
    expect(page.locator(".details__known")).to_have_text("Telehealth, video")


@pytest.mark.parametrize("address", ["/today", "/"])
def test_a_page_shows_itself_without_waiting_for_much_on_a_slow_line(
    practice: Running, open_page: OpenPage, address: str
) -> None:
    """What is fetched before first paint is bounded: 1.6 Mbit/s with 150 ms of latency paints it within a second."""
    page = open_page("about:blank")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000}
    session.send("Network.emulateNetworkConditions", slow)
    page.goto(f"{practice.url}{address}")
    page.get_by_role("heading", level=1).wait_for()
    paint = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
    print(f"first paint of {address}: {page.evaluate(paint):.0f} ms")
    before = """() => {
      const at = performance.getEntriesByName('first-contentful-paint')[0].startTime;
      const early = performance.getEntriesByType('resource').filter((one) => one.responseEnd <= at);
      return early.reduce((sum, one) => sum + one.encodedBodySize, 0);
    }"""
    assert page.evaluate(before) <= 200_000
