"""Signing in and out, whose seat one has, and the short-lived tokens that carry a session's audio."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from streaming import seating
from streaming.access import COOKIE, SECURE_COOKIE
from streaming.seats import Seat
from streaming.serving import Server


class SignInBody(BaseModel):
    """A login with its password."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]


def router(server: Server) -> APIRouter:
    """`/api/sign-in`, `/api/sign-out`, `/api/seat`, and media tokens of a session."""
    routes = APIRouter()

    @routes.post("/api/sign-in")
    async def sign_in(body: SignInBody, request: Request) -> JSONResponse:
        peer, witness = request.scope["peer"], request.scope["witness"]
        tried = await server.access.accounts.find(body.login.strip().lower()[:64])
        witness.seat = None if tried is None else tried.seat("cookie")  # so that it is recorded whom they tried
        account = await server.access.sign_ins.by_password(body.login, body.password, peer.address)
        answer = JSONResponse(seat_json(account.seat("cookie")))
        await give_cookie(server, request, answer, await server.access.sign_ins.begin(account))
        return answer

    @routes.post("/api/sign-out", status_code=204)
    async def sign_out(request: Request) -> Response:
        answer = Response(status_code=204)
        for name in (COOKIE, SECURE_COOKIE):
            if cookie := request.cookies.get(name):
                await server.access.sign_ins.end(cookie)
                answer.delete_cookie(name, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="lax")
        return answer

    @routes.get("/api/seat")
    async def seat() -> dict[str, Any]:
        return seat_json(seating.whoever()) | {"providers": server.providers}

    @routes.post("/api/sessions/{name}/media-token", status_code=201)
    async def media_token(name: str) -> dict[str, Any]:
        await server.sessions.log_of(name)
        token, until = await server.access.media_token(seating.current(), name)
        return {"token": token, "expires_at": datetime.fromtimestamp(until, UTC).isoformat()}

    return routes


async def give_cookie(server: Server, request: Request, answer: Response, cookie: str) -> None:
    """Set the cookie of a new sign-in, and end the one before it: none is carried over."""
    secure = request.scope["peer"].secure
    name = SECURE_COOKIE if secure else COOKIE
    if before := request.cookies.get(name):
        await server.access.sign_ins.end(before)
    answer.set_cookie(name, cookie, path="/", secure=secure, httponly=True, samesite="lax")


def seat_json(seat: Seat | None) -> dict[str, Any]:
    """Who is there, as the page shows it."""
    if seat is None:
        return {"mode": "nobody"}
    if seat.way == "single":
        return {"mode": "single", "practice": seat.practice, "role": seat.role}
    return {
        "mode": "account",
        "login": seat.account,
        "name": seat.name,
        "credentials": seat.credentials,
        "practice": seat.practice,
        "role": seat.role,
        "needs_cosignature": seat.needs_cosignature,
    }
