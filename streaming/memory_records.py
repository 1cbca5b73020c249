"""Records in memory, for tests and for runs that keep nothing."""

from collections.abc import Sequence
from typing import Any

from streaming import record_json
from streaming.ports import Record


class MemoryRecords:
    """Implements `ports.Records` without durability: acknowledged means held in memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[int, str]] = {}

    async def put(self, kind: str, key: str, body: dict[str, Any], *, version: int | None = None) -> int:
        text = record_json.encode(body)
        stored = self._version(kind, key)
        if version is not None and version != stored:
            raise record_json.conflict(stored)
        self._kept[kind, key] = (stored + 1, text)
        return stored + 1

    async def get(self, kind: str, key: str) -> Record:
        try:
            return record_json.restore(kind, key, *self._kept[kind, key])
        except KeyError:
            raise record_json.unknown() from None

    async def all(self, kind: str) -> list[Record]:
        return [record_json.restore(*place, *kept) for place, kept in sorted(self._kept.items()) if place[0] == kind]

    async def remove(self, kind: str, key: str, *, version: int | None = None) -> None:
        stored = self._version(kind, key)
        if not stored:
            raise record_json.unknown()
        if version is not None and version != stored:
            raise record_json.conflict(stored)
        del self._kept[kind, key]

    async def remove_all(self, kind: str, keys: Sequence[str]) -> int:
        return sum(self._kept.pop((kind, key), None) is not None for key in keys)

    def _version(self, kind: str, key: str) -> int:
        return self._kept[kind, key][0] if (kind, key) in self._kept else 0
