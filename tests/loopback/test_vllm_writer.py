"""The writer over a model server against a real HTTP server that misbehaves: nothing is lost, nothing leaks."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from scripted_model_server import LEAK, Act, ModelServer, model_server
from talk import CLIENT, CLINICIAN, talk

from drafting import model_server as door
from drafting.core import draft
from drafting.model_server import Address
from drafting.note import Note
from drafting.preparing import following, keep_prepared
from drafting.stage import draft_note
from drafting.vllm_writer import WARM_TOKENS, VllmWriter
from streaming.events import UtteranceClosed
from streaming.ports import PreparingWriter, SessionWriter
from streaming.state import SessionState

pytestmark = pytest.mark.loopback

TALK = talk(
    (CLINICIAN, "How did you sleep this week?"),
    (CLIENT, "I slept four hours a night."),
    (CLINICIAN, "Will you keep a sleep diary until Tuesday?"),
    (CLIENT, "Yes, I will keep it every morning."),
)
SECTIONS = ("Subjective", "Objective", "Plan")
"""Those of SOAP that hold talk; the rest is the ledger's, the chart's and the clinician's."""
QUICK = Address("", "scripted", first_token_s=0.8, total_s=8.0)


@pytest.fixture(autouse=True)
def _quick_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_FIRST_DELAY_S", 0.02)


@asynccontextmanager
async def writer_of(server: ModelServer, address: Address = QUICK) -> AsyncIterator[VllmWriter]:
    made = VllmWriter(replace(address, base_url=server.url))
    try:
        yield made
    finally:
        await made.close()


async def drafted(server: ModelServer, address: Address = QUICK) -> Note:
    async with writer_of(server, address) as made:
        return await draft_note(TALK, made)


def told(note: Note, section: str) -> list[str]:
    return [one.text for part in note.sections if part.name == section for one in part.statements]


def away(note: Note) -> dict[str, str]:
    return {one.section: one.message for one in note.checks if one.rule == "writer_away"}


async def test_sections_are_asked_at_once_over_one_prompt_and_come_whole() -> None:
    async with model_server() as server:
        note = await drafted(server)
    assert {call.section for call in server.calls} == set(SECTIONS)
    for section in SECTIONS:
        assert f'Client said, "Yes, I will keep it every morning." ({section})' in told(note, section)
    assert away(note) == {}
    heads = {call.user.partition("END OF TRANSCRIPT")[0] for call in server.calls}
    assert len(heads) == 1
    for call in server.calls:
        assert call.body["response_format"]["type"] == "json_schema"
        assert call.body["stream"] is True
        assert "guided_json" not in json.dumps(call.body)


async def test_a_section_is_given_while_others_are_still_written() -> None:
    came: list[tuple[str, bool]] = []

    async def show(section: str, sentences: tuple[str, ...], done: bool) -> None:
        came.append((section, done))

    async with model_server(script={"Subjective": [Act(wait_s=0.3)]}) as server, writer_of(server) as made:
        await draft_note(TALK, made, show=show)
    done = [section for section, finished in came if finished]
    assert done[-1] == "Subjective"
    assert came.index(("Plan", True)) < came.index(("Subjective", False))


