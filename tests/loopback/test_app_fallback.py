"""Senders over WebRTC that know their time stamps, against the whole server: what an outage cost is sent again."""

import asyncio
import contextlib
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from live_server import (
    assert_accounts_for_all,
    assert_said,
    audio_url,
    client_of,
    data_folder,
    end,
    piece,
    refusal,
    send,
    server,
    serving,
    start,
    transcript_of,
    until,
)
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks.fallback_peer import FallbackPeer
from benchmarks.host import Host
from benchmarks.network import Network
from benchmarks.relay import Fault, TcpRelay
from benchmarks.server_process import Running
from benchmarks.websocket_peer import WebSocketPeer, frames_of
from benchmarks.whip_peer import opus_packets
from streaming.audio_wire import pack
from streaming.types import FRAME_TICKS, to_tick

__all__ = ["server"]
pytestmark = pytest.mark.loopback

GREETING = "good morning daniel it is good to see you again how have you been since last week"
SILENT_S = 0.6


def _address(server: Running) -> tuple[str, int]:
    url = httpx.URL(server.url)
    return url.host, url.port or 80


async def _outage_is_filled(server: Running, client: httpx.AsyncClient) -> None:
    """One packet in ten lost, then no network for longer than a WebRTC connection outlives."""
    pcm = piece(0.0, 6.9)
    session = await start(client)
    async with TcpRelay(_address(server), Fault(), 1) as relay:
        network = Network(Fault(loss=0.1), 1, relay)
        peer = FallbackPeer(opus_packets(pcm), line=network.line)
        sending = asyncio.create_task(peer.run(client, Host(relay.url), session))
        await until(lambda: _captured(peer, 2.5))
        await network.out(3 * SILENT_S)
        await asyncio.wait_for(sending, 30.0)
    assert peer.calls >= 2, "back over WebRTC"
    assert network.lost_s > 3 * SILENT_S
    assert 0 < peer.filled < len(peer.packets)
    seen = await end(server, client, session)
    assert_accounts_for_all(seen.of("ended")[0], [peer.tick(len(peer.packets))])
    (gap,) = seen.of("gap")
    assert (gap["cause"], to_tick(gap["end"])) == ("no_audio", peer.tick(0)), "before it began; nothing else"
    transcript = await transcript_of(client, session)
    assert_said(transcript, GREETING)

    unharmed = await start(client)
    await send(server, unharmed, pcm, codec="opus", first_tick=peer.tick(0))
    await end(server, client, unharmed)
    assert (await transcript_of(client, unharmed))["utterances"] == transcript["utterances"], "the same samples"


async def _captured(peer: FallbackPeer, after_s: float) -> bool:
    return peer.captured * FRAME_TICKS >= to_tick(after_s)


async def _gone_for_good(server: Running, client: httpx.AsyncClient, session: str) -> FallbackPeer:
    """A sender whose network fails in the middle, and who does not come back."""
    async with TcpRelay(_address(server), Fault(), 2) as relay:
        network = Network(Fault(), 2, relay)
        peer = FallbackPeer(opus_packets(piece(0.0, 6.9)), line=network.line)
        sending = asyncio.create_task(peer.run(client, Host(relay.url), session))
        await until(lambda: _captured(peer, 3.0))
        out = asyncio.create_task(network.out(60.0))
        await asyncio.sleep(2 * SILENT_S)
        for task in (sending, out):
            task.cancel()
        await asyncio.gather(sending, out, return_exceptions=True)
    assert not [gap for gap in (await transcript_of(client, session))["gaps"] if gap["cause"] != "no_audio"]
    (track,) = (await client.get(f"/api/sessions/{session}")).json()["tracks"]
    assert track["lag_s"] > SILENT_S, "the track waits, and shows it"
    return peer


