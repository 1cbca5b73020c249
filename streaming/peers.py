"""Who is at the other end of a connection, also where a proxy that is trusted stands in between. Pure."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """`address` is of the sender as far as it can be trusted; `secure`: what it sends is encrypted up to us.

    `loopback` is said of a sender on this machine that no proxy stands in front of.
    """

    address: str
    secure: bool
    loopback: bool


def peer_of(
    address: str, scheme: str, headers: Mapping[str, str], proxies: Sequence[str], *, known_secure: bool = False
) -> Peer | None:
    """The peer of a connection from `address`; None where only proxies may connect and it is none of them.

    A proxy appends the address that it sees to X-Forwarded-For: the last one that is no proxy of ours counts, what
    stands before it anybody may have written.
    """
    secure = scheme in ("https", "wss") or known_secure
    if not proxies:
        forwarded = any(name in headers for name in ("forwarded", "x-forwarded-for", "x-forwarded-host", "via"))
        return Peer(address, secure, _is_loopback(address) and not forwarded)
    if not _within(address, proxies):
        return None
    told = [one.strip() for one in headers.get("x-forwarded-for", "").split(",") if one.strip()]
    sender = next((one for one in reversed(told) if not _within(one, proxies)), told[0] if told else address)
    return Peer(sender, secure or headers.get("x-forwarded-proto", "").strip().lower() == "https", False)


def _within(address: str, networks: Sequence[str]) -> bool:
    try:
        return any(ipaddress.ip_address(address) in ipaddress.ip_network(one) for one in networks)
    except ValueError:
        return False


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
