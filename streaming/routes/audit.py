"""Who saw or changed what, for supervisors and of oneself; deletions, and their receipts."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from streaming import audit_view, deletion, seating, wall_clock
from streaming.deletion import Order
from streaming.errors import NotAllowedToRole
from streaming.events import Scope
from streaming.seats import Seat
from streaming.serving import Server

MOST = 500


def router(server: Server) -> APIRouter:
    """`/api/audit`, `/api/deletions`, and the deletion of a session."""
    routes = APIRouter()

    @routes.get("/api/audit")
    async def entries(
        before: Annotated[int | None, Query(ge=1, le=10**9)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        actor: Annotated[str | None, Query(max_length=64)] = None,
        action: Annotated[str | None, Query(max_length=64)] = None,
        subject: Annotated[str | None, Query(max_length=64)] = None,
        since: Annotated[str | None, Query(max_length=40)] = None,
        until: Annotated[str | None, Query(max_length=40)] = None,
    ) -> dict[str, Any]:
        """The newest entries of the practice that are asked for, a supervisor's of all, others' of themselves."""
        seat = seating.current()
        wanted = audit_view.Wanted(actor if _sees_all(seat) else seat.account, action, subject, since, until)
        found = await audit_view.page(server.audit, seat.practice, wanted, before=before, limit=limit)
        return found.as_json() | {"all": _sees_all(seat), "names": await _names(server, seat)}

    @routes.get("/api/audit/chain")
    async def chain() -> dict[str, Any]:
        """Whether the practice's chain holds."""
        if not _sees_all(seat := seating.current()):
            raise NotAllowedToRole("The whole audit log is for supervisors.", mend="Ask one of your practice.")
        head, broken = await server.audit.verify(seat.practice)
        return audit_view.chain_json(head, broken, await server.audit.begin(seat.practice))

    @routes.delete("/api/sessions/{name}")
    async def delete(
        name: str, scope: Scope = "session", signed: bool = False, why: Literal["asked", "revoked"] = "asked"
    ) -> dict[str, Any]:
        """Delete a session or a part of it for good; its signed note only where a supervisor says so (`signed`)."""
        seat = seating.current()
        if signed and not _sees_all(seat):
            raise NotAllowedToRole("A signed note is deleted by a supervisor.", mend="Leave out `signed`.")
        order = Order(scope, why, seat.account, wall_clock.now(), signed_too=signed)
        async with server.sessions.lock(name):  # nobody signs it or writes a recap from it meanwhile
            return (await server.delete(name, seat.practice, order)).as_json()

    @routes.get("/api/deletions")
    async def receipts() -> dict[str, Any]:
        return {"receipts": [one.as_json() for one in await deletion.receipts(server.records)]}

    return routes


def _sees_all(seat: Seat) -> bool:
    """Whether somebody sees what all of the practice did: a supervisor, and who has nobody beside them."""
    return seat.role == "supervisor" or seat.way == "single"


async def _names(server: Server, seat: Seat) -> dict[str, str]:
    """Names of the practice's accounts, by login."""
    return {one.login: one.name for one in await server.access.accounts.all() if one.practice == seat.practice}
