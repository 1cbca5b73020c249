"""A real browser whose server is killed and whose page goes and comes back in mid-session loses nothing of it.

What it keeps meanwhile on the disk nobody can read without the server.
"""

import asyncio
import base64
import json
import os
import signal
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from browser_pages import CHROMIUM, FLAGS, consent_and_start, end_session, line
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fake_microphone import written
from live_server import audio_url, client_of, data_folder, end, start, transcript_of
from playwright.sync_api import Page, Playwright, expect
from redis_server import free_port

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import PCM_FRAME_TICKS, WebSocketPeer
from streaming import device_keys
from streaming.audio_wire import AudioFrame
from streaming.events import AudioSpan
from streaming.sqlite_records import SqliteRecords
from streaming.sqlite_store import SqliteStore
from streaming.types import SAMPLE_RATE, Tick

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
pytest_plugins = ("browser_fixtures",)

_T = TypeVar("_T")
SHARED = [{"id": "mic", "speakers": 2}]


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


def test_a_killed_server_and_a_page_that_goes_lose_nothing_that_was_captured(page: Page, tmp_path: Path) -> None:
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
    page.wait_for_timeout(1000)
    address, kept = page.url, page.evaluate(_KEPT)
    page.goto("about:blank")
    with running_server(environment, port=port) as server:
        page.goto(address)
        expect(line(page)).to_contain_text("Connected.", timeout=20_000)
        page.wait_for_timeout(2000)
        end_session(page)
        page.get_by_role("heading", name="Draft note · SOAP").wait_for()
        session = page.url.rpartition("=")[2]
        (file,) = (tmp_path / "data").glob("*.sqlite3")
        key = _on_its_own(_device_key(file, session))
        body = httpx.get(f"{server.url}/api/sessions/{session}").json()
        found = httpx.get(f"{server.url}/api/sessions/{session}/transcript").json()
        account = body["completeness"]
        assert account["adds_up"]
        # While there was no page, and named. How long that is the machine's load decides: all on both sides is there.
        (gap,) = account["gaps"]
        assert gap["cause"] == "dropped_by_sender"
        assert page.evaluate("indexedDB.databases().then((all) => all.length)") <= 1
        assert page.evaluate(_KEPT) == [], "what is acknowledged does not stay on the device"
        frames = _on_its_own(_sent(file, session))
        _is_sealed(kept, session, key, frames)
        left = [one.tick + len(one.payload) // 2 for one in frames if one.tick < gap["start"] * SAMPLE_RATE - 1]
        assert left[-1] >= kept[-1][1] + kept[-1][2], "what lay on the device before the page went"
        assert _holes(frames) == [(left[-1], round(gap["end"] * SAMPLE_RATE))]
        assert _on_its_own(_uninterrupted(server, frames)) == found["utterances"]
    assert len(found["utterances"]) >= 2


def _holes(frames: list[AudioFrame]) -> list[tuple[int, int]]:
    """Where the sound that the server has of the page breaks off and goes on."""
    ends = [frame.tick + len(frame.payload) // 2 for frame in frames]
    return [(end, one.tick) for end, one in zip(ends, frames[1:], strict=False) if one.tick != end]


_KEPT = """() => new Promise((resolve) => {
  const opening = indexedDB.open("sameday audio");
  opening.onsuccess = () => {
    const blocks = opening.result.transaction("blocks").objectStore("blocks");
    const [keys, values] = [blocks.getAllKeys(), blocks.getAll()];
    const text = (value) => btoa(String.fromCharCode(...new Uint8Array(value.buffer)));
    values.onsuccess = () => resolve(keys.result.map((key, index) => [...key, text(values.result[index])]));
  };
})"""
"""What lies on the device: [[session, tick, length, base64]]."""


async def _device_key(file: Path, session: str) -> bytes:
    store = SqliteStore(file)
    key = await device_keys.of(SqliteRecords(store), session)
    await store.close()
    return base64.b64decode(key)


def _is_sealed(kept: list[tuple[str, int, int, str]], session: str, key: bytes, frames: list[AudioFrame]) -> None:
    """What lay on the disk is what the server has of that time, and not to be read without the key and its place."""
    heard = {frame.tick + at: payload[2 * at : 2 * at + 2] for frame in frames for payload in (frame.payload,)
             for at in range(len(payload) // 2)}  # fmt: skip
    assert len(kept) > 10
    for name, tick, length, text in kept:
        block, place = base64.b64decode(text), [session, "mic", tick, length]
        plain = AESGCM(key).decrypt(block[:12], block[12:], json.dumps(place, separators=(",", ":")).encode())
        assert name == session
        assert plain == b"".join(heard[Tick(tick + at)] for at in range(length))
        assert len(block) == 12 + 2 * length + 16
        quiet = sum(byte in (0x00, 0xFF) for byte in block) / len(block)
        assert quiet < 0.05, "the upper bytes of speech are mostly 0 and 255"


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
