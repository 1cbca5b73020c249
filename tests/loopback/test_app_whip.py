"""WHIP (RFC 9725) against the whole server: the protocol, its refusals, and peers that come, go and vanish."""

import time
from typing import Any

import httpx
import pytest
from live_server import (
    assert_accounts_for_all,
    assert_said,
    client_of,
    end,
    follow,
    piece,
    refusal,
    send,
    server,
    silence,
    start,
    transcript_of,
    until,
)

from benchmarks.server_process import Running
from benchmarks.whip_peer import RtcPeer, WhipPeer, opus_packets
from streaming.audio_wire import Codec
from streaming.types import to_tick

__all__ = ["server"]
pytestmark = pytest.mark.loopback

WAKE, FEELING = "and do you ever wish that you would not wake up in the morning", "how do you feel when you say that"
CODECS: tuple[Codec, ...] = ("opus", "pcm16")
SDP = {"Content-Type": "application/sdp"}


def endpoint(session: str, track: str = "mic") -> str:
    return f"/api/sessions/{session}/whip?track={track}"


async def offer() -> str:
    """The offer of a real peer, which then leaves."""
    peer = RtcPeer(opus_packets(silence(0.02)))
    try:
        return await peer.offer()
    finally:
        await peer.close()


async def talk(client: httpx.AsyncClient, session: str, start_s: float, end_s: float) -> WhipPeer:
    """Connect and say a stretch of the bundled session; the peer stays connected."""
    peer = WhipPeer(opus_packets(piece(start_s, end_s)))
    await peer.connect(client, endpoint(session))
    await peer.finish()
    return peer


