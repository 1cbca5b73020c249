"""Reads an SDP offer as far as this server must know it before a WebRTC stack sees it (RFC 8866, RFC 9725)."""

import ipaddress
import re
from dataclasses import dataclass

from streaming.errors import BadOffer

MAX_BYTES = 65_536
"""A browser's audio offer has about 3 kB, with video 10 to 20 kB."""
MAX_MEDIA = 4
MAX_CANDIDATES = 64
_MEND = "Send the offer of an RTCPeerConnection with one audio track, direction sendonly."
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer fit to be answered.

    `sdp` is without candidates that have a name or no real port: to look up a .local one takes a second and a
    multicast socket, any other would have this server ask for whatever name a peer likes, and the peer's own checks
    reach the server without them. `candidates` counts those that are left.
    """

    sdp: str
    candidates: int


def read_offer(sdp: str) -> Offer:
    """Check an offer. Raises BadOffer, with a message that says what is wrong and holds nothing of the offer."""
    if len(sdp) > MAX_BYTES or len(sdp.encode(errors="replace")) > MAX_BYTES:
        raise BadOffer(f"The offer is larger than {MAX_BYTES} bytes.", mend=_MEND)
    lines = sdp.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if not lines or lines[0] != "v=0" or not all(re.match(r"[a-z]=", line) for line in lines):
        raise BadOffer("The body is not SDP.", mend=_MEND)
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    if not starts:
        raise BadOffer("The offer has no media section.", mend=_MEND)
    if len(starts) > MAX_MEDIA:
        raise BadOffer(f"The offer has more than {MAX_MEDIA} media sections.", mend=_MEND)
    session = lines[: starts[0]]
    sections = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    _check_sections(session, sections)
    kept = [line for line in lines if not _unreachable(line)]
    candidates = sum(line.startswith("a=candidate:") for line in kept)
    if candidates > MAX_CANDIDATES:
        raise BadOffer(f"The offer has more than {MAX_CANDIDATES} candidates.", mend=_MEND)
    if not candidates:
        # With none to try, the end of candidates would mean failure before the peer's first check comes in.
        kept = [line for line in kept if line != "a=end-of-candidates"]
    return Offer("\r\n".join(kept) + "\r\n", candidates)


def _check_sections(session: list[str], sections: list[list[str]]) -> None:
    audio = [section for section in sections if section[0].startswith("m=audio ")]
    if any(not section[0].startswith(("m=audio ", "m=video ")) for section in sections):
        raise BadOffer("The offer has a section that is neither audio nor video.", mend=_MEND)
    if not audio:
        raise BadOffer("The offer has no audio section.", mend=_MEND)
    if len(audio) > 1:
        raise BadOffer("The offer has more than one audio section.", mend="Make one connection per track.")
    direction = _direction(audio[0]) or _direction(session) or "sendrecv"
    if direction not in ("sendonly", "sendrecv"):
        raise BadOffer("The offer does not send audio.", mend="Offer the audio as sendonly.")
    if not any(re.match(r"a=rtpmap:\d{1,3} opus/48000(/2)?$", line, re.IGNORECASE) for line in audio[0]):
        raise BadOffer("The offer does not have the codec Opus.", mend="Offer opus/48000/2.")
    for section in sections:
        _check_transport(session + section)


def _check_transport(lines: list[str]) -> None:
    for attribute, pattern in (
        ("an ICE user name", r"a=ice-ufrag:[A-Za-z0-9+/]{4,256}$"),
        ("an ICE password", r"a=ice-pwd:[A-Za-z0-9+/]{22,256}$"),
        ("a DTLS fingerprint", r"a=fingerprint:\S+ [0-9A-Fa-f:]+$"),
        ("a DTLS set-up role", r"a=setup:(actpass|active|passive)$"),
        ("RTCP multiplexing", r"a=rtcp-mux$"),
    ):
        if not any(re.match(pattern, line) for line in lines):
            raise BadOffer(f"The offer lacks {attribute}.", mend=_MEND)


def _direction(lines: list[str]) -> str | None:
    return next((line[2:] for line in lines if line.startswith("a=") and line[2:] in _DIRECTIONS), None)


def _unreachable(line: str) -> bool:
    fields = line.split()
    if not line.startswith("a=candidate:") or len(fields) < 6:
        return False
    try:
        ipaddress.ip_address(fields[4])
    except ValueError:
        return True
    return not (fields[5].isascii() and fields[5].isdigit() and 0 < int(fields[5][:6]) < 65_536)
