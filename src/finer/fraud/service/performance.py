"""How rules and models did, by what was known at a moment: shares with their bounds, money, time, rows behind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from finer.decisions.types.alerts import Action
from finer.fraud.errors import PeriodNotAcceptable
from finer.fraud.rules.price import wilson
from finer.fraud.service import rules
from finer.fraud.service.rule_sets import load
from finer.fraud.store import performance as lake
from finer.fraud.types import (
    DecidedPayment,
    DecisionTime,
    HighValueDay,
    Interval,
    OutcomeKind,
    Performance,
    PerformanceDay,
    Source,
    SourceOutcome,
)
from finer.identity.service import exports, tenants
from finer.identity.service.proposals import Kinds, Payload
from finer.identity.types.proposals import Proposal
from finer.kit.moments import EPOCH, refuse_to_come
from finer.kit.settings import Settings
from finer.kit.tx import Tx

ReadLake: TypeAlias = Callable[[uuid.UUID, str, dict[str, Any]], list[dict[str, Any]] | None]
"""Rows of a query of ours over a firm's lake; None when the lake has not all of its tables yet."""
Rows: TypeAlias = list[dict[str, Any]]
_Ask: TypeAlias = Callable[[Callable[..., str], dict[str, Any]], Rows]
DAYS_MAX = 400
PAGE = 100
FILE_ROWS_MAX = 20_000
HIGH_VALUE_USD = 800
"""Payments of more than this are of high value, whatever rules a firm has."""
EXPORT = "decisions:export"
"""The kind of proposal of many payments in a file; what the trail calls it too."""
_DAY_S = 86_400.0


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Payments that occurred from `since` to before `until`, by what was known of them at `as_of`."""

    since: datetime
    until: datetime
    as_of: datetime


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows of a firm that questions to its lake need: its zone, its rules, and the time."""

    tenant: uuid.UUID
    now: datetime
    zone: str
    blocking: list[str]
    titles: dict[str, str]


def period(now: datetime, since: datetime | None, until: datetime | None, as_of: datetime | None) -> Period:
    """The period that somebody asks for: without more, the last 30 days as known now.

    Raises PeriodNotAcceptable, and MomentToCome for an `as_of` in the future.
    """
    if as_of is not None:
        refuse_to_come(as_of, now)
    known = min(as_of or now, now)
    end = min(until or known, known)
    if end < EPOCH:
        raise PeriodNotAcceptable("There are no payments from before 1970.")
    begin = since or end - timedelta(days=30)
    if begin >= end:
        raise PeriodNotAcceptable("The period ends before it begins, or nothing was known of it yet at that moment.")
    if end - begin > timedelta(days=DAYS_MAX):
        raise PeriodNotAcceptable(f"A period has at most {DAYS_MAX} days. Ask for a shorter one.")
    return Period(since=begin, until=end, as_of=known)


def asked_of(tx: Tx) -> Asked:
    """What the lake is asked about a firm with; read before it is asked, so that no transaction waits for the lake."""
    blocking = [one.id for one in load(tx).rules if one.action is Action.BLOCK]
    return Asked(
        tenant=tx.tenant, now=tx.now(), zone=tenants.get_tenant(tx).timezone, blocking=blocking,
        titles={one.rule: one.text.title for one in reversed(rules.list_versions(tx))},
    )  # fmt: skip


def measure(about: Asked, read: ReadLake, of: Period, capacity_per_day: int) -> Performance:
    """What was decided on the payments of a period, and how right it was; zeros while the lake holds nothing.

    It needs no transaction, and is not to be called within one: the lake may take a while.
    """
    ask = _asker(about.tenant, read, of)
    days, shares = _days_and_shares(about, ask)
    times = ask(lake.times_query, {})
    protected = _sums(shares, "day")
    shown = [_day(row, protected) for row in days]
    alerts, length = sum(one.alerts for one in shown), max((of.until - of.since).total_seconds() / _DAY_S, 1 / 24)
    return Performance(
        since=of.since,
        until=of.until,
        as_of=of.as_of,
        payments=sum(one.payments for one in shown),
        fraud_known=sum(one.fraud for one in shown),
        waiting=alerts - sum(one.judged for one in shown),
        protected_usd_minor=sum(protected.values()),
        repeated_usd_minor=sum(row["usd_minor"] for row in shares if row["again"]),
        missed_usd_minor=sum(one.missed_usd_minor for one in shown),
        alerts_per_day=alerts / length,
        capacity_per_day=capacity_per_day,
        capacity_used=alerts / length / capacity_per_day,
        decision_time=_times(times),
        sources=_outcomes(days, ask(lake.sources_query, {}), shares, about.titles),
        days=shown,
    )


def by_day(about: Asked, read: ReadLake, of: Period) -> list[PerformanceDay]:
    """The days of a period alone, without a transaction; empty while the lake holds nothing."""
    days, shares = _days_and_shares(about, _asker(about.tenant, read, of))
    protected = _sums(shares, "day")
    return [_day(row, protected) for row in days]


def false_positives(legitimate: int, caught: int, payments: int, fraud: int) -> Interval:
    """Hits that were judged good, as a share of the payments that are not known as fraud.

    While no hit was judged, neither good nor as fraud (`caught`), it is not known: that none was judged good says
    nothing then.
    """
    return wilson(legitimate, payments - fraud if legitimate + caught else 0)


