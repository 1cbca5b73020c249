"""Leases on a real Redis: one node writes a session, and those of a node that is gone go to one that has room."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis_server import RedisServer, running_redis

from streaming.errors import Fenced
from streaming.events import SessionEnded
from streaming.nodes import Nodes
from streaming.redis_store import RedisStore

pytestmark = pytest.mark.redis
DEAD_S = 0.5
EVENT = SessionEnded("2026-01-31T10:00:00+01:00", "requested", ())


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    yield from running_redis(tmp_path_factory.mktemp("redis"))


class Cluster:
    """Nodes that share a prefix of their own."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._prefix = prefix
        self.stores: list[RedisStore] = []

    def node(self, name: str, capacity: int = 4) -> tuple[Nodes, RedisStore]:
        store = RedisStore(self._url, prefix=self._prefix)
        self.stores.append(store)
        return Nodes(store, f"http://{name}", capacity, DEAD_S), store


@pytest.fixture
async def cluster(redis_server: RedisServer, request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    made = Cluster(redis_server.url, request.node.name)
    yield made
    for store in made.stores:
        await store.close()


async def beat_until(*nodes: Nodes, seconds: float) -> None:
    for _ in range(round(seconds / 0.1)):
        for node in nodes:
            await node.beat()
        await asyncio.sleep(0.1)


async def test_who_lost_its_lease_writes_nothing_and_hears_of_it(cluster: Cluster) -> None:
    (one, store), (other, others) = cluster.node("one"), cluster.node("other")
    heard: list[str] = []
    store.on_fenced = heard.append
    await one.beat()
    await one.take("s")
    assert await store.append("s", [EVENT]) == 1
    await beat_until(other, seconds=3 * DEAD_S)  # `one` is paused
    owner = await other.owner("s")
    assert owner is not None
    assert (owner.node, owner.url, owner.alive) == (other.id, "http://other", True)
    with pytest.raises(Fenced):
        await store.append("s", [EVENT])
    with pytest.raises(Fenced):
        await store.drop_audio("s")
    with pytest.raises(Fenced):
        await store.rewrite("s", {1: None})
    with pytest.raises(Fenced):
        await store.purge("s", EVENT)
    assert heard == ["s", "s", "s", "s"]
    assert [one.sequence async for one in store.replay("s")] == [1]
    assert "s" not in (await one.beat()).held
    other.hold("s", other.standing.held["s"])
    assert await others.append("s", [EVENT]) == 2
    assert len([stored async for stored in store.replay("s")]) == 2


async def test_nobody_writes_a_session_that_another_has(cluster: Cluster) -> None:
    (one, store), (_, stranger) = cluster.node("one"), cluster.node("other")
    await one.beat()
    await one.take("s")
    with pytest.raises(Fenced):
        await stranger.append("s", [EVENT])
    await one.drop("s")
    assert await one.owner("s") is None
    assert await stranger.append("s", [EVENT]) == 1  # a note is worked at on any node
    assert await store.append("s", [EVENT]) == 2


async def test_a_lease_that_ended_is_not_written_under_by_who_had_it_before(cluster: Cluster) -> None:
    (one, store), (other, _) = cluster.node("one"), cluster.node("other")
    await one.beat()
    await other.beat()
    await one.take("s")
    await one.beat(draining=True)
    assert await one.give("s") == "http://other"
    other.hold("s", (await other.beat()).held["s"])
    await other.drop("s")
    with pytest.raises(Fenced):
        await store.append("s", [EVENT])


async def test_sessions_go_to_the_least_loaded_that_has_room_and_wait_where_none_has(cluster: Cluster) -> None:
    one, small, large = (cluster.node(name, room)[0] for name, room in (("one", 9), ("small", 1), ("large", 4)))
    for node in (one, small, large):
        await node.beat()
    for number in range(6):
        await one.take(f"s{number}")
    await one.beat(draining=True)
    went = [await one.give(f"s{number}") for number in range(6)]
    assert went == ["http://large", "http://large", "http://large", "http://large", "http://small", ""] or sorted(
        went
    ) == ["", *["http://large"] * 4, "http://small"]
    assert (await large.beat()).waiting == 1
    assert len(large.standing.held) == 4


async def test_after_an_absence_of_the_store_nobody_is_taken_for_dead_at_once(cluster: Cluster) -> None:
    one, other = cluster.node("one")[0], cluster.node("other")[0]
    await beat_until(one, other, seconds=2 * DEAD_S)
    await one.take("s")
    await asyncio.sleep(2 * DEAD_S)
    assert (await other.beat()).held == {}
    assert "s" in (await one.beat()).held
