"""Accounts among the records of the house: who may sign in, for which practice, and in which role.

An account is never deleted, since its name stands under notes; it is disabled. `epoch` counts what ends all its
sign-ins at once: a disabling, another password. Under this module's kinds no practice can keep anything (`scoped`).
"""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256

from streaming import passwords
from streaming.errors import BadAccount, Conflict, UnknownRecord
from streaming.ports import Records
from streaming.seats import ROLES, Role, Seat, Way

KIND, TOKEN_KIND = "@access:account", "@access:token"
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_PRACTICE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LONGEST_NAME = 200
TOKEN_PREFIX = "sdt_"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in. `name` and `credentials` stand under what they sign; `password` is a hash.

    `issuer` is the OpenID provider that vouches for the account instead of a password; `subject` is its name there,
    known from the first sign-in on.
    """

    login: str
    name: str
    practice: str
    role: Role
    credentials: str = ""
    password: str | None = None
    issuer: str | None = None
    subject: str | None = None
    disabled: bool = False
    epoch: int = 1
    needs_cosignature: bool = False
    """Whether notes that it signs await a supervisor's signature."""

    def seat(self, way: Way) -> Seat:
        """The place that the account works at."""
        return Seat(
            self.practice,
            self.role,
            way,
            self.login,
            self.name,
            self.credentials,
            needs_cosignature=self.needs_cosignature,
        )


class Accounts:
    """Reads and changes accounts; any process of the house may."""

    def __init__(self, records: Records, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock
        self._some = False

    async def any(self) -> bool:
        """Whether there is an account, disabled ones too: from the first one on nobody is let in without. As they
        are never deleted, a yes is for good. Raises StoreFailed.
        """
        self._some = self._some or bool(await self._records.all(KIND))
        return self._some

    async def all(self) -> list[Account]:
        """All accounts by login. Raises StoreFailed."""
        return [Account(**one.body) for one in await self._records.all(KIND)]

    async def find(self, login: str) -> Account | None:
        """The account of a login, disabled or not. Raises StoreFailed."""
        if _LOGIN.fullmatch(login) is None:
            return None
        try:
            return Account(**(await self._records.get(KIND, login)).body)
        except UnknownRecord:
            return None

    async def add(self, account: Account) -> None:
        """Keep a new account. Raises BadAccount for one that is there or cannot be, StoreFailed."""
        _check(account)
        try:
            await self._records.put(KIND, account.login, asdict(account), version=0)
        except Conflict:
            raise BadAccount("There is an account of this login.", mend="Choose another login.") from None

    async def disable(self, login: str) -> None:
        """Let nobody in with it any more, those who are in included. Raises BadAccount, StoreFailed."""
        await self._change(login, lambda known: replace(known, disabled=True, epoch=known.epoch + 1))

    async def enable(self, login: str) -> None:
        """Let it in again. Raises BadAccount, StoreFailed."""
        await self._change(login, lambda known: replace(known, disabled=False))

    async def set_cosignature(self, login: str, *, needed: bool) -> None:
        """Whether what it signs from now on awaits a co-signature. Raises BadAccount, StoreFailed."""
        await self._change(login, lambda known: replace(known, needs_cosignature=needed))

    async def set_password(self, login: str, password: str) -> None:
        """Another password; whoever is signed in with the old one is out. Takes a while: hashes.

        Raises BadAccount, StoreFailed.
        """
        passwords.check_rules(password, login)
        made = passwords.hashed(password)
        await self._change(login, lambda known: replace(known, password=made, epoch=known.epoch + 1))

    async def rehash(self, login: str, made: str) -> None:
        """The same password, hashed at today's cost. Raises BadAccount, StoreFailed."""
        await self._change(login, lambda known: replace(known, password=made))

    async def bind(self, login: str, subject: str) -> None:
        """Remember who the account is at its provider. Raises BadAccount, StoreFailed."""
        await self._change(login, lambda known: replace(known, subject=subject))

    async def make_token(self, login: str, days: float | None) -> str:
        """A new access token, which is told once and kept as a hash. Raises BadAccount, StoreFailed."""
        await self._known(login)
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        until = None if days is None else self._clock() + days * 86_400
        body = {"account": login, "made_at": self._clock(), "until": until}
        await self._records.put(TOKEN_KIND, fingerprint(token), body, version=0)
        return token

    async def drop_tokens(self, login: str) -> int:
        """Make all access tokens of an account worthless; returns how many there were. Raises StoreFailed."""
        mine = [one for one in await self._records.all(TOKEN_KIND) if one.body["account"] == login]
        for one in mine:
            await self._records.remove(TOKEN_KIND, one.key)
        return len(mine)

    async def by_token(self, token: str) -> Account | None:
        """Whose access token this is; None for one that is unknown, over, or of a disabled account."""
        try:
            body = (await self._records.get(TOKEN_KIND, fingerprint(token))).body
        except UnknownRecord:
            return None
        if body["until"] is not None and body["until"] < self._clock():
            return None
        found = await self.find(body["account"])
        return None if found is None or found.disabled else found

    async def _known(self, login: str) -> Account:
        found = await self.find(login)
        if found is None:
            raise BadAccount("There is no account of this login.", mend="`sameday user list` names them.")
        return found

    async def _change(self, login: str, to: Callable[[Account], Account]) -> None:
        await self._known(login)
        for attempt in range(_TRIES):
            stored = await self._records.get(KIND, login)
            try:
                await self._records.put(KIND, login, asdict(to(Account(**stored.body))), version=stored.version)
            except Conflict:
                if attempt + 1 == _TRIES:
                    raise
                continue
            return


def fingerprint(secret: str) -> str:
    """What a secret of ours is kept as. It has 256 random bits, so a plain hash cannot be turned round."""
    return sha256(secret.encode()).hexdigest()


def _check(account: Account) -> None:
    if _LOGIN.fullmatch(account.login) is None:
        raise BadAccount("This is no login.", mend="Small letters, digits and . _ @ + -, 64 at most.")
    if _PRACTICE.fullmatch(account.practice) is None:
        raise BadAccount("This is no name of a practice.", mend="Small letters, digits and -, 32 at most.")
    if account.role not in ROLES:
        raise BadAccount("There is no such role.", mend=f"One of {', '.join(ROLES)}.")
    for text in (account.name, account.credentials):
        if len(text) > _LONGEST_NAME or not text.isprintable():
            raise BadAccount("A name or its credentials cannot be used.", mend="One line of 200 letters at most.")
    if not account.name.strip():
        raise BadAccount("The account has no name.", mend="Give the name that stands under its notes.")
    if account.password is None and account.issuer is None:
        raise BadAccount("The account has neither a password nor a provider.", mend="Give one of them.")
