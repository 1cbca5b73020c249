"""The pages a clinician sees, and what a machine asks: is the server alive, can it take a session."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

import web_client
from streaming import local_authority
from streaming.errors import UnknownRecord
from streaming.metrics import CONTENT_TYPE, Metrics
from streaming.serving import Server

PAGES = {
    "/": "index.html",
    "/today": "today.html",
    "/backlog": "backlog.html",
    "/clients": "clients.html",
    "/settings": "settings.html",
    "/ops": "ops.html",
    "/audit": "audit.html",
}
"""The pages by their address."""
_AUTHORITY = "application/x-x509-ca-cert"


def router(server: Server) -> APIRouter:
    """The page, its files, health and metrics."""
    routes = APIRouter()
    folder = Path(web_client.__file__).parent
    numbers = Metrics(server)

    @routes.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def ready() -> dict[str, str]:
        server.house.check_room()
        return {"status": "ready"}

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(numbers.text(), media_type=CONTENT_TYPE)

    for address, name in PAGES.items():
        routes.add_api_route(address, _page(folder / name), include_in_schema=False)

    @routes.get("/service-worker.js", include_in_schema=False)
    async def worker() -> FileResponse:
        # A worker serves what lies below its own address, so it is asked for at the top.
        return FileResponse(folder / "service-worker.js", media_type="text/javascript")

    @routes.get("/sign-in", include_in_schema=False)
    async def sign_in() -> FileResponse:
        return FileResponse(folder / "sign_in.html")

    @routes.get("/authority.crt", include_in_schema=False)
    def authority() -> Response:
        # Before a device trusts it nobody can have signed in. Whatever lies in the file, only a certificate leaves.
        if server.settings.tls_authority is None:
            raise UnknownRecord(
                "This server has no authority of its own.", mend="Make one with `sameday certificate`."
            )
        return Response(local_authority.as_der(server.settings.tls_authority.read_bytes()), media_type=_AUTHORITY)

    # Scripts and styles are a third as long when packed; what holds content is not packed.
    routes.mount("/static", GZipMiddleware(StaticFiles(directory=folder), minimum_size=500), name="static")
    return routes


def _page(file: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(file)

    return page
