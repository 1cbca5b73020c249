"""A real browser whose server is killed and whose page is reloaded in the middle of a session loses nothing of it."""

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from browser_pages import CHROMIUM, FLAGS, consent_and_start, end_session, line
from fake_microphone import written
from live_server import audio_url, client_of, data_folder, end, start, transcript_of
from playwright.sync_api import Page, Playwright, expect
from redis_server import free_port

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import PCM_FRAME_TICKS, WebSocketPeer
from streaming.audio_wire import AudioFrame
from streaming.events import AudioSpan
from streaming.sqlite_store import SqliteStore
from streaming.types import SAMPLE_RATE, Tick

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
pytest_plugins = ("browser_fixtures",)

_T = TypeVar("_T")
SHARED = [{"id": "mic", "speakers": 2}]
RELOAD_S = 3.0
"""A page that is reloaded hears nothing for about a second; a busy machine takes longer."""


@pytest.fixture
def page(playwright: Playwright, tmp_path: Path) -> Iterator[Page]:
    talk = written(tmp_path / "microphone.wav", 62.0)
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={talk.microphone}%noloop"]
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
    context = browser.new_context(permissions=["microphone"])
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    opened.on("dialog", lambda dialog: dialog.accept())
    yield opened
    browser.close()


def test_a_killed_server_and_a_reload_lose_nothing_that_was_captured(page: Page, tmp_path: Path) -> None:
    environment = data_folder(tmp_path / "data", SAMEDAY_KEEP_AUDIO="1", SAMEDAY_ENCRYPTION="false")
    port = free_port()
    with running_server(environment, port=port) as server:
        page.goto(server.url)
        consent_and_start(page)
        page.locator("[data-utterance]").first.wait_for()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        expect(line(page)).to_contain_text("What is said now is kept on this device")
        expect(line(page)).to_contain_text("Kept so far:")
        expect(page.get_by_text("Not recording")).to_be_hidden()
    with running_server(environment, port=port) as server:
        expect(line(page)).to_contain_text("Connected", timeout=20_000)
        expect(line(page)).to_contain_text("Connected.", timeout=20_000)
        page.reload()
        expect(line(page)).to_contain_text("Connected.")
        page.wait_for_timeout(2000)
        end_session(page)
        page.get_by_role("heading", name="Draft note · SOAP").wait_for()
        session = page.url.rpartition("=")[2]
        body = httpx.get(f"{server.url}/api/sessions/{session}").json()
        found = httpx.get(f"{server.url}/api/sessions/{session}/transcript").json()
        account = body["completeness"]
        assert account["adds_up"]
        assert [gap["cause"] for gap in account["gaps"]] == ["dropped_by_sender"], "the reload alone, and named"
        assert account["missing_s"] < RELOAD_S
        assert page.evaluate("indexedDB.databases().then((all) => all.length)") <= 1
        assert page.evaluate(_KEPT) == 0, "what is acknowledged does not stay on the device"
        (file,) = (tmp_path / "data").glob("*.sqlite3")
        frames = _on_its_own(_sent(file, session))
        assert _on_its_own(_uninterrupted(server, frames)) == found["utterances"]
    assert len(found["utterances"]) >= 3


_KEPT = """() => new Promise((resolve) => {
  const opening = indexedDB.open("sameday audio");
  opening.onsuccess = () => {
    const counting = opening.result.transaction("blocks").objectStore("blocks").count();
    counting.onsuccess = () => resolve(counting.result);
  };
})"""


def _on_its_own(work: Coroutine[Any, Any, _T]) -> _T:
    """Playwright's loop runs in this thread: ours in another."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _sent(file: Path, session: str) -> list[AudioFrame]:
    """What the server has received of the page, as the log has it."""
    store = SqliteStore(file)
    frames: list[AudioFrame] = []
    async for stored in store.replay(session, audio=True):
        if isinstance(stored.event, AudioSpan):
            span = stored.event
            for at in range(0, len(span.pcm), PCM_FRAME_TICKS):
                payload = span.pcm[at : at + PCM_FRAME_TICKS].astype("<i2").tobytes()
                frames.append(AudioFrame("pcm16", len(frames), Tick(span.start + at), payload))
    await store.close()
    assert frames[0].tick < SAMPLE_RATE
    return frames


async def _uninterrupted(server: Running, frames: list[AudioFrame]) -> Any:
    """The transcript of the same audio, sent to a session that nothing happens to."""
    async with client_of(server) as client:
        session = await start(client, tracks=SHARED)
        await WebSocketPeer(frames, pace=200.0).run(audio_url(server, session))
        await end(server, client, session)
        return (await transcript_of(client, session))["utterances"]
