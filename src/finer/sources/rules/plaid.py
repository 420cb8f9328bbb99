"""Plaid's transactions as movements of money in a log that is only added to.

Plaid keeps a list that changes: a transaction is pending, is posted under another id, is modified, is removed. The log
keeps movements: the first sight of a transaction is a record of its amount, every later change is a record of the
difference, and a change without a difference is none. So at any time, the sum over the records of a transaction is
what Plaid says it costs, however often and in whatever order (docs/decisions/0016-corrections-are-movements.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

_ID_MAX = 48
_CHANNELS = {"online": "web", "in store": "pos"}


class Place(msgspec.Struct, frozen=True):
    """Where a transaction happened."""

    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Category(msgspec.Struct, frozen=True):
    """What a transaction was for."""

    primary: str = ""


class PlaidTransaction(msgspec.Struct, frozen=True):
    """A transaction as /transactions/sync tells it; a positive amount leaves the account."""

    transaction_id: str
    account_id: str
    amount: Decimal
    date: str
    pending: bool = False
    pending_transaction_id: str | None = None
    iso_currency_code: str | None = None
    unofficial_currency_code: str | None = None
    datetime: str | None = None
    authorized_datetime: str | None = None
    name: str | None = None
    merchant_name: str | None = None
    merchant_entity_id: str | None = None
    payment_channel: str | None = None
    transaction_code: str | None = None
    location: Place = Place()
    personal_finance_category: Category | None = None


class Removed(msgspec.Struct, frozen=True):
    """A transaction that is none any more."""

    transaction_id: str


class Update(msgspec.Struct, frozen=True):
    """One page of /transactions/sync."""

    added: list[PlaidTransaction]
    modified: list[PlaidTransaction]
    removed: list[Removed]
    next_cursor: str
    has_more: bool


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds of one transaction, under whatever ids Plaid knew it. `records` have been written of it."""

    root: str
    current: str
    amount: Decimal
    currency: str
    records: int
    outgoing: str
    """The type of what leaves the account."""
    fields: dict[str, str]


class Alias(msgspec.Struct, frozen=True):
    """An id under which the transaction `root` goes on."""

    root: str


class Book:
    """The chains of one customer's link, read before and written after a page."""

    def __init__(self, known: dict[str, bytes], customer_id: str) -> None:
        """`known` are the stored values of `keys_of` and of the roots that they name."""
        self._chains = {key: _decode(value) for key, value in known.items()}
        self._customer_id = customer_id
        self.changed: dict[str, bytes] = {}
        self.records: list[dict[str, Any]] = []

    def take(self, update: Update) -> None:
        """Note a page: what is new of it becomes records."""
        for one in (*update.added, *update.modified):
            self._set(one)
        for gone in update.removed:
            self._remove(gone.transaction_id)

    def roots(self) -> list[str]:
        """The roots that the known aliases name and that are not known yet."""
        named = {found.root for found in self._chains.values() if isinstance(found, Alias)}
        return sorted(named - set(self._chains))

    def learn(self, known: dict[str, bytes]) -> None:
        """More stored values."""
        self._chains.update({key: _decode(value) for key, value in known.items()})

    def _set(self, one: PlaidTransaction) -> None:
        root = self._root(one)
        chain = self._chains.get(root)
        currency = one.iso_currency_code or one.unofficial_currency_code or ""
        fields, outgoing = _fields(one, self._customer_id), _outgoing(one)
        if isinstance(chain, Chain) and chain.currency != currency:
            chain = self._move(chain, Decimal(0), chain.fields, pending=False)
            chain = msgspec.structs.replace(chain, currency=currency)
        if not isinstance(chain, Chain):
            chain = Chain(
                root=root, current=one.transaction_id, amount=Decimal(0), currency=currency, records=0,
                outgoing=outgoing, fields=fields,
            )  # fmt: skip
        elif chain.current != one.transaction_id and one.pending:
            return  # The pending form is told again after it was posted.
        chain = self._move(chain, one.amount, fields, pending=one.pending)
        self._put(root, msgspec.structs.replace(chain, current=one.transaction_id, fields=fields))
        if one.transaction_id != root:
            self._put(one.transaction_id, Alias(root))

    def _remove(self, identifier: str) -> None:
        found = self._chains.get(identifier)
        chain = self._chains.get(found.root) if isinstance(found, Alias) else found
        # A pending form is removed when the posted one takes its place: nothing moves then.
        if isinstance(chain, Chain) and chain.current == identifier:
            self._put(chain.root, self._move(chain, Decimal(0), chain.fields, pending=False))

    def _root(self, one: PlaidTransaction) -> str:
        known = self._chains.get(one.transaction_id)
        if isinstance(known, Alias):
            return known.root
        before = one.pending_transaction_id
        return before if before and not isinstance(known, Chain) else one.transaction_id

    def _move(self, chain: Chain, amount: Decimal, fields: dict[str, str], *, pending: bool) -> Chain:
        difference = amount - chain.amount
        if not difference:
            return chain
        back = abs(amount) < abs(chain.amount)
        was_out = chain.amount > 0 or (not chain.amount and amount > 0)
        kind = (chain.outgoing if was_out else "payment") if difference > 0 else ("refund" if was_out else "deposit")
        status = "reversed" if back else "authorized" if pending else "settled"
        self.records.append(
            {
                **fields,
                "event_id": f"plaid-{chain.root[:_ID_MAX]}-{chain.records}",
                "type": kind,
                "status": status,
                "amount": format(abs(difference), "f"),
                "currency": chain.currency,
            }
        )
        return msgspec.structs.replace(chain, amount=amount, records=chain.records + 1)

    def _put(self, key: str, value: Chain | Alias) -> None:
        self._chains[key] = value
        self.changed[key] = msgspec.json.encode([type(value).__name__, value])


def keys_of(update: Update) -> list[str]:
    """Every id that a page names."""
    posted = (*update.added, *update.modified)
    named: Iterable[str | None] = (
        *(one.transaction_id for one in posted), *(one.pending_transaction_id for one in posted),
        *(one.transaction_id for one in update.removed),
    )  # fmt: skip
    return sorted({name for name in named if name})


def _decode(value: bytes) -> Chain | Alias:
    kind, content = msgspec.json.decode(value)
    return msgspec.convert(content, Chain) if kind == "Chain" else msgspec.convert(content, Alias)


def _outgoing(one: PlaidTransaction) -> str:
    primary = one.personal_finance_category.primary if one.personal_finance_category else ""
    if one.transaction_code in ("atm", "cash") or primary == "CASH_WITHDRAWAL":
        return "withdrawal"
    return {"TRANSFER_OUT": "transfer", "BANK_FEES": "fee", "LOAN_PAYMENTS": "payment"}.get(primary, "purchase")


def _fields(one: PlaidTransaction, customer_id: str) -> dict[str, str]:
    found = {
        "occurred_at": one.authorized_datetime or one.datetime or f"{one.date}T00:00:00Z",
        "customer_id": customer_id,
        "account_id": one.account_id,
        "merchant_name": (one.merchant_name or one.name or "")[:128],
        "merchant_id": one.merchant_entity_id,
        "merchant_city": one.location.city,
        "merchant_state": one.location.region,
        "merchant_zip": one.location.postal_code,
        "merchant_country": one.location.country,
        "channel": _CHANNELS.get(one.payment_channel or ""),
    }
    return {name: value for name, value in found.items() if value}
