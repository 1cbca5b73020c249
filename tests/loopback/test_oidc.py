"""Sign-in with an OpenID provider on loopback, whose tokens are really signed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from accounts_of_two import user
from joserfc.jwk import RSAKey
from live_server import data_folder
from oidc_provider import CLIENT, SECRET, Provider

from benchmarks.server_process import running_server
from streaming import oidc
from streaming.accounts import Account, Accounts
from streaming.errors import NotSignedIn
from streaming.memory_records import MemoryRecords
from streaming.oidc import Attempt, Identity
from streaming.provider_accounts import vouched_for
from streaming.settings import OidcProvider

pytestmark = pytest.mark.loopback
BACK = "http://127.0.0.1:1/api/oidc/one/back"
ANNA = {"sub": "anna-1", "email": "Anna@North.example", "email_verified": True}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as made:
        made.who = ANNA
        yield made


def settings_of(provider: Provider, **more: Any) -> OidcProvider:
    given = {"key": "one", "name": "North", "practice": "north", "client_id": CLIENT, "client_secret": SECRET}
    return OidcProvider(**({"issuer": provider.issuer} | given | more))


async def went_there(provider: Provider, attempt: Attempt, **more: Any) -> Identity:
    """What comes of it when a browser goes to the provider and comes back."""
    chosen = settings_of(provider, **more)
    there = await oidc.address(chosen, attempt, BACK)
    async with httpx.AsyncClient() as browser:
        back = httpx.URL((await browser.get(there)).headers["location"])
    assert str(back).startswith(BACK)
    again = Attempt.of(attempt.cookie(), back.params["state"])
    return await oidc.identity(chosen, again, back.params["code"], BACK)


async def test_who_the_provider_vouches_for(provider: Provider) -> None:
    found = await went_there(provider, Attempt.new())
    assert found == Identity(provider.issuer, "anna-1", "anna@north.example")


async def test_an_address_that_the_provider_has_not_verified_counts_for_nothing(provider: Provider) -> None:
    provider.who = ANNA | {"email_verified": "true"}
    assert (await went_there(provider, Attempt.new())).email is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda claims: claims | {"iss": "http://127.0.0.1:9"},
        lambda claims: claims | {"aud": "another-client"},
        lambda claims: claims | {"nonce": "of-another-browser"},
        lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
        lambda claims: claims | {"exp": claims["iat"] - 600, "iat": claims["iat"] - 1200},
        lambda claims: {name: value for name, value in claims.items() if name != "sub"},
    ],
    ids=["issuer", "audience", "nonce", "no nonce", "expired", "no subject"],
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(
    provider: Provider, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    provider.spoil = spoil
    with pytest.raises(NotSignedIn):
        await went_there(provider, Attempt.new())


async def test_a_token_that_another_key_signed_is_refused(provider: Provider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    with pytest.raises(NotSignedIn):
        await went_there(provider, Attempt.new())


async def test_a_client_that_the_provider_does_not_know_is_refused(provider: Provider) -> None:
    with pytest.raises(NotSignedIn):
        await went_there(provider, Attempt.new(), client_secret="another secret")


async def test_a_provider_that_is_away_is_no_fault_of_the_server(provider: Provider) -> None:
    away = settings_of(provider, issuer="http://127.0.0.1:9")
    with pytest.raises(NotSignedIn):
        await oidc.address(away, Attempt.new(), BACK)


def test_a_browser_that_comes_back_is_the_one_that_went() -> None:
    attempt = Attempt.new()
    assert Attempt.of(attempt.cookie(), attempt.state) == attempt
    for cookie, state in ((attempt.cookie(), "other"), ("", ""), (Attempt.new().cookie(), attempt.state)):
        with pytest.raises(NotSignedIn):
            Attempt.of(cookie, state)


async def test_a_provider_vouches_for_accounts_of_its_own_practice_that_were_added(provider: Provider) -> None:
    accounts = Accounts(MemoryRecords())
    mine, issuer = settings_of(provider), provider.issuer
    anna = Identity(issuer, "anna-1", "anna@north.example")
    with pytest.raises(NotSignedIn):
        await vouched_for(accounts, mine, anna)
    await accounts.add(Account("anna@north.example", "Anna", "north", "clinician", issuer=issuer))
    await accounts.add(Account("bert@south.example", "Bert", "south", "clinician", issuer=issuer))
    assert (await vouched_for(accounts, mine, anna)).login == "anna@north.example"
    # From then on it is the subject that counts, whatever the address has become, and nobody else's.
    renamed = Identity(issuer, "anna-1", None)
    assert (await vouched_for(accounts, mine, renamed)).login == "anna@north.example"
    for refused in (
        Identity(issuer, "other", "anna@north.example"),
        Identity(issuer, "bert-1", "bert@south.example"),
        Identity("https://other.example", "anna-1", "anna@north.example"),
    ):
        with pytest.raises(NotSignedIn):
            await vouched_for(accounts, mine, refused)
    await accounts.disable("anna@north.example")
    with pytest.raises(NotSignedIn):
        await vouched_for(accounts, mine, renamed)


async def test_a_browser_signs_in_at_a_running_server(provider: Provider, tmp_path: Path) -> None:
    there = {"key": "north", "name": "North", "practice": "north", "issuer": provider.issuer, "client_id": CLIENT}
    settings = data_folder(tmp_path / "data", SAMEDAY_OIDC=json.dumps([there | {"client_secret": SECRET}]))
    person = ("add", "anna@north.example", "--name", "Anna North", "--practice", "north", "--issuer", provider.issuer)
    user(settings, *person)
    with running_server(settings) as server:
        async with httpx.AsyncClient(base_url=server.url) as browser:
            assert (await browser.get("/api/seat")).json()["providers"] == [
                {"name": "North", "href": "/api/oidc/north/start"}
            ]
            assert (await came_back(browser)).headers["location"] == "/"
            seat = (await browser.get("/api/seat")).json()
            assert (seat["mode"], seat["name"], seat["practice"]) == ("account", "Anna North", "north")
            assert (await browser.get("/api/charts")).status_code == 200
        provider.who = ANNA | {"sub": "somebody", "email": "else@north.example"}
        async with httpx.AsyncClient(base_url=server.url) as stranger:
            assert (await came_back(stranger)).headers["location"] == "/sign-in?refused"
            forged = await stranger.get("/api/oidc/north/back?code=x&state=y")
            assert (forged.status_code, forged.headers["location"]) == (303, "/sign-in?refused")
            assert (await stranger.get("/api/oidc/south/start")).status_code == 401
            assert (await stranger.get("/api/seat")).json()["mode"] == "nobody"


async def came_back(browser: httpx.AsyncClient) -> httpx.Response:
    """The server's answer to a browser that went to the provider and was sent back."""
    there = await browser.get("/api/oidc/north/start")
    assert there.status_code == 303
    back = await browser.get(there.headers["location"])
    return await browser.get(back.headers["location"])
