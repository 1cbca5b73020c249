"""A whole session on a real server whose writer is a model server: warmed while it goes on, streamed at its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from live_server import Seen, end, piece, printed_by, send, serving, start, transcript_of, until, words_of
from scripted_model_server import Act, ModelServer, model_server

from benchmarks.server_process import Running

pytestmark = pytest.mark.loopback

TRACKS = [
    {"id": "clinician", "speakers": 1, "role": "clinician"},
    {"id": "client", "speakers": 1, "role": "client"},
]
LENGTH_S = 110.0
SECTIONS = ("Subjective", "Objective", "Plan")


@asynccontextmanager
async def sameday(model: ModelServer) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    environment = {
        "SAMEDAY_WRITER": "vllm",
        "SAMEDAY_WRITER_URL": model.url,
        "SAMEDAY_WRITER_MODEL": "scripted",
        "SAMEDAY_WRITER_FIRST_TOKEN_S": "2",
        "SAMEDAY_LOG_LEVEL": "debug",
        "OPENAI_LOG": "debug",
    }
    async with serving(environment) as served:
        yield served


async def talked(server: Running, client: httpx.AsyncClient, model: ModelServer) -> str:
    """A session whose talk has been sent, and that its writer has been warmed for."""
    session = await start(client, tracks=TRACKS)
    await asyncio.gather(
        *(
            send(server, session, piece(0, LENGTH_S, track), track=track, pace=20.0)
            for track in ("clinician", "client")
        )
    )

    async def warmed() -> list[Any]:
        return model.asked(None)

    await until(warmed, 90.0)
    return session


def note_of(seen: Seen) -> dict[str, Any]:
    (draft,) = seen.of("draft")
    note: dict[str, Any] = draft["note"]
    return note


async def test_a_session_is_warmed_streamed_and_written_by_the_model_server() -> None:
    async with model_server() as model, sameday(model) as (server, client):
        session = await talked(server, client, model)
        seen = await end(server, client, session)
        transcript = await transcript_of(client, session)
        printed = printed_by(server)
    note = note_of(seen)
    warm = model.asked(None)[-1].user
    for section in SECTIONS:
        (call,) = model.asked(section)
        assert call.user.startswith(warm)
        told = [one for part in note["sections"] if part["name"] == section for one in part["statements"]]
        written = [one for one in told if one["text"].endswith(f"({section})")]
        assert written
        assert all(one["evidence"] for one in written)
    assert not [one for one in note["checks"] if one["rule"] == "writer_away"]
    shown = seen.of("writing")
    assert {one["section"] for one in shown} == set(SECTIONS)
    assert all(one["sequence"] is None for one in shown)
    long_words = {word for word in words_of(transcript) if len(word) > 7}
    assert len(long_words) > 10
    assert not {word for word in long_words if word in printed.lower()}


async def test_a_model_server_that_has_gone_leaves_the_embedded_note() -> None:
    script = {name: [Act(status=503)] for name in SECTIONS}
    async with model_server(script=script) as model, sameday(model) as (server, client):
        session = await talked(server, client, model)
        note = note_of(await end(server, client, session))
    assert note["checks"][0]["rule"] == "writer_away"
    assert any(part["statements"] for part in note["sections"])


async def test_what_is_warmed_when_the_session_ends_is_left_off_at_once() -> None:
    async with model_server(script={"warm": [Act(wait_s=60)]}) as model, sameday(model) as (server, client):
        session = await talked(server, client, model)
        note = note_of(await end(server, client, session))
        await asyncio.wait_for(model.asked(None)[0].left.wait(), 5.0)
    assert not [one for one in note["checks"] if one["rule"] == "writer_away"]
