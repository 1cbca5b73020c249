"""Clients' charts among the practice's records, and what a chart lends to a session."""

import uuid
from typing import Any

from drafting import chart as charts
from streaming import context_json
from streaming.errors import UnknownRecord
from streaming.events import ContextGiven
from streaming.ports import Record, Records
from streaming.types import NoteContext

KIND = "chart"


async def create(records: Records, body: object) -> Record:
    """A chart under an id of its own. Raises BadChart, StoreFailed."""
    key = uuid.uuid4().hex
    made = _checked(key, body)
    return Record(KIND, key, await records.put(KIND, key, made, version=0), made)


async def replace(records: Records, key: str, body: object, version: int) -> Record:
    """A chart with other content. Raises BadChart, UnknownRecord, Conflict, StoreFailed."""
    await records.get(KIND, key)
    made = _checked(key, body)
    return Record(KIND, key, await records.put(KIND, key, made, version=version), made)


async def by_name(records: Records) -> list[Record]:
    """All charts, by the client's name. Raises StoreFailed."""
    found = await records.all(KIND)
    return sorted(found, key=lambda one: (str(one.body.get("client", "")).casefold(), one.key))


async def context(records: Records, client: str | None, entered: NoteContext) -> ContextGiven:
    """What is known of a session beside the talk: the chart as it is now, and what was entered.

    Raises UnknownRecord where there is no such chart, BadChart, StoreFailed.
    """
    known = entered
    if client is not None:
        found = await _chart(records, client)
        known = charts.context_of(charts.from_json(found.body), entered)
    return ContextGiven(client, context_json.write(entered), context_json.write(known))


async def there(records: Records, client: str) -> str | None:
    """The id of a chart if there is one: a visit may name its client by another system's id. Raises StoreFailed."""
    try:
        return (await records.get(KIND, client)).key if client else None
    except UnknownRecord:
        return None


async def _chart(records: Records, client: str) -> Record:
    try:
        return await records.get(KIND, client)
    except UnknownRecord:
        raise UnknownRecord("There is no such chart.", mend="POST /api/charts makes one.") from None


def _checked(key: str, body: object) -> dict[str, Any]:
    """The chart as it is kept: checked, with all its fields. Raises BadChart."""
    if isinstance(body, dict):
        if body.get("id", key) != key:
            raise charts.BadChart("chart.id is the server's to give.", mend="Leave it out.")
        body = {**body, "id": key}
    return charts.as_json(charts.from_json(body))
