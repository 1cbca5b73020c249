"""What every keeper of records promises. A test module subclasses the classes here and provides `open_records`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from streaming.errors import Conflict, UnknownRecord
from streaming.ports import Record, Records

OpenRecords = Callable[[], AbstractAsyncContextManager[Records]]


class RecordsContract:
    """Promises that need no second opening."""

    @pytest.fixture
    async def records(self, open_records: OpenRecords) -> AsyncIterator[Records]:
        async with open_records() as records:
            yield records

    async def test_a_record_comes_back_with_its_version(self, records: Records) -> None:
        assert await records.put("chart", "a", {"goals": ["sleep"]}) == 1
        assert await records.put("chart", "a", {"goals": ["sleep", "work"]}) == 2
        assert await records.get("chart", "a") == Record("chart", "a", 2, {"goals": ["sleep", "work"]})

    async def test_an_unknown_one_is_refused(self, records: Records) -> None:
        await records.put("chart", "a", {})
        for kind, key in (("chart", "b"), ("visit", "a")):
            with pytest.raises(UnknownRecord):
                await records.get(kind, key)
            with pytest.raises(UnknownRecord):
                await records.remove(kind, key)
            with pytest.raises(UnknownRecord):
                await records.remove(kind, key, version=3)
        assert await records.all("visit") == []

    async def test_all_of_a_kind_come_by_key(self, records: Records) -> None:
        for key in ("c", "a", "ä", "b"):
            await records.put("chart", key, {"key": key})
        await records.put("visit", "d", {})
        found = await records.all("chart")
        assert [(one.key, one.version, one.body) for one in found] == [
            (key, 1, {"key": key}) for key in ("a", "b", "c", "ä")
        ]

    async def test_an_older_version_changes_nothing(self, records: Records) -> None:
        await records.put("chart", "a", {"n": 1}, version=0)
        await records.put("chart", "a", {"n": 2}, version=1)
        for version in (0, 1, 3):
            with pytest.raises(Conflict) as refused:
                await records.put("chart", "a", {"n": 3}, version=version)
            assert refused.value.current == 2
            with pytest.raises(Conflict):
                await records.remove("chart", "a", version=version)
        assert (await records.get("chart", "a")).body == {"n": 2}

    async def test_a_version_of_what_is_not_there_is_a_conflict(self, records: Records) -> None:
        with pytest.raises(Conflict) as refused:
            await records.put("chart", "a", {}, version=1)
        assert refused.value.current == 0
        assert await records.all("chart") == []

    async def test_what_was_removed_is_gone_and_counts_anew(self, records: Records) -> None:
        await records.put("chart", "a", {})
        await records.put("chart", "b", {})
        await records.put("chart", "a", {})
        await records.remove("chart", "a", version=2)
        await records.remove("chart", "b")
        assert await records.all("chart") == []
        assert await records.put("chart", "a", {}, version=0) == 1

    async def test_many_are_removed_at_once_and_others_stay(self, records: Records) -> None:
        for key in ("a", "b", "c"):
            await records.put("chart", key, {})
        await records.put("visit", "a", {})
        assert await records.remove_all("chart", ["a", "c", "d"]) == 2
        assert await records.remove_all("chart", ["a"]) == 0
        assert await records.remove_all("chart", []) == 0
        assert [one.key for one in await records.all("chart")] == ["b"]
        assert [one.key for one in await records.all("visit")] == ["a"]
        assert await records.put("chart", "a", {}, version=0) == 1

    async def test_one_of_many_at_once_wins(self, records: Records) -> None:
        await records.put("chart", "a", {"by": None})
        results = await asyncio.gather(
            *(records.put("chart", "a", {"by": n}, version=1) for n in range(20)), return_exceptions=True
        )
        won = [n for n, result in enumerate(results) if result == 2]
        assert len(won) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 19
        assert (await records.get("chart", "a")).body == {"by": won[0]}

    async def test_any_text_comes_back(self, records: Records) -> None:
        body: dict[str, Any] = {
            "text": "naïve “quotes” 😀 \x00 \ud800 \n<b>",
            "none": None,
            "numbers": [1, 2.5, True],
            "": {},
        }
        await records.put("sé:1 *", "k/1 \n?", body)
        assert (await records.get("sé:1 *", "k/1 \n?")).body == body
        assert [one.key for one in await records.all("sé:1 *")] == ["k/1 \n?"]

    @pytest.mark.parametrize("body", [{"a": object()}, {"a": float("nan")}, {("a",): 1}])
    async def test_what_json_cannot_say_is_refused(self, records: Records, body: dict[str, Any]) -> None:
        with pytest.raises((TypeError, ValueError)):
            await records.put("chart", "a", body)
        assert await records.all("chart") == []

    async def test_a_kept_record_does_not_change_with_its_makers_object(self, records: Records) -> None:
        body: dict[str, Any] = {"goals": ["sleep"]}
        await records.put("chart", "a", body)
        body["goals"].append("work")
        found = await records.get("chart", "a")
        found.body["goals"].clear()
        assert (await records.get("chart", "a")).body == {"goals": ["sleep"]}


class DurableRecordsContract(RecordsContract):
    """Promises of records that outlive their process."""

    async def test_records_outlive_a_closing(self, open_records: OpenRecords) -> None:
        async with open_records() as first:
            await first.put("chart", "a", {"n": 1})
            await first.put("chart", "a", {"n": 2})
            await first.put("chart", "b", {})
            await first.remove("chart", "b")
        async with open_records() as second:
            assert await second.all("chart") == [Record("chart", "a", 2, {"n": 2})]
            assert await second.put("chart", "a", {"n": 3}, version=2) == 3

    async def test_two_openings_see_each_other(self, open_records: OpenRecords) -> None:
        async with open_records() as one, open_records() as other:
            await one.put("chart", "a", {"n": 1})
            assert await other.put("chart", "a", {"n": 2}, version=1) == 2
            with pytest.raises(Conflict):
                await one.put("chart", "a", {"n": 3}, version=1)
