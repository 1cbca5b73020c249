"""Recaps, visits, the backlog and the clinician's self-check."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from drafting import backlog, plan_text, self_check
from drafting.visit_csv import MAX_BYTES, Imported, read_csv
from drafting.visit_ics import read_ics
from streaming import context_json, recap_book, recap_notes, seating, visit_book
from streaming.errors import PeerError
from streaming.local_zone import zone_of
from streaming.serving import Server

Id = Annotated[str, Field(min_length=1, max_length=64)]
Zone = Annotated[str | None, Query(max_length=64)]
DAYS_BACK = 366
"""How far back a calendar is read unless a first day is given."""


class RecapBody(BaseModel):
    """A recap as it is sent: typed, or dictated in an ended session."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    text: Annotated[str, Field(max_length=recap_book.MAX_LETTERS)] = ""
    session: Id | None = None
    format: Annotated[str, Field(max_length=64)] | None = None
    client: Id | None = None
    context: dict[str, Any] | None = None
    visit: Id | None = None
    written_on: date | None = None
    late_reason: Annotated[str, Field(max_length=500)] = ""
    zone: Annotated[str, Field(max_length=64)] | None = None


class AnswersBody(BaseModel):
    """Answers by the kind of their question."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    answers: Annotated[dict[str, Annotated[str, Field(max_length=2000)]], Field(min_length=1, max_length=12)]


class CheckBody(BaseModel):
    """Answers of the self-check, by question; gone when the pointers are sent."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    answers: Annotated[dict[str, Annotated[str, Field(max_length=40)]], Field(max_length=20)]
    country: Annotated[str, Field(max_length=8)] = "us"


def router(server: Server) -> APIRouter:
    """Routes under `/api/recaps`, `/api/visits`, `/api/backlog` and `/api/self-check`."""
    routes = APIRouter()
    _add_recaps(routes, server)
    _add_visits(routes, server)
    _add_self_check(routes)
    return routes


def _now() -> datetime:
    return datetime.now(UTC)


def _add_recaps(routes: APIRouter, server: Server) -> None:
    @routes.post("/api/recaps", status_code=201)
    async def create(body: RecapBody) -> JSONResponse:
        at = _now().astimezone(zone_of(body.zone)).isoformat(timespec="seconds")
        asked = recap_book.Asked(
            body.text,
            body.format or server.settings.note_format,
            context_json.read(body.context),
            body.client,
            body.visit,
            body.session,
            body.written_on.isoformat() if body.written_on else None,
            body.late_reason,
        )
        made = await recap_notes.create(server.records, server.sessions, asked, seating.current(), at=at)
        return JSONResponse(recap_book.told(made), 201, {"Location": f"/api/recaps/{made.key}"})

    @routes.get("/api/recaps/{key}")
    async def look(key: str) -> dict[str, Any]:
        return recap_book.told(await recap_book.look(server.records, key))

    @routes.post("/api/recaps/{key}/answers")
    async def answer(key: str, body: AnswersBody) -> dict[str, Any]:
        return recap_book.told(await recap_notes.answer(server.records, server.sessions, key, body.answers))


def _add_visits(routes: APIRouter, server: Server) -> None:
    @routes.get("/api/backlog")
    async def show(
        order: backlog.Order = "newest",
        zone: Zone = None,
        block: Annotated[list[str] | None, Query(max_length=21)] = None,
        new_a_week: Annotated[float, Query(ge=0, le=200, allow_inf_nan=False)] = 0.0,
        hours: Annotated[str | None, Query(max_length=64)] = None,
    ) -> dict[str, Any]:
        where = zone_of(zone)
        plan = backlog.Plan(
            tuple(plan_text.slot(one) for one in block or ()),
            new_a_week,
            plan_text.hours(hours) if hours else backlog.Plan().hours,
        )
        visits = await visit_book.with_sessions(server.records, server.sessions, where)
        found = await run_in_threadpool(backlog.backlog, visits, now=_now(), zone=where, plan=plan, order=order)
        return found.as_json()

    @routes.get("/api/visits")
    async def list_visits(
        since: date | None = None,
        until: date | None = None,
        client: Annotated[str | None, Query(max_length=64)] = None,
        zone: Zone = None,
    ) -> dict[str, Any]:
        """Visits by time, of these days and this client's chart, as far as named; those to come too."""
        found = await visit_book.with_sessions(server.records, server.sessions, zone_of(zone))
        chosen = [
            one
            for one in found
            if (since is None or one.date >= since)
            and (until is None or one.date <= until)
            and client in (None, one.client_id)
        ]
        return {
            "visits": [one.as_json() for one in sorted(chosen, key=lambda one: (one.date, one.start or "", one.id))]
        }

    @routes.post("/api/visits", status_code=201)
    async def add(body: Annotated[dict[str, Any], Body()]) -> JSONResponse:
        made = await visit_book.add(server.records, body)
        return JSONResponse(made.as_json(), 201, {"Location": f"/api/visits/{made.id}"})

    @routes.post("/api/visits/import")
    async def take(
        request: Request,
        zone: Zone = None,
        dates: Literal["day_first", "month_first"] | None = None,
        since: date | None = None,
        ahead: Annotated[int, Query(ge=0, le=60)] = 0,
    ) -> dict[str, Any]:
        data = await _file(request)
        where, now = zone_of(zone), _now()

        def parsed() -> Imported:
            if _is_calendar(request, data):
                first = since or now.astimezone(where).date() - timedelta(days=DAYS_BACK)
                until = now if not ahead else now + timedelta(days=ahead)
                return read_ics(data, where, since=first, until=until)
            return read_csv(data, where, dates)

        found = await run_in_threadpool(parsed)
        return found.as_json() | (await visit_book.take(server.records, found)).as_json()

    @routes.get("/api/visits/{key}")
    async def look(key: str) -> dict[str, Any]:
        return (await visit_book.look(server.records, key)).as_json()

    @routes.patch("/api/visits/{key}")
    async def change(key: str, body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        return (await visit_book.change(server.records, key, body, at=_now().isoformat(timespec="seconds"))).as_json()

    @routes.delete("/api/visits/{key}", status_code=204)
    async def remove(key: str) -> Response:
        await visit_book.remove(server.records, key)
        return Response(status_code=204)


def _add_self_check(routes: APIRouter) -> None:
    @routes.get("/api/self-check")
    async def questions() -> JSONResponse:
        return JSONResponse(self_check.as_json())

    @routes.post("/api/self-check")
    async def pointers(body: CheckBody) -> JSONResponse:
        found = self_check.pointers(body.answers, body.country)
        # Nothing of it is kept here; that nothing is kept on the way says the guard, as of all answers.
        return JSONResponse({"pointers": [one.as_json() for one in found], "close": self_check.words()[1]})


def _is_calendar(request: Request, data: bytes) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "text/calendar" or data.lstrip(b"\xef\xbb\xbf \r\n\t")[:15].upper() == b"BEGIN:VCALENDAR"


async def _file(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BYTES:
            raise HTTPException(413, "A file of visits has at most 10 MB.")
    if not data:
        raise PeerError("The file is empty.", mend="Send a CSV or an iCalendar file as the request's body.")
    return bytes(data)
