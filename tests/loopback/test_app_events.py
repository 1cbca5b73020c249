"""A session's events against the whole server: what a reader sees live, late, slowly, twice, and after a restart."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from live_server import (
    Message,
    Seen,
    assert_accounts_for_all,
    client_of,
    data_folder,
    end,
    events_url,
    follow,
    piece,
    printed_by,
    send,
    server,
    silence,
    start,
    transcript_of,
    until,
)
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks.server_process import Running, running_server
from streaming.types import Int16Mono

__all__ = ["server"]
pytestmark = pytest.mark.loopback

SHARED: list[Message] = [{"id": "mic", "speakers": 2}]


def question() -> Int16Mono:
    """Five words, and the silence after which they are an utterance."""
    return np.concatenate([piece(14.1, 16.6), silence(1.5)])


@asynccontextmanager
async def reader(server: Running, session: str) -> AsyncIterator["asyncio.Task[Seen]"]:
    """Somebody who follows from the start, until the server closes."""
    task = asyncio.create_task(follow(server, session))
    try:
        yield task
    finally:
        task.cancel()


async def test_what_is_said_later_is_what_was_said_live(server: Running) -> None:
    """One session of two people over one microphone, with two readers, one that reads nothing until the end."""
    async with client_of(server) as client:
        session = await start(client, tracks=SHARED)
        async with (
            reader(server, session) as one,
            reader(server, session) as other,
            connect(events_url(server, session), max_queue=1) as slow,
        ):
            await send(server, session, piece(14.1, 28.7), pace=3.0)
            await client.post(f"/api/sessions/{session}/end")
            live, beside = await one, await other
            slow_messages: list[Message] = []
            try:
                async with asyncio.timeout(20):
                    while True:
                        slow_messages.append(json.loads(await slow.recv()))
            except ConnectionClosed:
                pass
            assert slow.close_code == 1000

        assert live.code == beside.code == 1000
        assert live.logged == beside.logged
        assert [m for m in slow_messages if m["sequence"] is not None] == live.logged
        numbers = [message["sequence"] for message in live.logged]
        assert numbers == sorted(set(numbers))
        kinds = [message["type"] for message in live.logged]
        assert kinds[0] == "started"
        assert kinds[-1] == "draft", "the connection closes after the note"
        assert kinds.index("turns") < kinds.index("ended") < kinds.index("draft")

        passing = [message for message in live.messages if message["sequence"] is None]
        assert {message["type"] for message in passing} <= {"partial", "lag"}
        assert {"partial", "lag"} <= {message["type"] for message in passing}
        for message in live.of("lag"):
            assert [set(row) for row in message["tracks"]] == [{"id", "received_s", "transcribed_s", "lag_s"}]
        for message in live.of("partial"):
            keys = {"sequence", "type", "track", "start", "speaker", "role", "committed", "tentative"}
            assert set(message) == keys

        replay = await follow(server, session)
        assert replay.messages == live.logged, "a replay is the log, and nothing that only passed"
        half = numbers[len(numbers) // 2]
        assert (await follow(server, session, half)).messages == [m for m in replay.messages if m["sequence"] > half]
        assert (await follow(server, session, numbers[-1])).messages == []
        assert (await follow(server, session, 10**9)).messages == []

        described = (await client.get(f"/api/sessions/{session}")).json()
        assert described["last_event"] == numbers[-1]
        assert_accounts_for_all(live.of("ended")[0], [len(piece(14.1, 28.7))])
        await _the_transcript_is_the_fold_of_the_events(live, await transcript_of(client, session))


async def _the_transcript_is_the_fold_of_the_events(seen: Seen, transcript: Message) -> None:
    speakers = {one["id"]: one["speaker"] for one in seen.of("utterance")}
    speakers |= {one["id"]: one["speaker"] for one in seen.of("relabel")}
    roles = seen.of("roles")[-1]["roles"]
    rows = transcript["utterances"]
    assert len(rows) >= 2
    assert {row["id"]: row["speaker"] for row in rows} == speakers
    assert all(row["role"] == roles.get(row["speaker"]) for row in rows)
    texts = {one["id"]: one["text"] for one in seen.of("utterance")}
    assert {row["id"]: row["text"] for row in rows} == texts
    for row in rows:
        assert " ".join(word["text"] for word in row["words"]) == row["text"]
        times = [time for word in row["words"] for time in (word["start"], word["end"])]
        assert row["start"] <= times[0]
        assert times == sorted(times)
        assert times[-1] <= row["end"]


async def test_a_reader_that_leaves_and_comes_back_misses_nothing(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        before: list[Message] = []
        async with connect(events_url(server, session)) as socket:
            await send(server, session, piece(14.1, 22.6))
            while not any(message["type"] == "utterance" for message in before):
                async with asyncio.timeout(20):
                    before.append(json.loads(await socket.recv()))
            socket.transport.abort()
        last = max(message["sequence"] or 0 for message in before)
        await client.post(f"/api/sessions/{session}/end")
        after = await follow(server, session, last)
        joined = [m for m in before if m["sequence"]] + after.logged
        assert joined == (await follow(server, session)).messages


async def test_what_a_reader_sends_changes_nothing(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with connect(events_url(server, session)) as socket:
            assert json.loads(await socket.recv())["type"] == "started"
            await socket.send("hello")
            await socket.send(b"\0" * 1_000)
            await client.post(f"/api/sessions/{session}/end")
            async with asyncio.timeout(20):
                kinds = [json.loads(text)["type"] async for text in socket]
        assert kinds[-1] == "draft"


async def test_roles_reach_readers_and_what_was_said_before(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with reader(server, session) as seen:
            await send(server, session, question())

            async def said() -> bool:
                return bool((await transcript_of(client, session))["utterances"])

            await until(said)
            answer = await client.post(f"/api/sessions/{session}/roles", json={"roles": {"mic": "clinician"}})
            assert answer.status_code == 200
            await client.post(f"/api/sessions/{session}/end")
            (roles,) = (await seen).of("roles")
        assert (roles["roles"], roles["source"], roles["confidence"]) == ({"mic": "clinician"}, "clinician", 1.0)
        (row,) = (await transcript_of(client, session))["utterances"]
        assert row["role"] == "clinician"
        replay = await follow(server, session)
        # The replay is what was sent: the role was not known yet then, and `roles` tells it after.
        assert [message["role"] for message in replay.of("utterance")] == [None]
        assert [message["roles"] for message in replay.of("roles")] == [{"mic": "clinician"}]


async def test_after_a_restart_what_ended_is_served_and_what_did_not_goes_on(tmp_path: Path) -> None:
    environment = data_folder(tmp_path)
    with running_server(environment) as first:
        async with client_of(first) as client:
            ended = await start(client)
            await send(first, ended, question())
            events = (await end(first, client, ended)).messages
            transcript = await transcript_of(client, ended)
            note = (await client.get(f"/api/sessions/{ended}/note")).json()
            cut_off = await start(client)
            await send(first, cut_off, question())

            async def said() -> bool:
                return bool((await transcript_of(client, cut_off))["utterances"])

            await until(said)
            os.kill(first.process.pid, signal.SIGKILL)
            first.process.wait()
    with running_server(environment) as second:
        async with client_of(second) as client:
            logged = [message for message in events if message["sequence"] is not None]
            replay = await follow(second, ended)
            assert replay.messages == logged
            assert replay.code == 1000
            assert await transcript_of(client, ended) == transcript
            assert (await client.get(f"/api/sessions/{ended}/note")).json() == note
            described = (await client.get(f"/api/sessions/{ended}")).json()
            assert described["state"] == "ended"
            assert (await client.post(f"/api/sessions/{ended}/end")).json() == described

            described = (await client.get(f"/api/sessions/{cut_off}")).json()
            assert described["state"] == "live"
            there = await transcript_of(client, cut_off)
            assert [row["text"] for row in there["utterances"]] == [row["text"] for row in transcript["utterances"]]
            no_note = await client.get(f"/api/sessions/{cut_off}/note")
            assert (no_note.status_code, no_note.json()["error"]["code"]) == (409, "not_drafted")
            seen = await end(second, client, cut_off)
            assert len(seen.of("utterance")) == 1
            assert_accounts_for_all(seen.of("ended")[0], [len(question())])


async def test_a_server_that_is_asked_to_stop_can_finish_its_sessions_first(tmp_path: Path) -> None:
    environment = data_folder(tmp_path, SAMEDAY_ON_STOP="finish")
    with running_server(environment) as first:
        async with client_of(first) as client:
            session = await start(client)
            await send(first, session, question())
            first.process.terminate()
            await asyncio.to_thread(first.process.wait, 40)
    with running_server(environment) as second:
        seen = await follow(second, session)
        assert seen.messages[-1]["type"] == "draft"
        assert_accounts_for_all(seen.of("ended")[0], [len(question())])


async def test_nothing_of_a_session_is_in_what_the_server_prints(tmp_path: Path) -> None:
    """Even where it is asked for all that there is to know."""
    with running_server(data_folder(tmp_path, SAMEDAY_LOG_LEVEL="debug")) as running:
        async with client_of(running) as client:
            session = await start(client, consent=["Daniel Fictional"])
            await send(running, session, piece(0.0, 6.9))
            await client.post(f"/api/sessions/{session}/roles", json={"roles": {"mic": "clinician"}})
            async with connect(events_url(running, session, 0)) as socket:  # after the end it would close
                await socket.send("Daniel Fictional")
            seen = await end(running, client, session)
            (utterance, *_) = seen.of("utterance")
            await client.get(f"/api/sessions/{session}/note?format=dap")
            await client.get(f"/api/sessions/{session}/transcript")
            await client.post(f"/api/sessions/{session}/whip", content="v=0 Daniel", headers={"Origin": "http://["})
            await client.post("/api/sessions", json={"consent": "Daniel Fictional"})
        printed = printed_by(running).lower()
    assert "daniel" in utterance["text"].lower()
    for word in ("daniel", "fictional", "see you again", "last week", session, "clinician"):
        assert word not in printed
    longest = max(utterance["text"].split(), key=len).strip(".,?!").lower()
    assert longest not in printed
