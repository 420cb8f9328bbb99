"""What all dashboards share: their time, their amounts in one currency, and tiles that fail alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import structlog

from finer.identity.service import tenants
from finer.kit.hashing import hash_text
from finer.kit.moments import microseconds
from finer.kit.money import EXPONENTS, exponent
from finer.kit.tx import Tx
from finer.ledger import service as ledger
from finer.operations.errors import UnknownSpan
from finer.operations.rules.spans import SPANS, begins, floor
from finer.operations.rules.sums import Convert, converter
from finer.operations.service.rollups import behind_since
from finer.operations.store.rollups import RollupStore
from finer.operations.types.sums import Change, Filter, Frame, Span, Sums

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_MANY = 10**9  # major units: enough that the rounding to US cents does not show


@dataclass(frozen=True)
class Ground:
    """What the tiles of one dashboard are computed from."""

    tx: Tx
    store: RollupStore
    span: Span
    chosen: Filter
    now: datetime
    since: datetime
    currency: str
    convert: Convert
    zone: str
    read: dict[tuple[str, datetime], list[Sums]] = field(default_factory=dict)
    """What was read by contract and beginning: several tiles are made of the same sums."""

    @property
    def frame(self) -> Frame:
        """The time that is shown."""
        return Frame(as_of=self.now, behind_since=behind_since(self.tx), since=self.since, bucket_s=self.span.bucket_s)

    @property
    def change(self) -> Change:
        """What is compared with the period before."""
        return Change(whole_until=floor(self.now, self.span.bucket_s), length=self.span.length)

    def worth(self, one: Sums) -> int:
        """A sum in the firm's currency; nothing where no rate is known."""
        return self.convert(one.currency, one.amount_minor) or 0

    def series(self, contract: str) -> list[Sums]:
        """Sums by bucket from the beginning on."""
        until = self.now + timedelta(days=2)  # records may be a day ahead of their arrival
        return self._by_bucket(contract, (self.since, until))

    def before(self, contract: str) -> list[Sums]:
        """Sums by bucket of the period before."""
        return self._by_bucket(contract, (self.since - self.span.length, self.since))

    def labelled(self, contract: str, dimension: str) -> list[Sums]:
        """Sums by what a dimension says. Products are kept by the hour at the shortest."""
        step_s = self.span.step_s if dimension != "product" else max(self.span.step_s, 3600)
        span = (floor(self.since, step_s), self.now + timedelta(days=2))
        return self.store.by_label(contract, dimension, step_s, span, self.chosen)

    def _by_bucket(self, contract: str, span: tuple[datetime, datetime]) -> list[Sums]:
        found = self.read.get((contract, span[0]))
        if found is None:
            found = self.store.by_bucket(contract, self.span.step_s, self.span.bucket_s, span, self.chosen)
            self.read[contract, span[0]] = found
        return found


def ground(tx: Tx, span: str, chosen: Filter) -> Ground:
    """What a dashboard of a span needs. Raises UnknownSpan."""
    known = SPANS.get(span)
    if known is None:
        raise UnknownSpan(f"There is no span {span[:20]!r}. Spans are {', '.join(SPANS)}.")
    firm, now = tenants.get_tenant(tx), tx.now()
    return Ground(
        tx=tx, store=RollupStore(tx), span=known, chosen=chosen, now=now, since=begins(now, known),
        currency=firm.base_currency, convert=converter(_rates(tx, firm.base_currency, now)), zone=firm.timezone,
    )  # fmt: skip


def each(tx: Tx, tiles: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], list[str]]:
    """Every tile by name, and the names of those that could not be computed; they are None.

    A tile that fails leaves the others as they are, and the transaction good.
    """
    found: dict[str, Any] = {}
    failed = []
    for name, compute in tiles.items():
        try:
            with tx.connection.begin_nested():
                found[name] = compute()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one tile, the others stand
            _log.warning("a tile could not be computed", tile=name, error=str(error))
            found[name] = None
            failed.append(name)
    return found, failed


def _rates(tx: Tx, base: str, now: datetime) -> dict[str, Decimal]:
    """Minor units of the base currency for one minor unit of each currency that the ledger has a rate of today."""
    table = ledger.rate_table(tx)
    codes = sorted({base, *EXPONENTS, *(rate.currency for rate in ledger.list_rates(tx))})
    minor = np.array([_MANY * 10 ** exponent(code) for code in codes], np.int64)
    hashes = np.array([hash_text(code) for code in codes], np.uint64)
    cents, known = table.usd_minor(minor, hashes, np.full(len(codes), microseconds(now), np.int64))
    worth = {
        code: Decimal(int(cents[place])) / int(minor[place])
        for place, code in enumerate(codes)
        if (known is None or known[place]) and cents[place]
    }
    one = worth.get(base)
    return {base: Decimal(1)} if one is None else {code: value / one for code, value in worth.items()}
