"""The recording of a live session: who is there, who agreed, what is off the record; consent that is taken back."""

from typing import Any

from fastapi import APIRouter

from streaming import recording, seating, wall_clock
from streaming.bodies import ConsentBody, MomentBody, ParticipantBody, RevokeBody
from streaming.deletion import Order
from streaming.serving import Server
from streaming.session import Session


def router(server: Server) -> APIRouter:
    """Routes under `/api/sessions/{name}` that change what is recorded."""
    routes = APIRouter()

    async def _live(name: str) -> Session:
        await server.sessions.log_of(name)
        session = server.sessions.live(name)
        await session.ready.wait()
        return session

    def _by() -> str:
        return seating.current().account

    @routes.post("/api/sessions/{name}/participants")
    async def presence(name: str, body: ParticipantBody) -> dict[str, Any]:
        async with server.sessions.lock(name):
            await recording.presence(await _live(name), body.who, body.present, ticks=body.ticks, by=_by())
        return await server.describe(name)

    @routes.post("/api/sessions/{name}/consent")
    async def consent(name: str, body: ConsentBody) -> dict[str, Any]:
        async with server.sessions.lock(name):
            session = await _live(name)
            await recording.consent(session, body.who, body.how, body.script, ticks=body.ticks, by=_by())
        return await server.describe(name)

    @routes.post("/api/sessions/{name}/off-record")
    async def off(name: str, body: MomentBody) -> dict[str, Any]:
        async with server.sessions.lock(name):
            await recording.off_record(await _live(name), True, ticks=body.ticks, by=_by())
        return await server.describe(name)

    @routes.post("/api/sessions/{name}/on-record")
    async def on(name: str, body: MomentBody) -> dict[str, Any]:
        async with server.sessions.lock(name):
            await recording.off_record(await _live(name), False, ticks=body.ticks, by=_by())
        return await server.describe(name)

    @routes.post("/api/sessions/{name}/revoke")
    async def revoke(name: str, body: RevokeBody) -> dict[str, Any]:
        practice = seating.current().practice
        order = Order("session", "revoked", _by(), wall_clock.utc(), stop=True)
        async with server.sessions.lock(name):
            receipt = await server.delete(name, practice, order)
        return receipt.as_json() | {"who": body.who}

    return routes
