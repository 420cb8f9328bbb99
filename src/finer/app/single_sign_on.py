"""Signing in by a firm's OpenID provider: from the button to the session.

Talking to the provider takes as long as the provider takes, so no transaction is open meanwhile: the sign-in under way
is taken from the database first, and whoever comes in does so in a transaction of its own afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from finer.app.sign_in import Doorway
from finer.identity.errors import ProviderUnusable, SignInRefused
from finer.identity.service import oidc, sso, tenants
from finer.identity.service.sso import SsoProvider
from finer.identity.types.access import Admission, Factor, Tenant
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, Database
from finer.kit.outbound import Outbound
from finer.kit.settings import Settings

CALLBACK = "/api/v1/sso/callback"
_REFUSED = "Your firm's sign-in service did not confirm who you are to Finer. Try again, or ask your administrator."


class SingleSignOn:
    """The providers of all firms, as one API process talks to them."""

    def __init__(self, database: Database, settings: Settings, doorway: Doorway) -> None:
        self._database = database
        self._doorway = doorway
        outbound = Outbound.of(settings)
        self._party = oidc.RelyingParty(outbound, f"{settings.web_url}{CALLBACK}")

    @property
    def redirect_uri(self) -> str:
        """The address that a provider has to know as Finer's."""
        return self._party.redirect_uri

    def offer(self, firm: str | None, email: str | None) -> tuple[Tenant, SsoProvider] | None:
        """The firm and its provider, by the firm's short name or by the domain of an address; None when there is none.

        It says nothing about whether somebody has that address.
        """
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            found = sso.firm_of_domain(tx, email) if email else None
            known = [one for one in tenants.list_tenants(tx) if found == one.id or (firm and one.slug == firm)]
        if not known:
            return None
        with self._database.transaction(known[0].id, SYSTEM, read_only=True) as tx:
            provider = sso.find_provider(tx)
        return None if provider is None else (known[0], provider)

    def begin(self, firm: str, following: str, address: str, fresh: bool = False) -> tuple[str, str]:
        """(where the browser goes, what it keeps in a cookie). Raises ProviderUnusable, TooManyAttempts."""
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            sso.count_begin(tx, address)
        found = self.offer(firm, None)
        if found is None:
            raise ProviderUnusable("There is no single sign-on for this firm. Sign in with your password.")
        tenant, provider = found
        with self._database.transaction(tenant.id, SYSTEM) as tx:
            attempt = sso.begin(tx, provider, following, fresh=fresh)
        try:
            location = self._party.location(
                provider, state=attempt.state, nonce=attempt.nonce, verifier=attempt.verifier, fresh=fresh
            )
        except oidc.Refused as error:
            self._note(tenant.id, provider, str(error))
            raise ProviderUnusable(
                f"{provider.name} cannot be used at the moment. Try again, or sign in with your password."
            ) from error
        return location, attempt.browser

    def finish(self, answer: Mapping[str, str], browser: str, address: str, user_agent: str) -> tuple[Admission, str]:
        """(the session, where the person wanted to go) for a provider's answer. Raises SignInRefused."""
        state = answer.get("state", "")
        tenant = sso.tenant_of(state)
        if tenant is None:
            raise SignInRefused(_REFUSED)
        with self._database.transaction(tenant, SYSTEM) as tx:
            taken = sso.take(tx, state, browser)
            secret = sso.get_secret(tx, taken[1]) if taken is not None else ""
        if taken is None:
            raise SignInRefused("This sign-in took too long, or was begun in another window. Begin again.")
        attempt, provider = taken
        now = self._database.clock.now()
        try:
            claims = self._party.claims(
                provider, secret, answer, nonce=attempt.nonce, verifier=attempt.verifier, now=now, fresh=attempt.fresh
            )
        except oidc.Refused as error:
            self._note(tenant, provider, str(error))
            raise SignInRefused(_REFUSED) from error
        with self._database.transaction(tenant, SYSTEM) as tx:
            user, said = sso.enter(tx, provider, claims), sso.vouched(tx, provider, claims)
            if isinstance(user, sso.Refusal):
                sso.refuse(tx, provider, user.reason)
        if isinstance(user, sso.Refusal):
            raise SignInRefused(_REFUSED)
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            sso.give_back_begin(tx, address)
        factor = Factor.SSO_MFA if provider.checks_strength else Factor.SSO
        return self._doorway.by_provider(tenant, user, factor, said, address, user_agent), attempt.next

    def examine(self, issuer: str) -> tuple[oidc.Metadata, int]:
        """What an issuer says of itself now, and how many keys it has. Raises ProviderUnusable with the reason."""
        try:
            found = self._party.discover(issuer, anew=True)
            return found, self._party.count_keys(found)
        except oidc.Refused as error:
            raise ProviderUnusable(f"This provider cannot be used: {str(error).rstrip('.')}.") from error

    def _note(self, tenant: uuid.UUID, provider: SsoProvider, reason: str) -> None:
        with self._database.transaction(tenant, SYSTEM) as tx:
            sso.refuse(tx, provider, reason)
