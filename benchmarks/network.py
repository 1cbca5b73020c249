"""One sender's network with all its ways, which fails as a whole and comes back."""

import asyncio

from benchmarks.relay import Fault, TcpRelay, UdpRelay
from benchmarks.whip_peer import PACKET_S


class Network:
    """All the ways of one sender: its WebRTC connections' relays and the one for the rest."""

    def __init__(self, fault: Fault, seed: int, rest: TcpRelay) -> None:
        self._fault = fault
        self._seed = seed
        self._rest = rest
        self._relays: list[UdpRelay] = []
        self._down = False

    def line(self) -> UdpRelay:
        """What stands between the peers of one more WebRTC connection."""
        relay = UdpRelay(self._fault, self._seed + len(self._relays))
        relay.down = self._down
        self._relays.append(relay)
        return relay

    async def out(self, length_s: float) -> None:
        """Nothing comes through for so long."""
        self._set(down=True)
        self._rest.cut()
        await asyncio.sleep(length_s)
        self._set(down=False)

    @property
    def lost_s(self) -> float:
        """How much audio WebRTC has lost on the way."""
        return sum(relay.up.lost for relay in self._relays) * PACKET_S

    def _set(self, *, down: bool) -> None:
        self._down = self._rest.down = down
        for relay in self._relays:
            relay.down = down