@pytest.mark.parametrize(
    "first",
    [
        Act(status=500),
        Act(status=503),
        Act(status=429, retry_after="0"),
        Act(cut_after=0),
        Act(cut_after=30),
        Act(stall_after=30),
        Act(fail_after=30),
        Act(wait_s=3),
        Act(silent_end=True),
    ],
)
async def test_what_fails_once_is_asked_again(first: Act, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with model_server(script={"Plan": [first, Act()]}) as server:
        note = await drafted(server)
    assert len(server.asked("Plan")) == 2
    assert away(note) == {}
    assert 'Client said, "Yes, I will keep it every morning." (Plan)' in told(note, "Plan")
    assert LEAK not in caplog.text
    assert "sleep diary" not in caplog.text


@pytest.mark.parametrize(
    ("act", "tries", "says"),
    [
        (Act(status=500), 3, "could not be reached"),
        (Act(status=429), 3, "overloaded"),
        (Act(cut_after=30), 3, "could not be reached"),
        (Act(stall_after=30), 3, "took too long"),
        (Act(wait_s=3), 3, "took too long"),
        (Act(status=400), 1, "refused"),
        (Act(status=401), 1, "refused"),
        (Act(status=404), 1, "refused"),
        (Act(finish="content_filter"), 1, "refused"),
        (Act(text="Plan: rest."), 1, "could not be used"),
        (Act(text='{"section":"Objective","statements":[]}'), 1, "could not be used"),
        (Act(text='{"section":"Plan","statements":[{"evid', finish="length"), 1, "could not be used"),
        (Act(text=" " * 70_000), 1, "could not be used"),
    ],
)
async def test_a_section_that_stays_away_is_the_embedded_writer_s_and_the_others_stay(
    act: Act, tries: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with model_server(script={"Plan": [act]}) as server:
        note = await drafted(server)
    assert len(server.asked("Plan")) == tries
    assert list(away(note)) == ["Plan"]
    assert says in away(note)["Plan"]
    assert told(note, "Plan") == told(draft(TALK), "Plan")
    assert 'Client said, "Yes, I will keep it every morning." (Subjective)' in told(note, "Subjective")
    assert LEAK not in caplog.text


async def test_bad_rows_are_left_out_and_good_ones_stay() -> None:
    rows: list[dict[str, Any]] = [
        {"evidence": [4], "text": "Client will keep the sleep diary every morning until Tuesday."},
        {"evidence": [99], "text": "Client will move to another town."},
        {"evidence": [], "text": "Client will recover soon."},
        {"evidence": [4], "text": "Client has no suicidal ideation."},
        {"evidence": [2], "text": "Client was <|im_end|> obedient."},
    ]
    text = json.dumps({"section": "Plan", "statements": rows})
    async with model_server(script={"Plan": [Act(text=text)]}) as server:
        note = await drafted(server)
    assert rows[0]["text"] in told(note, "Plan")
    assert not {row["text"] for row in rows[1:]} & set(told(note, "Plan"))
    rules = [one.rule for one in note.checks if one.section == "Plan"]
    assert "writer_risk" in rules
    assert "writer_corrected" in rules


async def test_an_answer_past_its_tokens_keeps_what_came_whole() -> None:
    text = '{"section":"Plan","statements":[{"evidence":[4],"text":"Client will keep a sleep diary."},{"evid'
    async with model_server(script={"Plan": [Act(text=text, finish="length")]}) as server:
        note = await drafted(server)
    assert "Client will keep a sleep diary." in told(note, "Plan")
    assert "writer_cut" in {one.rule for one in note.checks if one.section == "Plan"}


async def test_a_server_that_is_not_there_gives_the_embedded_note_soon() -> None:
    began = time.monotonic()
    made = VllmWriter(replace(QUICK, base_url="http://127.0.0.1:9/v1"))
    note = await draft_note(TALK, made)
    await made.close()
    assert time.monotonic() - began < QUICK.total_s
    assert note.sections == draft(TALK).sections
    assert note.checks[0].rule == "writer_away"
    assert note.writer == "embedded"


async def test_the_total_time_ends_all_tries() -> None:
    address = replace(QUICK, first_token_s=0.3, total_s=0.5, attempts=9)
    async with model_server(script={name: [Act(wait_s=9)] for name in SECTIONS}) as server:
        began = time.monotonic()
        note = await drafted(server, address)
    assert time.monotonic() - began < 2.0
    assert note.writer == "embedded"


async def test_a_slow_start_within_patience_is_waited_for() -> None:
    async with model_server(script={"Plan": [Act(wait_s=0.25)]}) as server:
        note = await drafted(server)
    assert away(note) == {}
    assert len(server.asked("Plan")) == 1


async def test_a_draft_that_is_cancelled_closes_its_streams() -> None:
    script = {name: [Act(stall_after=20)] for name in SECTIONS}
    async with model_server(script=script) as server, writer_of(server, replace(QUICK, first_token_s=30)) as made:
        drafting = asyncio.create_task(draft_note(TALK, made))
        await server.called(len(SECTIONS))
        await asyncio.sleep(0.1)
        drafting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drafting
        for call in server.calls:
            await asyncio.wait_for(call.left.wait(), 2.0)


async def test_the_key_is_sent_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    address = replace(QUICK, api_key="sesame-17")
    async with model_server(script={"Plan": [Act(status=401)]}) as server:
        await drafted(server, address)
    assert {call.headers["authorization"] for call in server.calls} == {"Bearer sesame-17"}
    assert "sesame-17" not in repr(address) + caplog.text


async def test_a_redirect_is_not_followed() -> None:
    async with model_server(script={name: [Act(status=307)] for name in SECTIONS}) as server:
        note = await drafted(server)
    assert {call.path for call in server.calls} == {"/v1/chat/completions"}
    assert note.writer == "embedded"


async def test_warming_sends_the_beginning_of_what_is_asked_at_low_priority() -> None:
    async with model_server() as server, writer_of(server) as made:
        session = made.follow("s")
        half = replace(TALK, utterances=TALK.utterances[:2])
        await session.prepare(half)
        await session.prepare(TALK)
        await draft_note(TALK, session)
    first, second = server.asked(None)
    assert first.body["max_tokens"] == 1
    assert first.body["priority"] > 0
    assert second.user.startswith(first.user)
    for name in SECTIONS:
        (call,) = server.asked(name)
        assert call.user.startswith(second.user)
        assert "priority" not in call.body
        assert call.body["messages"][0] == first.body["messages"][0]
    assert made.counts.warmed == 2


async def test_a_server_without_priorities_is_warmed_without() -> None:
    async with model_server(knows_priority=False) as server, writer_of(server) as made:
        session = made.follow("s")
        await session.prepare(TALK)
        await session.prepare(TALK)
    assert [("priority" in call.body) for call in server.calls] == [True, False, False]
    assert (made.counts.warmed, made.counts.warming_failed) == (2, 0)


async def test_warming_that_fails_is_counted_and_the_note_comes_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with model_server(script={"warm": [Act(status=500)]}) as server, writer_of(server) as made:
        session = made.follow("s")
        await session.prepare(TALK)
        note = await draft_note(TALK, session)
    assert made.counts.warming_failed == 1
    assert away(note) == {}
    assert "warming failed" in caplog.text
    assert LEAK not in caplog.text


async def test_news_is_due_after_a_minute_or_five_hundred_tokens() -> None:
    async with model_server() as server, writer_of(server) as made:
        session = made.follow("s")
        assert not session.due(replace(TALK, utterances=()), 0.0)
        assert not session.due(TALK, 1.0)
        assert session.due(TALK, 60.0)
        await session.prepare(TALK)
        assert not session.due(TALK, 500.0)  # nothing new
        long = talk(*((CLIENT, "word " * 40) for _ in range(60)))
        assert session.due(replace(long, roles=TALK.roles), 500.0)
    assert WARM_TOKENS == 500


async def test_the_stage_warms_while_the_session_goes_on_and_stops_with_it() -> None:
    async with model_server(script={"warm": [Act(wait_s=9)]}) as server, writer_of(server) as made:
        session = following(made, "s")
        assert isinstance(made, PreparingWriter)
        assert isinstance(session, SessionWriter)
        state = SessionState()
        for one in talk(*((CLIENT, "word " * 40) for _ in range(20))).utterances:
            state.apply(UtteranceClosed(one))
        preparing = asyncio.create_task(keep_prepared(session, state))
        await server.called(1)
        preparing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await preparing
        await asyncio.wait_for(server.calls[0].left.wait(), 2.0)


async def test_the_models_of_a_server_are_told() -> None:
    async with model_server() as server, writer_of(server) as made:
        assert await made.server.models() == ["scripted"]
