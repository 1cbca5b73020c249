"""STUN and TURN servers of the settings, as each side wants to hear of them."""

from typing import Any

from streaming.settings import IceServer as Setting
from streaming.webrtc import IceServer


def as_webrtc(server: Setting) -> IceServer:
    secret = server.credential.get_secret_value() if server.credential else None
    return IceServer((server.url,), server.username, secret)


def for_browser(server: Setting) -> dict[str, Any]:
    """An entry of a browser's RTCConfiguration."""
    known = as_webrtc(server)
    entry: dict[str, Any] = {"urls": list(known.urls)}
    return entry | ({"username": known.username, "credential": known.credential} if known.username else {})


def as_link(server: Setting) -> str:
    known = as_webrtc(server)
    link = f'<{known.urls[0]}>; rel="ice-server"'
    if known.username:
        link += f'; username="{known.username}"; credential="{known.credential}"; credential-type="password"'
    return link