def high_value(about: Asked, read: ReadLake, of: Period) -> list[HighValueDay]:
    """What became of payments of more than HIGH_VALUE_USD, day by day; empty while the lake holds nothing."""
    asked = {"since": of.since, "until": of.until, "zone": about.zone, "above": HIGH_VALUE_USD * 100}
    return msgspec.convert(read(about.tenant, lake.HIGH_VALUE, asked) or [], list[HighValueDay])


def payments(
    tenant: uuid.UUID,
    read: ReadLake,
    of: Period,
    source: Source,
    name: str,
    outcome: OutcomeKind,
    *,
    limit: int = PAGE,
    after: tuple[datetime, str] | None = None,
) -> list[DecidedPayment]:
    """The payments behind a number, the newest first; `after` is the last one of the page before."""
    more: dict[str, Any] = {"limit": limit} | ({} if after is None else {"at": after[0], "after": after[1]})

    def query(*, labelled: bool) -> str:
        return lake.payments_query(source, outcome, labelled=labelled, later=after is not None)

    return msgspec.convert(_asker(tenant, read, of)(query, {"name": name} | more), list[DecidedPayment])


def take_payments(
    tx: Tx,
    settings: Settings,
    kinds: Kinds,
    found: list[DecidedPayment],
    asked: Payload,
    reason: str,
) -> Proposal | list[DecidedPayment]:
    """The payments behind a number, to be handed out as a file; or what waits for somebody else.

    They were `found` before the transaction began, one more than FILE_ROWS_MAX where there are too many. `asked` names
    their `source`, `name` and `outcome`, and whatever else the second person reads of the question. Raises TooManyRows,
    and NotAcceptable for many without a reason.
    """
    waits = exports.take(
        tx, settings, kinds, EXPORT, "payments", asked, rows=len(found), reason=reason, most=FILE_ROWS_MAX
    )  # fmt: skip
    return found if waits is None else waits


def _asker(tenant: uuid.UUID, read: ReadLake, of: Period) -> _Ask:
    period_of = msgspec.structs.asdict(of)

    def ask(query: Callable[..., str], more: dict[str, Any]) -> Rows:
        found = read(tenant, query(labelled=True), period_of | more)
        # Until somebody has judged an alert the lake has no table of labels.
        return (read(tenant, query(labelled=False), period_of | more) or []) if found is None else found

    return ask


def _days_and_shares(about: Asked, ask: _Ask) -> tuple[Rows, Rows]:
    zone = {"zone": about.zone}
    return ask(lake.days_query, zone), ask(lake.protected_query, zone | {"blocking": about.blocking})


def _day(row: dict[str, Any], protected: Mapping[date, int]) -> PerformanceDay:
    return PerformanceDay(
        day=row["day"], payments=row["payments"], alerts=row["alerts"], judged=row["judged"], fraud=row["fraud"],
        caught=row["caught"], legitimate=row["legitimate"], protected_usd_minor=protected.get(row["day"], 0),
        missed_usd_minor=row["missed_usd_minor"],
    )  # fmt: skip


def _sums(rows: Rows, by: str) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for row in rows:
        if not row["again"] and row[by] is not None:
            found[row[by]] = found.get(row[by], 0) + row["usd_minor"]
    return found


def _times(rows: Rows) -> DecisionTime:
    found: dict[str, Any] = rows[0] if rows else {"judged": 0, "quantiles": None}
    half, most, nearly_all = found["quantiles"] or (None, None, None)
    return DecisionTime(judged=found["judged"], p50_s=half, p90_s=most, p99_s=nearly_all)


def _outcomes(days: Rows, sources: Rows, shares: Rows, titles: Mapping[str, str]) -> list[SourceOutcome]:
    fraud, paid = sum(row["fraud"] for row in days), sum(row["payments"] for row in days)
    credited: dict[Source, dict[Any, int]] = {"rule": _sums(shares, "rule"), "model": _sums(shares, "model")}
    whole = {
        "source": "all", "name": "all", "hits": sum(row["alerts"] for row in days),
        "blocks": sum(row["blocks"] for row in days), "fraud": sum(row["caught"] for row in days),
        "legitimate": sum(row["legitimate"] for row in days),
    }  # fmt: skip
    credited["all"] = {"all": sum(credited["rule"].values())}
    return [
        SourceOutcome(
            **row,
            title=_title(row["source"], row["name"], titles),
            precision=wilson(row["fraud"], row["fraud"] + row["legitimate"]),
            recall=wilson(row["fraud"], fraud),
            false_positives=false_positives(row["legitimate"], row["fraud"], paid, fraud),
            protected_usd_minor=credited[row["source"]].get(row["name"], 0),
        )
        for row in (whole, *_chosen(sources))
    ]


def _chosen(sources: Rows) -> Sequence[dict[str, Any]]:
    wanted = ("source", "name", "hits", "blocks", "fraud", "legitimate")
    return [{name: row[name] for name in wanted} for row in sources]


def _title(source: Source, name: str, titles: Mapping[str, str]) -> str:
    if source == "all":
        return "Everything together"
    if source == "model":
        return f"Model {name}"
    return titles.get(name) or ("The model" if name == "model_score" else name.removeprefix("list:"))
