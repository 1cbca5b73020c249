"""The log in Redis, with a real server: the contract, and what a server can do to it."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis_server import RedisServer, free_port, running_redis
from store_contract import (
    DurableStoreContract,
    OpenStore,
    a_vault,
    assert_log,
    gap,
    read_acknowledged,
    replayed,
    same,
    span,
    start_writer,
    started,
)

from streaming import survey
from streaming.deletion import Order, delete_session
from streaming.errors import KeyRefused, Overtaken, StoreFailed
from streaming.events import Event, NoteDrafted, SessionEnded
from streaming.ports import Store
from streaming.redis_door import RedisDoor
from streaming.redis_records import RedisRecords
from streaming.redis_rewriting import Rewriting
from streaming.redis_store import RedisStore
from streaming.survey import Survey

pytestmark = pytest.mark.redis


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    yield from running_redis(tmp_path)


@pytest.fixture
def address(redis_server: RedisServer) -> str:
    return redis_server.url


@pytest.fixture
def open_store(redis_server: RedisServer) -> OpenStore:
    async def opened() -> Store:
        return RedisStore(redis_server.url, a_vault())

    return opened


class TestRedisStore(DurableStoreContract):
    """The contract, and with it a server that is killed."""

    async def test_what_was_acknowledged_outlives_a_killed_server(
        self, redis_server: RedisServer, open_store: OpenStore, address: str
    ) -> None:
        def kill_server() -> dict[str, int]:
            with start_writer(address) as writer:
                heads = read_acknowledged(writer, 400)
                redis_server.kill()
                return heads | read_acknowledged(writer, None)  # it ends by itself, with StoreFailed

        acknowledged = await asyncio.to_thread(kill_server)
        assert sum(acknowledged.values()) >= 400
        await asyncio.to_thread(redis_server.start)
        await self.assert_holds(open_store, acknowledged)


async def test_a_server_that_is_away_fails_everything_and_soon() -> None:
    store = RedisStore(f"redis://:hunter2@127.0.0.1:{free_port()}/0")
    began = time.monotonic()
    with pytest.raises(StoreFailed) as failure:
        await store.append("a", [started()])
    assert "hunter2" not in str(failure.value)
    with pytest.raises(StoreFailed):
        await replayed(store, "a")
    with pytest.raises(StoreFailed):
        await store.sessions()
    assert time.monotonic() - began < 5
    await store.close()


async def test_a_server_that_went_away_fails_the_append_and_its_return_is_noticed(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url)
    await store.append("a", [started(), span(0)])
    await asyncio.to_thread(redis_server.kill)
    with pytest.raises(StoreFailed):
        await store.append("a", [gap(1)])
    await asyncio.to_thread(redis_server.start)
    assert await store.append("a", [gap(2)]) == 3
    assert_log(await replayed(store, "a", audio=True), [started(), span(0), gap(2)])
    await store.close()


async def test_a_server_that_hangs_fails_the_append_after_the_time_limit() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while await reader.read(1024):
                pass

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        store = RedisStore(f"redis://127.0.0.1:{port}/0", timeout_s=0.2)
        with pytest.raises(StoreFailed):
            await store.append("a", [started()])
        await store.close()


@pytest.mark.parametrize("options", [{"appendonly": "no"}, {"appendfsync": "everysec"}])
async def test_a_server_that_would_lose_what_it_acknowledged_is_refused(
    tmp_path: Path, options: dict[str, str]
) -> None:
    server = RedisServer(tmp_path, **options)
    await asyncio.to_thread(server.start)
    store = RedisStore(server.url)
    try:
        with pytest.raises(StoreFailed, match="would lose") as failure:
            await store.append("a", [started()])
        assert "appendfsync always" in failure.value.mend
    finally:
        await store.close()
        await asyncio.to_thread(server.stop)


async def test_a_full_server_takes_none_of_the_batch(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url)
    await store.append("a", [started()])
    await store._redis.config_set("maxmemory", "1")
    with pytest.raises(StoreFailed, match="OutOfMemory"):
        await store.append("a", [span(0), span(1)])
    await store._redis.config_set("maxmemory", "0")
    assert await store.append("a", [gap(1)]) == 2
    await store.close()


async def test_a_server_that_may_evict_is_refused(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url)
    await store._redis.config_set("maxmemory", "100mb")
    await store._redis.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(StoreFailed, match="evict"):
        await store.append("a", [started()])
    await store.close()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(StoreFailed):
        RedisStore("redis://127.0.0.1:notaport/0")


async def test_a_log_of_a_newer_version_is_refused(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url, prefix="newer")
    await store.append("a", [started()])
    await store.close()
    door = RedisDoor(redis_server.url, 5.0)
    await door.ask(door.redis.incr("newer:schema"))
    await door.close()
    older = RedisStore(redis_server.url, prefix="newer")
    with pytest.raises(StoreFailed, match="newer version"):
        await replayed(older, "a")
    await older.close()
    with pytest.raises(StoreFailed, match="newer version"):
        await survey.of_redis(redis_server.url, None, prefix="newer")


async def test_other_keys_of_the_server_are_left_alone(redis_server: RedisServer) -> None:
    store, other = RedisStore(redis_server.url), RedisStore(redis_server.url, prefix="other")
    await store.append("a", [started()])
    assert await other.sessions() == []
    assert await other.append("a", [gap(1)]) == 1
    await store.close()
    await other.close()


async def test_a_plain_log_is_sealed_at_its_first_opening_with_a_key(redis_server: RedisServer) -> None:
    """What was written before there was a key: events, audio, records; and a look beforehand changes nothing."""
    word = "Ultramarineflamingo"
    plain = RedisStore(redis_server.url)
    marked = NoteDrafted({"format": "soap", "word": word})
    await plain.append("a", [started(), span(0), marked])
    await plain.append("b", [span(1)])
    await RedisRecords(plain).put("chart", "c", {"client": word})
    await plain.close()
    assert redis_server.holds(word.encode(), span(0).pcm.tobytes()[:32]) == 2
    assert await survey.of_redis(redis_server.url, a_vault()) == Survey(2, 0, encrypted=False)
    store = RedisStore(redis_server.url, a_vault())
    assert_log(await replayed(store, "a", audio=True), [started(), span(0), marked])
    assert_log(await replayed(store, "b", audio=True), [span(1)])
    assert (await RedisRecords(store).get("chart", "c")).body == {"client": word}
    assert await store.append("a", [gap(1)]) == 4
    assert await redis_server.lets_go([word.encode(), span(0).pcm.tobytes()[:32]])
    await store.close()
    assert await survey.of_redis(redis_server.url, a_vault()) == Survey(2, 0, encrypted=True)
    with pytest.raises(KeyRefused):
        await survey.of_redis(redis_server.url, None)


async def test_a_deleted_session_is_in_no_file_of_redis(redis_server: RedisServer) -> None:
    """Without encryption, so that what is left could be read."""
    word = "Ultramarineflamingo"
    store = RedisStore(redis_server.url)
    records = RedisRecords(store)
    ended = SessionEnded("2026-01-31T10:50:00+01:00", "requested", ())
    await store.append("a", [started(), span(0), NoteDrafted({"format": "soap", "word": word}), ended])
    await records.put("recap", "r", {"visit": "a", "text": word})
    sought = word.encode(), span(0).pcm.tobytes()[:32]
    assert redis_server.holds(*sought) == 2
    made = await delete_session(store, records, "a", Order("session", "asked", "anna", "2026-02-01T10:00:00+01:00"))
    assert (made.removed["audio"], made.removed["drafts"], made.removed["recaps"]) == (1, 1, 1)
    assert await redis_server.lets_go(sought)
    await store.close()


async def test_what_is_deleted_while_the_file_is_being_written_anew_goes_too(redis_server: RedisServer) -> None:
    word = b"Ultramarineflamingo"
    store = RedisStore(redis_server.url)
    await store.append("a", [started(), NoteDrafted({"format": "soap", "word": word.decode()})])
    redis = Redis.from_url(redis_server.url)
    await redis.config_set("rdbcompression", "no")  # so that what is left could be read
    await redis.config_set("rdb-key-save-delay", 300_000)  # microseconds, so that the rewriting lasts
    await redis.bgrewriteaof()
    await redis.config_set("rdb-key-save-delay", 0)
    await store.rewrite("a", {2: None}, [gap(1)])
    assert (await redis.info("persistence"))["aof_rewrite_in_progress"] == 1
    assert await redis_server.lets_go([word])
    await store.close()
    await redis.aclose()


Between = Callable[[Rewriting], Awaitable[object]]


def between(monkeypatch: pytest.MonkeyPatch, store: RedisStore, *done: Between) -> None:
    """Once each, in turn, after a store has made a session's streams anew and before they take the others' place."""
    make, waiting = Rewriting.make, list(done)

    async def made(self: Rewriting, changes: Mapping[int, Event | None], head: int) -> list[int]:
        counts = await make(self, changes, head)
        if self.door is store._door and waiting:
            await waiting.pop(0)(self)
        return counts

    monkeypatch.setattr(Rewriting, "make", made)


async def test_a_rewriting_that_another_node_overtook_begins_anew(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = RedisStore(redis_server.url), RedisStore(redis_server.url)
    await store.append("a", [started(), span(0), gap(1)])
    between(monkeypatch, store, lambda _: other.append("a", [gap(2)]), lambda _: other.append("a", [gap(3)]))
    assert await store.rewrite("a", {3: None}, [gap(9)]) == 6
    assert [one.sequence for one in await replayed(store, "a", audio=True)] == [1, 2, 4, 5, 6]
    # What another one put in the place of something stays: it may have been struck from what this one was made of.
    for number, theirs in enumerate([{4: gap(7)}, {2: None}]):
        between(monkeypatch, store, lambda _, theirs=theirs: other.rewrite("a", theirs))  # type: ignore[misc]
        with pytest.raises(Overtaken):
            await store.rewrite("a", {4: gap(2), 5: gap(number)}, [gap(9)])
        found = await replayed(store, "a", audio=True)
        assert [one.sequence for one in found] == [1, *[2, 4, 5, 6][number:]]
        assert same(found[-3].event, gap(7))
        assert same(found[-2].event, gap(3))
    assert await store.rewrite("a", {5: None}) == 6
    redis = Redis.from_url(redis_server.url)
    assert len(await redis.keys("*session:a:*")) == 2  # its counter and its events: nothing of a try is left
    await redis.aclose()
    await store.close()
    await other.close()


async def test_a_log_is_not_replaced_by_what_is_not_whole(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, redis = RedisStore(redis_server.url), Redis.from_url(redis_server.url)
    await store.append("a", [started(), *(span(number, 16) for number in range(300)), gap(1)])

    async def cut(rewriting: Rewriting) -> None:
        await redis.xtrim(rewriting.beside[1], maxlen=44)  # as where it ran out between two pieces

    gone = [lambda rewriting, at=at: redis.unlink(rewriting.beside[at]) for at in (0, 1)]
    between(monkeypatch, store, *gone, cut)
    assert await store.rewrite("a", {2: None}, [gap(9)]) == 303
    found = await replayed(store, "a", audio=True)
    assert [one.sequence for one in found] == [1, *range(3, 304)]
    assert await redis.ttl("sameday:session:a:audio") == -1
    await redis.aclose()
    await store.close()


async def test_a_rewriting_whose_caller_goes_away_leaves_the_log_whole(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, redis = RedisStore(redis_server.url), Redis.from_url(redis_server.url)
    await store.append("a", [started(), span(0), gap(1)])
    sent, fenced = asyncio.Event(), store._fenced

    async def slow(*given: Any) -> Any:
        sent.set()
        await asyncio.sleep(0.2)  # as where the server does not know the script yet
        return await fenced(*given)

    monkeypatch.setattr(store, "_fenced", slow)
    asked = asyncio.create_task(store.rewrite("a", {2: None}, [gap(9)]))
    await sent.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await store.close()
    after = RedisStore(redis_server.url)
    assert [one.sequence for one in await replayed(after, "a", audio=True)] == [1, 3, 4]
    assert len(await redis.keys("*session:a:*")) == 2
    await redis.aclose()
    await after.close()
