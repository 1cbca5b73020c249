"""A practice's own part of the records: what it keeps, no other practice finds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from streaming.ports import Record, Records
from streaming.seats import LOCAL


class PracticeRecords:
    """Implements `ports.Records` on those of the house, under kinds of the practice's own.

    The practice of a machine without accounts has the plain kinds. No name of a practice holds ":" or "@".
    """

    def __init__(self, records: Records, practice: str) -> None:
        self._records = records
        self._practice = practice

    async def put(self, kind: str, key: str, body: dict[str, Any], *, version: int | None = None) -> int:
        return await self._records.put(self._own(kind), key, body, version=version)

    async def get(self, kind: str, key: str) -> Record:
        return replace(await self._records.get(self._own(kind), key), kind=kind)

    async def all(self, kind: str) -> list[Record]:
        return [replace(one, kind=kind) for one in await self._records.all(self._own(kind))]

    async def remove(self, kind: str, key: str, *, version: int | None = None) -> None:
        await self._records.remove(self._own(kind), key, version=version)

    async def remove_all(self, kind: str, keys: Sequence[str]) -> int:
        return await self._records.remove_all(self._own(kind), keys)

    def _own(self, kind: str) -> str:
        return kind if self._practice == LOCAL else f"{self._practice}:{kind}"
