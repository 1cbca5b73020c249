"""What was said can be heard again where the practice keeps it; what is dictated becomes text and is kept nowhere."""

import asyncio
import contextlib
import io
import json
import wave
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_server import client_of, end, piece, refusal, send, server, start, until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.server_process import Running, running_server
from streaming.types import Int16Mono

pytestmark = pytest.mark.loopback
__all__ = ["server"]

BLOCK = 1600


@dataclass(frozen=True, slots=True)
class Keeping:
    """A server with room for one dictation that keeps audio, in the clear, so that a test can look for it."""

    running: Running
    folder: Path


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeping]:
    folder = tmp_path_factory.mktemp("keeping") / "data"
    settings = {"SAMEDAY_KEEP_AUDIO": "1", "SAMEDAY_ENCRYPTION": "false", "SAMEDAY_MAX_SESSIONS": "4"}
    with running_server({"SAMEDAY_DATA_DIR": str(folder)} | settings) as running:
        yield Keeping(running, folder)


@pytest.fixture
async def client(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(server) as one:
        yield one


async def _spoken(server: Running, client: httpx.AsyncClient) -> tuple[str, list[dict[str, Any]]]:
    session = await start(client)
    await send(server, session, piece(0.0, 8.0, "clinician"))
    seen = await end(server, client, session)
    return session, [one for one in seen.messages if one["type"] == "utterance"]


async def test_what_was_said_is_heard_again_where_audio_is_kept(
    server: Running, client: httpx.AsyncClient, keeping: Keeping
) -> None:
    async with client_of(keeping.running) as other:
        session, said = await _spoken(keeping.running, other)
        path = f"/api/sessions/{session}/utterances"
        answer = await other.get(f"{path}/{said[0]['id']}/clip")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.headers["cache-control"] == "no-store"
        with wave.open(io.BytesIO(answer.content)) as file:
            length_s = file.getnframes() / 16_000
        assert length_s == pytest.approx(said[0]["end"] - said[0]["start"] + 0.4, abs=0.21)
        assert refusal(await other.get(f"{path}/none/clip"))["code"] == "unknown_utterance"
        assert refusal(await other.get("/api/sessions/none/utterances/u/clip"))["code"] == "unknown_session"
    session, said = await _spoken(server, client)

    async def gone() -> httpx.Response | None:
        answer = await client.get(f"/api/sessions/{session}/utterances/{said[0]['id']}/clip")
        return answer if answer.status_code != 200 else None

    answer = await until(gone)  # the voice goes right after the note is there
    assert answer.status_code == 404
    assert refusal(answer)["code"] == "audio_not_kept"


def _url(server: Running) -> str:
    return f"{server.url.replace('http', 'ws', 1)}/api/dictation"


async def _dictated(server: Running, pcm: Int16Mono) -> tuple[list[dict[str, Any]], int]:
    async with asyncio.timeout(60), connect(_url(server)) as socket:
        for at in range(0, len(pcm), BLOCK):
            await socket.send(pcm[at : at + BLOCK].astype("<i2").tobytes())
        await socket.send(json.dumps({"type": "end"}))
        return await _heard(socket)


async def _heard(socket: ClientConnection) -> tuple[list[dict[str, Any]], int]:
    messages = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            messages.append(json.loads(await socket.recv()))
    return messages, socket.close_code or 0


async def test_what_is_dictated_is_what_a_session_would_have_understood_and_is_kept_nowhere(keeping: Keeping) -> None:
    pcm = piece(8.0, 20.0, "clinician")
    async with client_of(keeping.running) as client:
        before = (await client.get("/api/visits")).json()
        messages, code = await _dictated(keeping.running, pcm)
        assert (messages[-1], code) == ({"type": "done"}, 1000)
        said = [one["text"] for one in messages if one["type"] == "words"]
        held = b"".join(path.read_bytes() for path in keeping.folder.iterdir())
        assert len(" ".join(said).split()) > 5
        assert not [one for one in said if one.encode() in held]
        assert (await client.get("/api/visits")).json() == before
        session = await start(client)
        await send(keeping.running, session, pcm)
        seen = await end(keeping.running, client, session)
        assert said == [one["text"] for one in seen.messages if one["type"] == "utterance"]
        held = b"".join(path.read_bytes() for path in keeping.folder.iterdir())
        assert [one for one in said if one.encode() in held], "a session's words would have been found"


@pytest.mark.parametrize("message", [b"", b"odd", bytes(40_000)])
async def test_what_is_no_audio_ends_the_dictation_with_a_reason(server: Running, message: bytes) -> None:
    async with connect(_url(server)) as socket:
        await socket.send(message)
        messages, code = await _heard(socket)
    assert (messages[-1]["error"]["code"], code) == ("bad_audio", 4400)


async def test_more_dictations_than_there_is_room_for_are_refused(keeping: Keeping) -> None:
    async with connect(_url(keeping.running)) as first:
        await first.send(bytes(2 * BLOCK))
        async with connect(_url(keeping.running)) as second:
            messages, code = await _heard(second)
        assert (messages[-1]["error"]["code"], code) == ("overloaded", 4503)
        await first.send(json.dumps({"type": "end"}))
        assert await _heard(first) == ([{"type": "done"}], 1000)
