"""What notes are made of: the formats, the rule packs, and the phrase library, which a practice edits."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from drafting import packs, phrases
from drafting.checks import thread_of
from drafting.formats import keys, named
from streaming.errors import UnknownRecord
from streaming.ports import Record
from streaming.serving import Server

KIND, KEY = "phrases", "practice"


def router(server: Server) -> APIRouter:
    """`/api/formats`, `/api/packs`, `/api/phrases`; of a session's note its thread and the phrases that fit it."""
    routes = APIRouter()

    @routes.get("/api/formats")
    async def list_formats() -> dict[str, Any]:
        return {
            "default": server.settings.note_format,
            "formats": [named(key).as_json() for key in keys()],
        }

    @routes.get("/api/packs")
    async def list_packs() -> dict[str, Any]:
        chosen = packs.current_choice()
        return {
            "always": list(chosen.always),
            "payers": {name: list(keys) for name, keys in chosen.payers.items()},
            "settings": {name: list(keys) for name, keys in chosen.settings.items()},
            "packs": [pack.as_json() for pack in packs.known().values()],
        }

    @routes.get("/api/sessions/{name}/note/thread")
    async def thread(name: str) -> dict[str, Any]:
        """The golden thread of a session's note as it stands."""
        desk = await server.sessions.note(name)
        note, reading = await desk.checked(), await desk.reading()
        return thread_of(note, reading.facts, reading.transcript, named(note.format)).as_json()

    @routes.get("/api/sessions/{name}/note/phrases")
    async def offered(name: str) -> dict[str, Any]:
        """Phrases that fit what was heard: suggestions, which are in no note unless they are taken."""
        reading = await (await server.sessions.note(name)).reading()
        own = await own_phrases(server)
        made = phrases.suggest(reading, None, phrases.library(dict(own.body) if own else None))
        return {"phrases": [one.as_json() for one in made]}

    @routes.get("/api/phrases")
    async def look_at_phrases() -> JSONResponse:
        return _told(await own_phrases(server))

    @routes.put("/api/phrases")
    async def change_phrases(body: Annotated[dict[str, Any], Body()]) -> JSONResponse:
        """Puts the practice's entries in the place of those before; `version` is the one the change was made on."""
        version = body.pop("version", None)
        if not isinstance(version, int) or isinstance(version, bool) or version < 0:
            raise phrases.BadPhrases("version is missing.", mend="Send the version that GET /api/phrases gave.")
        phrases.library(body)  # refused before it is kept
        await server.records.put(KIND, KEY, body, version=version)
        return _told(await own_phrases(server))

    return routes


async def own_phrases(server: Server) -> Record | None:
    """The practice's entries, if there are any."""
    try:
        return await server.records.get(KIND, KEY)
    except UnknownRecord:
        return None


def _told(own: Record | None) -> JSONResponse:
    body = dict(own.body) if own else {}
    version = own.version if own else 0
    made = phrases.library(body or None)
    told = {
        "version": version,
        "phrases": phrases.as_json(made),
        "own": body.get("phrases", []),
        "hidden": body.get("hidden", []),
    }
    return JSONResponse(told, headers={"ETag": f'"{version}"'})
