"""Single sign-on: a firm's provider, a sign-in under way, and who comes in by it."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from finer.identity.errors import AlreadyExists, NotAcceptable, ProviderNotFound, SignInRefused, TooManyAttempts
from finer.identity.rules import oidc
from finer.identity.rules.checks import check_domain, check_name
from finer.identity.rules.provider import RoleMapping, SsoProvider, SsoSetup, Vouched
from finer.identity.rules.throttle import ADDRESS, sso_key
from finer.identity.service.audit import record_audit
from finer.identity.service.sessions import end_other_sessions, secret_hash
from finer.identity.store.lookups import LookupStore
from finer.identity.store.rows import IdentityStore
from finer.identity.store.sso import SsoStore
from finer.identity.types.access import Role, User
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

__all__ = ["RoleMapping", "SsoProvider", "SsoSetup", "Vouched"]

ATTEMPT_LIFETIME = timedelta(minutes=10)
_SECRET_MAX = 500
_VALUES_MAX = 20
_AGES = (5, 43_200)  # minutes


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in under way: `state` goes to the provider and back, `browser` stays in a cookie of this browser."""

    state: str
    browser: str
    nonce: str
    verifier: str
    next: str
    fresh: bool
    """Whether the person has to sign in anew at the provider, whatever it knows of them."""


class Refusal(msgspec.Struct, frozen=True):
    """Nobody comes in, and why; the sentence is for the audit trail."""

    reason: str


def find_provider(tx: Tx, *, enabled_only: bool = True) -> SsoProvider | None:
    """The firm's provider, when people may sign in by it at present; or in any case."""
    found = SsoStore(tx).provider()
    return found if found is not None and (found.enabled or not enabled_only) else None


def get_secret(tx: Tx, provider: SsoProvider) -> str:
    """The client's secret at the provider, for asking the provider and for nothing else."""
    return SsoStore(tx).secret(provider.id)


def set_provider(tx: Tx, wanted: SsoSetup, client_secret: str | None) -> SsoProvider:
    """Set up the firm's provider, or change it. Raises NotAcceptable.

    The secret may be left out when issuer and client stay: a secret never goes to another provider than it was given
    for.
    """
    store = SsoStore(tx)
    before = store.provider()
    same = before is not None and (before.issuer, before.client_id) == (wanted.issuer, wanted.client_id)
    if client_secret is None and not same:
        raise NotAcceptable("Give the client secret: the issuer or the client is a new one.")
    if client_secret is not None and not 0 < len(client_secret) <= _SECRET_MAX:
        raise NotAcceptable(f"A client secret has 1 to {_SECRET_MAX} characters.")
    checked = check_setup(wanted)
    provider = SsoProvider(
        **{name: getattr(checked, name) for name in SsoSetup.__struct_fields__},
        id=new_id() if before is None else before.id,
        changed_at=tx.now(),
    )
    store.put(provider, client_secret)
    detail = {
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "enabled": provider.enabled,
        "secret_changed": client_secret is not None,
        "role_map": [[row.value, str(row.role)] for row in provider.role_map],
        "acr_values": provider.acr_values,
        "amr_values": provider.amr_values,
        "max_age_minutes": provider.max_age_minutes,
    }
    record_audit(tx, "sso:change", show_id("sso", provider.id), detail)
    return provider


def check_setup(wanted: SsoSetup) -> SsoSetup:
    """A setup that can be stored. Raises NotAcceptable."""
    return msgspec.structs.replace(
        wanted,
        name=check_name(wanted.name),
        issuer=oidc.check_issuer(wanted.issuer),
        client_id=_plain(wanted.client_id, "A client id"),
        algorithms=_algorithms(wanted.algorithms),
        scopes=_scopes(wanted.scopes),
        role_claim=_plain(wanted.role_claim, "The name of a claim"),
        role_map=oidc.check_role_map(wanted.role_map),
        acr_values=_values(wanted.acr_values, "acr"),
        amr_values=_values(wanted.amr_values, "amr"),
        max_age_minutes=_max_age(wanted.max_age_minutes),
    )


