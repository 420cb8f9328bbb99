"""What a firm says about itself: its name, its look and its time zone."""

from __future__ import annotations

import msgspec

from finer.identity.rules.checks import check_colour, check_name, check_zone
from finer.identity.service.audit import record_audit
from finer.identity.service.tenants import get_tenant
from finer.identity.store.firm import FirmStore
from finer.identity.types import Tenant
from finer.kit.ids import show_id
from finer.kit.tx import Tx


def change_firm(tx: Tx, *, name: str, logo_text: str, primary_color: str | None, timezone: str) -> Tenant:
    """Change what a firm says about itself. Raises NotAcceptable.

    The base currency stays: amounts that were compared and stored in it would mean something else. The time zone
    counts for features of the hour of day from the next few seconds on; what was decided before stays as it was.
    """
    before = get_tenant(tx)
    after = msgspec.structs.replace(
        before,
        name=check_name(name),
        timezone=check_zone(timezone),
        branding=before.branding | {"logo_text": check_name(logo_text), "primary_color": check_colour(primary_color)},
    )
    FirmStore(tx).change(after)
    changed = [field for field in ("name", "timezone", "branding") if getattr(before, field) != getattr(after, field)]
    record_audit(tx, "firm:change", show_id("ten", tx.tenant), {"changed": changed})
    return after
