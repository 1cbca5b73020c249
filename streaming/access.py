"""Who a request comes from: single seat, cookie, access token or media token; and how often it may come."""

import base64
import contextlib
import ipaddress
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from streaming import media_token, seats
from streaming.accounts import Accounts
from streaming.errors import Conflict, NotAllowedToRole, TooMany, UnknownRecord
from streaming.peers import Peer
from streaming.ports import Records
from streaming.rate_limit import Rate
from streaming.seats import SINGLE, Seat
from streaming.settings import Settings
from streaming.sign_ins import SignIns

COOKIE, SECURE_COOKIE = "sameday", "__Host-sameday"
_SECRET_KIND, _SECRET_KEY = "@access:secret", "media"
_SAFE = ("GET", "HEAD", "OPTIONS")
_NOBODYS = (120, 60.0)
"""Requests a minute from an address that shows nothing to know it by, but for the pages' own files."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A request as far as its sender shows in it. `headers` have small letters; `bearer` is without its word.

    `at` is when it came, in Unix time: a media token is good to connect with until its time; what it connected lasts.
    """

    path: str
    method: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    bearer: str | None
    peer: Peer
    at: int = field(default_factory=lambda: int(time.time()))


class Access:
    """The one place that says who somebody is."""

    def __init__(self, records: Records, settings: Settings) -> None:
        self._settings = settings
        self._records = records
        self._media_key: bytes | None = None
        self.accounts = Accounts(records)
        self.sign_ins = SignIns(
            records, self.accounts, idle_s=settings.sign_in_idle_s, longest_s=settings.sign_in_longest_s
        )
        self._requests = Rate(settings.requests_a_minute, 60.0)
        self._sessions = Rate(settings.sessions_a_minute, 60.0)
        self._nobodys = Rate(*_NOBODYS)

    async def seat(self, asking: Asking) -> Seat | None:
        """The seat that a request is made from; None for nobody. Raises StoreFailed, and NotAllowedToRole for a
        cookie's change that does not come from a page of ours.
        """
        if not await self.accounts.any():
            return SINGLE if not self._settings.exposed and asking.peer.loopback else None
        if asking.bearer is not None:
            return await self._by_bearer(asking, asking.bearer)
        cookie = asking.cookies.get(SECURE_COOKIE if asking.peer.secure else COOKIE)
        found = await self.sign_ins.seat(cookie) if cookie else None
        if found is not None and asking.method not in _SAFE and not _from_own_page(asking.headers):
            raise NotAllowedToRole(
                "A change by cookie comes from a page of this server.",
                mend="Send Origin as a browser does, or use an access token.",
            )
        return found

    async def _by_bearer(self, asking: Asking, bearer: str) -> Seat | None:
        if seats.may_carry_media(asking.path):
            granted = media_token.read(await self.media_key(), bearer, asking.at)
            if granted is not None:
                account = await self.accounts.find(granted.account)
                good = account is not None and not account.disabled and account.practice == granted.practice
                return replace(account.seat("media"), session=granted.session) if account and good else None
        account = await self.accounts.by_token(bearer)
        return None if account is None else account.seat("token")

    def limit(self, asking: Asking, seat: Seat | None) -> None:
        """Raises TooMany. The one user of a machine without accounts has nobody to be protected from."""
        if seat is not None and seat.way == "single":
            return
        now = time.monotonic()
        if seat is None:
            wait_s = self._nobodys.take(network_of(asking.peer.address), now)
        else:
            wait_s = self._requests.take(seat.session or seat.account, now)
            if wait_s == 0 and asking.method == "POST" and asking.path == "/api/sessions":
                wait_s = self._sessions.take(seat.account, now)
        if wait_s > 0:
            raise TooMany("Too many requests.", retry_after_s=wait_s, mend="Wait as Retry-After says.")

    async def media_token(self, seat: Seat, session: str) -> tuple[str, int]:
        """A token that carries the audio of one session, and until when (Unix time). Raises StoreFailed."""
        until = int(time.time() + self._settings.media_token_s)
        granted = media_token.Grant(seat.practice, session, seat.account, until)
        return media_token.write(await self.media_key(), granted), until

    async def media_key(self) -> bytes:
        """The key of media tokens: made by the first who needs it, the same on all nodes. Raises StoreFailed."""
        if self._media_key is None:
            made = {"key": base64.b64encode(secrets.token_bytes(32)).decode()}
            with contextlib.suppress(UnknownRecord):
                made = (await self._records.get(_SECRET_KIND, _SECRET_KEY)).body
                self._media_key = base64.b64decode(made["key"])
                return self._media_key
            try:
                await self._records.put(_SECRET_KIND, _SECRET_KEY, made, version=0)
            except Conflict:
                made = (await self._records.get(_SECRET_KIND, _SECRET_KEY)).body
            self._media_key = base64.b64decode(made["key"])
        return self._media_key


def _from_own_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that its own page asks: the guard has compared an Origin that there is."""
    return headers.get("origin") is not None or headers.get("sec-fetch-site") == "same-origin"


def network_of(address: str) -> str:
    """What one sender has: an IPv4 address, or a whole /64 of IPv6."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if known.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
