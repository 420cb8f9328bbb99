"""Firms."""

from __future__ import annotations

from finer.identity.errors import AlreadyExists, TenantNotFound
from finer.identity.rules.checks import check_currency, check_name, check_slug, check_zone
from finer.identity.service.audit import record_audit
from finer.identity.store.firm import FirmStore
from finer.identity.store.lookups import LookupStore
from finer.identity.store.rows import IdentityStore
from finer.identity.types.access import Tenant
from finer.kit.ids import show_id
from finer.kit.tx import Tx


def get_tenant(tx: Tx) -> Tenant:
    """The firm of this transaction. Raises TenantNotFound."""
    found = IdentityStore(tx).tenant()
    if found is None:
        raise TenantNotFound(f"There is no firm {show_id('ten', tx.tenant)}.")
    return found


def list_tenants(tx: Tx) -> list[Tenant]:
    """Every firm of the installation; for the command line and for jobs."""
    return LookupStore(tx.connection).tenants()


def tenant_by_slug(tx: Tx, slug: str) -> Tenant:
    """The firm with that short name. Raises TenantNotFound, naming those that exist."""
    found = {tenant.slug: tenant for tenant in list_tenants(tx)}
    if slug not in found:
        known = ", ".join(found) or "none yet; make one with finer tenant create"
        raise TenantNotFound(f"There is no firm {slug[:60]!r}. Firms: {known}.")
    return found[slug]


def create_tenant(
    tx: Tx, *, slug: str, name: str, base_currency: str, timezone: str, second_factor_required: bool = True
) -> Tenant:
    """Add a firm; the transaction is that of the firm's own new id. Raises AlreadyExists, NotAcceptable.

    A second factor is required of everybody unless it is said otherwise: at their first sign-in people set one up
    before anything else opens.
    """
    tenant = Tenant(
        id=tx.tenant,
        slug=check_slug(slug),
        name=check_name(name),
        base_currency=check_currency(base_currency),
        timezone=check_zone(timezone),
        branding={"logo_text": check_name(name), "primary_color": None},
        created_at=tx.now(),
    )
    if not IdentityStore(tx).add_tenant(tenant):
        raise AlreadyExists(f"The short name {slug!r} is taken. Choose another one.")
    FirmStore(tx).require_second_factor(second_factor_required)
    detail = {"slug": slug, "second_factor_required": second_factor_required}
    record_audit(tx, "tenants:create", show_id("ten", tenant.id), detail)
    return tenant
