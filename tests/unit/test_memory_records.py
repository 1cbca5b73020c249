"""Records in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from records_contract import OpenRecords, RecordsContract

from streaming import record_json
from streaming.errors import StoreFailed
from streaming.memory_records import MemoryRecords
from streaming.ports import Records

pytestmark = pytest.mark.unit


@pytest.fixture
def open_records() -> OpenRecords:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Records]:
        yield MemoryRecords()

    return opened


class TestMemoryRecords(RecordsContract):
    """The contract."""


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "null"])
def test_a_text_that_is_no_record_is_a_clear_failure(text: str) -> None:
    with pytest.raises(StoreFailed, match="cannot be read"):
        record_json.restore("chart", "a", 1, text)
