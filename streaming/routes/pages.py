"""The page a clinician sees, and what a machine asks: is the server alive, can it take a session."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

import web_client
from streaming.metrics import CONTENT_TYPE, Metrics
from streaming.serving import Server


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
        server.sessions.check_room()
        return {"status": "ready"}

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(numbers.text(), media_type=CONTENT_TYPE)

    @routes.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(folder / "index.html")

    @routes.get("/backlog", include_in_schema=False)
    async def backlog() -> FileResponse:
        return FileResponse(folder / "backlog.html")

    routes.mount("/static", StaticFiles(directory=folder), name="static")
    return routes
