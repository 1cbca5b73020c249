"""Broken audio frames and WebSocket bytes, and broken SDP offers, at a real server's open doors."""

import contextlib
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from hypothesis import given
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from benchmarks.hostile_http import HANG_S, examples, judge
from benchmarks.hostile_kept import CONSENT, Kept
from benchmarks.hostile_tally import Tally
from benchmarks.two_practices import House
from streaming.audio_wire import HEADER, MAGIC, MAX_SEQUENCE, MAX_TICK, VERSION

OFFER = (
    "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "c=IN IP4 0.0.0.0", "a=rtcp-mux", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv",
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "a=setup:actpass", "a=mid:0", "a=sendonly",
    "a=rtpmap:111 opus/48000/2", "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host",
)  # fmt: skip
"""An offer that would be answered."""
_FAULT_CODES = (1011, 1006)
"""A server that failed, and a connection that broke off without a word."""

headers = st.builds(
    HEADER.pack,
    st.sampled_from([MAGIC, b"SD", b"\x00\x00", b"DS"]),
    st.sampled_from([VERSION, VERSION, VERSION, 0, 2, 255]),
    st.sampled_from([1, 1, 2, 2, 0, 3, 255]),
    st.integers(0, 5) | st.sampled_from([MAX_SEQUENCE, 2**31]),
    st.sampled_from([0, 0, 1, 320, 1600, 16_000 * 60, 16_000 * 3_600 * 3, MAX_TICK, MAX_TICK + 1, 2**64 - 1]),
)
payloads = st.one_of(
    st.binary(max_size=64),
    st.binary(min_size=1, max_size=1300),
    st.sampled_from(
        [b"", b"\x00", b"\x00" * 640, b"\xff" * 639, b"\x7f" * 32_000, b"\x00" * 32_002, b"\x80" * 70_000]
    ),
)
messages = st.one_of(
    st.builds(lambda head, body: head + body, headers, payloads),
    st.binary(max_size=40),
    st.text(max_size=40),
    st.sampled_from(
        ['{"type": "end"}', '{"type": ["end"]}', "[" * 1000, "null", "x" * 100_000, '{"type": "end"} ', "\x00"]
    ),
)
lines_of_sdp = st.sampled_from([
    "m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "a=rtpmap:111 opus/48000/2", "a=rtpmap:999999 opus/48000/2", "a=rtpmap:x", "a=ice-ufrag:" + "a" * 300,
    "a=ice-pwd:x",
    "a=fingerprint:sha-256 00:11", "a=fingerprint:md5 " + "FF:" * 5000, "a=setup:none", "a=recvonly",
    "a=mid:" + "0" * 500,
    "a=candidate:1 1 udp 1 999.1.1.1 1 typ host", "a=candidate:1 1 udp 99999999999999999999 ::1 70000 typ host",
    "a=candidate:x", "c=IN IP4 x", "a=ssrc:x", "a=extmap:0 x", "t=0 0", "v=1", "o=- x", "\x00",
    "a=group:BUNDLE 0 0 1",
    "a=rtcp-fb:111 " + "x" * 2000, "a=fmtp:111 stereo=\ud83d", "b=AS:-1", "a=end-of-candidates", "a=ptime:0",
    "m=audio x",
])  # fmt: skip


