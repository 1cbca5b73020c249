"""Who is signed in: sessions of browsers, kept with the server and known by a random cookie.

A sign-in ends by itself when nobody used it for a while and at a fixed time after it began, at once when its account
is disabled or has another password, and when somebody signs out. What is kept is a hash of the cookie.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable

from streaming import passwords
from streaming.accounts import Account, Accounts, fingerprint
from streaming.errors import Conflict, NotSignedIn, TooMany, UnknownRecord
from streaming.ports import Record, Records
from streaming.rate_limit import Rate
from streaming.seats import Seat

KIND = "@access:sign_in"
_TOUCH_S = 60.0
"""A sign-in's last use is written down this often at most: a write costs an fsync."""
_HASHES_AT_ONCE = 2
"""Each takes 64 MiB and a core."""
_OF_PAIR, _OF_ACCOUNT, _OF_ADDRESS = (5, 900.0), (30, 900.0), (60, 900.0)
"""Failed attempts in a quarter of an hour: of an account from one address, of it from anywhere, of one address."""


class SignIns:
    """Checks passwords, begins and ends sign-ins, and says whose seat a cookie stands for."""

    def __init__(
        self,
        records: Records,
        accounts: Accounts,
        *,
        idle_s: float,
        longest_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._accounts = accounts
        self._idle_s = idle_s
        self._longest_s = longest_s
        self._clock = clock
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)
        self._pairs, self._logins, self._addresses = Rate(*_OF_PAIR), Rate(*_OF_ACCOUNT), Rate(*_OF_ADDRESS)

    async def by_password(self, login: str, password: str, address: str) -> Account:
        """The account of a login and its password. Raises NotSignedIn for any reason alike, TooMany, StoreFailed."""
        login = login.strip().lower()[:64]
        taken = ((self._pairs, f"{login} {address}"), (self._logins, login), (self._addresses, address))
        now = time.monotonic()
        wait_s = max(rate.take(key, now) for rate, key in taken)
        if wait_s > 0:
            raise TooMany("Too many attempts to sign in.", retry_after_s=wait_s, mend="Wait, then try again.")
        account = await self._accounts.find(login)
        kept = account.password if account is not None and not account.disabled else None
        async with self._hashing:
            right = await asyncio.to_thread(passwords.matches, kept, password)
            if right and kept is not None and passwords.outdated(kept):
                await self._accounts.rehash(login, await asyncio.to_thread(passwords.hashed, password))
        if not right or account is None:
            raise NotSignedIn("This login with this password is not known.", mend="Check both, then try again.")
        for rate, key in taken:
            rate.give_back(key)
        return account

    async def begin(self, account: Account) -> str:
        """A new sign-in of the account; returns its cookie. Raises StoreFailed."""
        await self._sweep()
        cookie = secrets.token_urlsafe(32)
        now = self._clock()
        body = {"account": account.login, "epoch": account.epoch, "began": now, "seen": now}
        await self._records.put(KIND, fingerprint(cookie), body, version=0)
        return cookie

    async def seat(self, cookie: str) -> Seat | None:
        """Whose seat a cookie stands for, and that it was used; None where it is not valid. Raises StoreFailed."""
        try:
            stored = await self._records.get(KIND, fingerprint(cookie))
        except UnknownRecord:
            return None
        account = await self._accounts.find(stored.body["account"])
        if self._over(stored) or account is None or account.disabled or account.epoch != stored.body["epoch"]:
            await self._forget(stored.key)
            return None
        now = self._clock()
        if now - stored.body["seen"] > _TOUCH_S:
            with contextlib.suppress(Conflict):  # somebody else has just written the same
                await self._records.put(KIND, stored.key, {**stored.body, "seen": now}, version=stored.version)
        return account.seat("cookie")

    async def end(self, cookie: str) -> None:
        """Sign out; a cookie that is not valid changes nothing. Raises StoreFailed."""
        await self._forget(fingerprint(cookie))

    def _over(self, stored: Record) -> bool:
        now = self._clock()
        seen, began = float(stored.body["seen"]), float(stored.body["began"])
        return now - seen > self._idle_s or now - began > self._longest_s

    async def _sweep(self) -> None:
        for one in await self._records.all(KIND):
            if self._over(one):
                await self._forget(one.key)

    async def _forget(self, key: str) -> None:
        with contextlib.suppress(UnknownRecord):
            await self._records.remove(KIND, key)
