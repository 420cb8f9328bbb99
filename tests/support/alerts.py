"""Alerts of a firm, as the worker raises them, and the routes that show them."""

from __future__ import annotations

import functools
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Router
from litestar.di import Provide

from finer.decisions.routes.listing import ROUTES
from finer.decisions.service import alerts as service
from finer.decisions.types.alerts import Alert, FiredRule, NewAlert, Verdict
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.ids import new_id
from tests.support.identity import Firm

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACCOUNT, CUSTOMER, DEVICE = "ACCT-0099887766", "CUST-0055443322", "DEVICE-0011223344"
_offsets = itertools.count(1)


def new_alert(**changes: Any) -> NewAlert:
    """An alert that was not raised yet."""
    offset = next(_offsets)
    fields: dict[str, Any] = {
        "id": new_id(),
        "partition": 0,
        "log_offset": offset,
        "event_id": f"event-{offset}",
        "action": "block",
        "occurred_at": AT + timedelta(seconds=offset),
        "received_at": AT + timedelta(seconds=offset + 1),
        "account_id": ACCOUNT,
        "customer_id": CUSTOMER,
        "card_last4": "4242",
        "amount_minor": 120_000,
        "currency": "PHP",
        "amount_usd_minor": 2_100,
        "merchant_name": "Corner Shop",
        "merchant_city": "Manila",
        "merchant_country": "PH",
        "channel": "card",
        "device_id": DEVICE,
        "rules": ["high_amount"],
        "verdict": Verdict(
            action="block",
            rules=[FiredRule("high_amount", "High amount", "review")],
            reasons=["The amount is high."],
            features={"account.count_10s": 4.0},
            score=0.5,
            rule_pack="p1",
            feature_set="f1",
            model=None,
        ),
    }
    return NewAlert(**(fields | changes))


def raise_alerts(worker: Database, firm: Firm, count: int, **changes: Any) -> list[Alert]:
    """Alerts of a firm that nobody has taken yet, in the order they were raised."""
    new = [new_alert(**changes) for _ in range(count)]
    with worker.transaction(firm.tenant.id, SYSTEM) as tx:
        service.record_verdicts(tx, new, [])
    with firm.tx() as tx:
        return [service.get_alert(tx, one.id) for one in new]


@functools.cache
def alert_routes() -> Router:
    """The routes of alerts and decisions, with no lake behind them."""
    return Router(
        "/",
        route_handlers=ROUTES,
        dependencies={
            "describe_rule": Provide(lambda: str, sync_to_thread=False),
            "describe_feature": Provide(lambda: lambda name: (name, ""), sync_to_thread=False),
            "account_timeline": Provide(lambda: lambda _tx, _alert: [], sync_to_thread=False),
            "lake_of": Provide(lambda: lambda _tx: lambda _statement, _arguments: [], sync_to_thread=False),
            "explanations": Provide(lambda: lambda _tx, _alerts: {}, sync_to_thread=False),
            "decide": Provide(lambda: None, sync_to_thread=False),
        },
    )
