"""The recording of a live session: who is there, who agreed, what is off the record; consent that is taken back."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from streaming import recording, seating, strikes, wall_clock
from streaming.bodies import ConsentBody, MomentBody, ParticipantBody, RevokeBody, StrikeBody
from streaming.deletion import Order
from streaming.errors import PeerError
from streaming.serving import Server
from streaming.session import Session
from streaming.types import Tick, TrackId, UtteranceId, to_tick


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

    @routes.post("/api/sessions/{name}/strike")
    async def strike(name: str, body: StrikeBody) -> dict[str, Any]:
        await strikes.strike(server.sessions, server.records, name, _order(body, _by()), _Senders(server, body.ticks))
        return await server.describe(name)

    @routes.post("/api/sessions/{name}/revoke")
    async def revoke(name: str, body: RevokeBody) -> dict[str, Any]:
        practice = seating.current().practice
        order = Order("session", "revoked", _by(), wall_clock.utc(), stop=True)
        async with server.sessions.lock(name):
            receipt = await server.delete(name, practice, order)
        return receipt.as_json() | {"who": body.who}

    return routes


class _Senders:
    """As `strikes` wants them."""

    def __init__(self, server: Server, ticks: recording.Ticks) -> None:
        self._ticks = ticks
        self.let_go = server.let_go

    def ends(self, session: Session) -> Mapping[TrackId, Tick]:
        return {track.track: recording.come_to(track, self._ticks) for track in session.tracks}


def _order(body: StrikeBody, by: str) -> strikes.Order:
    """Raises PeerError."""
    span = (body.start, body.end)
    if sum([body.last_s is not None, span != (None, None), bool(body.utterances)]) != 1:
        raise PeerError("Name one of `last_s`, `start` with `end`, and `utterances`.", mend="See docs/protocol.md.")
    if body.last_s is not None:
        return strikes.Order(strikes.last(body.last_s), (), by)
    if body.utterances:
        return strikes.Order(None, tuple(UtteranceId(one) for one in body.utterances), by)
    if body.start is None or body.end is None or body.start >= body.end:
        raise PeerError("A stretch has a `start` before its `end`.", mend="Give both, in seconds.")
    return strikes.Order(strikes.between(to_tick(body.start), to_tick(body.end)), (), by)