class _Cut:
    """A peer's socket that sends nothing any more."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def sendto(self, *_: object) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def vanish(peer: RtcPeer) -> None:
    """As when the power fails: nothing is sent any more, not even a goodbye, and nothing is heard."""
    for transceiver in peer._peer.getTransceivers():
        protocols: list[Any] = list(transceiver.sender.transport.transport._connection._protocols)
        for protocol in protocols:
            protocol.transport = _Cut(protocol.transport)
            protocol.datagram_received = lambda *_: None


async def test_an_offer_is_answered_and_its_resource_deleted_once(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        answer = await client.post(endpoint(session), content=await offer(), headers=SDP)
        assert answer.status_code == 201
        assert answer.headers["content-type"].partition(";")[0] == "application/sdp"
        assert answer.text.startswith("v=0\r\n")
        assert "m=audio" in answer.text
        assert answer.headers["etag"].strip('"')
        location = answer.headers["location"]
        assert location.startswith(f"/api/sessions/{session}/whip/")

        other = await start(client)
        elsewhere = await client.delete(f"/api/sessions/{other}/whip/{location[-32:]}")
        assert elsewhere.status_code == 404
        assert (await client.delete(location)).status_code == 200
        again = await client.delete(location)
        assert again.status_code == 404
        assert refusal(again)["code"] == "unknown_resource"
        assert (await client.delete(f"/api/sessions/unknown/whip/{location[-32:]}")).status_code == 404


async def test_what_the_endpoint_takes_can_be_asked(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        answer = await client.options(endpoint(session))
        assert answer.status_code in (200, 204)
        assert answer.headers["accept-post"] == "application/sdp"


async def test_other_methods_are_refused_and_the_right_ones_named(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        for address, allow in ((endpoint(session), "POST"), (f"/api/sessions/{session}/whip/x", "DELETE")):
            for method in ("GET", "PUT", "PATCH"):
                answer = await client.request(method, address)
                assert answer.status_code == 405, (method, address)
                assert allow in answer.headers["allow"]
                assert refusal(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json"}, 415),
        ({"Content-Type": "application/sdpx"}, 415),
        (SDP | {"Accept": "application/json"}, 406),
        (SDP | {"Accept": "text/html, image/*"}, 406),
        ({"Content-Type": "Application/SDP; charset=utf-8", "Accept": "text/html, application/*;q=0.5"}, 201),
    ],
)
async def test_types(server: Running, headers: dict[str, str], status: int) -> None:
    async with client_of(server) as client:
        session = await start(client)
        answer = await client.post(endpoint(session), content=await offer(), headers=headers)
        assert answer.status_code == status, answer.text
        if status == 201:
            assert (await client.delete(answer.headers["location"])).status_code == 200
        else:
            refusal(answer)


def _edited(find: str, put: str) -> Any:
    return lambda sdp: sdp.replace(find, put).encode()


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (lambda _: b"", 422, "bad_offer"),
        (lambda _: b"hello, I would like to talk", 422, "bad_offer"),
        (lambda _: b'{"type": "offer", "sdp": ""}', 422, "bad_offer"),
        (lambda _: b"v=0\r\n", 422, "bad_offer"),
        (lambda _: b"\xff\xfe\x00", 422, "bad_offer"),
        (lambda sdp: sdp.encode() + b"a=x-filler\r\n" * 7_000, 413, "too_large"),
        (lambda sdp: sdp[: len(sdp) // 2].encode(), 422, "bad_offer"),
        (_edited("m=audio", "m=video"), 422, "bad_offer"),
        (_edited("a=sendonly", "a=recvonly"), 422, "bad_offer"),
        (_edited("opus/48000", "PCMU/8000"), 422, "bad_offer"),
        (_edited("a=ice-pwd:", "a=x-pwd:"), 422, "bad_offer"),
        (_edited("a=fingerprint:", "a=x-fingerprint:"), 422, "bad_offer"),
    ],
    ids=[
        "empty", "not SDP", "JSON", "no media", "not text", "oversized", "broken off", "no audio", "recvonly",
        "no Opus", "no password", "no fingerprint",
    ],
)  # fmt: skip
async def test_a_bad_offer_is_refused_and_the_session_lives_on(
    server: Running, spoil: Any, status: int, code: str
) -> None:
    async with client_of(server) as client:
        session = await start(client)
        good = await offer()
        answer = await client.post(endpoint(session), content=spoil(good), headers=SDP)
        assert answer.status_code == status, answer.text
        assert refusal(answer)["code"] == code
        assert refusal(answer)["mend"]
        assert (await client.get(f"/api/sessions/{session}")).json()["state"] == "live"
        assert (await client.post(endpoint(session), content=good, headers=SDP)).status_code == 201


async def test_where_there_is_nothing_to_send_to(server: Running) -> None:
    async with client_of(server) as client:
        good = await offer()
        unknown = await client.post(endpoint("unknown"), content=good, headers=SDP)
        assert (unknown.status_code, refusal(unknown)["code"]) == (404, "unknown_session")

        session = await start(client)
        other = await client.post(endpoint(session, "client"), content=good, headers=SDP)
        assert (other.status_code, refusal(other)["code"]) == (404, "unknown_track")
        odd = await client.post(endpoint(session, "No such!"), content=good, headers=SDP)
        assert (odd.status_code, refusal(odd)["code"]) == (422, "bad_request")
        assert "No such!" not in odd.text

        await end(server, client, session)
        over = await client.post(endpoint(session), content=good, headers=SDP)
        assert (over.status_code, refusal(over)["code"]) == (409, "session_over")


async def test_the_same_audio_over_webrtc_and_over_websocket_gives_the_same_transcript(server: Running) -> None:
    """Over WebRTC a track begins when its first packet came, by the session's clock. Sent from that tick on over
    WebSocket, the same packets give the same transcript, times and confidences included. PCM16 is what the packets
    were encoded from: other samples, by the noise of the coding, so a word may differ, and no more is promised.
    """
    pcm = piece(0.0, 6.9)
    async with client_of(server) as client:
        session = await start(client)
        peer = WhipPeer(opus_packets(pcm))
        await peer.connect(client, endpoint(session))
        await peer.finish()
        await peer.hang_up(client)
        seen = await end(server, client, session)
        (gap,) = seen.of("gap")
        assert (gap["start"], gap["cause"]) == (0.0, "no_audio"), "before the first packet; nothing was lost"
        over_webrtc = await transcript_of(client, session)
        first_tick = to_tick(over_webrtc["gaps"][0]["end"])

        transcripts = {}
        for codec in CODECS:
            session = await start(client)
            await send(server, session, pcm, codec=codec, first_tick=first_tick)
            seen_there = await end(server, client, session)
            assert_accounts_for_all(seen_there.of("ended")[0])
            transcripts[codec] = await transcript_of(client, session)
    assert transcripts["opus"]["utterances"] == over_webrtc["utterances"]
    assert transcripts["opus"]["received_ticks"] == over_webrtc["received_ticks"]
    for transcript in (over_webrtc, transcripts["pcm16"]):
        assert_said(transcript, "good morning daniel it is good to see you again how have you been since last week")


async def test_a_new_connection_takes_the_track_over(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        first = await talk(client, session, 131.3, 134.7)
        second = await talk(client, session, 112.1, 115.0)
        assert first.resource is not None
        replaced = await client.delete(first.resource)
        assert (replaced.status_code, refusal(replaced)["code"]) == (410, "replaced")
        await second.hang_up(client)
        await first.close()
        seen = await end(server, client, session)
        assert_accounts_for_all(seen.of("ended")[0])
        assert_said(await transcript_of(client, session), f"{WAKE} {FEELING}")


async def test_a_sender_whose_track_went_to_a_websocket_hears_that_it_was_replaced(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        first = await talk(client, session, 131.3, 134.7)
        await send(server, session, piece(112.1, 112.4))
        assert first.resource is not None
        replaced = await client.delete(first.resource)
        assert (replaced.status_code, refusal(replaced)["code"]) == (410, "replaced")
        await first.close()


async def test_a_peer_that_vanishes_is_noticed_and_a_new_one_goes_on(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        first = await talk(client, session, 131.3, 134.7)
        vanish(first)
        vanished = time.monotonic()

        await until(lambda: _is_given_up(client, session), 8.0)
        assert time.monotonic() - vanished < 5.0, "3 s without audio, and what a busy machine adds"
        state = (await client.get(f"/api/sessions/{session}")).json()
        assert state["state"] == "live"
        assert first.resource is not None
        assert (await client.delete(first.resource)).status_code == 404
        await first.close()

        second = await talk(client, session, 112.1, 115.0)
        await second.hang_up(client)
        seen = await end(server, client, session)
        assert_accounts_for_all(seen.of("ended")[0])
        assert "disconnected" in {gap["cause"] for gap in seen.of("gap")}
        assert_said(await transcript_of(client, session), f"{WAKE} {FEELING}")


async def _is_given_up(client: httpx.AsyncClient, session: str) -> bool:
    gaps = (await transcript_of(client, session))["gaps"]
    return any(gap["cause"] == "disconnected" for gap in gaps)


async def test_the_end_of_the_session_ends_its_connections_and_keeps_their_last_words(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        peer = await talk(client, session, 131.3, 134.6)
        seen = await end(server, client, session)
        assert seen.code == 1000
        assert peer.resource is not None
        assert (await client.delete(peer.resource)).status_code == 404
        await peer.close()
        assert_said(await transcript_of(client, session), WAKE)
        assert (await follow(server, session)).logged == seen.logged
