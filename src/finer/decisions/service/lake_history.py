"""What the lake says about the customer of a case: what they did, and whom they are linked with."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from finer.decisions.rules.links import graph
from finer.decisions.service.cases import get_case
from finer.decisions.store import lake_history as lake
from finer.decisions.store.cases import CaseStore
from finer.decisions.types.cases import Case, HistoryItem, LinkGraph, Subject
from finer.kit.money import Money
from finer.kit.tx import Tx

ReadLake: TypeAlias = Callable[[str, Mapping[str, Any]], Sequence[Mapping[str, Any]]]
"""Runs a statement of this domain's store over the firm's lake; empty where a table is not there yet."""
HISTORY_DAYS, LINK_DAYS = timedelta(days=30), timedelta(days=90)
_AFTER = timedelta(days=2)
_EACH_MAX, _SHOWN_MAX, _LINK_ROWS_MAX = 200, 400, 500


def timeline(tx: Tx, identifier: uuid.UUID, read: ReadLake) -> list[HistoryItem]:
    """What the customer of a case did around its alerts, of every contract, the latest first. Raises CaseNotFound."""
    case = get_case(tx, identifier)
    of = _subject(case)
    if of is None:
        return []
    since, until = _span(case, HISTORY_DAYS)
    rows = lake.history(read, *of, since, until, _EACH_MAX)
    decided = lake.actions(read, rows)
    rows.sort(key=lambda row: (row["occurred_at"], row["event_id"]), reverse=True)
    return [
        HistoryItem(
            contract=row["contract"], event_id=row["event_id"], occurred_at=row["occurred_at"],
            title=row["title"] or row["contract"], place=row["place"] or "", account_id=row["account_id"],
            amount=None if row["amount_minor"] is None else Money(row["amount_minor"], row["currency"]),
            action=decided.get((row.get("log_partition", -1), row.get("log_offset", -1))),
        )
        for row in rows[:_SHOWN_MAX]
    ]  # fmt: skip


def links(tx: Tx, identifier: uuid.UUID, read: ReadLake) -> LinkGraph:
    """Who shares a device, card, payee, e-mail address or phone number with the customer. Raises CaseNotFound."""
    case = get_case(tx, identifier)
    of = _subject(case)
    if of is None:
        return LinkGraph(nodes=[], edges=[], whole=True)
    since, until = _span(case, LINK_DAYS)
    column, subject = of
    shared = lake.shared(read, column, subject, since, until, _LINK_ROWS_MAX)
    contacts = lake.contacts(read, subject, _LINK_ROWS_MAX) if column == "customer_id" else []
    drawn = graph(column, subject, shared, contacts, {}, rows_max=_LINK_ROWS_MAX)
    found = CaseStore(tx).alerts_by_node([(one.kind, one.value) for one in drawn.nodes])
    return graph(column, subject, shared, contacts, found, rows_max=_LINK_ROWS_MAX)


def _subject(case: Case) -> tuple[str, str] | None:
    if case.subject_kind is Subject.EVENT:
        return None
    return f"{case.subject_kind.value}_id", case.subject


def _span(case: Case, before: timedelta) -> tuple[datetime, datetime]:
    return case.last_alert_at - before, case.last_alert_at + _AFTER
