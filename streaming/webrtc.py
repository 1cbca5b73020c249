"""WebRTC ingest: answers SDP offers and writes what arrives into the sinks of tracks. The only one that knows aiortc.

aiortc's own audio path is left out: its jitter buffer stalls 16 packets for one lost and keeps the delay, its frame
queue has no bound, and its last frames never come out. A tap in the place of each receiver's jitter buffer takes the
RTP packets instead and gives them to an `RtpTrack`. aiortc still does ICE, DTLS, SRTP and the RTCP reports. The place
is private to aiortc, so the pin is exact, and an aiortc that keeps its buffer elsewhere is refused with the first
offer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from uuid import uuid4

import aioice.ice
from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)

from streaming.anchored_track import Anchored, AnchoredTrack
from streaming.errors import BadOffer, EngineMissing, SamedayError
from streaming.jitter import Packet
from streaming.ports import TrackSink
from streaming.rtp_track import Reason, RtpTrack, TrackInfo
from streaming.sdp_offer import read_offer
from streaming.types import Tick

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 10.0
"""Host candidates take milliseconds; a STUN or TURN server that does not answer takes 5 s."""
CONNECT_TIMEOUT_S = 15.0
LINGER_S = 0.060
"""The request to close may overtake the last packets on the way: they get this long."""
LINGER_LIMIT_S = 5.0
"""On a machine so busy that packets wait in the socket, they get as long as they need, up to this."""
_BUFFER = "_RTCRtpReceiver__jitter_buffer"


class NoNetwork(SamedayError):
    """No address of this machine is one that a peer could reach."""

    code = "no_network"


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server, as `RTCIceServer` of the browsers."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answered offer. `resource` is the name of the connection, unguessable, for `close`."""

    resource: str
    sdp: str


class WebRtcIngest:
    """All WebRTC connections of this server. Use it on one event loop; end it with `close_all`."""

    def __init__(
        self,
        ice_servers: Sequence[IceServer] = (),
        *,
        no_rtp_timeout_s: float = 3.0,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        on_closed: Callable[[str, Reason], None] | None = None,
    ) -> None:
        """With no `ice_servers`, none is asked: aiortc's default, a public STUN server, is never used.

        `on_closed` is told the resource and the reason once a connection is closed and flushed, whoever closed it.
        """
        _serve_loopback_without_network()
        self._ice_servers = [RTCIceServer(list(s.urls), s.username, s.credential) for s in ice_servers]
        self._no_rtp_timeout_s = no_rtp_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._on_closed = on_closed
        self._connections: dict[str, _Connection] = {}

    async def answer(
        self,
        sink: TrackSink,
        offer_sdp: str,
        clock: Callable[[], Tick],
        *,
        evict: Callable[[], Awaitable[None]] | None = None,
        anchored: Anchored | None = None,
    ) -> Answer:
        """Answer an offer, with all candidates in the answer (no trickle), and receive its audio into `sink`.

        `clock` gives the session's elapsed ticks. One sink object stands for one track of one session: with the first
        packet of a new connection an older one of the same sink is flushed and closed, so that a peer whose network
        changed takes its track over without a pause. `evict` is awaited at the same moment: it makes a writer of
        another kind leave the track. `anchored` says that the sender's time stamps place the audio, in a line of
        the same sink. Raises BadOffer, NoNetwork, EngineMissing.
        """
        offer = read_offer(offer_sdp)
        track = self._track(sink, clock, anchored)
        connection = _Connection(self, track, self._ice_servers, evict)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                sdp = await connection.negotiate(offer.sdp, more_candidates=not offer.candidates)
        except TimeoutError:
            await connection.discard()
            raise BadOffer("The offer could not be answered in time.", mend="Check the ICE servers.") from None
        except BaseException:
            await connection.discard()
            raise
        resource = uuid4().hex
        self._connections[resource] = connection
        connection.start(resource)
        # A peer that asks again has given its last try up: at most two connections of a track are open.
        tries = [c for c in self._connections.values() if c.track.sink is sink and not c.track.heard]
        for other in tries[:-1]:
            await other.close("replaced", linger_s=0)
        return Answer(resource, sdp)

    def _track(self, sink: TrackSink, clock: Callable[[], Tick], anchored: Anchored | None) -> RtpTrack:
        silent_s, connect_s = self._no_rtp_timeout_s, self._connect_timeout_s
        if anchored is not None:
            return AnchoredTrack(anchored, clock, no_rtp_timeout_s=silent_s, connect_timeout_s=connect_s)
        return RtpTrack(sink, clock, no_rtp_timeout_s=silent_s, connect_timeout_s=connect_s)

    def info(self, resource: str) -> TrackInfo | None:
        """How the connection stands; None for one that is not known, or is closed and flushed."""
        connection = self._connections.get(resource)
        return None if connection is None else connection.track.info()

    @property
    def resources(self) -> tuple[str, ...]:
        """The connections that are not closed."""
        return tuple(self._connections)

    async def close(self, resource: str) -> bool:
        """Flush all that was received into the sink, then close. False where there is no such connection."""
        connection = self._connections.get(resource)
        if connection is None:
            return False
        await connection.close("requested", linger_s=LINGER_S)
        return True

    async def close_track(self, sink: TrackSink, reason: Reason = "requested", *, anchored: bool = True) -> None:
        """Flush and close the connections of a track: at the end of its session, or `replaced` by another sender.

        Those that are `anchored` stay where that is false.
        """
        of_track = [connection for connection in self._connections.values() if connection.track.sink is sink]
        mine = [connection for connection in of_track if anchored or not connection.track.anchored]
        await asyncio.gather(*(connection.close(reason, linger_s=LINGER_S) for connection in mine))

    async def close_all(self) -> None:
        """Flush and close every connection."""
        await asyncio.gather(*(c.close("requested", linger_s=LINGER_S) for c in list(self._connections.values())))

    async def _take_over(self, newer: "_Connection") -> None:
        # Older ones only, so that two that start at the same moment do not wait for each other.
        older = takewhile(lambda connection: connection is not newer, list(self._connections.values()))
        for connection in [connection for connection in older if connection.track.sink is newer.track.sink]:
            await connection.close("replaced", linger_s=0)
        if newer.evict is not None:
            await newer.evict()

    def _forget(self, resource: str, reason: Reason) -> None:
        self._connections.pop(resource, None)
        if self._on_closed is not None:
            self._on_closed(resource, reason)


