"""A session's note as a file."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from drafting.document import Document, document
from drafting.exports import Export, ExportFormat, export
from streaming.serving import Server


def router(server: Server) -> APIRouter:
    """The route `/api/sessions/{name}/note/export`."""
    routes = APIRouter()

    @routes.get("/api/sessions/{name}/note/export")
    async def file(name: str, format: ExportFormat, transcript: bool = False, pdf: bool = False) -> Response:
        desk = await server.sessions.note(name)
        review = await desk.standing()
        talk = (await server.sessions.log_of(name)).state.transcript()
        made = document(review, desk.context, transcript=talk if transcript else None)
        found = await asyncio.to_thread(_export, made, format, pdf)
        name_it = {"Content-Disposition": f'attachment; filename="{found.name}"'}
        return Response(found.content, media_type=found.media_type, headers=name_it)

    return routes


def _export(made: Document, format: ExportFormat, pdf: bool) -> Export:
    return export(made, format, with_pdf=pdf)
