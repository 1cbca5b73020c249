"""What every store promises. A test module subclasses the classes here and provides the fixture `open_store`."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from streaming.errors import Overtaken, SessionPurged, StoreFailed
from streaming.events import (
    AudioSpan,
    Event,
    GapMarked,
    NoteDrafted,
    SessionEnded,
    SessionStarted,
    StageFailed,
    Stored,
)
from streaming.ports import Store
from streaming.types import Gap, Tick, TrackId, TrackPlan
from streaming.vault import Vault

OpenStore = Callable[[], Awaitable[Store]]

MIC = TrackId("mic")
WRITER = Path(__file__).parent / "store_writer.py"


class OneKey:
    """A source of one master key, the same in all processes of a test."""

    def read(self, *, make: bool) -> Sequence[bytes]:
        return [b"\x07" * 32]


def a_vault() -> Vault:
    """What the stores of these tests seal with."""
    return Vault(OneKey())


def started() -> SessionStarted:
    return SessionStarted("2026-01-31T10:00:00+01:00", (TrackPlan(MIC, 2),), ("clinician", "client"))


def gap(number: int) -> GapMarked:
    return GapMarked(Gap(MIC, Tick(number), Tick(number + 1), "packet_loss"))


def span(number: int, ticks: int = 3200) -> AudioSpan:
    """Samples that differ for each number."""
    samples = np.random.default_rng(number).integers(-32768, 32767, ticks, dtype=np.int16)
    return AudioSpan(MIC, Tick(number * ticks), samples)


async def replayed(store: Store, session: str, after: int = 0, *, audio: bool = False) -> list[Stored]:
    return [stored async for stored in store.replay(session, after, audio=audio)]


def same(left: Event, right: Event) -> bool:
    """Equality that looks into the audio; dataclasses would compare arrays element by element."""
    if isinstance(left, AudioSpan) and isinstance(right, AudioSpan):
        return (left.track, left.start) == (right.track, right.start) and np.array_equal(left.pcm, right.pcm)
    return left == right


def assert_log(found: Sequence[Stored], expected: Sequence[Event], first: int = 1) -> None:
    assert [stored.sequence for stored in found] == list(range(first, first + len(expected)))
    assert all(same(stored.event, event) for stored, event in zip(found, expected, strict=True))


class StoreContract:
    """Promises that need no second opening."""

    @pytest.fixture
    async def store(self, open_store: OpenStore) -> AsyncIterator[Store]:
        store = await open_store()
        yield store
        await store.close()

    async def test_numbers_count_from_one_in_order_of_append(self, store: Store) -> None:
        assert await store.append("a", [started()]) == 1
        assert await store.append("a", [gap(1), gap(2)]) == 3
        assert await store.append("a", [gap(3)]) == 4
        assert_log(await replayed(store, "a"), [started(), gap(1), gap(2), gap(3)])

    async def test_an_unknown_session_gives_nothing(self, store: Store) -> None:
        await store.append("a", [started()])
        assert await replayed(store, "b", audio=True) == []
        await store.drop_audio("b")
        assert await store.sessions() == ["a"]

    async def test_an_empty_batch_changes_nothing(self, store: Store) -> None:
        assert await store.append("a", []) == 0
        assert await store.sessions() == []
        await store.append("a", [started(), gap(1)])
        assert await store.append("a", []) == 2
        assert len(await replayed(store, "a")) == 2

    async def test_replay_begins_after_a_number(self, store: Store) -> None:
        await store.append("a", [gap(number) for number in range(1, 11)])
        assert_log(await replayed(store, "a", 7), [gap(8), gap(9), gap(10)], first=8)
        assert await replayed(store, "a", 10) == []
        assert await replayed(store, "a", 99) == []

    async def test_audio_comes_back_bit_for_bit_and_in_its_place(self, store: Store) -> None:
        events: list[Event] = [started(), span(0), gap(1), span(1), span(2, 1), span(3, 0), gap(2), span(4, 16000)]
        await store.append("a", events)
        assert_log(await replayed(store, "a", audio=True), events)

    async def test_audio_stays_out_of_a_replay_that_did_not_ask(self, store: Store) -> None:
        await store.append("a", [started(), span(0), span(1), gap(1), span(2)])
        found = await replayed(store, "a")
        assert [stored.sequence for stored in found] == [1, 4]
        assert not any(isinstance(stored.event, AudioSpan) for stored in found)

    async def test_dropped_audio_is_gone_and_its_numbers_stay_taken(self, store: Store) -> None:
        await store.append("a", [started(), *(span(number, 16) for number in range(700))])
        await store.append("b", [span(0)])
        await store.drop_audio("a")
        assert [stored.sequence for stored in await replayed(store, "a", audio=True)] == [1]
        assert await store.append("a", [gap(1)]) == 702
        assert [stored.sequence for stored in await replayed(store, "a", audio=True)] == [1, 702]
        assert_log(await replayed(store, "b", audio=True), [span(0)])

    async def test_rewritten_entries_keep_their_places(self, store: Store) -> None:
        await store.append("a", [started(), span(0), gap(1), span(1), gap(2), span(2), gap(3)])
        await store.append("b", [span(0), gap(1)])
        await store.rewrite("a", {2: span(9, 10), 3: None, 5: gap(7), 6: None})
        found = await replayed(store, "a", audio=True)
        assert [stored.sequence for stored in found] == [1, 2, 4, 5, 7]
        expected: list[Event] = [started(), span(9, 10), span(1), gap(7), gap(3)]
        assert all(same(stored.event, event) for stored, event in zip(found, expected, strict=True))
        assert await store.append("a", [gap(8)]) == 8
        assert_log(await replayed(store, "b", audio=True), [span(0), gap(1)])

    async def test_a_long_log_is_rewritten_whole(self, store: Store) -> None:
        await store.append("a", [started(), *(span(number, 16) for number in range(600))])
        assert await store.rewrite("a", {257: span(9, 10), 600: None}, [gap(1)]) == 602
        found = await replayed(store, "a", audio=True)
        assert [stored.sequence for stored in found] == [*range(1, 600), 601, 602]
        assert same(found[256].event, span(9, 10))
        assert same(found[255].event, span(254, 16))

    async def test_what_is_told_of_a_rewriting_comes_with_it(self, store: Store) -> None:
        await store.append("a", [started(), span(0), gap(1), span(1)])
        assert await store.rewrite("a", {2: span(9, 10), 3: None}, [gap(5), gap(6)]) == 6
        found = await replayed(store, "a", audio=True)
        assert [stored.sequence for stored in found] == [1, 2, 4, 5, 6]
        expected: list[Event] = [started(), span(9, 10), span(1), gap(5), gap(6)]
        assert all(same(stored.event, event) for stored, event in zip(found, expected, strict=True))
        assert await store.rewrite("a", {}, [gap(7)]) == 7
        assert await store.append("a", [gap(8)]) == 8

    async def test_a_purged_session_keeps_its_receipt_and_takes_nothing_more(self, store: Store) -> None:
        await store.append("a", [started(), *(span(number, 16) for number in range(300))])
        await store.append("b", [started()])
        assert await store.purge("a", gap(5)) == 302
        assert_log(await replayed(store, "a", audio=True), [gap(5)], first=302)
        with pytest.raises(SessionPurged):
            await store.append("a", [gap(6)])
        with pytest.raises(SessionPurged):
            await store.rewrite("a", {302: gap(6)})
        with pytest.raises(SessionPurged):
            await store.purge("a", gap(6))
        assert (await store.left_open(), await store.with_audio()) == (["b"], [])
        assert await store.sessions() == ["a", "b"]

    async def test_what_was_decided_by_what_is_not_the_last_any_more_is_not_written(self, store: Store) -> None:
        assert await store.append("a", [started()], on=0) == 1
        assert await store.append("a", [gap(1), span(0)], on=1) == 3
        for on in (0, 1, 3):  # audio decides nothing
            with pytest.raises(Overtaken):
                await store.append("a", [gap(9)], on=on)
            with pytest.raises(Overtaken):
                await store.rewrite("a", {2: None}, [gap(9)], on=on)
            with pytest.raises(Overtaken):
                await store.purge("a", gap(9), on=on)
        assert_log(await replayed(store, "a", audio=True), [started(), gap(1), span(0)])
        assert await store.append("a", [gap(2)], on=2) == 4
        assert await store.rewrite("a", {2: gap(8)}, [gap(3)], on=4) == 5
        assert await store.rewrite("a", {}, [gap(4)], on=5) == 6
        with pytest.raises(Overtaken):
            await store.rewrite("a", {2: gap(1)}, [gap(9)], on=5)
        assert await store.purge("a", gap(5), on=6) == 7
        with pytest.raises(SessionPurged):
            await store.append("a", [gap(6)], on=6)

    async def test_a_rewriting_puts_nothing_back_that_was_dropped_meanwhile(self, store: Store) -> None:
        await store.append("a", [started(), span(0), gap(1)])
        await store.drop_audio("a")
        assert await store.rewrite("a", {2: span(9, 10), 3: gap(7)}, [gap(8)], on=3) == 4
        assert [one.sequence for one in await replayed(store, "a", audio=True)] == [1, 3, 4]

    async def test_a_long_log_is_replayed_whole(self, store: Store) -> None:
        events: list[Event] = [span(number, 32) if number % 3 else gap(number) for number in range(1500)]
        for at in range(0, len(events), 100):
            await store.append("a", events[at : at + 100])
        assert_log(await replayed(store, "a", audio=True), events)
        assert_log(await replayed(store, "a", 700, audio=True), events[700:], first=701)
        assert [stored.sequence for stored in await replayed(store, "a")] == list(range(1, 1501, 3))

    async def test_a_replay_takes_in_what_was_acknowledged_before_it(self, store: Store) -> None:
        await store.append("a", [started()])
        replay = store.replay("a")
        await store.append("a", [gap(1)])
        assert [stored.sequence async for stored in replay] == [1, 2]

    async def test_sessions_do_not_mix_and_come_oldest_first(self, store: Store) -> None:
        names = [f"s{number}" for number in (3, 1, 2, 10)]
        for name in names:
            await store.append(name, [started()])

        async def talk(name: str, offset: int) -> list[int]:
            return [await store.append(name, [gap(offset + n), span(offset + n, 160)]) for n in range(20)]

        heads = await asyncio.gather(*(talk(name, 1000 * at) for at, name in enumerate(names)))
        assert await store.sessions() == names
        for at, (name, acknowledged) in enumerate(zip(names, heads, strict=True)):
            assert acknowledged == list(range(3, 42, 2))
            talked = [event for n in range(20) for event in (gap(1000 * at + n), span(1000 * at + n, 160))]
            assert_log(await replayed(store, name, audio=True), [started(), *talked])

    async def test_sessions_left_open_and_those_with_audio_are_found(self, store: Store) -> None:
        assert (await store.left_open(), await store.with_audio()) == ([], [])
        over, noted = SessionEnded("2026-01-31T10:50:00+01:00", "requested", ()), NoteDrafted({"format": "soap"})
        logs: dict[str, list[Event]] = {"a": [span(0)], "b": [over, noted], "c": [over], "d": [span(0), over, noted]}
        for name, events in logs.items():
            await store.append(name, [started(), *events])
        await store.append("b", [StageFailed("draft", "SessionEnded")])
        assert await store.left_open() == ["a", "c"]
        assert await store.with_audio() == ["a", "d"]
        await store.drop_audio("d")
        assert await store.with_audio() == ["a"]

    async def test_writers_of_one_session_get_a_dense_log_of_whole_batches(self, store: Store) -> None:
        async def write(writer: int) -> None:
            for _ in range(10):
                await store.append("a", [gap(writer), gap(writer), gap(writer)])

        await asyncio.gather(*(write(writer) for writer in range(8)))
        found = await replayed(store, "a")
        assert [stored.sequence for stored in found] == list(range(1, 241))
        kinds = [stored.event for stored in found]
        assert all(kinds[at] == kinds[at + 1] == kinds[at + 2] for at in range(0, 240, 3))

    async def test_any_text_comes_back(self, store: Store) -> None:
        note = {"text": "naïve “quotes” 😀 \x00 \ud800 \n", "none": None, "numbers": [1, 2.5, True]}
        await store.append("séance/1 *", [NoteDrafted(note), StageFailed("draft", "overloaded")])
        assert_log(await replayed(store, "séance/1 *"), [NoteDrafted(note), StageFailed("draft", "overloaded")])
        assert await store.sessions() == ["séance/1 *"]

    async def test_a_cancelled_append_leaves_the_store_usable(self, store: Store) -> None:
        task = asyncio.ensure_future(store.append("a", [gap(1)]))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        head = await store.append("a", [gap(2)])
        found = await replayed(store, "a")
        assert [stored.sequence for stored in found] == list(range(1, head + 1))
        assert found[-1].event == gap(2)

    async def test_a_closed_store_takes_and_gives_nothing(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append("a", [started()])
        await store.close()
        await store.close()
        with pytest.raises(StoreFailed, match="closed"):
            await store.append("a", [gap(1)])


class DurableStoreContract(StoreContract):
    """Promises of a log that outlives its process. The fixture `address` is what store_writer.py opens."""

    async def test_a_reopened_log_goes_on(self, open_store: OpenStore) -> None:
        first = await open_store()
        await first.append("a", [started(), span(0)])
        await first.close()
        second = await open_store()
        assert await second.append("a", [gap(1)]) == 3
        assert_log(await replayed(second, "a", audio=True), [started(), span(0), gap(1)])
        await second.close()

    async def test_numbers_stay_taken_when_the_last_audio_was_dropped_before_reopening(
        self, open_store: OpenStore
    ) -> None:
        first = await open_store()
        await first.append("a", [started(), span(0)])
        await first.drop_audio("a")
        await first.close()
        second = await open_store()
        assert await second.append("a", [gap(1)]) == 3
        await second.close()

    async def test_closing_finishes_what_was_appended(self, open_store: OpenStore) -> None:
        first = await open_store()
        await first.append("a", [started()])
        pending = [asyncio.ensure_future(first.append("a", [span(number)])) for number in range(50)]
        await asyncio.sleep(0)
        await first.close()
        await asyncio.gather(*pending)
        second = await open_store()
        assert len(await replayed(second, "a", audio=True)) == 51
        await second.close()

    async def test_two_open_stores_share_the_numbers(self, open_store: OpenStore) -> None:
        stores = [await open_store(), await open_store()]
        await asyncio.gather(*(store.append("a", [gap(n), gap(n)]) for n in range(20) for store in stores))
        found = await replayed(stores[0], "a")
        assert [stored.sequence for stored in found] == list(range(1, 81))
        for store in stores:
            await store.close()

    async def test_of_two_that_decide_at_once_neither_decides_by_what_is_old(self, open_store: OpenStore) -> None:
        stores = [await open_store(), await open_store()]
        await stores[0].append("a", [started()])

        async def count(store: Store) -> None:
            for _ in range(8):
                while True:
                    last = (await replayed(store, "a"))[-1].sequence
                    try:
                        await store.append("a", [gap(last)], on=last)
                        break
                    except Overtaken:
                        continue

        await asyncio.gather(*map(count, stores))
        found = await replayed(stores[0], "a")
        assert_log(found, [started(), *map(gap, range(1, 17))])
        for store in stores:
            await store.close()

    async def test_a_session_that_another_store_purged_is_read_as_purged(self, open_store: OpenStore) -> None:
        one, other = await open_store(), await open_store()
        await one.append("a", [started()])
        assert len(await replayed(other, "a")) == 1  # it has seen the session's data key
        await one.purge("a", gap(5), on=1)
        assert_log(await replayed(other, "a"), [gap(5)], first=2)
        for store in (one, other):
            await store.close()

    async def test_what_was_acknowledged_outlives_a_killed_writer(self, open_store: OpenStore, address: str) -> None:
        acknowledged = await asyncio.to_thread(kill_writer, address, 400)
        assert sum(acknowledged.values()) >= 400
        await self.assert_holds(open_store, acknowledged)

    async def assert_holds(self, open_store: OpenStore, acknowledged: dict[str, int]) -> None:
        """Every acknowledged event of store_writer.py is there, whole and in order, and the log goes on."""
        store = await open_store()
        for session, head in acknowledged.items():
            found = await replayed(store, session, audio=True)
            assert len(found) >= head
            assert len(found) % 2 == 0  # batches of two, whole or not at all
            assert_log(found, [event for n in range(len(found) // 2) for event in (span(n), gap(n))])
            assert await store.append(session, [gap(0)]) == len(found) + 1
        await store.close()


def start_writer(address: str) -> "subprocess.Popen[str]":
    """A process that appends to four sessions and prints a line for each acknowledgement."""
    return subprocess.Popen(
        [sys.executable, str(WRITER), address],
        stdout=subprocess.PIPE,
        text=True,
        cwd=WRITER.parents[1],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(WRITER.parents[1]), str(WRITER.parent)])},
    )


def read_acknowledged(writer: "subprocess.Popen[str]", enough: int | None) -> dict[str, int]:
    """The last acknowledged number of each session, read until there are `enough`, or to the end."""
    assert writer.stdout is not None
    heads: dict[str, int] = {}
    for line in writer.stdout:
        if not line.endswith("\n"):
            break  # killed in the middle of a line
        session, head = line.split()
        heads[session] = int(head)
        if enough is not None and sum(heads.values()) >= enough:
            break
    return heads


def kill_writer(address: str, enough: int) -> dict[str, int]:
    """Kill a writer with SIGKILL while it writes; what it had acknowledged by then."""
    with start_writer(address) as writer:
        heads = read_acknowledged(writer, enough)
        writer.send_signal(signal.SIGKILL)
        return heads | read_acknowledged(writer, None)