def remove_provider(tx: Tx) -> None:
    """End single sign-on; sessions that are open stay. Raises ProviderNotFound."""
    provider = find_provider(tx, enabled_only=False)
    if provider is None:
        raise ProviderNotFound("This firm has no single sign-on.")
    SsoStore(tx).remove()
    record_audit(tx, "sso:remove", show_id("sso", provider.id), {"issuer": provider.issuer})


def count_begin(tx: Tx, address: str) -> None:
    """One more sign-in begun from an address; the transaction is that of no tenant. Raises TooManyAttempts."""
    if wait := LookupStore(tx.connection).count_attempt(sso_key(address), ADDRESS, tx.now()):
        raise TooManyAttempts(f"Too many sign-ins were begun from here. Try again in {wait} s.", retry_after_s=wait)


def give_back_begin(tx: Tx, address: str) -> None:
    """A sign-in that was begun from an address has ended well, so it counts for nothing."""
    LookupStore(tx.connection).give_back_attempt(sso_key(address))


def begin(tx: Tx, provider: SsoProvider, following: str, *, fresh: bool = False) -> Attempt:
    """A new sign-in by the provider, good for ten minutes, once, and in one browser."""
    attempt = Attempt(
        state=f"{tx.tenant.hex}.{secrets.token_urlsafe(32)}",
        browser=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        next=following,
        fresh=fresh,
    )
    store = SsoStore(tx)
    store.forget_attempts(tx.now())
    store.begin(
        secret_hash(attempt.state),
        browser_hash=secret_hash(attempt.browser),
        provider_id=provider.id,
        issuer=provider.issuer,
        nonce=attempt.nonce,
        verifier=attempt.verifier,
        next=attempt.next,
        fresh=attempt.fresh,
        expires_at=tx.now() + ATTEMPT_LIFETIME,
    )
    return attempt


def tenant_of(state: str) -> uuid.UUID | None:
    """The firm that a state names; whether there is such a sign-in only `take` says."""
    try:
        return uuid.UUID(hex=state.partition(".")[0])
    except ValueError:
        return None


def take(tx: Tx, state: str, browser: str) -> tuple[Attempt, SsoProvider] | None:
    """The sign-in under way and its provider; None when it is unknown, over, another browser's, or out of date."""
    row = SsoStore(tx).take(secret_hash(state), secret_hash(browser), tx.now())
    provider = find_provider(tx)
    if row is None or provider is None or (row.provider_id, row.issuer) != (provider.id, provider.issuer):
        return None
    attempt = Attempt(
        state=state, browser=browser, nonce=row.nonce, verifier=row.verifier, next=row.next, fresh=row.fresh
    )
    return attempt, provider


def vouched(tx: Tx, provider: SsoProvider, claims: Mapping[str, Any]) -> Vouched:
    """When the person of checked claims signed in at the provider, and until when that is good here."""
    return oidc.vouched(provider, claims, tx.now())


def enter(tx: Tx, provider: SsoProvider, claims: Mapping[str, Any]) -> uuid.UUID | Refusal:
    """The person of checked claims: known by issuer and subject, made when new, with the role that the claims map to.

    An address never decides who somebody is: where it belongs to an account already, nobody comes in by it. Raises
    SignInRefused when the same person comes in for the first time twice at once.
    """
    role, subject = oidc.role_of(provider, claims), str(claims["sub"])
    store = SsoStore(tx)
    known = store.person(provider.issuer, subject, tx.now())
    user = None if known is None else IdentityStore(tx).users(identifier=known)[0]
    if role is None:
        if user is not None:
            end_other_sessions(tx, user.id, None)
        return Refusal(f"no row of the role table fits the claim {provider.role_claim}")
    if user is None:
        return _join(tx, provider, claims, role)
    if user.disabled_at is not None:
        return Refusal("the account is disabled")
    if user.role is not role:
        store.set_role(user.id, role)
        end_other_sessions(tx, user.id, None)
        detail = {"from": str(user.role), "to": str(role), "by": show_id("sso", provider.id)}
        record_audit(tx, "users:role", show_id("usr", user.id), detail)
    return user.id


