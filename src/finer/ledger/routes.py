"""HTTP of the ledger."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from litestar import Controller, get

from finer.identity.service import tenants
from finer.identity.types.access import Permission
from finer.kit.money import exponent
from finer.kit.tx import Tx
from finer.ledger import service


class FirmCurrency(msgspec.Struct, frozen=True, kw_only=True):
    """The currency that the firm keeps its books in.

    `exponent` is the number of decimals of its minor unit. `per_usd` is what a US dollar is worth in it today, or null
    where the firm has no rate: what rules compare is in US dollars, and so are sums over several currencies.
    """

    currency: str
    exponent: int
    per_usd: Decimal | None


class LedgerController(Controller):
    """What amounts are worth."""

    path = "/api/v1"
    tags = ["Session"]

    @get(
        "/me/currency", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True,
        summary="Which currency is my firm's",
    )  # fmt: skip
    def own(self, tx: Tx) -> FirmCurrency:
        """The firm's base currency, and what a US dollar is worth in it today."""
        code = tenants.get_tenant(tx).base_currency
        return FirmCurrency(currency=code, exponent=exponent(code), per_usd=service.per_dollar(tx, code))
