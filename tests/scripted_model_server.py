"""A small real HTTP server that speaks the OpenAI streaming protocol, and misbehaves as its script says."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PIECE = 7
"""Letters in one delta, more in a long answer."""
LEAK = "said-in-the-room"
"""Stands in every refusal, as servers quote what they were sent: must reach no log."""


@dataclass(frozen=True)
class Act:
    """How one answer goes. Without `text` it is a good one, made of the transcript's last client line.

    `wait_s` passes before the first token; after `cut_after` letters the connection breaks, after `stall_after`
    nothing more comes, after `fail_after` the stream tells an error; with `silent_end` it just ends, with no finish
    reason.
    """

    text: str | None = None
    status: int = 200
    retry_after: str | None = None
    wait_s: float = 0.0
    cut_after: int | None = None
    stall_after: int | None = None
    fail_after: int | None = None
    silent_end: bool = False
    finish: str = "stop"


@dataclass
class Call:
    """One request as it came; `left` is set once the client has closed the connection before the answer's end."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def section(self) -> str | None:
        shape = self.body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        return shape["properties"]["section"]["enum"][0] if shape else None

    @property
    def user(self) -> str:
        return str(self.body["messages"][1]["content"])


@dataclass
class ModelServer:
    """`script` holds the acts for a section, or for "warm", in turn; the last one stays."""

    script: dict[str, list[Act]] = field(default_factory=dict)
    knows_priority: bool = True
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def called(self, times: int) -> None:
        """Wait until so many requests have come."""
        while len(self.calls) < times:
            self.news.clear()
            await self.news.wait()

    def asked(self, section: str | None) -> list[Call]:
        """The requests for a section; None for those that only warm."""
        return [one for one in self.calls if one.body and one.section == section]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, one connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])
            }
            raw = await reader.readexactly(int(headers.get("content-length", 0)))
            call = Call(head.split()[1], headers, json.loads(raw) if raw else {})
            self.calls.append(call)
            self.news.set()
            watch = asyncio.create_task(self._watch(reader, call))
            try:
                await self._answer(call, writer)
            finally:
                watch.cancel()
        writer.close()

    async def _watch(self, reader: asyncio.StreamReader, call: Call) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(1)
        call.left.set()

    async def _answer(self, call: Call, writer: asyncio.StreamWriter) -> None:
        if call.path == "/v1/models":
            return await _whole(writer, 200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})
        acts = self.script.get(call.section or "warm", [])
        act = acts[0] if acts else Act()
        if len(acts) > 1:
            acts.pop(0)
        if "priority" in call.body and not self.knows_priority:
            act = Act(status=400)
        if act.status != 200:
            body = {"error": {"message": f"refused {LEAK}", "type": "x", "code": act.status}}
            return await _whole(writer, act.status, body, act.retry_after)
        await _pause(act.wait_s, call)
        if call.body.get("stream"):
            return await _streamed(writer, act, call)
        return await _whole(writer, 200, _completion("", "length", stream=False))


async def _pause(wait_s: float, call: Call) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(call.left.wait(), wait_s) if wait_s else None


async def _whole(writer: asyncio.StreamWriter, status: int, body: Any, retry_after: str | None = None) -> None:
    text = json.dumps(body).encode()
    more = f"retry-after: {retry_after}\r\n" if retry_after else ""
    if status == 307:
        more = "location: /v1/elsewhere\r\n"
    head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n{more}connection: close\r\n"
    writer.write(f"{head}content-length: {len(text)}\r\n\r\n".encode() + text)
    await writer.drain()


async def _streamed(writer: asyncio.StreamWriter, act: Act, call: Call) -> None:
    text = good_answer(call) if act.text is None else act.text
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    await _send(writer, _completion("", None))
    piece = max(PIECE, len(text) // 200)
    for at in range(0, len(text), piece):
        for limit, what in ((act.cut_after, "cut"), (act.stall_after, "stall"), (act.fail_after, "fail")):
            if limit is not None and at >= limit:
                await _break_off(writer, what, call)
                return
        await _send(writer, _completion(text[at : at + piece], None))
        await asyncio.sleep(0)
    if not act.silent_end:
        await _send(writer, _completion("", act.finish))
        await _send(writer, "[DONE]")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _break_off(writer: asyncio.StreamWriter, what: str, call: Call) -> None:
    if what == "cut":
        writer.transport.abort()
    elif what == "stall":
        await call.left.wait()
    else:
        await _send(writer, {"error": {"message": f"broke {LEAK}", "code": 500}})
        writer.write(b"0\r\n\r\n")


async def _send(writer: asyncio.StreamWriter, body: Any) -> None:
    data = f"data: {body if isinstance(body, str) else json.dumps(body)}\n\n".encode()
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


def _completion(text: str, finish: str | None, *, stream: bool = True) -> dict[str, Any]:
    said = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": finish, ("delta" if stream else "message"): said}
    kind = "chat.completion.chunk" if stream else "chat.completion"
    return {"id": "c", "object": kind, "created": 1, "model": "scripted", "choices": [choice]}


def good_answer(call: Call) -> str:
    """The client's last line told as a quote, on that line."""
    lines = [json.loads(one) for one in re.findall(r'^\{"n".*$', call.user, re.MULTILINE)]
    last = next(one for one in reversed(lines) if one["by"] == "client")
    row = {"evidence": [last["n"]], "text": f'Client said, "{last["said"]}" ({call.section})'}
    return json.dumps({"section": call.section, "statements": [row]})


@asynccontextmanager
async def model_server(**given: Any) -> AsyncIterator[ModelServer]:
    """The server on a free port of this machine, until the block ends."""
    made = ModelServer(**given)
    listening = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield made
    finally:
        listening.close()
