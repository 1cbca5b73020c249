"""A session's note: look, edit, have drafted again, sign, add; and the circumstances that it is written with."""

import logging
from typing import Any

from fastapi import APIRouter

from streaming import charts, context_json, note_desk, seating, signed_notes
from streaming.errors import PeerError, StoreFailed
from streaming.events import ContextGiven
from streaming.note_bodies import AddendumBody, ContextPatchBody, EditBody, RedraftBody, SignBody
from streaming.note_desk import NoteDesk, Signing
from streaming.serving import Server
from streaming.settings import NoteFormat
from streaming.state import SessionState

log = logging.getLogger("sameday.notes")


def router(server: Server) -> APIRouter:
    """Routes under `/api/sessions/{name}/note`, and the session's context."""
    routes = APIRouter()

    async def compare(name: str, desk: NoteDesk) -> None:
        client = (await server.sessions.log_of(name)).state.client
        desk.compared = await signed_notes.compared(server.records, name, client)

    @routes.get("/api/sessions/{name}/note")
    async def look(name: str, format: NoteFormat | None = None) -> dict[str, Any]:
        desk = await server.sessions.note(name)
        await compare(name, desk)
        return await desk.told(format)

    @routes.patch("/api/sessions/{name}/note")
    async def edit(name: str, body: EditBody) -> dict[str, Any]:
        if bool(body.changes) == bool(body.format):
            raise PeerError("Send either `changes` or `format`.", mend="See docs/protocol.md.")
        who = seating.signer(body.who)
        async with server.sessions.at_desk(name) as desk:
            await compare(name, desk)
            if body.format is not None:
                await desk.switch(body.version, body.format, who=who.name)
            else:
                await desk.edit(
                    body.version, [one.change() for one in body.changes], who=seating.signer(body.who).name
                )
            return await desk.told()

    @routes.post("/api/sessions/{name}/note/redraft")
    async def redraft(name: str, body: RedraftBody) -> dict[str, Any]:
        desk = await server.sessions.redraft(name, body.version, body.section, who=seating.signer(body.who).name)
        await compare(name, desk)
        return await desk.told()

    @routes.post("/api/sessions/{name}/note/sign")
    async def sign(name: str, body: SignBody) -> dict[str, Any]:
        async with server.sessions.at_desk(name) as desk:
            await compare(name, desk)
            who = seating.signer(body.signer, body.credentials)
            await desk.sign(body.version, Signing(who.name, who.credentials, body.override, body.late_reason))
            client = (await server.sessions.log_of(name)).state.client
            try:
                await signed_notes.keep(server.records, name, client, desk.review)
            except StoreFailed:
                # The note is signed: that later ones cannot be held against it must not look like a failure to sign.
                log.warning("the print of a signed note was not kept", extra={"session": name})
            return await desk.told()

    @routes.post("/api/sessions/{name}/note/addenda", status_code=201)
    async def addend(name: str, body: AddendumBody) -> dict[str, Any]:
        async with server.sessions.at_desk(name) as desk:
            who = seating.signer(body.who, body.credentials)
            await desk.addend(body.version, body.text, who=who.name, credentials=who.credentials)
            return await desk.told()

    @routes.get("/api/sessions/{name}/note/trail")
    async def trail(name: str) -> dict[str, Any]:
        return {"trail": note_desk.trail((await server.sessions.note(name)).review)}

    @routes.patch("/api/sessions/{name}/context")
    async def context(name: str, body: ContextPatchBody) -> dict[str, Any]:
        async def over(state: SessionState) -> ContextGiven:
            client = body.client if "client" in body.model_fields_set else state.client
            return await charts.context(server.records, client, body.over(context_json.recall(state.entered)))

        await server.sessions.give_context(name, over)
        return await server.describe(name)

    return routes
