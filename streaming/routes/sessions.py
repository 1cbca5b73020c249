"""Sessions: start, look, say who is who, end, read."""

import asyncio
import logging
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from streaming import amending, charts, clip, errors, visit_book, wire
from streaming.bodies import MarkBody, RolesBody, SessionBody, UtteranceBody
from streaming.serving import Server
from streaming.types import NoteContext, SpeakerId, TrackId, TrackPlan, UtteranceId

log = logging.getLogger("sameday.sessions")


def router(server: Server) -> APIRouter:
    """Routes under `/api/sessions` but for audio, events and WHIP."""
    routes = APIRouter()

    async def _begun(visit: str, session: str) -> None:
        """The session goes on where its appointment cannot be marked: then both stand in the list."""
        try:
            await visit_book.begun(server.records, visit, session)
        except (errors.Conflict, errors.StoreFailed, errors.UnknownRecord):
            log.warning("an appointment was not marked as begun", extra={"session": session})

    @routes.post("/api/sessions", status_code=201)
    async def start(body: SessionBody) -> JSONResponse:
        plans = tuple(
            TrackPlan(TrackId(track.id), track.speakers, track.role, track.language) for track in body.tracks
        )
        note_format = body.format or server.settings.note_format
        given = None
        if body.visit is not None:
            await visit_book.look(server.records, body.visit)
        if body.client is not None or body.context.model_fields_set:
            given = await charts.context(server.records, body.client, body.context.over(NoteContext()))
        session = await server.sessions.create(plans, body.agreement(), note_format, given)
        if body.visit is not None:
            await _begun(body.visit, session.id)
        location = {"Location": f"/api/sessions/{session.id}"}
        return JSONResponse(await server.describe(session.id), 201, location)

    @routes.get("/api/sessions/{name}")
    async def look(name: str) -> dict[str, Any]:
        return await server.describe(name)

    @routes.post("/api/sessions/{name}/roles")
    async def roles(name: str, body: RolesBody) -> dict[str, Any]:
        if (body.roles is None) == (body.swap is None):
            raise errors.PeerError("Send either `roles` or `swap`.", mend="See docs/protocol.md.")
        known = (await server.sessions.log_of(name)).state.roles
        if body.swap and not (known and known.roles):
            # A swap of nothing would stand as the clinician's word and keep the roles from being guessed.
            raise errors.RolesUnknown("Nobody's role is known yet.", mend="Name them in `roles`.")
        wanted = None if body.roles is None else {SpeakerId(who): role for who, role in body.roles.items()}
        await amending.assign_roles(server.sessions, name, wanted)
        return await server.describe(name)

    @routes.patch("/api/sessions/{name}/utterances/{utterance}")
    async def correct(name: str, utterance: str, body: UtteranceBody) -> dict[str, Any]:
        await amending.correct(server.sessions, name, UtteranceId(utterance), body.text)
        return await server.describe(name)

    @routes.get("/api/sessions/{name}/utterances/{utterance}/clip")
    async def listen(name: str, utterance: str) -> Response:
        found = await server.sessions.log_of(name)
        heard = await clip.clip(found.store, name, found.state, UtteranceId(utterance))
        return Response(heard, media_type="audio/wav")

    @routes.post("/api/sessions/{name}/marks")
    async def mark(name: str, body: MarkBody) -> dict[str, Any]:
        await server.sessions.mark(name, body.at_s, body.on)
        return await server.describe(name)

    @routes.post("/api/sessions/{name}/end", status_code=202)
    async def end(name: str) -> dict[str, Any]:
        session = server.sessions.find(name)
        if session is not None and session.progress == "live":
            # What has arrived but is not written yet belongs to the session.
            await asyncio.gather(*(server.finish(track) for track in session.tracks))
            await session.end()
        return await server.describe(name)

    @routes.get("/api/sessions/{name}/transcript")
    async def transcript(name: str) -> dict[str, Any]:
        found = await server.sessions.log_of(name)
        return wire.transcript(found.state)

    return routes
