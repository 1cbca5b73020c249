"""What people decide about a session's recording, against the whole server: consent of each, off the record, revoked.

But for the strike's the logs are not encrypted, so that what is in their files can be looked for.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import numpy as np
import pytest
from live_server import (
    Message,
    assert_accounts_for_all,
    audio_url,
    client_of,
    data_folder,
    end,
    events_url,
    follow,
    open_log,
    piece,
    refusal,
    send,
    silence,
    start,
    transcript_of,
    until,
    words_of,
)
from websockets.asyncio.client import connect

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import Refused
from benchmarks.whip_peer import RtcPeer, WhipPeer, opus_packets
from streaming.events import AudioSpan, Stored
from streaming.types import Int16Mono, to_tick
from streaming.websocket_ingest import CLOSE_MOVED, CLOSE_OVER

pytestmark = pytest.mark.loopback
SDP = {"Content-Type": "application/sdp"}


def plain(folder: Path) -> Mapping[str, str]:
    return data_folder(folder, SAMEDAY_ENCRYPTION="false")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recording") / "data"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    with running_server(plain(folder)) as running:
        yield running


def said(start_s: float, end_s: float) -> Int16Mono:
    """A stretch of the bundled session between two silences."""
    return np.concatenate([silence(0.5), piece(start_s, end_s), silence(1.0)])


MEDICATION = said(45.2, 49.3)
GREETING, WORRY, SLEEP = said(0.9, 6.8), said(7.1, 14.1), said(14.1, 16.6)


async def tell(client: httpx.AsyncClient, session: str, what: str, **body: object) -> Message:
    answer = await client.post(f"/api/sessions/{session}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    told: Message = answer.json()
    return told


async def go_on(server: Running, client: httpx.AsyncClient, session: str, pcm: Int16Mono) -> None:
    """Send audio from where the server stands."""
    async with connect(audio_url(server, session)) as socket:
        tick = json.loads(await socket.recv())["tick"]
    await send(server, session, pcm, first_tick=tick)


async def heard(client: httpx.AsyncClient, session: str, word: str) -> Message:
    """The transcript once a word is in it."""

    async def look() -> Message | None:
        found = await transcript_of(client, session)
        return found if word in words_of(found) else None

    found: Message = await until(look, 40)
    return found


def told(utterance: Message) -> tuple[object, ...]:
    """What does not hang on who is taken for whom."""
    return tuple(utterance[name] for name in ("id", "start", "end", "text", "words"))


def files_of(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())


def sealed_in(folder: Path) -> set[bytes]:
    """What the log's rows hold, as it is kept."""
    with sqlite3.connect(folder / "log.sqlite3") as database:
        rows = database.execute("SELECT body FROM event UNION ALL SELECT samples FROM audio").fetchall()
    database.close()
    return {bytes(row[0]) for row in rows}


