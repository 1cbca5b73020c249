"""Audio over WebSocket against the whole server: what is acknowledged counts, what is refused costs nothing."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_server import (
    CONSENT,
    Message,
    assert_accounts_for_all,
    assert_said,
    audio_url,
    client_of,
    data_folder,
    end,
    piece,
    send,
    server,
    silence,
    start,
    transcript_of,
    words_of,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.server_process import Running, running_server
from benchmarks.websocket_peer import frames_of
from streaming.audio_wire import HEADER, MAGIC, AudioFrame, pack
from streaming.types import SAMPLE_RATE, Tick

__all__ = ["server"]
pytestmark = pytest.mark.loopback

WAKE = "and do you ever wish that you would not wake up in the morning"


async def say(socket: ClientConnection, what: bytes | str) -> Message:
    """Send a message and take the answer to it."""
    await socket.send(what)
    return await heard(socket)


async def heard(socket: ClientConnection) -> Message:
    async with asyncio.timeout(20):
        answer: Message = json.loads(await socket.recv())
        if answer.get("type") == "ready":
            assert answer.pop("clock") >= 0
            assert len(base64.b64decode(answer.pop("device_key"))) == 32
        return answer


async def closed(socket: ClientConnection) -> int:
    """The code with which the server closes; reads what comes before."""
    try:
        async with asyncio.timeout(20):
            while True:
                await socket.recv()
    except ConnectionClosed:
        return socket.close_code or 0


def frame(number: int, tick: int | None = None, ticks: int = 1_600) -> bytes:
    """A frame of silence."""
    at = number * 1_600 if tick is None else tick
    return pack(AudioFrame("pcm16", number, Tick(at), silence(ticks / SAMPLE_RATE).tobytes()))


async def test_ready_acknowledgements_and_done(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            assert await heard(socket) == {"type": "ready", "sequence": 0, "tick": 0}
            assert await say(socket, frame(0)) == {"type": "ack", "sequence": 0, "tick": 1_600}
            assert await say(socket, frame(1)) == {"type": "ack", "sequence": 1, "tick": 3_200}
            assert await say(socket, json.dumps({"type": "end"})) == {"type": "done", "tick": 3_200}
            assert await closed(socket) == 1000
        seen = await end(server, client, session)
        assert_accounts_for_all(seen.of("ended")[0], [3_200])


async def test_what_is_no_frame_is_refused_and_costs_nothing(server: Running) -> None:
    wrong: list[tuple[Any, str]] = [
        (b"", "bad_frame"),
        (b"SD", "bad_frame"),
        (b"XX" + frame(0)[2:], "bad_frame"),
        (MAGIC + b"\x09" + frame(0)[3:], "bad_frame"),
        (HEADER.pack(MAGIC, 1, 7, 0, 0) + b"\0\0", "unknown_codec"),
        (HEADER.pack(MAGIC, 1, 1, 0, 0), "bad_frame"),
        (HEADER.pack(MAGIC, 1, 1, 0, 0) + b"\0\0\0", "bad_frame"),
        (HEADER.pack(MAGIC, 1, 1, 0, 2**60) + b"\0\0", "bad_frame"),
        (frame(0, ticks=16_001), "too_large"),
        (HEADER.pack(MAGIC, 1, 2, 0, 0) + bytes(9_000), "too_large"),
        ("audio", "bad_frame"),
        ('{"type": "start"}', "bad_frame"),
        ("[" * 2_000, "bad_frame"),
    ]
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            await heard(socket)
            assert (await say(socket, frame(0)))["sequence"] == 0
            for message, code in wrong:
                answer = await say(socket, message)
                assert "error" in answer, (message[:20], answer)
                error = answer["error"]
                assert error["code"] == code, message[:20]
                assert set(error) == {"code", "message", "mend"}
            assert (await say(socket, frame(1))) == {"type": "ack", "sequence": 1, "tick": 3_200}
        assert_accounts_for_all((await end(server, client, session)).of("ended")[0], [3_200])


async def test_a_message_past_all_bounds_ends_the_connection_and_nothing_else(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            await heard(socket)
            await say(socket, frame(0))
            await socket.send(bytes(2 << 20))
            assert await closed(socket) == 1009
        async with connect(audio_url(server, session)) as socket:
            assert await heard(socket) == {"type": "ready", "sequence": 1, "tick": 1_600}


async def test_repeats_are_acknowledged_and_frames_ahead_refused(server: Running) -> None:
    frames = [pack(one) for one in frames_of(piece(131.3, 134.7), "pcm16")]
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            await heard(socket)
            await say(socket, frames[0])
            early = (await say(socket, frames[3]))["error"]
            assert (early["code"], early["expected"]) == ("out_of_order", 1)
            for number in (1, 0, 2, 1, 2, 0, 3):
                answer = await say(socket, frames[number])
                assert answer["type"] == "ack"
                assert answer["sequence"] >= number
            for one in frames[4:]:
                await socket.send(one)
            await socket.send('{"type": "end"}')
            assert await closed(socket) == 1000
        seen = await end(server, client, session)
        assert seen.of("gap") == []
        assert_accounts_for_all(seen.of("ended")[0], [len(piece(131.3, 134.7))])
        assert_said(await transcript_of(client, session), WAKE)


async def test_a_jump_in_time_is_a_gap_that_is_named(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            await heard(socket)
            await say(socket, frame(0))
            assert await say(socket, frame(1, tick=SAMPLE_RATE)) == {"type": "ack", "sequence": 1, "tick": 17_600}
            # Back in time: what is already there is not taken a second time.
            assert await say(socket, frame(2, tick=SAMPLE_RATE)) == {"type": "ack", "sequence": 2, "tick": 17_600}
        seen = await end(server, client, session)
        (gap,) = seen.of("gap")
        assert (gap["track"], gap["start"], gap["end"], gap["cause"]) == ("mic", 0.1, 1.0, "dropped_by_sender")
        (ended,) = seen.of("ended")
        assert_accounts_for_all(ended, [17_600])
        assert ended["totals"][0]["gap_ticks"] == SAMPLE_RATE - 1_600


async def test_a_packet_that_cannot_be_decoded_is_a_gap_of_its_own_length(server: Running) -> None:
    packets = frames_of(silence(0.1), "opus")
    broken = AudioFrame("opus", 1, Tick(320), bytes([packets[1].payload[0] | 0x03]) + b"\x3f" + b"\xff" * 9)
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            await heard(socket)
            await say(socket, pack(packets[0]))
            answer = await say(socket, pack(broken))
            assert "error" in answer or answer["type"] == "ack"
            await socket.send(pack(packets[2]))
            await socket.send('{"type": "end"}')
            assert await closed(socket) == 1000
        assert_accounts_for_all((await end(server, client, session)).of("ended")[0])


async def test_a_dropped_connection_goes_on_where_the_server_says(server: Running) -> None:
    frames = frames_of(piece(131.3, 134.7), "opus")
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            assert (await heard(socket))["sequence"] == 0
            for one in frames[:50]:
                await socket.send(pack(one))
            await heard(socket)
            socket.transport.abort()
        async with connect(audio_url(server, session)) as socket:
            ready = await heard(socket)
            assert 1 <= ready["sequence"] <= 50
            assert ready["tick"] == ready["sequence"] * 320
            for one in frames[ready["sequence"] :]:
                await socket.send(pack(one))
            await socket.send('{"type": "end"}')
            assert await closed(socket) == 1000
        seen = await end(server, client, session)
        assert seen.of("gap") == []
        assert_accounts_for_all(seen.of("ended")[0], [len(frames) * 320])
        assert_said(await transcript_of(client, session), WAKE)


async def test_a_second_connection_takes_the_track_over(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as first:
            await heard(first)
            await say(first, frame(0))
            async with connect(audio_url(server, session)) as second:
                assert await heard(second) == {"type": "ready", "sequence": 1, "tick": 1_600}
                assert await closed(first) == 4000
                assert (await say(second, frame(1)))["sequence"] == 1


async def test_a_track_that_was_ended_may_go_on_until_the_session_ends(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        await send(server, session, silence(0.2))
        async with connect(audio_url(server, session)) as socket:
            assert await heard(socket) == {"type": "ready", "sequence": 2, "tick": 3_200}
            assert (await say(socket, frame(2)))["tick"] == 4_800
            assert (await say(socket, '{"type": "end"}'))["type"] == "done"
            assert await closed(socket) == 1000
        assert_accounts_for_all((await end(server, client, session)).of("ended")[0], [4_800])


async def test_audio_after_the_end_is_refused(server: Running) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            await heard(socket)
            await say(socket, frame(0))
            await client.post(f"/api/sessions/{session}/end")
            # Without another word of the sender's: an idle socket would not hear of it.
            assert (await heard(socket))["error"]["code"] == "session_over"
            assert await closed(socket) == 4409
        await end(server, client, session)
        async with connect(audio_url(server, session)) as socket:
            assert (await heard(socket))["error"]["code"] == "session_over"
            assert await closed(socket) == 4409


async def test_what_was_sent_before_the_end_is_in_the_session(server: Running) -> None:
    count = 2_000
    async with client_of(server) as client:
        session = await start(client)
        async with connect(audio_url(server, session)) as socket:
            await heard(socket)
            for number in range(count):
                await socket.send(frame(number, tick=number * 160, ticks=160))
            seen = await end(server, client, session)
            assert await closed(socket) == 4409
        assert_accounts_for_all(seen.of("ended")[0], [count * 160])


async def test_a_session_that_ends_by_itself_closes_its_idle_sockets(tmp_path: Path) -> None:
    with running_server(data_folder(tmp_path, SAMEDAY_IDLE_TIMEOUT_S="1")) as alone:
        async with client_of(alone) as client:
            session = await start(client)
            async with connect(audio_url(alone, session)) as socket:
                await heard(socket)
                assert (await heard(socket))["error"]["code"] == "session_over"
                assert await closed(socket) == 4409


@pytest.mark.parametrize(
    ("path", "code", "close"),
    [
        ("/api/sessions/unknown/audio", "unknown_session", 4404),
        ("/api/sessions/unknown/audio?track=client", "unknown_session", 4404),
        ("/api/sessions/{session}/audio?track=client", "unknown_track", 4404),
        ("/api/sessions/{session}/audio?track=No%20such!", "bad_request", 4400),
        ("/api/sessions/unknown/events", "unknown_session", 4404),
        ("/api/sessions/{session}/events?after=-1", "bad_request", 4400),
        ("/api/sessions/{session}/events?after=last", "bad_request", 4400),
    ],
)
async def test_a_socket_to_nowhere_says_why_and_closes(server: Running, path: str, code: str, close: int) -> None:
    async with client_of(server) as client:
        session = await start(client)
        async with connect(server.url.replace("http", "ws", 1) + path.format(session=session)) as socket:
            error = (await heard(socket))["error"]
            assert error["code"] == code
            assert "No such!" not in error["message"]
            assert "last" not in error["message"]
            assert await closed(socket) == close


async def test_a_track_for_each_person_is_the_speaker(server: Running) -> None:
    tracks = [{"id": "clinician", "role": "clinician"}, {"id": "client", "role": "client"}]
    async with client_of(server) as client:
        session = await start(client, tracks=tracks, consent=CONSENT)
        await asyncio.gather(
            send(server, session, piece(14.1, 20.3, "clinician"), track="clinician"),
            send(server, session, piece(14.1, 20.3, "client"), track="client", codec="opus"),
        )
        seen = await end(server, client, session)
        (ended,) = seen.of("ended")
        assert_accounts_for_all(ended)
        assert {total["track"] for total in ended["totals"]} == {"clinician", "client"}
        assert [roles["source"] for roles in seen.of("roles")] == ["track"]
        assert seen.of("turns", "relabel", "failed") == []
        rows = (await transcript_of(client, session))["utterances"]
        assert all(row["speaker"] == row["role"] for row in rows)
        assert [row["start"] for row in rows] == sorted(row["start"] for row in rows)
        of = {who: " ".join(words_of({"utterances": [r for r in rows if r["role"] == who]})) for who in CONSENT}
        assert "sleeping" in of["clinician"]
        assert "wake up early" in of["client"]
        assert len({row["id"] for row in rows}) == len(rows)


async def test_tracks_of_one_session_do_not_wait_for_each_other(server: Running) -> None:
    tracks = [{"id": "clinician", "role": "clinician"}, {"id": "client", "role": "client"}]
    async with client_of(server) as client:
        session = await start(client, tracks=tracks)
        await send(server, session, piece(14.1, 16.6, "clinician"), track="clinician")

        async def utterance() -> bool:
            return bool((await transcript_of(client, session))["utterances"])

        await send(server, session, np.zeros(100, dtype=np.int16), track="client")
        seen = await end(server, client, session)
        assert_accounts_for_all(seen.of("ended")[0], [len(piece(14.1, 16.6)), 100])
        assert await utterance()
