"""Signing in with a practice's OpenID provider: the way there, and the way back."""

import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from streaming import oidc
from streaming.errors import NotSignedIn
from streaming.oidc import Attempt
from streaming.provider_accounts import vouched_for
from streaming.routes.access import give_cookie
from streaming.serving import Server
from streaming.settings import OidcProvider

log = logging.getLogger("sameday.oidc")

COOKIE = "sameday_oidc"
_PATH = "/api/oidc/"
_AT_MOST_S = 600
Given = Annotated[str, Query(max_length=4096)]


def router(server: Server) -> APIRouter:
    """`/api/oidc/{provider}/start` and `/back`."""
    routes = APIRouter()

    @routes.get("/api/oidc/{provider}/start", status_code=303)
    async def start(provider: str, request: Request) -> RedirectResponse:
        chosen = _provider(server, provider)
        attempt = Attempt.new()
        answer = RedirectResponse(await oidc.address(chosen, attempt, _back(request, chosen)), 303)
        answer.set_cookie(
            COOKIE,
            attempt.cookie(),
            max_age=_AT_MOST_S,
            path=_PATH,
            secure=request.scope["peer"].secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    @routes.get("/api/oidc/{provider}/back", status_code=303)
    async def back(provider: str, request: Request, code: Given = "", state: Given = "") -> RedirectResponse:
        chosen = _provider(server, provider)
        try:
            attempt = Attempt.of(request.cookies.get(COOKIE, ""), state)
            who = await oidc.identity(chosen, attempt, code, _back(request, chosen))
            account = await vouched_for(server.access.accounts, chosen, who)
        except NotSignedIn:
            log.warning("a sign-in by a provider was refused")
            answer = RedirectResponse("/sign-in?refused", 303)
        else:
            request.scope["witness"].seat = account.seat("cookie")
            answer = RedirectResponse("/", 303)
            await give_cookie(server, request, answer, await server.access.sign_ins.begin(account))
        answer.delete_cookie(COOKIE, path=_PATH)
        return answer

    return routes


def _provider(server: Server, key: str) -> OidcProvider:
    for one in server.settings.oidc:
        if one.key == key:
            return one
    raise NotSignedIn("There is no such provider here.", mend="Sign in by password.")


def _back(request: Request, provider: OidcProvider) -> str:
    """Where the provider sends the browser back: this server, under the name it was asked by."""
    scheme = "https" if request.scope["peer"].secure else "http"
    return f"{scheme}://{request.headers['host']}{_PATH}{provider.key}/back"
