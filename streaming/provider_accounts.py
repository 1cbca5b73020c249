"""Which account an OpenID provider vouches for."""

from streaming.accounts import Account, Accounts
from streaming.errors import NotSignedIn
from streaming.oidc import Identity
from streaming.settings import OidcProvider


async def vouched_for(accounts: Accounts, provider: OidcProvider, who: Identity) -> Account:
    """The account of somebody who signed in at a provider, of the provider's own practice alone.

    It must have been added for this provider. The first time the verified address names it; from then on its subject
    there does. Raises NotSignedIn, StoreFailed.
    """
    mine = [one for one in await accounts.all() if (one.issuer, one.practice) == (who.issuer, provider.practice)]
    known = next((one for one in mine if one.subject == who.subject), None)
    fresh = next((one for one in mine if one.subject is None and one.login == who.email), None)
    found = known or fresh
    if found is None or found.disabled:
        raise NotSignedIn("The provider did not vouch for an account here.", mend="Ask who keeps the accounts.")
    if known is None:
        await accounts.bind(found.login, who.subject)
    return found
