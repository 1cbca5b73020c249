"""Whether who opened a connection that lasts may still have it: the same question for WebSockets and for WebRTC.

It is the question that the gate asks of each request, with what came with the one that opened the connection: so a
disabled account, a revoked token and a sign-in that is over end it, and for a media token the account that gave it.
"""

import time

from streaming.access import Access, Asking


class Watch:
    """Of one connection; asks every so often, however often it is asked."""

    def __init__(self, access: Access, asking: Asking, each_s: float) -> None:
        self._access = access
        self._asking = asking
        self._each_s = each_s
        self._asked_at = time.monotonic()

    async def over(self) -> bool:
        """Whether the connection is to end now. Raises StoreFailed."""
        if time.monotonic() - self._asked_at < self._each_s:
            return False
        self._asked_at = time.monotonic()
        return await self._access.seat(self._asking) is None
