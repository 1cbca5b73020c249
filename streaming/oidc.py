"""Sign-in with an OpenID provider: authorization code with PKCE and a nonce (OpenID Connect Core 1.0, RFC 7636).

The ID token is checked in full: signature by a key of the provider, issuer, audience, times, nonce. Nothing that the
provider says makes an account; it vouches for one that was added.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from streaming.errors import NotSignedIn
from streaming.settings import OidcProvider

_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_TIMEOUT_S = 10.0
_LEEWAY_S = 60
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser keeps while it is at the provider: it comes back with the state, and the nonce in its token."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Attempt":
        return cls(*(secrets.token_urlsafe(_BYTES) for _ in range(3)))

    def cookie(self) -> str:
        return f"{self.state}.{self.nonce}.{self.verifier}"

    @classmethod
    def of(cls, cookie: str, state: str) -> "Attempt":
        """The attempt of a browser that comes back. Raises NotSignedIn where it is not the one that went."""
        parts = cookie.split(".")
        if len(parts) != 3 or not secrets.compare_digest(parts[0].encode(), state.encode()):
            raise _refused()
        return cls(*parts)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a provider vouches for; `email` only where it says that it has verified it."""

    issuer: str
    subject: str
    email: str | None


async def address(provider: OidcProvider, attempt: Attempt, back: str) -> str:
    """Where a browser goes to sign in; it comes back to `back`. Raises NotSignedIn where the provider is away."""
    try:
        async with _client(provider, back) as client:
            known = await _configuration(client, provider)
            url, _ = client.create_authorization_url(
                known["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
            return str(url)
    except NotSignedIn:
        raise
    except Exception as error:  # of the network, the library, or a provider that says nonsense
        raise _refused() from error


async def identity(provider: OidcProvider, attempt: Attempt, code: str, back: str) -> Identity:
    """Who signed in there, by the code that the browser brought. Raises NotSignedIn for anything amiss."""
    try:
        async with _client(provider, back) as client:
            known = await _configuration(client, provider)
            token = await client.fetch_token(known["token_endpoint"], code=code, code_verifier=attempt.verifier)
            told: Any = await _json(client, known["jwks_uri"])
            keys = KeySet.import_key_set(told)
            claims = _checked(provider, attempt, token, keys)
    except NotSignedIn:
        raise
    except Exception as error:
        raise _refused() from error
    email = claims.get("email") if claims.get("email_verified") is True else None
    return Identity(provider.issuer, str(claims["sub"]), str(email).lower() if email else None)


def _checked(provider: OidcProvider, attempt: Attempt, token: dict[str, Any], keys: KeySet) -> dict[str, Any]:
    decoded = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS)
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
            "nonce": {"essential": True, "value": attempt.nonce},
        },
        {"nonce": attempt.nonce, "client_id": provider.client_id, "access_token": token.get("access_token")},
    )
    claims.validate(leeway=_LEEWAY_S)
    return dict(claims)


async def _configuration(client: AsyncOAuth2Client, provider: OidcProvider) -> dict[str, Any]:
    known = await _json(client, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    secure = urlsplit(provider.issuer).scheme
    places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if known["issuer"] != provider.issuer or any(urlsplit(known[one]).scheme != secure for one in places):
        raise _refused()
    return known


async def _json(client: AsyncOAuth2Client, url: str) -> dict[str, Any]:
    answer = await client.request("GET", url, withhold_token=True)
    answer.raise_for_status()
    found: dict[str, Any] = json.loads(answer.content)
    return found


def _client(provider: OidcProvider, back: str) -> AsyncOAuth2Client:
    secret = provider.client_secret and provider.client_secret.get_secret_value()
    return AsyncOAuth2Client(
        client_id=provider.client_id,
        client_secret=secret,
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        scope="openid email",
        redirect_uri=back,
        code_challenge_method="S256",
        timeout=_TIMEOUT_S,
    )


def _refused() -> NotSignedIn:
    return NotSignedIn("The provider did not vouch for an account here.", mend="Try again, or sign in by password.")
