"""An address as a QR code, for the camera of a tablet. The only module that imports segno."""

import io

import segno

from streaming.errors import PeerError

MAX_ADDRESS = 500


class BadAddress(PeerError):
    """An address that is not this server's."""

    code = "bad_address"


def svg(address: str) -> bytes:
    """The code as an SVG image, dark on light with its quiet zone, that fits any size."""
    out = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(out, kind="svg", scale=1, border=4, dark="#14201d", light="#ffffff", omitsize=True, xmldecl=False)
    return out.getvalue()
