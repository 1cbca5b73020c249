"""WebRTC ingest: answers SDP offers and writes what arrives into the sinks of tracks. The only one that knows aiortc.

aiortc's own audio path is left out: its jitter buffer stalls 16 packets for one lost and keeps the delay, its frame
queue has no bound, and its last frames never come out. A tap in the place of each receiver's jitter buffer takes the
RTP packets instead; `jitter` orders them, `media` decodes them, `rtp_timeline` places them. aiortc still does ICE,
DTLS, SRTP and the RTCP reports. The place is private to aiortc, so the pin is exact, and an aiortc that keeps its
buffer elsewhere is refused with the first offer.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal
from uuid import uuid4

import aioice.ice
from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)

from streaming.errors import BadAudio, BadOffer, EngineMissing, SamedayError, SessionOver, StoreFailed
from streaming.jitter import JitterBuffer, JitterCounts, Packet, Ready
from streaming.media import OpusDecoder
from streaming.opus import packet_ticks
from streaming.ports import TrackSink
from streaming.rtp_timeline import RtpTimeline
from streaming.sdp_offer import read_offer
from streaming.track_writer import TrackWriter
from streaming.types import Tick

logger = logging.getLogger(__name__)

State = Literal["connecting", "receiving", "closed"]
Reason = Literal["requested", "peer_closed", "no_rtp", "never_connected", "replaced", "session_over", "failed"]

ANSWER_TIMEOUT_S = 10.0
"""Host candidates take milliseconds; a STUN or TURN server that does not answer takes 5 s."""
CONNECT_TIMEOUT_S = 15.0
LINGER_S = 0.060
"""The request to close may overtake the last packets on the way: they get this long."""
MAX_ARRIVED = 3_000
"""Packets (a minute) that wait for the sink. Past it the newest are not taken: a gap, `packet_loss`."""
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


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """How a connection stands. `unusable` counts packets that were not Opus, `overrun` those without room."""

    track: str
    state: State
    reason: Reason | None
    counts: JitterCounts
    unusable: int
    overrun: int


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

    async def answer(self, sink: TrackSink, offer_sdp: str, clock: Callable[[], Tick]) -> Answer:
        """Answer an offer, with all candidates in the answer (no trickle), and receive its audio into `sink`.

        `clock` gives the session's elapsed ticks. One sink object stands for one track of one session: with the first
        packet of a new connection an older one of the same sink is flushed and closed, so that a peer whose network
        changed takes its track over without a pause. Raises BadOffer, NoNetwork, EngineMissing.
        """
        offer = read_offer(offer_sdp)
        connection = _Connection(self, sink, clock, self._ice_servers)
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
        connection.start(resource, self._no_rtp_timeout_s, self._connect_timeout_s)
        return Answer(resource, sdp)

    def info(self, resource: str) -> ConnectionInfo | None:
        """How the connection stands; None for one that is not known, or is closed and flushed."""
        connection = self._connections.get(resource)
        return None if connection is None else connection.info()

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

    async def close_track(self, sink: TrackSink) -> None:
        """Flush and close the connections of a track, as at the end of its session."""
        mine = [connection for connection in self._connections.values() if connection.sink is sink]
        await asyncio.gather(*(connection.close("requested", linger_s=LINGER_S) for connection in mine))

    async def close_all(self) -> None:
        """Flush and close every connection."""
        await asyncio.gather(*(c.close("requested", linger_s=LINGER_S) for c in list(self._connections.values())))

    async def _take_over(self, newer: "_Connection") -> None:
        # Older ones only, so that two that start at the same moment do not wait for each other.
        older = takewhile(lambda connection: connection is not newer, list(self._connections.values()))
        for connection in [connection for connection in older if connection.sink is newer.sink]:
            await connection.close("replaced", linger_s=0)

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
    """One peer connection and the task that carries its packets to the sink."""

    def __init__(
        self, ingest: WebRtcIngest, sink: TrackSink, clock: Callable[[], Tick], servers: list[RTCIceServer]
    ) -> None:
        self.sink = sink
        self._ingest = ingest
        self._clock = clock
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._jitter = JitterBuffer()
        self._timeline = RtpTimeline()
        self._decoder = OpusDecoder()
        self._arrived: deque[tuple[Packet, float, Tick]] = deque()
        self._wake = asyncio.Event()
        self._reason: Reason | None = None
        self._last_rtp: float | None = None
        self._unusable = 0
        self._overrun = 0
        self._decoder_error = False
        self._task: asyncio.Task[None] | None = None

    def info(self) -> ConnectionInfo:
        state: State = "closed" if self._reason else "connecting" if self._last_rtp is None else "receiving"
        return ConnectionInfo(
            self.sink.track, state, self._reason, self._jitter.counts, self._unusable, self._overrun
        )

    async def negotiate(self, offer_sdp: str, *, more_candidates: bool) -> str:
        transceiver = self._peer.addTransceiver("audio", direction="recvonly")
        known = RTCRtpReceiver.getCapabilities("audio")
        assert known is not None
        transceiver.setCodecPreferences([codec for codec in known.codecs if codec.mimeType == "audio/opus"])
        _install_tap(transceiver.receiver, self._take)
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
        if "a=candidate:" not in sdp:
            raise NoNetwork(
                "This machine has no network address for WebRTC.", mend="Connect it, or send audio over WebSocket."
            )
        return sdp

    async def discard(self) -> None:
        self._reason = "failed"
        await self._peer.close()

    def start(self, resource: str, no_rtp_timeout_s: float, connect_timeout_s: float) -> None:
        self._task = asyncio.create_task(
            self._run(resource, no_rtp_timeout_s, connect_timeout_s), name="webrtc-ingest"
        )

    async def close(self, reason: Reason, *, linger_s: float) -> None:
        if self._reason is None and linger_s:
            await asyncio.sleep(linger_s)
        self._stop(reason)
        if self._task is not None:
            await asyncio.shield(self._task)

    def _stop(self, reason: Reason) -> None:
        if self._reason is None:
            self._reason = reason
        self._wake.set()

    def _state_changed(self) -> None:
        if self._peer.connectionState in ("closed", "failed"):
            self._stop("peer_closed" if self._last_rtp is not None else "never_connected")

    def _take(self, packet: Packet) -> None:
        if self._reason is not None:
            return
        self._last_rtp = asyncio.get_running_loop().time()
        if len(self._arrived) >= MAX_ARRIVED:
            self._overrun += 1
            return
        self._arrived.append((packet, self._last_rtp, self._clock()))
        self._wake.set()

    async def _run(self, resource: str, no_rtp_timeout_s: float, connect_timeout_s: float) -> None:
        try:
            await self._pump(no_rtp_timeout_s, connect_timeout_s)
        except SessionOver:
            self._stop("session_over")
        except StoreFailed:
            self._stop("failed")
            logger.error("A WebRTC track's audio could not be stored")
        except Exception:
            self._stop("failed")
            logger.error("A WebRTC connection failed", exc_info=logger.isEnabledFor(logging.DEBUG))
        finally:
            await self._peer.close()
            self._ingest._forget(resource, self._reason or "failed")

    async def _pump(self, no_rtp_timeout_s: float, connect_timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        silent_at = loop.time() + connect_timeout_s
        first = True
        while True:
            await self._wait(min(silent_at, self._jitter.deadline or silent_at) - loop.time())
            stopping = self._reason is not None
            ready = self._ordered(loop.time(), everything=stopping)
            if ready and first:
                first = False
                await self._ingest._take_over(self)
            await self._deliver(ready)
            if stopping:
                return
            if self._last_rtp is not None:
                silent_at = self._last_rtp + no_rtp_timeout_s
            if loop.time() >= silent_at:
                await self._fall_silent()

    async def _wait(self, timeout_s: float) -> None:
        if timeout_s > 0 and not self._wake.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
        self._wake.clear()

    async def _fall_silent(self) -> None:
        """The peer has vanished, or never came: name the silence until now, and let another connection begin."""
        if self._last_rtp is None:
            self._stop("never_connected")
            return
        now = self._clock()
        if now > self.sink.received:
            await self.sink.lose(now, "disconnected")
        self._stop("no_rtp")

    def _ordered(self, now_s: float, *, everything: bool) -> list[tuple[Ready, Tick]]:
        ready: list[tuple[Ready, Tick]] = []
        while self._arrived:
            packet, arrived_s, tick = self._arrived.popleft()
            ready += [(r, tick) for r in self._jitter.push(packet, arrived_s)]
        late = self._jitter.drain() if everything else self._jitter.poll(now_s)
        return ready + [(r, self._clock()) for r in late]

    async def _deliver(self, ready: list[tuple[Ready, Tick]]) -> None:
        """Decode, and write what follows on each other at once."""
        writer = TrackWriter(self.sink)
        for packet, now in ready:
            ticks = packet_ticks(packet.payload)
            if not ticks:
                # An empty packet is padding; its number counts, its time does not.
                self._unusable += bool(packet.payload)
                self._decoder_error = self._decoder_error or bool(packet.payload)
                continue
            place = self._timeline.place(
                packet.timestamp, ticks, lost=packet.lost, restart=packet.restart, now=now, received=writer.end
            )
            if place.before is not None:
                self._decoder.skip()
                await writer.pass_over(place.start, "decoder_error" if self._decoder_error else place.before)
            self._decoder_error = False
            try:
                writer.add(place.start, self._decoder.decode(packet.payload))
            except BadAudio:
                self._unusable += 1
                await writer.pass_over(Tick(place.start + ticks), "decoder_error")
        await writer.flush()


def _serve_loopback_without_network() -> None:
    """Let ICE use 127.0.0.1 where the machine has no other address; aioice always leaves it out."""
    gather = aioice.ice.get_host_addresses
    if getattr(gather, "serves_loopback", False):
        return

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return list(gather(use_ipv4, use_ipv6)) or (["127.0.0.1"] if use_ipv4 else [])

    addresses.serves_loopback = True  # type: ignore[attr-defined]
    aioice.ice.get_host_addresses = addresses
