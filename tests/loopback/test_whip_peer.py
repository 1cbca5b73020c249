"""The WHIP sender speaks RFC 9725 with a server that does no more than the RFC asks."""

from collections.abc import MutableMapping
from typing import Any

import httpx
import numpy as np
import pytest
from fake_sink import FakeSink, session_clock

from benchmarks.whip_peer import WhipPeer, opus_packets
from streaming.webrtc import WebRtcIngest

pytestmark = pytest.mark.loopback


class SmallWhipServer:
    """An ASGI application with one WHIP endpoint."""

    def __init__(self) -> None:
        self.sink = FakeSink()
        self.ingest = WebRtcIngest()
        self.clock = session_clock()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.refuse = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append((scope["method"], scope["path"], headers))
        status, extra, answer = await self._respond(scope["method"], scope["path"], body.decode())
        await send({"type": "http.response.start", "status": status, "headers": extra})
        await send({"type": "http.response.body", "body": answer.encode()})

    async def _respond(self, method: str, path: str, body: str) -> tuple[int, list[tuple[bytes, bytes]], str]:
        if self.refuse:
            return self.refuse, [], ""
        if method == "POST":
            answer = await self.ingest.answer(self.sink, body, self.clock)
            location = f"/whip/resources/{answer.resource}".encode()
            return 201, [(b"location", location), (b"content-type", b"application/sdp")], answer.sdp
        assert method == "DELETE"
        return (200 if await self.ingest.close(path.rsplit("/", 1)[1]) else 404), [], ""


async def test_it_posts_an_offer_sends_and_deletes_the_resource() -> None:
    server = SmallWhipServer()
    packets = opus_packets(np.zeros(8_000, dtype=np.int16))
    peer = WhipPeer(packets)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://server") as client:
        await peer.connect(client, "/whip?track=mic")
        await peer.finish()
        await peer.hang_up(client)
    (post, where, headers), (delete, resource, _) = server.requests
    assert (post, where, headers["content-type"]) == ("POST", "/whip", "application/sdp")
    assert delete == "DELETE"
    assert peer.resource == f"http://server{resource}"
    assert len(server.sink.audio) == len(packets) * 320
    assert server.ingest.resources == ()


async def test_a_refusal_is_an_error_with_its_status() -> None:
    server = SmallWhipServer()
    server.refuse = 409
    peer = WhipPeer(opus_packets(np.zeros(320, dtype=np.int16)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://server") as client:
        with pytest.raises(httpx.HTTPStatusError) as caught:
            await peer.connect(client, "/whip")
    await peer.close()
    assert caught.value.response.status_code == 409
