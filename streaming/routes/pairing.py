"""The address of this server's pages as a QR code: a tablet's camera opens what the desk shows."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from streaming import qr_code
from streaming.serving import Server


def router(_: Server) -> APIRouter:
    """`/api/pairing`."""
    routes = APIRouter()

    @routes.get("/api/pairing")
    async def pairing(
        request: Request, address: Annotated[str, Query(min_length=1, max_length=qr_code.MAX_ADDRESS)]
    ) -> Response:
        """An SVG of the address, which must be one of this server under the name it was asked by."""
        try:
            parts = urlsplit(address)
            ours = parts.scheme in ("http", "https") and parts.netloc == request.headers.get("host")
        except ValueError:
            ours = False
        if not ours:
            raise qr_code.BadAddress("The address is not one of this server.", mend="Send the page's own address.")
        return Response(qr_code.svg(address), media_type="image/svg+xml")

    return routes
