"""The SQL of what rules did, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.fraud.tables import rule_minutes
from finer.fraud.types import ActivityHour, RuleActivity
from finer.kit.tx import Tx

_t = rule_minutes.c
_ADD = """
insert into fraud_rule_minutes as t (tenant_id, minute, rule, shadow, hits, blocks, amount_usd_minor)
select %(tenant)s, date_trunc('minute', %(at)s::timestamptz), rule, shadow, hits, blocks, usd
from unnest(%(rules)s::text[], %(shadow)s::bool[], %(hits)s::bigint[], %(blocks)s::bigint[], %(usd)s::bigint[])
  as u(rule, shadow, hits, blocks, usd)
on conflict (tenant_id, minute, rule, shadow) do update set hits = t.hits + excluded.hits,
  blocks = t.blocks + excluded.blocks, amount_usd_minor = t.amount_usd_minor + excluded.amount_usd_minor
"""


class ActivityStore:
    """What the rules of one tenant did."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        # Made where it is asked for: `add` is called for every batch and does without.
        return _t.tenant_id == self._tx.tenant

    def add(self, at: datetime, rows: Iterable[tuple[str, bool, int, int, int]]) -> None:
        """Add (rule, shadow, hits, blocks, worth in USD cents) to the minute of `at`."""
        names, shadow, hits, blocks, usd = zip(*sorted(rows), strict=True)
        self._tx.write(
            _ADD,
            {
                "tenant": self._tx.tenant, "at": at, "rules": list(names),
                # As text: a list of numbers is looked through for the smallest type that holds them all.
                "shadow": _texts(map(str, shadow)), "hits": _texts(map(str, hits)),
                "blocks": _texts(map(str, blocks)), "usd": _texts(map(str, usd)),
            },
        )  # fmt: skip

    def since(self, moment: datetime) -> list[RuleActivity]:
        """Sums by rule, live and in shadow apart, since a moment."""
        query = (
            sa.select(_t.rule, _t.shadow, *_SUMS).where(self._mine, _t.minute >= moment).group_by(_t.rule, _t.shadow)
        )
        return [
            RuleActivity(rule=row[0], shadow=row[1], hits=int(row[2]), blocks=int(row[3]), amount_usd_minor=int(row[4]))
            for row in self._tx.connection.execute(query)
        ]

    def hours(self, rule: str, moment: datetime) -> list[ActivityHour]:
        """What one rule did by hour since a moment, the oldest first."""
        hour = sa.func.date_trunc("hour", _t.minute)
        query = (
            sa.select(hour, _t.shadow, sa.func.sum(_t.hits), sa.func.sum(_t.blocks))
            .where(self._mine, _t.rule == rule, _t.minute >= moment)
            .group_by(hour, _t.shadow)
            .order_by(hour, _t.shadow)
        )
        return [
            ActivityHour(hour=row[0], shadow=row[1], hits=int(row[2]), blocks=int(row[3]))
            for row in self._tx.connection.execute(query)
        ]

    def minutes(self, moment: datetime) -> list[Any]:
        """(minute, rule, blocks; payments decided for the rule of no name) since a moment, the oldest first."""
        count = sa.case((_t.rule == "", _t.hits), else_=_t.blocks)
        query = sa.select(_t.minute, _t.rule, count).where(self._mine, ~_t.shadow, _t.minute >= moment)
        return list(self._tx.connection.execute(query.order_by(_t.minute)))

    def forget(self, before: datetime) -> int:
        """Delete minutes before then."""
        return self._tx.connection.execute(rule_minutes.delete().where(self._mine, _t.minute < before)).rowcount


_SUMS = (sa.func.sum(_t.hits), sa.func.sum(_t.blocks), sa.func.sum(_t.amount_usd_minor))


def _texts(values: Iterable[str]) -> str:
    return "{" + ",".join(values) + "}"