async def _nobody_returns(server: Running, client: httpx.AsyncClient) -> None:
    session = await start(client)
    await _gone_for_good(server, client, session)
    seen = await end(server, client, session)
    before, after = seen.of("gap")
    assert before["cause"] == "no_audio"
    assert after["cause"] == "disconnected"
    assert after["end"] - after["start"] > SILENT_S
    ended = seen.of("ended")[0]
    assert_accounts_for_all(ended)
    assert abs(ended["totals"][0]["received_ticks"] - to_tick(after["end"])) <= 1, "to the end, as the wire rounds it"


async def test_an_outage_is_filled_over_the_websocket_and_who_never_returns_leaves_a_gap(tmp_path: Path) -> None:
    """And where the server is killed while it waits, the log says where to go on."""
    environment = data_folder(tmp_path / "data", SAMEDAY_NO_RTP_TIMEOUT_S=str(SILENT_S))
    async with serving(environment) as (server, client):
        session = await start(client)
        peer, *_ = await asyncio.gather(
            _gone_for_good(server, client, session),
            _outage_is_filled(server, client),
            _nobody_returns(server, client),
        )
        server.process.kill()
        await asyncio.to_thread(server.process.wait)
    async with serving(environment) as (server, client):
        later = WebSocketPeer(frames_of(piece(0.0, 6.9), "opus", first_tick=peer.tick(0)), pace=50.0)
        await later.run(audio_url(server, session) + "&beside=true")
        assert later.resumed[0][0] > peer.tick(0) + to_tick(2.0), "what had come over WebRTC is durable"
        seen = await end(server, client, session)
        assert [gap["cause"] for gap in seen.of("gap")] == ["no_audio"]
        assert_accounts_for_all(seen.of("ended")[0], [peer.tick(len(peer.packets))])
        assert_said(await transcript_of(client, session), GREETING)


@pytest.mark.parametrize(
    ("anchor", "code"),
    [
        ("tick=1000000&rtp=5", "bad_anchor"),
        ("tick=0", "bad_anchor"),
        ("rtp=0", "bad_anchor"),
        ("tick=-1&rtp=0", "bad_request"),
        ("tick=0&rtp=4294967296", "bad_request"),
        ("tick=99999999999999&rtp=0", "bad_request"),
        ("tick=x&rtp=0", "bad_request"),
    ],
)
async def test_an_anchor_that_cannot_be_is_refused(server: Running, anchor: str, code: str) -> None:
    async with client_of(server) as client:
        session = await start(client)
        answer = await client.post(
            f"/api/sessions/{session}/whip?track=mic&{anchor}",
            content="v=0\r\n",
            headers={"Content-Type": "application/sdp"},
        )
        assert (answer.status_code, refusal(answer)["code"]) == (422, code)
        assert refusal(answer)["mend"]


async def test_a_sender_without_ticks_takes_the_track_over_from_one_that_has_them(server: Running) -> None:
    """What waited there is not its own, and is dropped; the connection beside it is told."""
    async with client_of(server) as client:
        session = await start(client)
        first, *_, fifth, sixth = frames_of(piece(131.3, 134.7), "pcm16")[:6]
        async with connect(audio_url(server, session) + "&beside=true") as beside:
            assert json.loads(await beside.recv())["tick"] == 0
            for number, frame in enumerate((first, fifth, sixth)):
                await beside.send(pack(replace(frame, sequence=number)))
            async for text in beside:
                told = json.loads(text)
                if told["type"] == "standing" and told["missing"]:
                    break
            assert told == {
                "type": "standing",
                "tick": first.ticks,
                "end": 6 * first.ticks,
                "missing": [[first.ticks, 4 * first.ticks]],
            }
            await send(server, session, piece(131.3, 134.7))
            with contextlib.suppress(ConnectionClosed):
                async for _ in beside:
                    pass
            assert beside.close_code == 4000
        seen = await end(server, client, session)
        assert seen.of("gap") == []
        assert_said(
            await transcript_of(client, session), "and do you ever wish that you would not wake up in the morning"
        )
