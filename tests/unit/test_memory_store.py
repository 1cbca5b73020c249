"""The log in memory."""

import pytest
from store_contract import OpenStore, StoreContract, gap, replayed, span

from streaming.memory_store import MemoryStore
from streaming.ports import Store

pytestmark = pytest.mark.unit


@pytest.fixture
def open_store() -> OpenStore:
    async def opened() -> Store:
        return MemoryStore(audio_ticks=None)

    return opened


class TestMemoryStore(StoreContract):
    """With all audio kept it is a store like the others."""


async def test_audio_is_bounded_and_the_oldest_goes_first() -> None:
    store = MemoryStore(audio_ticks=7000)
    await store.append("a", [span(0), gap(1), span(1), span(2)])
    assert [stored.sequence for stored in await replayed(store, "a", audio=True)] == [2, 3, 4]


async def test_no_audio_is_kept_by_default_but_it_is_counted() -> None:
    store = MemoryStore()
    assert await store.append("a", [span(0), gap(1)]) == 2
    assert [stored.sequence for stored in await replayed(store, "a", audio=True)] == [2]


async def test_a_kept_span_does_not_change_with_its_makers_buffer() -> None:
    store = MemoryStore(audio_ticks=None)
    made = span(0)
    await store.append("a", [made])
    made.pcm[:] = 0
    (stored,) = await replayed(store, "a", audio=True)
    assert stored.event.pcm.any()  # type: ignore[union-attr]
