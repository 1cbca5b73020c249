"""WHIP: a sender offers its audio over WebRTC (RFC 9725)."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from streaming import errors, ice
from streaming.anchor import Reach, read_anchor
from streaming.anchored_track import Anchored
from streaming.audio_wire import MAX_TICK
from streaming.bodies import TrackName
from streaming.serving import Server

_SDP = "application/sdp"
_MAX_OFFER_BYTES = 64 * 1024
AnchorTick = Annotated[int | None, Query(ge=0, le=MAX_TICK, description="With `rtp`: the tick of that time stamp.")]
AnchorRtp = Annotated[int | None, Query(ge=0, lt=1 << 32, description="With `tick`: an RTP time stamp about now.")]


def router(server: Server) -> APIRouter:
    """Routes under `/api/sessions/{name}/whip`."""
    routes = APIRouter()

    @routes.post("/api/sessions/{name}/whip", status_code=201)
    async def whip(
        name: str, request: Request, track: TrackName = "mic", tick: AnchorTick = None, rtp: AnchorRtp = None
    ) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _SDP:
            raise HTTPException(415, "An offer comes as Content-Type: application/sdp.")
        if not _accepts_sdp(request.headers.get("accept")):
            raise HTTPException(406, "The answer is application/sdp.")
        sink = await server.track(name, track)
        anchor = read_anchor(tick, rtp, Reach(sink.clock(), sink.received))
        offer = await _offer(request)
        anchored = None if anchor is None else Anchored(server.line_of(sink), anchor)
        evict = partial(server.make_way, sink, anchored=anchor is not None)
        answer = await server.rtc.answer(sink, offer, sink.clock, evict=evict, anchored=anchored)
        server.answered(name, answer.resource, request.scope["asking"])
        headers = {
            "Location": f"/api/sessions/{name}/whip/{answer.resource}",
            "ETag": f'"{answer.resource}"',
        }
        response = Response(answer.sdp, 201, headers, media_type=_SDP)
        for stun in server.settings.ice_servers:
            response.headers.append("Link", ice.as_link(stun))
        return response

    @routes.options("/api/sessions/{name}/whip", status_code=204)
    async def whip_options(name: str) -> Response:
        return Response(status_code=204, headers={"Accept-Post": _SDP, "Allow": "POST, OPTIONS"})

    @routes.delete("/api/sessions/{name}/whip/{resource}")
    async def whip_end(name: str, resource: str) -> Response:
        await server.sessions.log_of(name)
        await server.hang_up(name, resource)
        return Response(status_code=200)

    return routes


async def _offer(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_OFFER_BYTES:
            raise HTTPException(413, "An offer has at most 64 kB.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise errors.BadOffer("The offer is not SDP: it is not text.", mend="Send it as UTF-8.") from None


def _accepts_sdp(accept: str | None) -> bool:
    kinds = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    return any(kind in (_SDP, "application/*", "*/*") for kind in kinds)