class _Tap:
    """Stands where a receiver of aiortc has its jitter buffer, takes the packets, and gives none to its decoder."""

    def __init__(self, take: Callable[[Packet], None]) -> None:
        self._take = take

    def add(self, packet: Any) -> tuple[bool, None]:
        self._take(Packet(packet.sequence_number, packet.timestamp, packet.ssrc, bytes(packet.payload)))
        return False, None


def _install_tap(receiver: RTCRtpReceiver, take: Callable[[Packet], None]) -> None:
    if not callable(getattr(getattr(receiver, _BUFFER, None), "add", None)):
        raise EngineMissing(
            "The installed aiortc keeps its jitter buffer elsewhere.", mend="Install the version that is pinned."
        )
    setattr(receiver, _BUFFER, _Tap(take))


class _Connection:
    """One peer connection, and the task that carries its packets to the sink."""

    def __init__(
        self,
        ingest: WebRtcIngest,
        track: RtpTrack,
        servers: list[RTCIceServer],
        evict: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self.track = track
        self.evict = evict
        self._ingest = ingest
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._task: asyncio.Task[None] | None = None

    async def negotiate(self, offer_sdp: str, *, more_candidates: bool) -> str:
        transceiver = self._peer.addTransceiver("audio", direction="recvonly")
        known = RTCRtpReceiver.getCapabilities("audio")
        assert known is not None
        transceiver.setCodecPreferences([codec for codec in known.codecs if codec.mimeType == "audio/opus"])
        _install_tap(transceiver.receiver, self.track.take)
        self._peer.on("connectionstatechange", self._state_changed)
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(offer_sdp, "offer"))
            for other in self._peer.getTransceivers():
                if other is not transceiver:
                    other.direction = "inactive"
            if not more_candidates:
                # Without it a failed ICE would be waited for without end.
                await self._peer.addIceCandidate(None)
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except OSError:
            raise NoNetwork("No UDP socket could be opened for WebRTC.", mend="Check the network.") from None
        except Exception:
            # aiortc's parser raises anything, assertions included, for what it does not expect.
            raise BadOffer("The offer cannot be answered.", mend="Offer one audio track with Opus.") from None
        sdp: str = self._peer.localDescription.sdp
        if "a=candidate:" not in sdp and aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True):
            # There is an address, but no transport that it would be for: bundles of what the offer does not hold.
            raise BadOffer("The offer cannot be answered.", mend="Offer one audio track with Opus.")
        if "a=candidate:" not in sdp:
            raise NoNetwork(
                "This machine has no network address for WebRTC.", mend="Connect it, or send audio over WebSocket."
            )
        return sdp

    async def discard(self) -> None:
        await self._peer.close()

    def start(self, resource: str) -> None:
        self._task = asyncio.create_task(self._run(resource), name="webrtc-ingest")

    async def close(self, reason: Reason, *, linger_s: float) -> None:
        if linger_s:
            await self.track.linger(linger_s, LINGER_LIMIT_S)
        self.track.stop(reason)
        if self._task is not None:
            await asyncio.shield(self._task)

    def _state_changed(self) -> None:
        if self._peer.connectionState in ("closed", "failed"):
            self.track.stop("peer_closed" if self.track.heard else "never_connected")

    async def _run(self, resource: str) -> None:
        reason: Reason = "failed"
        try:
            reason = await self.track.run(lambda: self._ingest._take_over(self))
        except Exception:
            logger.error("A WebRTC connection failed", exc_info=logger.isEnabledFor(logging.DEBUG))
        finally:
            await self._peer.close()
            self._ingest._forget(resource, reason)


def _serve_loopback_without_network() -> None:
    """Let ICE use 127.0.0.1 where the machine has no other address; aioice always leaves it out."""
    gather = aioice.ice.get_host_addresses
    if getattr(gather, "serves_loopback", False):
        return

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return list(gather(use_ipv4, use_ipv6)) or (["127.0.0.1"] if use_ipv4 else [])

    addresses.serves_loopback = True  # type: ignore[attr-defined]
    aioice.ice.get_host_addresses = addresses