def refuse(tx: Tx, provider: SsoProvider, reason: str) -> None:
    """Note a sign-in by the provider that was not accepted."""
    record_audit(tx, "session:begin", show_id("sso", provider.id), {"reason": reason[:300]}, outcome="refused")


def firm_of_domain(tx: Tx, email: str) -> uuid.UUID | None:
    """The firm whose people have addresses of this domain; says nothing about whether the address exists."""
    domain = email.strip().lower().rpartition("@")[2]
    return LookupStore(tx.connection).domain(domain)


def list_domains(tx: Tx) -> list[str]:
    """The e-mail domains of the firm."""
    return SsoStore(tx).domains()


def add_domain(tx: Tx, domain: str) -> None:
    """Confirm that an e-mail domain is this firm's; for operators. Raises AlreadyExists, NotAcceptable."""
    store = SsoStore(tx)
    if not store.add_domain(check_domain(domain)):
        if domain in store.domains():
            raise AlreadyExists(f"The domain {domain} is this firm's already. Nothing was changed.")
        raise AlreadyExists(f"The domain {domain} is another firm's already. Take it from that one first.")
    record_audit(tx, "sso_domains:add", domain)


def remove_domain(tx: Tx, domain: str) -> None:
    """Take an e-mail domain back from this firm; for operators. Raises ProviderNotFound."""
    if not SsoStore(tx).remove_domain(check_domain(domain)):
        raise ProviderNotFound(f"The domain {domain} is not this firm's.")
    record_audit(tx, "sso_domains:remove", domain)


def _join(tx: Tx, provider: SsoProvider, claims: Mapping[str, Any], role: Role) -> uuid.UUID | Refusal:
    store, identifier = SsoStore(tx), new_id()
    # Without an address that the firm was confirmed to own, there is one that no mail server can have (RFC 2606).
    email = oidc.vouched_address(claims, store.domains()) or f"{identifier.hex}@sso.invalid"
    user = User(id=identifier, tenant_id=tx.tenant, email=email, name=oidc.shown_name(claims), role=role)
    if not IdentityStore(tx).add_user(user, None, tx.now()):
        return Refusal("an account with this address exists, and it was not made by this provider")
    if not store.link(provider.issuer, str(claims["sub"]), user.id, tx.now()):
        raise SignInRefused("You signed in twice at the same moment. Try again.")
    record_audit(tx, "users:create", show_id("usr", user.id), {"role": str(role), "by": show_id("sso", provider.id)})
    return user.id


def _plain(text: str, what: str) -> str:
    if not 0 < len(text) <= 255 or not text.isascii() or not text.isprintable() or text != text.strip():
        raise NotAcceptable(f"{what} has 1 to 255 plain characters.")
    return text


def _algorithms(wanted: Sequence[str]) -> list[str]:
    if not wanted or any(one not in oidc.ALGORITHMS for one in wanted):
        raise NotAcceptable(f"An ID token is signed with {', '.join(oidc.ALGORITHMS)}; choose from these.")
    return sorted(set(wanted))


def _max_age(minutes: int | None) -> int | None:
    if minutes is not None and not _AGES[0] <= minutes <= _AGES[1]:
        raise NotAcceptable(f"A sign-in at the provider is good for {_AGES[0]} minutes to {_AGES[1] // 1440} days.")
    return minutes


def _values(wanted: Sequence[str], claim: str) -> list[str]:
    if len(wanted) > _VALUES_MAX:
        raise NotAcceptable(f"At most {_VALUES_MAX} values of {claim}; these are {len(wanted)}.")
    found = sorted({_plain(value, f"A value of {claim}") for value in wanted})
    if any(" " in value for value in found):
        raise NotAcceptable(f"A value of {claim} has no spaces; give each value by itself.")
    return found


def _scopes(wanted: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(["openid", *wanted]))
    if len(found) > 20 or any(not scope or not scope.isascii() or not scope.isalnum() for scope in _bare(found)):
        raise NotAcceptable("Scopes are words of letters, digits and . _ : / - signs, at most 20.")
    return found


def _bare(scopes: Sequence[str]) -> list[str]:
    return [scope.translate({ord(sign): None for sign in "._:/-"}) for scope in scopes]