@st.composite
def offers(draw: st.DrawFn) -> bytes:
    """A good offer with some lines gone, doubled, in another place, or odd; or bytes that are none."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    lines = list(OFFER)
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                lines.insert(at, draw(lines_of_sdp))
            case 1:
                lines[at] = draw(lines_of_sdp)
            case 2 if len(lines) > 1:
                del lines[at]
            case _:
                text = lines[at]
                cut = draw(st.integers(0, len(text)))
                lines[at] = text[:cut] + draw(st.text(max_size=6)) + text[cut + draw(st.integers(0, 3)) :]
    return "\r\n".join(lines).encode("utf-8", "replace")


def _many(strategy: Any, count: int, seed: int, until: float, act: Callable[[Any], None]) -> None:
    @hypothesis_seed(seed)
    @examples(count)
    @given(one=strategy)
    def run(one: Any) -> None:
        if time.monotonic() < until:
            act(one)

    run()


class Wire:
    """South's own session, which the broken things are sent to; a fresh one where one has ended."""

    def __init__(self, house: House, kept: Kept) -> None:
        self._house = house
        self._kept = kept
        self._auth = {"Authorization": f"Bearer {house.tokens['bert']}"}
        self._http = requests.Session()
        self._session = ""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.renew(begin=False)
        self._http.close()

    def renew(self, *, begin: bool = True) -> None:
        """End the session, and begin another."""
        url = f"{self._house.server.url}/api/sessions"
        if self._session:
            self._http.post(f"{url}/{self._session}/end", headers=self._auth, timeout=HANG_S)
            self._session = ""
        if begin:
            body: dict[str, Any] = {"consent": CONSENT, "tracks": [{"id": "mic", "speakers": 1}]}
            answer = self._http.post(url, json=body, headers=self._auth, timeout=HANG_S)
            answer.raise_for_status()
            self._session = str(answer.json()["id"])

    def frames(self, count: int, seed: int, until: float) -> Tally:
        """Connections of up to eight broken messages each."""
        tally = Tally("broken audio messages over WebSocket")
        turn = 0

        def act(batch: list[bytes | str]) -> None:
            nonlocal turn
            if turn % 50 == 0:
                self.renew()
            turn += 1
            self._speak(batch, tally)

        _many(st.lists(messages, min_size=1, max_size=8), count, seed, until, act)
        return tally

    def _speak(self, batch: list[bytes | str], tally: Tally) -> None:
        url = f"{self._house.server.url.replace('http', 'ws', 1)}/api/sessions/{self._session}/audio?track=mic"
        said, code = b"", None
        began = time.monotonic()
        try:
            with connect(url, additional_headers=self._auth, open_timeout=HANG_S, close_timeout=HANG_S) as line:
                with contextlib.suppress(ConnectionClosed):
                    for message in batch:
                        line.send(message)
                    line.send('{"type": "end"}')
                    while True:
                        said += str(line.recv(timeout=HANG_S)).encode()
                code = line.close_code
        except TimeoutError:
            tally.fault("hang", "WS audio", f"nothing for {HANG_S:.0f} s after {len(batch)} messages")
            return
        except (OSError, InvalidHandshake) as error:
            tally.fault("broken answer", "WS audio", type(error).__name__)
            return
        for _ in batch:
            tally.answered("WS audio", f"closed {code}", 0.0)
        tally.slowest_s = max(tally.slowest_s, time.monotonic() - began)
        if code in _FAULT_CODES and not _too_long(batch):
            tally.fault("5xx", "WS audio", f"closed {code}")
        judge(tally, "WS audio", 200, said, self._kept.secret)

    def bytes_(self, count: int, seed: int, until: float) -> Tally:
        """Connections that shake hands and then send what is no WebSocket frame."""
        tally = Tally("broken WebSocket framing")
        parts = urlsplit(self._house.server.url)
        path = f"/api/sessions/{self._session}/audio?track=mic"
        head = (
            f"GET {path} HTTP/1.1\r\nhost: {parts.netloc}\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            f"authorization: {self._auth['Authorization']}\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()

        def act(junk: bytes) -> None:
            began = time.monotonic()
            try:
                with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=HANG_S) as line:
                    line.sendall(head)
                    line.recv(4096)
                    line.sendall(junk)
                    line.shutdown(socket.SHUT_WR)
                    said = b""
                    while piece := line.recv(65_536):
                        said += piece
            except TimeoutError:
                tally.fault("hang", "WS bytes", f"{len(junk)} bytes")
                return
            except OSError:
                said = b""
            tally.answered("WS bytes", "closed", time.monotonic() - began)
            judge(tally, "WS bytes", 200, said, self._kept.secret)

        _many(_framings(), count, seed, until, act)
        return tally

    def offers(self, count: int, seed: int, until: float) -> Tally:
        """Offers to the WHIP door."""
        tally = Tally("broken SDP offers")
        self.renew()
        url = f"{self._house.server.url}/api/sessions/{self._session}/whip?track=mic"
        headers_ = self._auth | {"Content-Type": "application/sdp"}

        def act(offer: bytes) -> None:
            began = time.monotonic()
            try:
                answer = self._http.post(url, data=offer, headers=headers_, timeout=HANG_S)
            except requests.Timeout:
                tally.fault("hang", "POST whip", f"{len(offer)} bytes")
                return
            tally.answered("POST whip", answer.status_code, time.monotonic() - began)
            judge(tally, "POST whip", answer.status_code, answer.content, self._kept.secret)

        _many(offers(), count, seed, until, act)
        return tally


def _too_long(batch: list[bytes | str]) -> bool:
    return any(len(message) > 1 << 20 for message in batch)


@st.composite
def _framings(draw: st.DrawFn) -> bytes:
    """Frames with odd opcodes, lengths and masks, and noise."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=200))
    first = draw(st.sampled_from([0x81, 0x82, 0x01, 0x80, 0x83, 0x88, 0x89, 0x8A, 0xFF, 0xC2, 0x8F]))
    body = draw(st.binary(max_size=125))
    length = draw(st.sampled_from([len(body), 126, 127, 0]))
    masked = draw(st.sampled_from([0x80, 0x80, 0]))
    more = {
        126: struct.pack("!H", draw(st.integers(0, 65_535))),
        127: struct.pack("!Q", draw(st.integers(0, 2**64 - 1))),
    }
    return bytes([first, masked | length]) + more.get(length, b"") + (os.urandom(4) if masked else b"") + body
