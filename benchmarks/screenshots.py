"""Pictures of the pages for the README: a server of its own, clients that do not exist, Debian's chromium.

python -m benchmarks.screenshots [FOLDER]
"""

import argparse
import asyncio
import tempfile
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.audio_files import read_audio
from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import WebSocketPeer, frames_of

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
TALK = Path(__file__).resolve().parent / "data" / "session" / "mix.opus"
PHONE, TABLET, DESKTOP = (390, 844), (820, 1180), (1280, 800)
QUALITY = 82

Shot = tuple[str, tuple[int, int], str, Callable[[Page], None]]


def fill(client: httpx.Client) -> str:
    """Clients and appointments of a day; returns the chart of the client who comes first."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    charts = {}
    for name, diagnosis, goal in (
        ("Daniel Example", "F41.1 Generalized anxiety disorder", "go to the team lunch"),
        ("Kim Muster", "F33.1 Major depressive disorder, recurrent, moderate", "sleep through the night"),
        ("Sam Sample", "F43.10 Post-traumatic stress disorder", "drive on the highway again"),
    ):
        objective = {"text": "once a week", "baseline": "not in a year", "target": "weekly", "date": "2027-03-31"}
        goals = [{"text": goal, "objectives": [objective]}]
        body = {"client": name, "date_of_birth": "1988-05-02", "diagnoses": [diagnosis], "goals": goals}
        charts[name] = client.post("/api/charts", json=body).raise_for_status().json()["id"]
    today = now.replace(hour=9)
    for hours, name, modality in ((0, "Daniel Example", "in_person"), (1, "Kim Muster", "telehealth_video")):
        start = today + timedelta(hours=hours)
        visit = {"date": start.date().isoformat(), "start": start.isoformat(), "label": name, "minutes": 50}
        client.post("/api/visits", json=visit | {"client_id": charts[name], "modality": modality}).raise_for_status()
    past = {"date": (now - timedelta(days=2)).date().isoformat(), "label": "Sam Sample", "cpt": "90834"}
    client.post("/api/visits", json=past | {"client_id": charts["Sam Sample"]}).raise_for_status()
    return str(charts["Daniel Example"])


async def speak(running: Running, session: str) -> None:
    """Send the bundled session, faster than it was spoken."""
    url = f"{running.url.replace('http', 'ws', 1)}/api/sessions/{session}/audio?track=mic"
    await WebSocketPeer(frames_of(read_audio(TALK), "opus"), pace=20.0).run(url)


def spoken(running: Running, client: httpx.Client, chart: str) -> str:
    """A session in which all has been said, still running; returns its id."""
    context = {"modality": "in_person", "place": "Room 2", "provider": "Pat Doe", "credentials": "LCSW"}
    body = {"consent": ["clinician", "client"], "client": chart, "context": context}
    session = str(client.post("/api/sessions", json=body).raise_for_status().json()["id"])
    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop of its own in this one
        thread.submit(asyncio.run, speak(running, session)).result()
    seen = ["Affect constricted.", "Good eye contact."]
    client.patch(f"/api/sessions/{session}/context", json={"observations": seen}).raise_for_status()
    return session


def take(browser: Browser, running: Running, folder: Path, shot: Shot) -> None:
    """One picture."""
    name, (width, height), address, prepare = shot
    context = browser.new_context(
        viewport={"width": width, "height": height},
        permissions=["microphone"],
        timezone_id="UTC",
        device_scale_factor=1,
    )
    try:
        page = context.new_page()
        page.goto(f"{running.url}{address}")
        prepare(page)
        page.wait_for_timeout(400)
        data = page.screenshot(type="jpeg", quality=QUALITY)
        (folder / f"{name}.jpg").write_bytes(data)
        print(f"{name}.jpg  {len(data) // 1024} kB")
    finally:
        context.close()


def microphone(file: Path) -> str:
    """The flag with which chromium's microphone hears the bundled session, once, from this file."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(read_audio(TALK).tobytes())
    return f"--use-file-for-fake-audio-capture={file}%noloop"


def _nothing(page: Page) -> None:
    page.get_by_role("heading", level=1).wait_for()


def _first_client(page: Page) -> None:
    page.get_by_role("button", name="Daniel Example").click()
    page.get_by_role("heading", name="Daniel Example").wait_for()


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description="Pictures of the pages, with clients that do not exist.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, running_server() as running, sync_playwright() as started:
        talk = microphone(Path(place) / "talk.wav")
        browser = started.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, talk])
        with httpx.Client(base_url=running.url, timeout=120) as client:
            chart = fill(client)
            for shot in (
                ("today", DESKTOP, "/today", _nothing),
                ("clients", DESKTOP, "/clients", _first_client),
                ("session", TABLET, f"/#client={chart}", _talk),
            ):
                take(browser, running, folder, shot)
            session = spoken(running, client, chart)
            page = f"/#session={session}"
            client.post(f"/api/sessions/{session}/end").raise_for_status()
            take(browser, running, folder, ("note", DESKTOP, page, _note))
            take(browser, running, folder, ("note-phone", PHONE, page, _note))
            take(browser, running, folder, ("plan", DESKTOP, f"/clients#plan={chart}", _plan))
        browser.close()


def _talk(page: Page) -> None:
    """A session that this page records: a minute of it, at a moment at which all that is shown is final."""
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Start the session").click()
    page.locator("[data-utterance]").nth(11).wait_for(timeout=240_000)
    expect(page.locator(".partials")).to_be_hidden(timeout=60_000)


def _plan(page: Page) -> None:
    page.get_by_role("status").filter(has_text="read.").wait_for(timeout=60_000)


def _note(page: Page) -> None:
    page.get_by_role("heading", name="Look at these first").wait_for(timeout=240_000)


if __name__ == "__main__":
    main()
