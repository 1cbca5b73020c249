"""WebRTC connections whose senders may not send any more end, each on its own."""

import asyncio
import logging
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streaming.access import Asking
from streaming.peers import Peer
from streaming.serving import Server
from streaming.settings import Settings

pytestmark = pytest.mark.unit
ASKING = Asking("/api/sessions/a/whip", "POST", {}, {}, None, Peer("127.0.0.1", secure=False, loopback=True))


class Closing:
    """Connections of which one fails when it is first closed, and one never closes."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.both_asked, self.all_closed = asyncio.Event(), asyncio.Event()

    async def close(self, resource: str) -> bool:
        self.asked.append(resource)
        if {"stuck", "fails"} <= set(self.asked):
            self.both_asked.set()
        if resource == "fails" and self.asked.count("fails") == 1:
            raise RuntimeError("Zebulon")
        if resource == "stuck":
            await asyncio.Event().wait()
        if self.asked.count("fails") > 1 and "late" in self.asked:
            self.all_closed.set()
        return True


async def nobody(_: Asking) -> None:
    return None


async def test_a_close_that_fails_or_hangs_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    server, closing = Server(Settings(ask_again_s=0.01)), Closing()
    server.rtc = cast("Any", closing)
    server._access = cast("Any", SimpleNamespace(seat=nobody))
    for resource in ("stuck", "fails"):
        server.answered("a", resource, ASKING)
    with caplog.at_level(logging.INFO, "sameday.serving"):
        watching = asyncio.create_task(server._watch_calls())
        try:
            await asyncio.wait_for(closing.both_asked.wait(), 2)
            server.answered("a", "late", ASKING)
            await asyncio.wait_for(closing.all_closed.wait(), 2)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError, RuntimeError):
                await watching
    assert closing.asked.count("stuck") == 1
    assert "RuntimeError" in caplog.text
    assert "Zebulon" not in caplog.text
