"""A session's note: look, edit, have drafted again, sign, add; and the circumstances that it is written with."""

import logging
from typing import Any

from fastapi import APIRouter

from streaming import charts, context_json, note_standing, recap_notes, seating, signed_notes
from streaming.errors import Conflict, NotAllowedToRole, PeerError, SessionPurged, StoreFailed
from streaming.events import ContextGiven
from streaming.note_bodies import (
    AddendumBody,
    ContextPatchBody,
    CosignBody,
    EditBody,
    RedraftBody,
    ReturnBody,
    SignBody,
)
from streaming.note_desk import NoteDesk, Signing
from streaming.seating import Signer
from streaming.serving import Server
from streaming.settings import NoteFormat
from streaming.state import SessionState

log = logging.getLogger("sameday.notes")


def router(server: Server) -> APIRouter:
    """Routes under `/api/sessions/{name}/note`, and the session's context."""
    routes = APIRouter()
    _add_note(routes, server)
    _add_signatures(routes, server)
    _add_context(routes, server)
    return routes


def _add_note(routes: APIRouter, server: Server) -> None:
    @routes.get("/api/sessions/{name}/note")
    async def look(name: str, format: NoteFormat | None = None) -> dict[str, Any]:
        desk = await server.sessions.note(name)
        await _compare(server, name, desk)
        return await desk.told(format)

    @routes.patch("/api/sessions/{name}/note")
    async def edit(name: str, body: EditBody) -> dict[str, Any]:
        if bool(body.changes) == bool(body.format):
            raise PeerError("Send either `changes` or `format`.", mend="See docs/protocol.md.")
        who = seating.signer(body.who)
        async with server.sessions.at_desk(name) as desk:
            await _compare(server, name, desk)
            if body.format is not None:
                await desk.switch(body.version, body.format, who=who.name)
            else:
                await desk.edit(body.version, [one.change() for one in body.changes], who=who.name)
            return await desk.told()

    @routes.post("/api/sessions/{name}/note/redraft")
    async def redraft(name: str, body: RedraftBody) -> dict[str, Any]:
        desk = await server.sessions.redraft(name, body.version, body.section, who=seating.signer(body.who).name)
        await _compare(server, name, desk)
        return await desk.told()

    @routes.get("/api/sessions/{name}/note/trail")
    async def trail(name: str) -> dict[str, Any]:
        return {"trail": note_standing.trail((await server.sessions.note(name)).review)}


def _add_signatures(routes: APIRouter, server: Server) -> None:
    @routes.post("/api/sessions/{name}/note/sign")
    async def sign(name: str, body: SignBody) -> dict[str, Any]:
        async with server.sessions.at_desk(name) as desk:
            await _compare(server, name, desk)
            who = seating.signer(body.signer, body.credentials)
            needs = seating.current().needs_cosignature
            await desk.sign(body.version, Signing(who.name, who.credentials, body.override, body.late_reason, needs))
            await _keep_print(server, name, desk)
            await _tell_visit(server, name, desk)
            return await desk.told()

    @routes.post("/api/sessions/{name}/note/cosign")
    async def cosign(name: str, body: CosignBody) -> dict[str, Any]:
        """A supervisor's signature under a note that awaits one."""
        async with server.sessions.at_desk(name) as desk:
            who = _supervisor()
            await desk.cosign(body.version, who=who.name, credentials=who.credentials)
            await _keep_print(server, name, desk)
            await _tell_visit(server, name, desk)
            return await desk.told()

    @routes.post("/api/sessions/{name}/note/return")
    async def send_back(name: str, body: ReturnBody) -> dict[str, Any]:
        """A note that awaits a co-signature is its author's again, with a remark."""
        async with server.sessions.at_desk(name) as desk:
            await desk.send_back(body.version, body.remark, who=_supervisor().name)
            await _tell_visit(server, name, desk)
            return await desk.told()

    @routes.post("/api/sessions/{name}/note/addenda", status_code=201)
    async def addend(name: str, body: AddendumBody) -> dict[str, Any]:
        async with server.sessions.at_desk(name) as desk:
            who = seating.signer(body.who, body.credentials)
            await desk.addend(body.version, body.text, who=who.name, credentials=who.credentials)
            return await desk.told()


def _add_context(routes: APIRouter, server: Server) -> None:
    @routes.patch("/api/sessions/{name}/context")
    async def context(name: str, body: ContextPatchBody) -> dict[str, Any]:
        async def over(state: SessionState) -> ContextGiven:
            client = body.client if "client" in body.model_fields_set else state.client
            return await charts.context(server.records, client, body.over(context_json.recall(state.entered)))

        await server.sessions.give_context(name, over)
        return await server.describe(name)


async def _compare(server: Server, name: str, desk: NoteDesk) -> None:
    client = (await server.sessions.log_of(name)).state.client
    desk.compared = await signed_notes.compared(server.records, name, client)


async def _keep_print(server: Server, name: str, desk: NoteDesk) -> None:
    """Of a note that is the record now."""
    client = (await server.sessions.log_of(name)).state.client
    try:
        if desk.review.final:
            await signed_notes.keep(server.records, name, client, desk.review)
            try:
                await server.sessions.log_of(name)
            except SessionPurged:  # on another node, whose deletion may not have found the print
                await signed_notes.forget(server.records, name)
                raise
    except StoreFailed:
        # The note is signed: that later ones cannot be held against it must not look like a failure to sign.
        log.warning("the print of a signed note was not kept", extra={"session": name})


async def _tell_visit(server: Server, name: str, desk: NoteDesk) -> None:
    """Of a recap's note: how it stands, to the visit that it was written for."""
    try:
        await recap_notes.stands(server.records, name, desk.review)
    except (Conflict, StoreFailed):
        # As above: what was done to the note is done.
        log.warning("a visit was not told how its note stands", extra={"session": name})


def _supervisor() -> Signer:
    """Who co-signs. Raises NotAllowedToRole for anybody but a supervisor."""
    seat = seating.current()
    if seat.role != "supervisor":
        raise NotAllowedToRole("A supervisor co-signs notes.", mend="Ask one of your practice.")
    return Signer(seat.name, seat.credentials)
