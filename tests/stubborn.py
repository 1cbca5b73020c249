"""A sender that does not give up, as a client must not."""

import asyncio

from websockets.exceptions import ConnectionClosed

from benchmarks.websocket_peer import Refused, WebSocketPeer


async def send_stubbornly(peer: WebSocketPeer, url: str, refused: list[str]) -> None:
    """Come back when the connection breaks, and go on where the server stands; `refused` collects error codes."""
    while True:
        try:
            await peer.run(url)
        except Refused as error:
            refused.append(error.error["code"])
        except (ConnectionClosed, ConnectionError):
            pass
        else:
            return
        await asyncio.sleep(0.2)
