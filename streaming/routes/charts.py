"""Clients' charts: kept, looked at, changed by version, removed."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header
from fastapi.responses import JSONResponse, Response

from streaming import charts
from streaming.errors import VersionNeeded
from streaming.ports import Record
from streaming.serving import Server

IfMatch = Annotated[str | None, Header(max_length=64)]


def router(server: Server) -> APIRouter:
    """Routes under `/api/charts`."""
    routes = APIRouter()

    @routes.post("/api/charts", status_code=201)
    async def create(body: Annotated[Any, Body()]) -> JSONResponse:
        made = await charts.create(server.records, body)
        return _told(made, 201, {"Location": f"/api/charts/{made.key}"})

    @routes.get("/api/charts")
    async def look_at_all() -> dict[str, Any]:
        return {"charts": [_body(one) for one in await charts.by_name(server.records)]}

    @routes.get("/api/charts/{key}")
    async def look(key: str) -> JSONResponse:
        return _told(await server.records.get(charts.KIND, key))

    @routes.put("/api/charts/{key}")
    async def change(key: str, body: Annotated[Any, Body()], if_match: IfMatch = None) -> JSONResponse:
        version = _version(if_match, body)
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name != "version"}
        return _told(await charts.replace(server.records, key, body, version))

    @routes.delete("/api/charts/{key}", status_code=204)
    async def remove(key: str, if_match: IfMatch = None) -> Response:
        version = None if if_match is None else _version(if_match, None)
        await server.records.remove(charts.KIND, key, version=version)
        return Response(status_code=204)

    return routes


def _version(if_match: str | None, body: object) -> int:
    """The version that a change was made on, of the header or else of the body. Raises VersionNeeded."""
    given = body.get("version") if isinstance(body, dict) and if_match is None else if_match
    if isinstance(given, str):
        digits = given.strip().removeprefix("W/").strip('"')
        given = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    if not isinstance(given, int) or isinstance(given, bool):
        raise VersionNeeded(
            "A change says which version it was made on.", mend="Send `If-Match` with the ETag, or `version`."
        )
    return given


def _body(record: Record) -> dict[str, Any]:
    return {**record.body, "version": record.version}


def _told(record: Record, status: int = 200, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(_body(record), status, {"ETag": f'"{record.version}"', **(headers or {})})
