"""A server with two practices: who works there, with tokens and passwords. For benchmarks and tests."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.server_process import Running, running_server
from streaming import engines, passwords
from streaming.accounts import Account, Accounts
from streaming.seats import Role
from streaming.settings import Settings

PASSWORD = "four quiet words apart"
PEOPLE: dict[str, tuple[str, Role, str, str]] = {
    "anna": ("north", "clinician", "Anna North", "LCSW"),
    "sven": ("north", "supervisor", "Sven North", "PhD"),
    "bert": ("south", "clinician", "Bert South", "LMFT"),
    "olga": ("north", "ops", "Olga Ops", ""),
}


@dataclass(frozen=True, slots=True)
class House:
    """A server that is ready, and an access token of each of PEOPLE."""

    server: Running
    environment: Mapping[str, str]
    tokens: Mapping[str, str]

    def client(self, login: str | None = None) -> httpx.AsyncClient:
        """A client with somebody's token, or with nothing."""
        headers = {"Authorization": f"Bearer {self.tokens[login]}"} if login else {}
        return httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=30.0)

    async def add(self, account: Account) -> str:
        """One account more, beside the running server; its token."""
        store = engines.open_store(Settings(data_dir=Path(self.environment["SAMEDAY_DATA_DIR"])))
        try:
            accounts = Accounts(engines.open_records(store))
            await accounts.add(account)
            return await accounts.make_token(account.login, 1)
        finally:
            await store.close()


async def people(folder: Path) -> dict[str, str]:
    """PEOPLE as accounts, as the command line makes them but in one go; a token of each."""
    store = engines.open_store(Settings(data_dir=folder))
    try:
        accounts, made = Accounts(engines.open_records(store)), passwords.hashed(PASSWORD)
        for login, (practice, role, name, credentials) in PEOPLE.items():
            await accounts.add(Account(login, name, practice, role, credentials, password=made))
        return {login: await accounts.make_token(login, 1) for login in PEOPLE}
    finally:
        await store.close()


@contextmanager
def house_of_two(**more: str) -> Iterator[House]:
    """A server with PEOPLE, whose password is PASSWORD; `more` are its settings."""
    with TemporaryDirectory(prefix="sameday-house-") as folder:
        environment = {"SAMEDAY_DATA_DIR": str(Path(folder) / "data")} | more
        tokens = asyncio.run(people(Path(folder) / "data"))
        with running_server(environment) as server:
            yield House(server, environment, tokens)