def left_of(rows: set[bytes], folder: Path) -> list[bytes]:
    """Rows of which a piece lies in any file: a long one lies in several places."""
    files = files_of(folder)
    return [row for row in rows if any(row[at : at + 48] in files for at in (0, len(row) // 2, len(row) - 48))]


async def are_gone(rows: set[bytes], folder: Path) -> bool:
    """Whether no piece of these rows is in a file, at the latest once a reader is out of the way."""

    async def look() -> bool:
        return not left_of(rows, folder)

    return bool(await until(look, 10))


async def opened(folder: Path, session: str) -> list[Stored]:
    """All entries of a session's log, decrypted."""
    store = open_log(folder)
    try:
        return [stored async for stored in store.replay(session, audio=True)]
    finally:
        await store.close()


def loudest(log: list[Stored], start_s: float, end_s: float) -> int:
    """The loudest sample of a stretch of the audio that a log holds."""
    heard = np.zeros(to_tick(60), np.int16)
    for stored in log:
        if isinstance(stored.event, AudioSpan):
            heard[stored.event.start : stored.event.start + len(stored.event.pcm)] = stored.event.pcm
    return int(np.abs(heard[to_tick(start_s) : to_tick(end_s)]).max())


async def test_no_audio_before_each_has_agreed_over_either_transport(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client, participants=["clinician", "client"], consent=["clinician"], script="May I?")
        described = (await client.get(f"/api/sessions/{session}")).json()
        assert described["recording"] == "awaiting_consent"
        assert [one["consent"] is None for one in described["participants"]] == [False, True]
        with pytest.raises(Refused) as refused:
            await send(server, session, GREETING)
        assert refused.value.error["code"] == "no_consent"
        assert "consent" in refused.value.error["mend"]
        peer = RtcPeer(opus_packets(GREETING))
        answer = await client.post(f"/api/sessions/{session}/whip", content=await peer.offer(), headers=SDP)
        await peer.close()
        assert (answer.status_code, refusal(answer)["code"]) == (403, "no_consent")
        given = await tell(client, session, "consent", who="client", how="written")
        assert given["recording"] == "on"
        assert given["participants"][1]["consent"]["how"] == "written"
        await go_on(server, client, session, SLEEP)
        await heard(client, session, "sleeping")
        # Somebody comes in: what is said until they agree is not kept, over WebRTC either.
        await tell(client, session, "participants", who="partner")
        whip = WhipPeer(opus_packets(WORRY))
        await whip.connect(client, f"/api/sessions/{session}/whip?track=mic")
        await whip.finish()
        await whip.close()
        await tell(client, session, "consent", who="partner")
        seen = await end(server, client, session)
        assert "worry" not in words_of(await transcript_of(client, session))
        assert {gap["cause"] for gap in seen.of("gap")} >= {"awaiting_consent"}
        assert [one["who"] for one in seen.of("consent")] == ["client", "partner"]
        assert_accounts_for_all(seen.of("ended")[0])


async def test_what_is_struck_is_gone_and_the_rest_stays_as_it_was(tmp_path: Path) -> None:
    """On an encrypted log: no row that held what is struck is in a file any more, none that is there holds it."""
    folder = tmp_path / "data"
    with running_server(data_folder(folder)) as server:
        async with client_of(server) as client:
            session, off = await start(client), await start(client)
            await tell(client, off, "off-record")
            await send(server, session, np.concatenate([GREETING, WORRY, SLEEP, silence(1.0)]))
            found = await heard(client, session, "sleeping")
            first = found["utterances"][0]["id"]
            mended = found["utterances"][0]["text"].replace("Daniel", "Dan")
            await client.patch(f"/api/sessions/{session}/utterances/{first}", json={"text": mended})
            gone = [one for one in found["utterances"] if "worry" in one["text"] or "better" in one["text"]]
            worry, stretch = [one["id"] for one in gone], (gone[0]["start"], gone[-1]["end"])
            before, log = sealed_in(folder), await opened(folder, session)
            assert "most days" in str(log)
            assert loudest(log, *stretch) > 1000
            async with connect(events_url(server, session)) as reader:
                await reader.recv()
                struck = await tell(client, session, "strike", utterances=worry)
                await reader.wait_closed()
                assert reader.close_code == CLOSE_MOVED  # as when a session moves: connect again
            assert len(struck["struck"]) == 1
            rewritten = before - sealed_in(folder)
            assert len(rewritten) > len(worry)
            assert left_of(before - rewritten, folder)
            assert await are_gone(rewritten, folder)
            log = await opened(folder, session)
            assert "most days" not in str(log)
            assert loudest(log, *stretch) == 0
            found = await heard(client, session, "sleeping")
            assert found["utterances"][0]["text"] == mended
            assert not {"worry", "better", "days"} & set(words_of(found))
            assert [gap["cause"] for gap in found["gaps"]] == ["struck"]
            await go_on(server, client, session, MEDICATION)
            await heard(client, session, "medication")
            await tell(client, session, "strike", last_s=5.5)
            server.process.kill()  # while what is left is heard anew
            await asyncio.to_thread(server.process.wait)
    assert "medication" not in str(await opened(folder, session))
    with running_server(data_folder(folder)) as server:
        async with client_of(server) as client:
            described = (await client.get(f"/api/sessions/{off}")).json()
            assert (described["state"], described["recording"]) == ("live", "off_the_record")
            await end(server, client, session)
            again = await transcript_of(client, session)
            assert [told(one) for one in again["utterances"]] == [told(one) for one in found["utterances"]]
            note = (await client.get(f"/api/sessions/{session}/note")).text
            assert "most days, but" not in note
            assert "medication?" not in note
            before = sealed_in(folder)
            await tell(client, session, "strike", utterances=[found["utterances"][-1]["id"]])
            assert "sleeping" not in words_of(await transcript_of(client, session))
            assert await are_gone(before - sealed_in(folder), folder)
            assert "how are you sleeping" not in str(await opened(folder, session)).lower()
            assert b"most days" not in files_of(folder)
            answer = await client.post(f"/api/sessions/{session}/strike", json={"utterances": ["mic.99"]})
            assert (answer.status_code, refusal(answer)["code"]) == (404, "unknown_utterance")


async def test_off_the_record_nothing_is_kept_and_consent_taken_back_leaves_nothing(
    server: Running, folder: Path
) -> None:
    async with client_of(server) as client:
        session = await start(client)
        await send(server, session, GREETING)
        assert (await tell(client, session, "off-record"))["recording"] == "off_the_record"
        await go_on(server, client, session, WORRY)
        assert (await tell(client, session, "on-record"))["recording"] == "on"
        await go_on(server, client, session, SLEEP)
        found = await heard(client, session, "sleeping")
        assert "morning" in words_of(found)
        assert "worry" not in words_of(found)
        seen = await end(server, client, session)
        assert {gap["cause"] for gap in seen.of("gap")} == {"off_the_record"}
        assert_accounts_for_all(seen.of("ended")[0])

        revoked = await start(client)
        await send(server, revoked, WORRY)
        await heard(client, revoked, "worry")
        assert b"most days, but" in files_of(folder).lower()
        async with connect(audio_url(server, revoked)) as sender:
            await sender.recv()
            receipt = await tell(client, revoked, "revoke", who="client")
            assert json.loads(await sender.recv())["error"]["code"] == "session_over"
            await sender.wait_closed()
            assert sender.close_code == CLOSE_OVER
        assert (receipt["why"], receipt["scope"], receipt["done"]) == ("revoked", "session", True)
        assert receipt["removed"]["audio"] > 0
        assert receipt["removed"]["utterances"] > 0
        assert b"most days, but" not in files_of(folder).lower()
        for path in ("", "/transcript", "/note"):
            answer = await client.get(f"/api/sessions/{revoked}{path}")
            assert (answer.status_code, refusal(answer)["code"]) == (410, "session_purged")
        assert (await follow(server, revoked)).code == 4410
        receipts = (await client.get("/api/deletions")).json()["receipts"]
        assert [one["session"] for one in receipts] == [revoked]
